# ruff: noqa: INP001 - part of a script, not of a package
"""The source of `aiorescue/rescue/__init__.py`: imports and `__all__`, which type checkers must find in writing.

Declarations are found in the source files, not by importing them, so that the list can be written anew after an
operation was renamed or taken out.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOM = Path(__file__).parent.parent / "aiorescue" / "rescue"
_LINE = 120

#: What `aiorescue.rescue` exports beside the operations.
_VALUES = {
    "aiorescue.operation": "Operation",
    "aiorescue.rescue.answers.chat": "Chat ChatLine",
    "aiorescue.rescue.answers.nodes": "Account Group Hierarchy Node NodeStatus NodeType User",
    "aiorescue.rescue.answers.raw": "Raw",
    "aiorescue.rescue.answers.report": "Report",
    "aiorescue.rescue.answers.report_stream": "ReportStream",
    "aiorescue.rescue.answers.sessions": "Session SessionStatus",
    "aiorescue.rescue.catalogue": "OPERATIONS",
    "aiorescue.rescue.client": "RescueClient",
    "aiorescue.rescue.invitations": "EmailText",
    "aiorescue.rescue.pins": "PinCode PinRequest SentPinCode",
    "aiorescue.rescue.report_options": "ReportArea ReportNodeRef ReportOutput ReportType",
    "aiorescue.rescue.sessions": "NodeRef",
    "aiorescue.rescue.users": "NewUser",
}
_HEAD = '''"""LogMeIn Rescue: the client and its operations as values. Written by `docs/generate.py`; do not edit.

Names are imported when they are first used, so that a program loads only the operations that it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:'''
_TAIL = """

if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = globals()[name] = getattr(import_module(home), name)
        return value


def __dir__() -> list[str]:
    return [*globals(), *__all__]"""


def _is_declaration(statement: ast.stmt) -> bool:
    """Whether a statement is ``spec = declare(…)``, or calls a function whose name has ``declare`` in it."""
    match statement:
        case ast.Assign(targets=[ast.Name("spec")], value=ast.Call(func=ast.Name(name))):
            return "declare" in name
    return False


def declared(path: Path) -> list[str]:
    """The names of the operations that a file declares."""
    classes = [node for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, ast.ClassDef)]
    return [each.name for each in classes if any(map(_is_declaration, each.body))]


def _import(module: str, names: list[str]) -> str:
    """An import statement as ruff formats it, below ``if TYPE_CHECKING``."""
    line = f"    from {module} import {', '.join(names)}"
    if len(line) <= _LINE:
        return line
    return "\n".join((f"    from {module} import (", *(f"        {n}," for n in names), "    )"))


def _lines() -> Iterator[str]:
    exported = {module: names.split() for module, names in _VALUES.items()}
    for path in ROOM.glob("*.py"):
        if names := declared(path):
            exported.setdefault(f"aiorescue.rescue.{path.stem}", []).extend(names)
    yield _HEAD
    yield from (_import(module, sorted(names)) for module, names in sorted(exported.items()))
    every = sorted((name for names in exported.values() for name in names), key=lambda name: (not name.isupper(), name))
    homes = {name: module for module, names in exported.items() for name in names}
    yield "\n".join(("", "__all__ = [", *(f'    "{name}",' for name in every), "]"))
    yield "\n".join(("", "_HOMES = {", *(f'    "{name}": "{homes[name]}",' for name in every), "}"))
    yield _TAIL


def source() -> str:
    """The whole file."""
    return "\n".join(_lines()) + "\n"
