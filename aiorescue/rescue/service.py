"""What all Rescue operations have in common: the service's address, its status words, the auth code."""

from collections.abc import Mapping, Sequence
from typing import Any

from aiorescue import errors
from aiorescue.operation import (
    Answer,
    Binding,
    Evidence,
    Operation,
    Outcome,
    OutcomeClass,
    Output,
    Parameter,
    Service,
    verdict,
)
from aiorescue.rescue.answers import pages, records

_DOCUMENTED, _INFERRED = Evidence.DOCUMENTED, Evidence.INFERRED

#: The binding groups in which the vendor documents its operations.
SOAP = {Binding.SOAP11: _DOCUMENTED, Binding.SOAP12: _DOCUMENTED}
ASMX = {Binding.HTTP_GET: _DOCUMENTED, Binding.HTTP_POST: _DOCUMENTED}
TEXT = {Binding.TEXT_GET: _DOCUMENTED, Binding.TEXT_POST: _DOCUMENTED}
ASMX_INFERRED = {Binding.HTTP_GET: _INFERRED, Binding.HTTP_POST: _INFERRED}

#: The parameter that stands in for a login on nearly every operation.
AUTH_CODE = Parameter("sAuthCode", "authcode", secret=True)


#: SOAP as client code shows it: 1.1 was seen, and 1.2 comes with it on every page that was read.
SOAP11_SEEN = {Binding.SOAP11: Evidence.CLIENT, Binding.SOAP12: _INFERRED}
SOAP12_SEEN = {Binding.SOAP11: _INFERRED, Binding.SOAP12: Evidence.CLIENT}
#: A text page that client code asks.
TEXT_SEEN = {Binding.TEXT_GET: Evidence.CLIENT, Binding.TEXT_POST: Evidence.CLIENT}
#: A text page whose path follows from its title or its siblings.
TEXT_INFERRED = {Binding.TEXT_GET: _INFERRED, Binding.TEXT_POST: _INFERRED}


def on_page(name: str, holds: type[str] | type[int] | type[bool] = str, **more: Any) -> Parameter:
    """A parameter that only a text page is known to take; its SOAP name is not known, so it has the page's."""
    return Parameter(name, name, holds, **more)


def either(no: str, yes: str) -> Mapping[str, Any]:
    """How a parameter that is a bool here is one of two words on the wire."""

    def encode(value: bool | str) -> str:  # noqa: FBT001 - the attribute's value
        return (no, yes)[value] if isinstance(value, bool) else value

    return {"choices": (no, yes), "encode": encode}


def words(members: str, *more: str) -> tuple[str, ...]:
    """Status words from one line, as an operation page prints them."""
    return (*members.split(), *more)


def understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """Read the status word and, if it is a good one, the outputs."""
    spec = operation.spec
    word = records.content(answer.result)
    word = word.strip() if isinstance(word, str) else ""
    if not word:
        return Outcome(OutcomeClass.FINAL, error=errors.ProtocolError, detail="the answer holds no status word")
    found = verdict(word, spec.prefix)
    if found.outcome_class is not OutcomeClass.OK:
        return Outcome(found.outcome_class, word=word, error=found.error, detail=found.hint)
    try:
        values = pages.values(spec, answer) if answer.from_page else _values(spec.outputs, answer)
        return Outcome(OutcomeClass.OK, value=operation.result(values), word=word, outputs=values)
    except ValueError as problem:
        # Nothing marks the end of a text answer, so that one cut short looks like this; XML cut short does not.
        kind = OutcomeClass.TRANSIENT if answer.from_page else OutcomeClass.FINAL
        return Outcome(kind, word=word, error=errors.ProtocolError, detail=str(problem), ambiguous=True)


def _values(outputs: Sequence[Output], answer: Answer) -> Mapping[str, Any]:
    """The outputs of a SOAP answer. Raises ValueError."""
    values: dict[str, Any] = {}
    for output in outputs:
        value = records.content(answer.fields.get(output.soap))
        lacks = output.soap not in answer.fields
        # A text or a list that is null does not come at all; if something unknown did, it may have another name.
        if not output.optional and value is None and (output.holds is int or (lacks and _strange(outputs, answer))):
            raise ValueError(f"the answer is OK but holds no {output.soap}")
        if output.item:
            values[output.soap] = _list(output, value)
        elif output.record is not None:
            values[output.soap] = records.read(output.record, _elements(output, value))
        elif value is not None and not isinstance(value, str):
            raise ValueError(f"the answer is OK but its {output.soap} is no plain value")
        elif value is not None and output.holds is int:
            values[output.soap] = _number(output, value)
        elif not (output.optional and lacks):
            values[output.soap] = value or ""
    return values


def _strange(outputs: Sequence[Output], answer: Answer) -> bool:
    """Whether the answer holds what is not declared."""
    return not records.children(answer.fields).keys() <= {output.soap for output in outputs}


def _number(output: Output, value: str) -> int:
    text = value.strip()
    if not (text.isascii() and text.removeprefix("-").isdigit()):
        raise ValueError(f"the answer is OK but its {output.soap} is no number")
    return int(text)


def _list(output: Output, value: Any) -> list[Any]:
    """The records in a wrapper: none, one or many (xmltodict makes something else of each)."""
    if output.record is None or value is None or (isinstance(value, str) and not value.strip()):
        return []
    found: list[Any] = []
    # The item's name differs between versions, and not all were seen; a wrapper holds nothing else.
    for items in _elements(output, value).values():
        found += items if isinstance(items, list) else [items]
    return [records.read(output.record, _elements(output, one)) for one in found]


def _elements(output: Output, value: Any) -> Mapping[str, Any]:
    """What stands in a structure."""
    held = records.content(value)
    if not isinstance(held, Mapping):
        raise ValueError(f"the answer is OK but its {output.soap} is no structure")  # noqa: TRY004 - caught above
    return {name: child if isinstance(child, str) else records.content(child) for name, child in held.items()}


RESCUE = Service(
    name="LogMeIn Rescue",
    namespace="https://secure.logmeinrescue.com/API/API.asmx",
    asmx="/API/API.asmx",
    understand=understand,
)
