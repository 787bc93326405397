"""Values as the services write them: records as elements, keys, blocks and tables, infoRouter's documents.

Read from the marks of the record classes. Where the captures show another order than the class has, it stands here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from aiorescue.inforouter import Element
from aiorescue.operation import Output
from aiorescue.rescue.answers import records
from aiorescue.rescue.answers.nodes import Group, User
from aiorescue.rescue.answers.records import Columns, Field
from aiorescue.rescue.answers.sessions import Session

_END = ("account_holder", "mobile_addon", "rpat_addon", "status")
#: The order of what differs from the class: over SOAP, and on text pages.
_SOAP_ORDER: dict[type[Any], tuple[str, ...]] = {User: _END}
_TEXT_ORDER: dict[type[Any], tuple[str, ...]] = {User: ("mobile_addon", "account_holder", "rpat_addon", "status")}
#: Records whose page has a blank behind the colon, and writes truths with a capital.
_SPACED = (User, Group)
#: Versions before the third know three custom fields.
_OLD_LISTS = ("SESSION", "SESSION_V2")
_OLD_FIELDS = 3


def numeric(output: Output) -> bool:
    """Whether a value is a number; some declarations tell by the name alone."""
    return output.holds is int or _prefixed(output.soap, "i")


def _prefixed(name: str, kind: str) -> bool:
    return name[:1] == kind and name[1:2].isupper()


#: Rescue's names begin with the type that the service means; a declaration may hold another one.
_BY_PREFIX = {"i": "s:int", "b": "s:boolean", "s": "s:string", "d": "s:dateTime"}
_BY_KIND = {int: "s:int", bool: "s:boolean", bytes: "s:base64Binary"}


def xsd(name: str, holds: type) -> str:
    """The type of a value in a schema."""
    named = _BY_PREFIX.get(name[:1]) if name[1:2].isupper() else None
    return named or _BY_KIND.get(holds, "s:string")


def text_of(value: object) -> str:
    """A value in an element."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.month}/{value.day}/{value.year} {value.hour % 12 or 12}:{value:%M:%S} {_half(value)}"
    return "" if value is None else str(value)


def _half(value: datetime) -> str:
    return "PM" if value.hour >= 12 else "AM"  # noqa: PLR2004 - a clock


def marks(record: type[Any], last: Sequence[str]) -> Iterator[tuple[str, Field | Columns]]:
    """The marked fields of a record, some of them last."""
    found = {name: mark for name, mark, _ in records.marks(record)}
    yield from ((name, mark) for name, mark in found.items() if name not in last)
    yield from ((name, found[name]) for name in last)


# --- elements ---------------------------------------------------------------------------------------


def soap_marks(record: type[Any]) -> Iterator[tuple[str, Field | Columns]]:
    """The fields in the order of SOAP."""
    return marks(record, _SOAP_ORDER.get(record, ()))


def structure(value: Any) -> str:
    """A record as elements; what it does not know is left out."""
    return "".join(_elements(value))


def _elements(value: Any) -> Iterator[str]:
    for name, mark in soap_marks(type(value)):
        held = getattr(value, name)
        if isinstance(mark, Columns):
            yield from (_element(field.soap, cell) for field, cell in zip(mark.fields, held, strict=False))
        elif held is not None and mark.soap:
            yield _element(mark.soap, held)


def _element(name: str, value: object) -> str:
    if isinstance(value, tuple):  # permissions, the only array in a record
        inner = "".join(_element("NODE_PERMISSIONS", each) for each in value)
        return f"<{name}>{inner}</{name}>" if inner else f"<{name} />"
    text = escape(text_of(value))
    return f"<{name}>{text}</{name}>" if text else f"<{name} />"


def output(declared: Output, value: Any) -> str:
    """An output of a SOAP answer; what a refusal leaves empty is 0 or nothing, and of a structure not even that."""
    name = declared.soap
    if declared.record is None:
        if value.__class__ is str and declared.holds is str and value:  # nearly always
            return f"<{name}>{escape(value)}</{name}>"
        if value is None and declared.optional:
            return ""
        return _element(name, int(value or 0) if numeric(declared) else value)
    if value is None:
        return ""
    if not declared.item:
        return f"<{name}>{structure(value)}</{name}>"
    items = "".join(f"<{declared.item}>{structure(each)}</{declared.item}>" for each in value)
    return f"<{name}>{items}</{name}>" if items else f"<{name} />"


# --- text pages ---------------------------------------------------------------------------------------


def _cell(value: object) -> str:
    """A value in a table: truths are a word or nothing, times have no seconds."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, datetime):
        return f"{value.month}/{value.day}/{value.year} {value.hour % 12 or 12}:{value:%M} {_half(value)}"
    return text_of(value)


def _columns(declared: Output) -> Iterator[tuple[str, str, int | None]]:
    """Title, attribute and index of each column; of two under one title the last counts."""
    found: dict[str, tuple[str, int | None]] = {}
    for name, mark in marks(declared.record or Session, ()):
        if isinstance(mark, Columns):
            fields = mark.fields[:_OLD_FIELDS] if declared.item in _OLD_LISTS else mark.fields
            found.update({field.page_key: (name, index) for index, field in enumerate(fields)})
        elif mark.page_key:
            found[mark.page_key] = (name, None)
    yield from ((title, name, index) for title, (name, index) in found.items())


def table(declared: Output, values: Sequence[Any]) -> tuple[list[str], list[list[str]]]:
    """Titles and rows."""
    columns = list(_columns(declared))

    def cell(value: Any, name: str, index: int | None) -> str:
        held = getattr(value, name)
        return _cell(held if index is None else held[index])

    rows = [[cell(value, name, index) for _, name, index in columns] for value in values]
    return [title for title, _, _ in columns], rows


def keyed(value: Any) -> Iterator[str]:
    """A record as lines of KEY:value."""
    record = type(value)
    blank = " " if record in _SPACED else ""
    for name, mark in marks(record, _TEXT_ORDER.get(record, ())):
        held = getattr(value, name)
        if isinstance(mark, Columns) or not mark.page_key or held is None:
            continue
        yield f"{mark.page_key}:{blank}{_keyed(held)}"


def _keyed(value: object) -> str:
    if isinstance(value, tuple):
        return "".join(f"{each}, " for each in value)
    return str(value) if isinstance(value, bool) else text_of(value)


# --- infoRouter ---------------------------------------------------------------------------------------


def document(element: Element, namespace: str = "") -> str:
    """An element with all in it."""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())
    inner = escape(element.text) + "".join(map(document, element.children))
    head = f"<{element.tag}{attributes}{namespace}"
    return f"{head}>{inner}</{element.tag}>" if inner else f"{head} />"
