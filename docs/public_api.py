# ruff: noqa: INP001 - part of a script, not of a package
"""The list of what is public, `tests/public_api.txt`: each name with its signature, and what objects of it have.

The list depends on the package alone: not on the version of Python, nor on those of the libraries.
"""

import enum
import inspect
import types
import typing
from collections.abc import Callable, Iterator
from datetime import timedelta
from importlib import import_module
from typing import Annotated, Any, get_args, get_origin

import attrs

from aiorescue.operation import Operation

MODULES = (
    "aiorescue",
    "aiorescue.bulk",
    "aiorescue.bulk.distributed",
    "aiorescue.emulator",
    "aiorescue.errors",
    "aiorescue.events",
    "aiorescue.inforouter",
    "aiorescue.logs",
    "aiorescue.otel",
    "aiorescue.rescue",
)
_HEAD = """\
What is public: each name with its signature, its fields and its methods. Written by `python docs/generate.py`.
A difference is a change for users: it belongs into CHANGELOG.md.
"""
_LINE = 120
_EMPTY = inspect.Parameter.empty


def page() -> str:
    """The whole file."""
    homes: dict[int, str] = {}
    return "\n".join((_HEAD, *(line for module in MODULES for line in _module(module, homes)))) + "\n"


def _module(name: str, homes: dict[int, str]) -> Iterator[str]:
    """The lines of one module; what another module has already shown is only named."""
    module = import_module(name)
    yield f"== {name}"
    yield ""
    for public in _names_of(module):
        value, path = getattr(module, public), f"{name}.{public}"
        if isinstance(value, type) or inspect.isfunction(value):
            home = homes.setdefault(id(value), path)
            yield from [f"{path} is {home}"] if home != path else _shown(path, value)
        elif isinstance(value, types.ModuleType):
            yield f"module {path}"
        elif get_origin(value) is not None:
            yield f"{path} = {_type(value)}"
        else:
            yield f"{path}: {_type(type(value))}"
    yield ""


def _names_of(module: types.ModuleType) -> list[str]:
    """The names that a module exports: those of `__all__`, or else those of what it defines."""
    defined = [name for name, value in vars(module).items() if getattr(value, "__module__", None) == module.__name__]
    names = getattr(module, "__all__", [name for name in defined if not name.startswith("_")])
    return sorted({*names, *(["__version__"] if module.__name__ == "aiorescue" else [])})


def _shown(path: str, value: Any) -> Iterator[str]:
    """The lines of a class or of a function; of an error those that its base has not."""
    if not isinstance(value, type):
        yield from _call(f"{_how(value)} {path}", value)
        return
    if issubclass(value, Exception) and value.__base__ is not Exception:
        yield f"class {path}({', '.join(base.__name__ for base in value.__bases__)})"
        known = {line for base in value.__bases__ for line in _members(base)}
        yield from (line for line in _members(value) if line not in known)
        return
    bases = [_type(base) for base in vars(value).get("__orig_bases__", value.__bases__) if base is not object]
    yield f"class {path}({', '.join(bases)})" if bases else f"class {path}"
    if issubclass(value, enum.Enum):
        yield from (f"    .{member.name} = {member.value!r}" for member in value)
    elif not getattr(value, "_is_protocol", False):
        yield from _call("    ", value)
    if not issubclass(value, Operation):  # what operations have in common is between them and the clients
        yield from sorted(_members(value), key=str.strip)


