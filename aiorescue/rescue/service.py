"""What all Rescue operations have in common: the service's address, its status words, the auth code."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import attrs

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
from aiorescue.rescue.answers import pages, records
from aiorescue.wire.characters import REPLACEMENT

_DOCUMENTED, _INFERRED = Evidence.DOCUMENTED, Evidence.INFERRED

#: The binding groups in which the vendor documents its operations.
SOAP = {Binding.SOAP11: _DOCUMENTED, Binding.SOAP12: _DOCUMENTED}
ASMX = {Binding.HTTP_GET: _DOCUMENTED, Binding.HTTP_POST: _DOCUMENTED}
TEXT = {Binding.TEXT_GET: _DOCUMENTED, Binding.TEXT_POST: _DOCUMENTED}
ASMX_INFERRED = {Binding.HTTP_GET: _INFERRED, Binding.HTTP_POST: _INFERRED}

#: The parameter that stands in for a login on nearly every operation.
AUTH_CODE = Parameter("sAuthCode", "authcode", secret=True)

_VERSION = re.compile(r"_?[vV][0-9_]+$")
_CAPITAL_VERSION = re.compile(r"_?V(?=[0-9]+$)")


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


def understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """Read the status word and, if it is a good one, the outputs."""
    spec = operation.spec
    word = records.content(answer.result)
    word = word.strip() if isinstance(word, str) else ""
    if not word:
        return Outcome(OutcomeClass.FINAL, error=errors.ProtocolError, detail="the answer holds no status word")
    found = verdict(word, spec.prefix, (*spec.words, *spec.page_words))
    if found.outcome_class is not OutcomeClass.OK:
        return Outcome(found.outcome_class, word=word, error=found.error, detail=found.hint, ambiguous=found.ambiguous)
    try:
        values = pages.values(spec, answer) if answer.from_page else _values(spec.outputs, answer)
        return Outcome(OutcomeClass.OK, value=operation.result(values), word=word, outputs=values)
    except ValueError as problem:
        # Nothing marks the end of a text answer, so that one cut short looks like this; XML cut short does not.
        cut = answer.from_page and not isinstance(problem, records.Unclear)
        kind = OutcomeClass.TRANSIENT if cut else OutcomeClass.FINAL
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
    return [_record(output.record, _elements(output, one)) for one in found]


def _record(record: type[Any], values: Mapping[str, Any]) -> Any:
    """A record of a list; where it can, it tells that a character was replaced which XML does not allow."""
    if any(field.name == "mended" for field in attrs.fields(record)):
        lacks = any(REPLACEMENT in value for value in values.values() if isinstance(value, str))
        return records.read(record, values, mended=lacks)
    return records.read(record, values)


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


def declare(
    name: str,
    bindings: Mapping[Binding, Evidence],
    *,
    words: str,
    prefix: str | None = None,
    page: str | None = None,
    page_words: str = "",
    page_layout: PageLayout = PageLayout.KEYS,
    outputs: tuple[Output, ...] = (),
    needs: Needs = Needs.IDENTITY,
    effect: Effect = Effect.READ,
    family: Family | None = None,
    own_credentials: tuple[str, str] | None = None,
    secret_answer: bool = False,
    streamed: bool = False,
) -> Spec:
    """The declaration of a Rescue operation: what is special about it; the rest follows from its name and bindings.

    Args:
        name: the vendor's name, as it is written over SOAP.
        bindings: where it answers, and how we know.
        words: its status words in the SOAP spelling, separated by blanks.
        prefix: what stands before those words in XML answers; by default the name without its version, and ``_``.
        page: path of its text page; by default ``/API/`` and the name, with the version written as ``_v2``.
        page_words: status words that only the text page knows, separated by blanks.
        page_layout: how the text page writes the outputs.
        outputs: what an OK brings along; the value of a single one is the result.
        needs: as whom it is called; only with an identity does it take the auth code.
        effect: what a repetition would do.
        family: the limit that it is counted against.
        own_credentials: the fields for name and password; left out, the client's `Login` fills them.
        secret_answer: the answer holds a secret, so it is never quoted.
        streamed: the text page's answer may be too long for memory.
    """
    has_page = not bindings.keys().isdisjoint(TEXT)
    has_forms = not bindings.keys().isdisjoint(ASMX)
    has_xml = not bindings.keys() <= TEXT.keys()
    if prefix is None:
        prefix = f"{_VERSION.sub('', name)}_" if has_xml else ""
    if page is None:
        page = f"/API/{_CAPITAL_VERSION.sub('_v', name)}.aspx" if has_page else ""
    return Spec(
        service=RESCUE,
        name=name,
        bindings=bindings,
        prefix=prefix,
        root=f"{name}Ret" if has_forms else "",
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
