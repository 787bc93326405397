"""Rescue as a service: how an operation is declared, what all of them share, and how their answers are understood."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from aiorescue import errors
from aiorescue.operation import (
    Answer,
    Binding,
    Effect,
    Evidence,
    Family,
    Needs,
    Operation,
    Outcome,
    OutcomeClass,
    Output,
    PageLayout,
    Parameter,
    Service,
    Spec,
    verdict,
)
from aiorescue.operation.number import is_whole
from aiorescue.rescue.answers import pages, records
from aiorescue.rescue.answers.values import Unclear
from aiorescue.wire.numbers import LONGEST, whole_number
from aiorescue.wire.untracked import beyond_few

_INFERRED, _SEEN, _DOCUMENTED = Evidence.INFERRED, Evidence.CLIENT, Evidence.DOCUMENTED

#: SOAP as the vendor's pages document it.
SOAP = {Binding.SOAP11: _DOCUMENTED, Binding.SOAP12: _DOCUMENTED}
#: SOAP as code of working clients shows it: SOAP 1.1, 1.2 or both. The vendor's pages always offer the two together.
SOAP11_SEEN = {Binding.SOAP11: _SEEN, Binding.SOAP12: _INFERRED}
SOAP12_SEEN = {Binding.SOAP11: _INFERRED, Binding.SOAP12: _SEEN}
SOAP_SEEN = {Binding.SOAP11: _SEEN, Binding.SOAP12: _SEEN}
#: SOAP by analogy with sibling operations.
SOAP_INFERRED = {Binding.SOAP11: _INFERRED, Binding.SOAP12: _INFERRED}
#: The ASMX forms: documented, or by analogy with sibling operations.
ASMX = {Binding.HTTP_GET: _DOCUMENTED, Binding.HTTP_POST: _DOCUMENTED}
ASMX_INFERRED = {Binding.HTTP_GET: _INFERRED, Binding.HTTP_POST: _INFERRED}
#: The text page: documented, called by code of working clients, or with a path that follows from its title or siblings.
TEXT = {Binding.TEXT_GET: _DOCUMENTED, Binding.TEXT_POST: _DOCUMENTED}
TEXT_SEEN = {Binding.TEXT_GET: _SEEN, Binding.TEXT_POST: _SEEN}
TEXT_INFERRED = {Binding.TEXT_GET: _INFERRED, Binding.TEXT_POST: _INFERRED}

#: The auth code, which nearly every operation takes in place of a logged-in session.
AUTH_CODE = Parameter("sAuthCode", "authcode", secret=True)

#: The version at the end of an operation's name: `getSession_V2`, `requestPINCodeV3`.
_VERSION = re.compile(r"_?[Vv](\d+)$")


def on_page(name: str, holds: type[str] | type[int] | type[bool] = str, **more: Any) -> Parameter:
    """A parameter known from its text page only; the page's key stands in for the unknown SOAP name."""
    return Parameter(name, name, holds, **more)


def id_text(given: str | int) -> str:
    """The text of an id that programs may also give as a number; raises `errors.InvalidRequest` for anything else."""
    value: Any = given
    if isinstance(value, str):
        return value
    if not is_whole(value) or not 0 <= value < 2**63:
        what = "a number beyond these" if type(value) is int else type(value).__name__
        raise errors.InvalidRequest(f"an id must be a text or a whole number from 0 to 2**63 - 1, not {what}")
    return str(value)


def either(no: str, yes: str) -> Mapping[str, Any]:
    """Options of a `Parameter` whose field is a bool and whose wire value is one of two words."""

    def encode(value: bool | str) -> str:  # noqa: FBT001 - the field's value
        return (no, yes)[value] if isinstance(value, bool) else value

    return {"choices": (no, yes), "encode": encode}


def understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """Classify an answer by its status word; for an OK, read the outputs and make the result of them."""
    spec = operation.spec
    word = records.content(answer.result)
    word = word.strip() if isinstance(word, str) and len(word) <= LONGEST else ""
    if not word:
        why = "the answer holds no status word"
        return Outcome(OutcomeClass.FINAL, error=errors.ProtocolError, detail=why, ambiguous=True)
    found = verdict(word, None if answer.from_page else spec.prefix, (*spec.words, *spec.page_words))
    if found.outcome_class is not OutcomeClass.OK:
        return Outcome(found.outcome_class, word=word, error=found.error, detail=found.hint, ambiguous=found.ambiguous)
    try:
        values = pages.values(spec, answer) if answer.from_page else _values(spec.outputs, answer)
        return Outcome(OutcomeClass.OK, value=operation.result(values), word=word, outputs=values)
    except ValueError as problem:
        # Nothing marks the end of a text page, so a page cut short ends up here; XML cut short does not parse at all.
        cut = answer.from_page and not isinstance(problem, Unclear)
        outcome_class = OutcomeClass.TRANSIENT if cut else OutcomeClass.FINAL
        return Outcome(outcome_class, word=word, error=errors.ProtocolError, detail=str(problem), ambiguous=True)


