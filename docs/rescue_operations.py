# ruff: noqa: INP001 - a script, not a package
"""The page `docs/operations.md`, made from the declarations; `docs/generate.py` writes it."""

from collections.abc import Iterator
from typing import Any

from aiorescue import RescueClient
from aiorescue.call.awaits import operations_of
from aiorescue.operation import Binding, Evidence, Operation, Parameter
from aiorescue.rescue.catalogue import OPERATIONS

_HEAD = """# Operations of LogMeIn Rescue

Generated from the declarations by `docs/generate.py`; do not edit.

Each row is a method of `RescueClient`, and the class of its name in CamelCase is the operation as a value.
Parameters are given by their names here, then on the wire: SOAP and forms / text page (`-`: not known there). The auth
code or session is added by the client. What each takes and answers is in its docstring.

Bindings are marked by how we know them: **documented** by the vendor, seen in a *client's* code, or (inferred) from a
sibling. Unless a call names one, the client's own binding is used where it is listed, else the best of these.

`setUserStatus`, `getReportDate_v2` and `getDateFormat` are known by name only: `rescue.raw("getDateFormat")`.
"""
_GROUPS = {
    Binding.SOAP11: "SOAP 1.1",
    Binding.SOAP12: "SOAP 1.2",
    Binding.HTTP_POST: "forms",
    Binding.TEXT_POST: "page",
}
_MARKS = {Evidence.DOCUMENTED: "**{}**", Evidence.CLIENT: "*{}*", Evidence.INFERRED: "({})"}


def _bindings(operation: type[Operation[Any]]) -> str:
    known = operation.spec.bindings
    return ", ".join(_MARKS[known[one]].format(name) for one, name in _GROUPS.items() if one in known)


def _names(parameter: Parameter, operation: type[Operation[Any]]) -> str:
    known = operation.spec.bindings
    soap = parameter.soap if any(one not in (Binding.TEXT_GET, Binding.TEXT_POST) for one in known) else "-"
    text = parameter.page_key if parameter.page_key and Binding.TEXT_POST in known else "-"
    return f"{soap} / {text}"


def _parameters(operation: type[Operation[Any]]) -> str:
    shown: dict[str, str] = {}  # by attribute; of a repeated one the last stands for all
    for slot in operation.slots:
        attribute, repeated, index = slot.name.partition("[")
        names = _names(slot.parameter, operation)
        if repeated:
            last = index.rstrip("]")
            ranges = (f"{name.removesuffix(last)}0-{last}" if name != "-" else name for name in names.split(" / "))
            names = " / ".join(ranges)
        elif attribute in shown:  # one attribute that goes out twice
            names = f"{shown[attribute]} and {names}"
        shown[attribute] = names
    if operation.spec.name == "createUsers":
        shown["users"] = "- / USERDATA[0].name and so on"
    return "<br>".join(f"`{attribute}` {names}" for attribute, names in shown.items())


def _rows() -> Iterator[str]:
    methods = {operation: name for name, operation in operations_of(RescueClient).items()}
    room = ""
    for operation in OPERATIONS.values():
        spec = operation.spec
        here = operation.__module__.rpartition(".")[2].replace("_", " ")
        if here != room:
            room = here
            yield f"\n## {room.capitalize()}\n"
            yield "| method | vendor's name | bindings | parameters | words | repeated, it |"
            yield "| --- | --- | --- | --- | --- | --- |"
        words = ", ".join((*spec.words, *(f"{word} (page)" for word in spec.page_words)))
        if operation not in methods:
            raise LookupError(f"{operation.__name__} is no method: add a line to aiorescue/rescue/client.py")
        cells = (f"`{methods[operation]}`", spec.name, _bindings(operation), _parameters(operation), words)
        yield f"| {' | '.join(cells)} | {spec.effect.value} |"


def page() -> str:
    """The whole page."""
    return "\n".join((_HEAD.rstrip(), *_rows())) + "\n"
