"""Records in answers: classes whose fields carry their wire names, read from XML elements and text pages alike."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, TypeVar, get_args, get_origin

import attrs

from aiorescue.operation import Output, frozen
from aiorescue.wire.characters import REPLACEMENT

T = TypeVar("T")


@frozen
class Field:
    """Where a field of a record comes from.

    Attributes:
        soap: name of the element over SOAP; empty if none was seen.
        page_key: key or column title on the text page, in any case; empty if the page lacks the field.
        read: makes the value of the text.
        array: True if the element over SOAP holds other elements, which are given to `read`.
    """

    soap: str
    page_key: str
    read: Callable[[Any], Any] = str
    array: bool = False


@frozen
class Columns:
    """Several numbered fields under one attribute; those behind the last one in the answer are left out."""

    fields: tuple[Field, ...]


_Places = tuple[tuple[str, Field | Columns, bool, tuple[str, ...]], ...]
_MARKS: dict[type[Any], tuple[tuple[str, Field | Columns, bool], ...]] = {}
_PLACES: dict[tuple[type[Any], bool], _Places] = {}


def marks(record: type[Any]) -> tuple[tuple[str, Field | Columns, bool], ...]:
    """The marked fields of a record: name, mark, and whether it may be missing."""
    found = _MARKS.get(record)
    if found is None:
        found = _MARKS[record] = tuple(
            (field.name, mark, field.default is not attrs.NOTHING)
            for field in attrs.fields(record)
            if get_origin(field.type) is Annotated
            for mark in get_args(field.type)[1:]
            if isinstance(mark, Field | Columns)
        )
    return found


def _places(record: type[Any], *, text: bool) -> _Places:
    """The marked fields of a record, as `marks`, each with the keys under which its texts are found."""
    found = _PLACES.get((record, text))
    if found is None:
        found = _PLACES[record, text] = tuple(
            (name, mark, optional, tuple(one.page_key.casefold() if text else one.soap for one in _fields(mark)))
            for name, mark, optional in marks(record)
        )
    return found


def _fields(mark: Field | Columns) -> tuple[Field, ...]:
    return mark.fields if isinstance(mark, Columns) else (mark,)


def wire_fields(record: type[Any]) -> Iterator[tuple[Field, bool]]:
    """Every field of a record as it is on the wire, and whether it may be missing."""
    for _, mark, optional in marks(record):
        for field in _fields(mark):
            yield field, optional


def page_keys(record: type[Any]) -> list[str]:
    """The keys of a record on its text page, in the page's order."""
    late: Sequence[str] = getattr(record, "LAST_ON_PAGE", ())
    found = {name: [field.page_key for field in _fields(mark) if field.page_key] for name, mark, _ in marks(record)}
    names = [*(name for name in found if name not in late), *late]
    return [key for name in names for key in found[name]]


def outputs(record: type[Any]) -> tuple[Output, ...]:
    """The fields of a record as outputs of their own, for an answer that is one record without a wrapper."""
    return tuple(Output(field.soap, field.page_key, optional=optional) for field, optional in wire_fields(record))


def read(record: type[T], values: Mapping[str, Any], *, text: bool = False, **more: Any) -> T:
    """Make a record of the texts of its fields.

    Args:
        record: class of the record.
        values: texts by SOAP element, or by the page's key in small letters.
        text: True if the values come from a text page.
        more: attributes that do not come from the wire.

    Raises:
        ValueError: a field is missing or cannot be read.
    """
    found = dict(more)
    for name, mark, optional, keys in _places(record, text=text):
        if isinstance(mark, Columns):
            found[name] = tuple(_columns(mark, keys, values))
            continue
        key = keys[0]
        value = values.get(key)
        if value is not None and (value != "" or mark.read is str or not optional):
            found[name] = _value(mark, key, value)
        elif not optional:
            if key not in values:
                raise ValueError(f"the answer is OK but holds no {mark.page_key if text else mark.soap}")
            found[name] = _value(mark, key, "")
    return record(**found)


def read_one(record: type[T], values: Mapping[str, Any], *, text: bool = False) -> T:
    """Make a record of a list, as `read`. Where it can, it tells that a character could not be read."""
    if not hasattr(record, "mended"):
        return read(record, values, text=text)
    lacks = any(REPLACEMENT in value for value in values.values() if isinstance(value, str))
    return read(record, values, text=text, mended=lacks)


def content(element: Any) -> Any:
    """What an element holds: a text, its children, or None for nothing and for ``xsi:nil``; attributes say nothing."""
    if not isinstance(element, Mapping):
        return element
    return children(element) or element.get("#text")


def whole(element: Any) -> Any:
    """What an element holds, as `content`; raises ValueError for a text between its children, which would be lost."""
    held = content(element)
    if isinstance(held, Mapping) and (element.get("#text") or "").strip():
        raise ValueError("the answer is OK but holds a text between the elements of a record")
    return held


def children(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """The elements in an element, without attributes and the blanks between them."""
    return {name: value for name, value in element.items() if not name.startswith(("@", "#"))}


def _columns(mark: Columns, keys: Sequence[str], values: Mapping[str, Any]) -> Iterator[str]:
    """The texts in their places: a server leaves out what is null, and what follows must not move up."""
    count = len(keys)
    while count and keys[count - 1] not in values:
        count -= 1
    for field, key in zip(mark.fields, keys[:count], strict=False):
        yield _value(field, key, values.get(key) or "")


def _value(field: Field, key: str, value: Any) -> Any:
    try:
        if field.array or isinstance(value, str):
            return field.read(value)
    except (TypeError, ValueError):
        pass
    raise ValueError(f"the answer is OK but its {key} cannot be read")