def _values(outputs: Sequence[Output], answer: Answer) -> Mapping[str, Any]:
    """The outputs of a SOAP or ASMX answer, by their SOAP names; raises ValueError if one is missing or malformed."""
    values: dict[str, Any] = {}
    for output in outputs:
        value = records.whole(answer.fields.get(output.soap))
        missing = output.soap not in answer.fields
        # ASP.NET leaves out the element of a text or list that is null. But next to an undeclared element a missing one
        # is an error: the service may have renamed it.
        if (
            not output.optional
            and value is None
            and (output.holds is int or (missing and _undeclared(outputs, answer)))
        ):
            raise ValueError(f"the answer is OK but holds no {output.soap}")
        if output.item:
            values[output.soap] = _list(output, value)
        elif output.record is not None:
            values[output.soap] = records.read(output.record, _elements(output, value))
        elif value is not None and not isinstance(value, str):
            raise ValueError(f"the answer is OK but its {output.soap} is no plain value")
        elif value is not None and output.holds is int:
            values[output.soap] = _number(output, value)
        elif not (output.optional and missing):
            values[output.soap] = value or ""
    return values


def _undeclared(outputs: Sequence[Output], answer: Answer) -> bool:
    """Whether the answer holds an element that the operation does not declare."""
    return not records.children(answer.fields).keys() <= {output.soap for output in outputs}


def _number(output: Output, value: str) -> int:
    try:
        return whole_number(value)
    except ValueError:
        raise ValueError(f"the answer is OK but its {output.soap} is no number") from None


def _list(output: Output, value: Any) -> list[Any]:
    """The records of a list. xmltodict makes None, a mapping or a list of a wrapper, depending on how many it holds."""
    if output.record is None or value is None or (isinstance(value, str) and not value.strip()):
        return []
    record = output.record
    # The item's name differs between versions, and not all were seen; a wrapper holds nothing else.
    held = _elements(output, value).values()
    items = (one for some in held for one in (some if isinstance(some, list) else [some]))
    return list(beyond_few(records.read_one(record, _elements(output, one)) for one in items))


def _elements(output: Output, value: Any) -> Mapping[str, Any]:
    """The child elements of a structure, by name; raises ValueError for anything that is not a structure."""
    held = records.whole(value)
    if not isinstance(held, Mapping):
        raise ValueError(f"the answer is OK but its {output.soap} is no structure")  # noqa: TRY004 - caught above
    return {name: child if isinstance(child, str) else records.whole(child) for name, child in held.items()}


RESCUE = Service(
    name="LogMeIn Rescue",
    namespace="https://secure.logmeinrescue.com/API/API.asmx",
    asmx="/API/API.asmx",
    understand=understand,
)


def declare(
    name: str,
    bindings: Mapping[Binding, Evidence],
    *outputs: Output,
    words: str,
    page_words: str = "",
    prefix: str | None = None,
    page: str = "",
    page_layout: PageLayout = PageLayout.KEYS,
    needs: Needs = Needs.IDENTITY,
    effect: Effect = Effect.READ,
    family: Family | None = None,
    own_credentials: tuple[str, str] | None = None,
    secret_answer: bool = False,
    streamed: bool = False,
) -> Spec:
    """Declare a Rescue operation: only what its name and the service do not say already.

    Args:
        name: the vendor's name of the operation.
        bindings: the bindings it is offered on, each with the evidence for it.
        outputs: values that an OK brings along.
        words: status words in SOAP's spelling, separated by blanks, as the vendor's page lists them.
        page_words: status words that only the text page knows.
        prefix: what precedes the status words over SOAP and ASMX; left out, the name without version (``getUser_``).
        page: path of the text page; left out, ``/API/<name>.aspx``, where ``V2`` and ``_V2`` become ``_v2``.
        page_layout: how the text page writes the outputs.
        needs: identity that a call needs; an auth code is a parameter only where an identity is needed.
        effect: what a repetition of the call would do.
        family: rate family of the operation; None if it has no limit.
        own_credentials: fields for e-mail address and password, which the client's `aiorescue.Login` fills if left out.
        secret_answer: True if the answer holds a secret.
        streamed: True if the text page's answer may be too long for memory.
    """
    if prefix is None:
        prefix = f"{_VERSION.sub('', name)}_"
    if not page and Binding.TEXT_POST in bindings:
        page = "/API/" + _VERSION.sub(r"_v\1", name) + ".aspx"
    return Spec(
        service=RESCUE,
        name=name,
        bindings=bindings,
        prefix=prefix if bindings.keys() - {Binding.TEXT_GET, Binding.TEXT_POST} else "",
        root=f"{name}Ret" if Binding.HTTP_POST in bindings else "",
        page=page,
        page_layout=page_layout,
        words=tuple(words.split()),
        page_words=tuple(page_words.split()),
        outputs=outputs,
        identity=AUTH_CODE if needs is Needs.IDENTITY else None,
        needs=needs,
        effect=effect,
        family=family,
        own_credentials=own_credentials,
        secret_answer=secret_answer,
        streamed=streamed,
    )
