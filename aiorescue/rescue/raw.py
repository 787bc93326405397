"""Raw calls, the escape hatch: any operation by its wire name and wire parameters, without a declaration."""

import re
from collections.abc import Mapping
from typing import Any, Final

import attrs

from aiorescue import errors
from aiorescue.operation import (
    Answer,
    Binding,
    Effect,
    Evidence,
    Needs,
    Operation,
    Outcome,
    OutcomeClass,
    Parameter,
    Source,
    Spec,
    discreet,
    operation,
    verdict,
)
from aiorescue.rescue.answers import records
from aiorescue.rescue.answers.keyed import lines_of
from aiorescue.rescue.answers.pages import with_line_feeds, without_empty_lines
from aiorescue.rescue.answers.raw import Raw
from aiorescue.rescue.catalogue import OPERATIONS
from aiorescue.rescue.service import AUTH_CODE, RESCUE

_NAME = r"[A-Za-z][A-Za-z0-9_]*"
_SENSITIVE = "(?i)pwd|pass|ticket|authcode|secret|token|apikey|cookie|credential"
_KEY = r"[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*:(.*)"
#: Every declared operation by its name and by that of its page, in small letters: pages are found in any case.
_DECLARED: Final = {
    name.lower(): declared
    for declared in OPERATIONS.values()
    for name in (declared.spec.page.rpartition("/")[2].removesuffix(".aspx"), declared.spec.name)
}


def _understand(operation: type[Operation[Any]], answer: Answer) -> Outcome[Any]:
    """Make an error of a status word that is known as one; make a `Raw` of any other answer."""
    word = records.content(answer.result)
    if not isinstance(word, str):
        return Outcome(OutcomeClass.OK, value=Raw("", word or {}))
    word = word.strip()
    found = verdict(word, None if answer.from_page else operation.spec.prefix)
    if found.outcome_class is OutcomeClass.TRANSIENT or (
        found.outcome_class is not OutcomeClass.OK and found.error is not errors.ServiceError
    ):
        return Outcome(found.outcome_class, word=word, error=found.error, detail=found.hint, ambiguous=found.ambiguous)
    lines = map(re.compile(_KEY).fullmatch, lines_of(with_line_feeds(answer.body)))
    outputs = {line[1]: line[2].strip() for line in lines if line} if answer.from_page else answer.fields
    return Outcome(OutcomeClass.OK, value=Raw(word, outputs, without_empty_lines(answer.body)), word=word)


_RAW: Final = attrs.evolve(RESCUE, understand=_understand, keeps_answers=True)


@operation
class RawCall(Operation[Raw]):
    """A raw call; `call_of` makes a type of its own for each set of wire names."""

    values: tuple[Any, ...] = attrs.field(repr=False)


#: The classes used last, the latest at the end. Each set of names needs one, as codecs are prepared for a class.
_CLASSES: dict[tuple[Any, ...], type[RawCall]] = {}
#: How many classes are kept; a program calls few operations by their wire names.
_MOST_CLASSES = 128


@discreet
def call_of(name: str, parameters: Mapping[str, str | int | bool]) -> RawCall:
    """Make a raw call.

    Args:
        name: the vendor's name of the operation; for a text page the page's name without ``.aspx``.
        parameters: values by the wire names of the binding, without the auth code, which the client adds.

    Raises:
        errors.InvalidRequest: a name cannot be one on the wire, or a parameter holds the auth code.
    """
    for one in (name, *parameters):
        if not isinstance(one, str):
            raise errors.InvalidRequest(f"raw: a name is a text, not {type(one).__name__}")
        if re.fullmatch(_NAME, one) is None:
            raise errors.InvalidRequest(f"raw: {one[:40]!r} cannot be a name on the wire")
        if one.lower() in (AUTH_CODE.soap.lower(), AUTH_CODE.page_key):
            raise errors.InvalidRequest(f"raw: {one} comes from the client's credentials")
    for one, value in parameters.items():
        if not isinstance(value, str | int | bool):
            raise errors.InvalidRequest(f"raw: {one} must be a text, a number or a bool")
    key = (name, *((one, type(value)) for one, value in parameters.items()))
    made = _CLASSES.pop(key, None) or _make(name, parameters)
    _CLASSES[key] = made
    if len(_CLASSES) > _MOST_CLASSES:
        del _CLASSES[next(iter(_CLASSES))]
    return made(tuple(parameters.values()))


def _make(name: str, parameters: Mapping[str, str | int | bool]) -> type[RawCall]:
    declared = _DECLARED.get(name.lower())
    # What repeating an operation that is not declared would do is unknown, so assume the worst.
    known = (
        declared.spec
        if declared
        else Spec(service=RESCUE, name=name, bindings={}, prefix=f"{name}_", effect=Effect.CREATES)
    )
    spec = Spec(
        service=_RAW,
        name=name,
        bindings=dict.fromkeys(Binding, Evidence.INFERRED),
        prefix=known.prefix,
        page=known.page or f"/API/{name}.aspx",
        # A login carries its own credentials: as the client's it would turn a session over to another user.
        identity=AUTH_CODE if known.needs is not Needs.NOTHING else None,
        needs=known.needs,
        effect=known.effect,
        family=known.family,
        secret_answer=known.secret_answer,
    )
    made: type[RawCall] = type(f"Raw_{name}", (RawCall,), {"__slots__": (), "spec": spec})
    made.takes(
        Source(one, (Parameter(one, one, type(value), secret=bool(re.search(_SENSITIVE, one))),), _item(index))
        for index, (one, value) in enumerate(parameters.items())
    )
    return made


def _item(index: int) -> Any:
    return lambda call: call.values[index]
