"""Arguments ``name=value`` of the command line: their values by type, and the operation that they make."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from inspect import getdoc
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.operation import Operation, Plain, Slot
from aiorescue.operation.suggest import did_you_mean
from aiorescue.rescue import OPERATIONS

#: Words for truth on the command line.
_TRUTH = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_TYPES = {str: "a text", int: "a whole number", bool: "true or false"}
_SECRET_HINT = "secrets are no arguments (others can read them); they come from the environment or a prompt"  # noqa: S105


def operation_named(name: str) -> type[Operation[Any]]:
    """The operation type with the vendor's name, in capitals or small letters. Raises `errors.InvalidRequest`."""
    for known, operation in OPERATIONS.items():
        if name.lower() == known.lower():
            return operation
    near = did_you_mean(name, OPERATIONS) or f"; there are {', '.join(OPERATIONS)}"
    raise errors.InvalidRequest(f"no operation {name!r}{near}")


def build(operation: type[Operation[Any]], given: Sequence[str]) -> Operation[Any]:
    """Build an operation from arguments of the command line.

    Args:
        operation: the operation type.
        given: parameters as ``name=value``, by any of their names.

    Raises:
        errors.InvalidRequest: an argument is unknown, malformed, secret or missing; the message names it.
    """
    name = operation.spec.name
    values: dict[str, Plain] = {}  # by slot name
    for key, text in named_texts(name, given):
        slot = _slot(operation, key, values)
        if slot.name in values:
            raise errors.InvalidRequest(f"{name}: {key} is given twice")
        values[slot.name] = typed(slot.parameter.holds, f"{name}: {key}", text)
    return operation(**_fields(operation, values))


def named_texts(what: str, given: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Names and values of arguments ``name=value``. Raises `errors.InvalidRequest` for any other argument.

    Args:
        what: name of the operation or method that they are for.
        given: the arguments.
    """
    for argument in given:
        name, equals, text = argument.partition("=")
        if not equals:
            # Not quoted: it may be a secret, passed by mistake.
            raise errors.InvalidRequest(f"{what}: write parameters as name=value")
        yield name, text


def _slot(operation: type[Operation[Any]], key: str, taken: Mapping[str, Plain]) -> Slot:
    """The slot with a name; for a repeated parameter, the first of its slots that has no value yet."""
    spec = operation.spec
    names = list(_names(operation))
    slots = {name.lower(): filled for name, filled in names}.get(key.lower(), ())
    secret = {spec.identity.soap.lower(), spec.identity.page_key.lower()} if spec.identity else set()
    if key.lower() in secret | {"password", "auth_code"} or any(slot.parameter.secret for slot in slots):
        raise errors.InvalidRequest(f"{spec.name}: {key} is refused: {_SECRET_HINT}")
    if not slots:
        shown = [slot.name for slot in operation.slots if not slot.parameter.secret]
        takes = did_you_mean(key, [name for name, _ in names]) or f"; it takes {', '.join(shown) or 'no parameters'}"
        raise errors.InvalidRequest(f"{spec.name}: no parameter {key!r}{takes}")
    return next((slot for slot in slots if slot.name not in taken), slots[-1])


def _names(operation: type[Operation[Any]]) -> Iterator[tuple[str, tuple[Slot, ...]]]:
    """Each name that the command line takes for a parameter, in any case, with the slots that it fills."""
    repeated: dict[str, list[Slot]] = {}
    for slot in operation.slots:
        field, bracket, index = slot.name.rstrip("]").partition("[")
        numbered = f"{field.removesuffix('s')}_{index}" if bracket else field
        for name in (slot.name, numbered, slot.parameter.soap, slot.parameter.page_key):
            yield name, (slot,)
        if bracket:
            repeated.setdefault(field, []).append(slot)
    for field, slots in repeated.items():
        yield field, tuple(slots)


def typed(holds: type, where: str, text: str) -> str | int | bool:
    """A text of the command line as the value of a parameter; raises `errors.InvalidRequest`.

    Args:
        holds: type of the value; any but a bool and an int is a text.
        where: the parameter, in messages.
        text: the text.
    """
    try:
        if holds is bool:
            return _TRUTH[text.lower()]
        return int(text) if holds is int else text
    except (KeyError, ValueError):
        raise errors.InvalidRequest(f"{where} must be {_TYPES[holds]}, not {text[:40]!r}") from None


def _fields(operation: type[Operation[Any]], values: Mapping[str, Plain]) -> dict[str, Any]:
    """The values by field, those of a repeated parameter as one list; raises `InvalidRequest` if one is missing."""
    fields: dict[str, Any] = {}
    for slot in operation.slots:
        field, bracket, index = slot.name.rstrip("]").partition("[")
        if slot.name not in values:
            continue
        if bracket:
            texts = fields.setdefault(field, [])
            texts.extend([""] * (int(index) - len(texts)))
            texts.append(values[slot.name])
        else:
            fields[field] = values[slot.name]
    missing = [field.name for field in _required(operation) if field.name not in fields]
    if missing:
        raise errors.InvalidRequest(f"{operation.spec.name} needs {' and '.join(f'{name}=…' for name in missing)}")
    return fields


def _required(operation: type[Operation[Any]]) -> "list[attrs.Attribute[Any]]":
    return [field for field in attrs.fields(operation) if field.default is attrs.NOTHING]


def described(operation: type[Operation[Any]]) -> str:
    """Describe for people what an operation does, and which parameters it takes."""
    required = {field.name for field in _required(operation)}
    rows: dict[str, list[str]] = {}
    for slot in operation.slots:
        field, bracket, _ = slot.name.rstrip("]").partition("[")
        parameter = slot.parameter
        if parameter.secret or field in rows:
            continue
        facts = [_TYPES.get(parameter.holds, "bytes"), *(["repeatable"] if bracket else [])]
        if parameter.choices:
            facts.append(f"one of {', '.join(map(str, parameter.choices))}")
        if parameter.max_length is not None and not bracket:
            facts.append(f"up to {parameter.max_length} characters")
        facts.append("required" if field in required else "optional")
        rows[field] = [f"{field}=…", parameter.soap, "; ".join(facts)]
    widths = [max((len(row[column]) for row in rows.values()), default=0) for column in (0, 1)]
    lines = [f"  {row[0]:<{widths[0]}}  {row[1]:<{widths[1]}}  {row[2]}" for row in rows.values()]
    name = operation.spec.name
    return "\n".join(
        (
            f"Usage: aiorescue call {name} {' '.join(row[0] for row in rows.values())}".rstrip(),
            "",
            (getdoc(operation) or "").replace("``", ""),
            "",
            "Parameters, by our name or the wire's:" if rows else "It takes no parameters.",
            *lines,
            "",
            f"Bindings: {', '.join(binding.value for binding in operation.spec.bindings)}",
        )
    )