def _members(cls: type) -> Iterator[str]:
    """What objects of a class have beside what their constructor shows, whichever class of the package defines it."""
    shown = set() if issubclass(cls, enum.Enum) else {p.name: p.annotation for p in _parameters(cls)}.keys()
    own = [base for base in cls.__mro__ if base.__module__.split(".")[0] == "aiorescue"]
    annotated = {name: kind for base in reversed(own) for name, kind in inspect.get_annotations(base).items()}
    for name in dir(cls):
        getattr(cls, name, None)  # the method of an operation is made when it is first looked up
    members = {name: value for base in reversed(own) for name, value in vars(base).items()}
    for name in sorted({*annotated, *members} - shown):
        value = members.get(name)
        if name.startswith("_") or isinstance(value, enum.Enum):
            continue
        function = getattr(value, "__func__", value)
        if isinstance(value, property):
            result = inspect.signature(value.fget).return_annotation if value.fget else _EMPTY
            yield f"    .{name}: {_type(result)}  (property)"
        elif inspect.isfunction(function):
            kind = "classmethod " if isinstance(value, classmethod) else ""
            kind = "staticmethod " if isinstance(value, staticmethod) else kind
            yield "\n".join(
                _call(f"    {kind}{_how(function)} .{name}", function, without_self=kind != "staticmethod ")
            )
        elif name in annotated:
            yield f"    .{name}: {_type(annotated[name])}"


def _how(function: Any) -> str:
    return "async def" if inspect.iscoroutinefunction(function) else "def"


def _parameters(called: Callable[..., Any]) -> list[inspect.Parameter]:
    """Its parameters; none for a class that takes what its built-in base takes."""
    if isinstance(called, type) and called.__init__ is object.__init__:
        return []
    try:
        return list(inspect.signature(called).parameters.values())
    except ValueError:
        return []


def _call(head: str, called: Callable[..., Any], *, without_self: bool = False) -> Iterator[str]:
    """A signature, on one line if that is not too long, and otherwise with a line for each parameter."""
    parameters = _parameters(called)[1 if without_self else 0 :]
    shown: list[str] = []
    for before, one in zip([None, *parameters], parameters, strict=False):
        if one.kind is one.KEYWORD_ONLY and (
            before is None or before.kind not in {one.KEYWORD_ONLY, one.VAR_POSITIONAL}
        ):
            shown.append("*")
        shown.append(_parameter(one))
    result = "" if isinstance(called, type) else f" -> {_type(inspect.signature(called).return_annotation)}"
    line = f"{head}({', '.join(shown)}){result}"
    if len(line) <= _LINE:
        yield line
        return
    indent = " " * (len(head) - len(head.lstrip()) + 4)
    yield f"{head}("
    yield from (f"{indent}{one}," for one in shown)
    yield f"{indent[4:]}){result}"


def _parameter(one: inspect.Parameter) -> str:
    stars = {one.VAR_POSITIONAL: "*", one.VAR_KEYWORD: "**"}.get(one.kind, "")
    kind = "" if one.annotation is _EMPTY else f": {_type(one.annotation)}"
    default = "" if one.default is _EMPTY else f" = {_default(one.default)}"
    return f"{stars}{one.name}{kind}{default}"


def _default(value: Any) -> str:
    """A default value, so that it can be read; one that is made at each call is shown as an ellipsis."""
    if value is attrs.NOTHING:
        return "…"
    if isinstance(value, enum.Enum):
        return f"{type(value).__name__}.{value.name}"
    if value is None or isinstance(value, (str, int, float, bytes, tuple, timedelta)):
        return repr(value)
    try:
        return f"{type(value).__name__}()" if value == type(value)() else "…"
    except TypeError:
        return "…"


def _type(kind: Any) -> str:  # noqa: C901, PLR0911 - the forms that an annotation can have
    """A type, as a reader would write it: without modules of the package, and without what it says of the wire."""
    origin, given = get_origin(kind), get_args(kind)
    if kind is _EMPTY:
        return "Any"
    if kind is None or kind is types.NoneType:
        return "None"
    if kind is Ellipsis:
        return "..."
    if isinstance(kind, str):
        return kind
    if isinstance(kind, typing.ForwardRef):
        return kind.__forward_arg__
    if isinstance(kind, list):
        return f"[{', '.join(map(_type, kind))}]"
    if origin is Annotated:
        return _type(given[0])
    if origin in {typing.Union, types.UnionType}:
        return " | ".join(map(_type, given))
    if origin is typing.Literal:
        return f"Literal[{', '.join(map(repr, given))}]"
    if origin not in {None, kind}:
        return f"{_type(origin)}[{', '.join(map(_type, given))}]"
    return str(getattr(kind, "__qualname__", None) or getattr(kind, "__name__", None) or kind).removeprefix("typing.")
