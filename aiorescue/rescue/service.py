"""What all Rescue operations have in common: the service's address, its status words, the auth code."""

from collections.abc import Iterable, Mapping
from typing import Any

from aiorescue import errors
from aiorescue.operation import (
    Answer,
    Binding,
    Evidence,
    Kind,
    Operation,
    Outcome,
    Output,
    Parameter,
    Service,
    verdict,
)

_DOCUMENTED, _INFERRED = Evidence.DOCUMENTED, Evidence.INFERRED

#: The binding groups in which the vendor documents its operations.
SOAP = {Binding.SOAP11: _DOCUMENTED, Binding.SOAP12: _DOCUMENTED}
ASMX = {Binding.HTTP_GET: _DOCUMENTED, Binding.HTTP_POST: _DOCUMENTED}
TEXT = {Binding.TEXT_GET: _DOCUMENTED, Binding.TEXT_POST: _DOCUMENTED}
ASMX_INFERRED = {Binding.HTTP_GET: _INFERRED, Binding.HTTP_POST: _INFERRED}

#: The parameter that stands in for a login on nearly every operation.
AUTH_CODE = Parameter("sAuthCode", "authcode", secret=True)


def words(members: str, *more: str) -> tuple[str, ...]:
    """Status words from one line, as an operation page prints them."""
    return (*members.split(), *more)


def understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """Read the status word and, if it is a good one, the outputs."""
    spec = operation.spec
    word = answer.result
    if not isinstance(word, str) or not word:
        return Outcome(Kind.FINAL, error=errors.ProtocolError, detail="the answer holds no status word")
    found = verdict(word, spec.prefix)
    if found.kind is not Kind.OK:
        return Outcome(found.kind, word=word, error=found.error, detail=found.hint)
    try:
        values = _outputs(spec.outputs, answer)
        return Outcome(Kind.OK, value=operation.result(values), word=word)
    except ValueError as problem:
        # Nothing marks the end of a text answer, so that one cut short looks like this; XML cut short does not.
        kind = Kind.TRANSIENT if answer.text else Kind.FINAL
        return Outcome(kind, word=word, error=errors.ProtocolError, detail=str(problem), ambiguous=True)


def _outputs(outputs: Iterable[Output], answer: Answer) -> Mapping[str, Any]:
    values: dict[str, Any] = {}
    for output in outputs:
        name = output.text if answer.text else output.soap
        value = answer.fields.get(name)
        if value is None:
            raise ValueError(f"the answer is OK but holds no {name}")
        values[output.soap] = int(value) if output.holds is int and not answer.text else value
    return values


RESCUE = Service(
    name="LogMeIn Rescue",
    namespace="https://secure.logmeinrescue.com/API/API.asmx",
    asmx="/API/API.asmx",
    understand=understand,
)
