"""Records in answers: classes whose fields carry their wire names, read from XML elements and text pages alike."""

import enum
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, TypeVar, get_args, get_origin

import attrs

from aiorescue.operation import Output

T = TypeVar("T")
E = TypeVar("E", bound=enum.StrEnum)


class Unclear(ValueError):
    """An answer that came whole but cannot be told apart, so that another attempt would bring the same."""


@attrs.frozen
class Field:
    """Where a field of a record comes from.

    Attributes:
        soap: its element; empty where none was seen.
        page_key: its key or column title on the text page, in any case; empty where there is none.
        read: makes the value of the text.
        array: over SOAP the element holds others, and `read` is given them.
    """

    soap: str
    page_key: str
    read: Callable[[Any], Any] = str
    array: bool = False


@attrs.frozen
class Columns:
    """Several fields of one kind under one attribute; those behind the last one in the answer are left out."""

    fields: tuple[Field, ...]


_MARKS: dict[type[Any], tuple[tuple[str, Field | Columns, bool], ...]] = {}


def marks(record: type[Any]) -> tuple[tuple[str, Field | Columns, bool], ...]:
    """The marked fields of a record: name, mark, and whether it may be missing."""
    found = _MARKS.get(record)
    if found is None:
        found = _MARKS[record] = tuple(_marks(record))
    return found


def _marks(record: type[Any]) -> Iterator[tuple[str, Field | Columns, bool]]:
    for field in attrs.fields(record):
        if get_origin(field.type) is Annotated:
            for mark in get_args(field.type)[1:]:
                if isinstance(mark, Field | Columns):
                    yield field.name, mark, field.default is not attrs.NOTHING


def wire_fields(record: type[Any]) -> Iterator[tuple[Field, bool]]:
    """Every field of a record as it is on the wire, and whether it may be missing."""
    for _, mark, optional in marks(record):
        for field in mark.fields if isinstance(mark, Columns) else (mark,):
            yield field, optional


def page_keys(record: type[Any]) -> list[str]:
    """The keys of a record on its text page, in the page's order."""
    late: Sequence[str] = getattr(record, "LAST_ON_PAGE", ())
    found = {
        name: field.page_key
        for name, mark, _ in marks(record)
        for field in (mark.fields if isinstance(mark, Columns) else (mark,))
        if field.page_key
    }
    return [*(key for name, key in found.items() if name not in late), *(found[name] for name in late)]


def outputs(record: type[Any]) -> tuple[Output, ...]:
    """The fields of a record as outputs of their own, for an answer that is one record without a wrapper."""
    return tuple(Output(field.soap, field.page_key, optional=optional) for field, optional in wire_fields(record))


def read(record: type[T], values: Mapping[str, Any], *, text: bool = False, **more: Any) -> T:
    """A record.

    Args:
        record: its class.
        values: texts by SOAP element; with `text`, by the page's key in small letters.
        text: which of the two.
        more: attributes that do not come from the wire.

    Raises:
        ValueError: a field is missing or cannot be read.
    """
    found = dict(more)
    for name, mark, optional in marks(record):
        if isinstance(mark, Columns):
            found[name] = tuple(_columns(mark, values, text=text))
            continue
        key = _key(mark, text=text)
        value = values.get(key)
        if value is not None and (value != "" or mark.read is str or not optional):
            found[name] = _value(mark, key, value)
        elif not optional:
            if key not in values:
                raise ValueError(f"the answer is OK but holds no {mark.page_key if text else mark.soap}")
            found[name] = _value(mark, key, "")
    return record(**found)


def content(element: Any) -> Any:
    """What an element holds: a text, its children, or None for nothing and for ``xsi:nil``; attributes say nothing."""
    if not isinstance(element, Mapping):
        return element
    return children(element) or element.get("#text")


def children(element: Mapping[str, Any]) -> Mapping[str, Any]:
    """The elements in an element, without attributes and the blanks between them."""
    return {name: value for name, value in element.items() if not name.startswith(("@", "#"))}


def _columns(mark: Columns, values: Mapping[str, Any], *, text: bool) -> Iterator[str]:
    """The texts in their places: a server leaves out what is null, and what follows must not move up."""
    keys = [_key(field, text=text) for field in mark.fields]
    while keys and keys[-1] not in values:
        keys.pop()
    for field, key in zip(mark.fields, keys, strict=False):
        yield _value(field, key, values.get(key) or "")


def _key(field: Field, *, text: bool) -> str:
    return field.page_key.casefold() if text else field.soap


def _value(field: Field, key: str, value: Any) -> Any:
    try:
        return field.read(value if field.array else _text(value))
    except (TypeError, ValueError):
        raise ValueError(f"the answer is OK but its {key} cannot be read") from None


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    raise TypeError(type(value).__name__)


# --- what texts mean --------------------------------------------------------------------------------

_MOMENT = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4})(?:\s+(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?(?:\s+([AP])M)?)?", re.ASCII | re.IGNORECASE
)


def moment(text: str) -> datetime:
    """A time as the service writes it: ``2/16/2012 9:00 AM``, with seconds or without; or ISO 8601.

    No zone is given, so it is naive. Raises ValueError.
    """
    text = text.strip()
    # By hand: `strptime` goes by the language of the process, and takes ten times as long.
    found = _MOMENT.fullmatch(text)
    if found is None:
        if text[:4].isdigit() and text[4:5] == "-":
            return datetime.fromisoformat(text)
        raise ValueError("no time that is known")
    month, day, year, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    half = found[7]
    if half is not None:
        if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock
            raise ValueError("no time that is known")
        hour = hour % 12 + (12 if half in "Pp" else 0)
    return datetime(year, month, day, hour, minute, second)  # noqa: DTZ001 - the service says no zone, so none is made up


def maybe_moment(text: str) -> datetime | None:
    """The same, or None for a form that is not known: better no time than a wrong one."""
    try:
        return moment(text)
    except ValueError:
        return None


def member(kind: type[E]) -> Callable[[str], E | str]:
    """The member of an enumeration, or the text itself where there is no such member."""

    def read(text: str) -> E | str:
        try:
            return kind(text.strip())
        except ValueError:
            return text

    return read


def truth(text: str) -> bool:
    """``true`` or ``True`` and their opposites, as XML writes them or the text pages. Raises ValueError."""
    plain = text.strip().casefold()
    if plain not in ("true", "1", "false", "0"):
        raise ValueError("neither true nor false")
    return plain in ("true", "1")


#: How a list of sessions may say no, in languages of the service.
_NO = frozenset(
    ["", "false", "0", "no", "não", "nao", "nein", "non", "nee", "nej", "nei", "nie", "ne", "ei", "нет", "いいえ", "否"]
)


def marked(text: str) -> bool:
    """Whether a row of a list of sessions is marked: ``yes`` in the language of the account, or nothing for no."""
    return text.strip().casefold() not in _NO
