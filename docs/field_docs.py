# ruff: noqa: INP001 - part of a script, not of a package
"""The source of `aiorescue/operation/field_docs.py`: what the fields of operations are, as their docstrings say it.

Python drops a string below a field, and parsing sources at each import would be slow. So the strings are read here,
once, and kept where `help()` of a client's method finds them.
"""

import ast
import inspect
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import attrs

from aiorescue import inforouter
from aiorescue.operation import Operation
from aiorescue.rescue.catalogue import OPERATIONS

_HEAD = '''# ruff: noqa: E501 - one line an operation
"""The fields of each operation, for `help()`. Written by `docs/generate.py` from their docstrings; do not edit."""

from collections.abc import Mapping

#: The lines of an ``Args:`` section, by module and name of the operation type.
FIELD_DOCS: Mapping[str, str] = {
'''


@cache
def _strings(cls: type[Any]) -> Mapping[str, str]:
    """The docstrings of the fields in a class's own body, by the names of the fields."""
    body = ast.parse(inspect.getsource(cls)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 - the source of a class
    found = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case (ast.AnnAssign(target=ast.Name(name)), ast.Expr(ast.Constant(str(text)))):
                found[name] = " ".join(text.split())
    return found


def meanings(operation: type[Operation[Any]]) -> Mapping[str, str]:
    """The docstring of each parameter of an operation type, also of those that it inherits, by name."""
    found = {}
    for field in attrs.fields(operation):
        owners = (base for base in operation.__mro__ if attrs.has(base) and field.name in _strings(base))
        owner = next(owners, None)
        if owner is None:
            raise LookupError(f"{operation.__name__}.{field.name} has no docstring: add one below the field")
        found[field.name] = _strings(owner)[field.name]
    return found


def _fields(operation: type[Operation[Any]]) -> Iterator[str]:
    """A line of an ``Args:`` section for each parameter of an operation type."""
    yield from (f"{name}: {text}" for name, text in meanings(operation).items())


def source() -> str:
    """The whole file."""
    operations = (*OPERATIONS.values(), *inforouter.OPERATIONS.values(), *inforouter.TYPED.values())
    found = {f"{each.__module__}.{each.__name__}": "\n".join(_fields(each)) for each in operations}
    lines = (f"    {_literal(name)}: {_literal(text)},\n" for name, text in sorted(found.items()) if text)
    return _HEAD + "".join(lines) + "}\n"


def _literal(text: str) -> str:
    """A string literal as ruff formats it: in double quotes, unless the text has more of those than single ones."""
    if text.count('"') > text.count("'"):
        return "'" + text.replace("\\", "\\\\").replace("\n", "\\n").replace("'", "\\'") + "'"
    return '"' + text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"') + '"'
