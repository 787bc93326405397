# ruff: noqa: INP001 - a script, not a package
"""The page `docs/operations.md`, made from the declarations; `docs/generate.py` writes it."""

import re
from collections.abc import Iterator
from itertools import groupby
from typing import Any

import field_docs

from aiorescue import Pace, RescueClient
from aiorescue.call.awaits import operations_of
from aiorescue.operation import Binding, Evidence, Family, Operation, Parameter
from aiorescue.pace.pace import LOGIN_WINDOW
from aiorescue.rescue.catalogue import OPERATIONS

_HEAD = """# Operations of LogMeIn Rescue

<!-- Generated from the declarations by `docs/generate.py`; do not edit. -->

Each heading is a method of `RescueClient`; the class of its name in CamelCase (`close_session`: `CloseSession`) is the
operation as a value. The auth code or session is added by the client.

**Bindings** are marked by how we know them: **documented** by the vendor, seen in a *client's* code, or (inferred) from
a sibling. *SOAP* is `Binding.SOAP11` and `Binding.SOAP12`, *forms* are `HTTP_GET` and `HTTP_POST`, *page* is `TEXT_GET`
and `TEXT_POST`. Unless a call names one, the client's own binding is used where it is listed, else the best of these.

**Parameters** stand with their names in Python, then on the wire: in SOAP and forms, and on the text page (`-`: not
known there). A value outside of the limits is refused before anything is sent. Numbers have 32 bits.

**Words** are the status words that the operation answers with, apart from `OK` and `Error`. What each means, the
exception that it becomes and what to do about it: [status words](status-words.md).

**Repeated, it …** says what happens if the service carries out one call twice, and so whether a call is tried again
when its answer got lost ([after a timeout](explanation/after-a-timeout.md)).

`setUserStatus`, `getReportDate_v2` and `getDateFormat` are known by name only: `rescue.raw("getDateFormat")`.
"""
_GROUPS = {
    Binding.SOAP11: "SOAP 1.1",
    Binding.SOAP12: "SOAP 1.2",
    Binding.HTTP_POST: "forms",
    Binding.TEXT_POST: "page",
}
_MARKS = {Evidence.DOCUMENTED: "**{}**", Evidence.CLIENT: "*{}*", Evidence.INFERRED: "({})"}
#: The vendor's name in a docstring, which stands in a line of its own here.
_VENDOR = re.compile(r" Vendor: ``[^`]*``(?: \(``[^`]*``\))?\.")
_TYPES = {str: "text", int: "number", bool: "truth value", bytes: "bytes"}


def _bindings(operation: type[Operation[Any]]) -> str:
    known = operation.spec.bindings
    return ", ".join(_MARKS[known[one]].format(name) for one, name in _GROUPS.items() if one in known)


def _names(parameter: Parameter, operation: type[Operation[Any]]) -> tuple[str, str]:
    """Names on the wire: in SOAP and forms, and on the page."""
    known = operation.spec.bindings
    soap = parameter.soap if any(one not in (Binding.TEXT_GET, Binding.TEXT_POST) for one in known) else "-"
    text = parameter.page_key if parameter.page_key and Binding.TEXT_POST in known else "-"
    return soap, text


def _limits(parameters: list[Parameter]) -> str:
    """What the wire's values are, and their limits; for the items of a sequence the limit of each."""
    first = parameters[0]
    if first.choices:
        return ", ".join(f"`{choice}`" if choice != "" else "empty" for choice in first.choices)
    lengths = [str(one.max_length) for one in parameters if one.max_length is not None]
    kind = _TYPES[first.holds]
    if len(parameters) > 1:
        kind = f"up to {len(parameters)} {kind}s"
    if not lengths:
        return kind
    shown = lengths[0] if len(set(lengths)) == 1 else ", ".join(lengths[:-1]) + f" and {lengths[-1]}"
    return f"{kind} of at most {shown} characters"


def _fields(operation: type[Operation[Any]]) -> dict[str, list[Parameter]]:
    """The parameters that each attribute of an operation fills."""
    found: dict[str, list[Parameter]] = {}
    for slot in operation.slots:
        found.setdefault(slot.name.partition("[")[0], []).append(slot.parameter)
    return found


def _on_the_wire(parameters: list[Parameter], operation: type[Operation[Any]], *, repeated: bool) -> tuple[str, str]:
    pairs = [_names(one, operation) for one in parameters]
    if repeated and len(pairs) > 1:  # a sequence: the first and the last stand for all
        ends = zip(pairs[0], pairs[-1], strict=True)
        return tuple(f"{one} … {other}" if one != "-" else one for one, other in ends)  # type: ignore[return-value]
    columns = zip(*pairs, strict=True)
    return tuple(" and ".join(column) for column in columns)  # type: ignore[return-value]


def _table(operation: type[Operation[Any]]) -> Iterator[str]:
    fields = _fields(operation)
    sequences = {slot.name.partition("[")[0] for slot in operation.slots if "[" in slot.name}
    meanings = field_docs.meanings(operation)
    if not meanings:
        return
    yield ""
    yield "| parameter | what | limits | SOAP, forms | page |"
    yield "|---|---|---|---|---|"
    for name, meaning in meanings.items():
        if parameters := fields.get(name):
            soap, page = _on_the_wire(parameters, operation, repeated=name in sequences)
            limits = _limits(parameters if name in sequences else parameters[:1])
        else:
            soap, page, limits = "-", "`USERDATA[0].name` …", "a list of users"  # createUsers alone
        yield f"| `{name}` | {meaning.replace('|', chr(92) + '|')} | {limits} | {soap} | {page} |"


def _section(method: str, operation: type[Operation[Any]]) -> Iterator[str]:
    spec = operation.spec
    text = _VENDOR.sub("", " ".join((operation.__doc__ or "").split("\n\n")[0].split()))
    words = ", ".join(f"`{word}`" for word in (*spec.words, *spec.page_words) if word.upper() not in {"OK", "ERROR"})
    family = f" · Pace: [{spec.family.value.replace('_', ' ')}](#rates)" if spec.family else ""
    yield f"\n### {method}\n"
    yield text + "\n"
    yield f"`{spec.name}` · Bindings: {_bindings(operation)}{family} · Repeated, it {spec.effect.value}."
    yield from _table(operation)
    if words:
        yield f"\nWords: {words}."


def _rates() -> Iterator[str]:
    pace = Pace()
    yield "\n## Rates\n"
    yield "The service limits each identity. `Pace(…)` sets what is allowed; its defaults are the documented rates."
    yield "\n| option of `Pace` | default | operations |"
    yield "|---|---|---|"
    for family in Family:
        value = getattr(pace, family.value)
        if family is Family.LOGINS:
            shown = f"{value} in {LOGIN_WINDOW / 60:g} minutes"
        elif value is None:
            shown = "no pace: a limit exists, its value is not documented"
        else:
            shown = f"{value:g} a second" if value >= 1 else f"{value * 60:g} a minute"
        names = ", ".join(f"`{name}`" for name, one in OPERATIONS.items() if one.spec.family is family)
        yield f"| `{family.value}` | {shown} | {names} |"


def page() -> str:
    """The whole page."""
    methods = {operation: name for name, operation in operations_of(RescueClient).items()}
    lines = [_HEAD.rstrip(), *_rates()]
    for room, operations in groupby(OPERATIONS.values(), lambda one: one.__module__.rpartition(".")[2]):
        lines.append(f"\n## {room.replace('_', ' ').capitalize()}")
        for operation in operations:
            if operation not in methods:
                raise LookupError(f"{operation.__name__} is no method: add a line to aiorescue/rescue/client.py")
            lines += _section(methods[operation], operation)
    return "\n".join(lines) + "\n"
