"""Values as the services write them: elements of SOAP, keys, blocks and tables of text pages, infoRouter's documents.

How a record is written follows from the marks of its class. Where the captures show another order of the fields than
the class has, that order is kept here.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from aiorescue.emulator.rules.rescue.tables import ReportTable
from aiorescue.emulator.site import names_int32
from aiorescue.inforouter import Element
from aiorescue.operation import Output
from aiorescue.rescue.answers import nodes, records
from aiorescue.rescue.answers.records import Columns, Field
from aiorescue.rescue.answers.sessions import Session

_END = ("account_holder", "mobile_addon", "rpat_addon", "status")
#: Fields that come last, in this order, over SOAP and on text pages; the others are in the order of the class.
_SOAP_ORDER: dict[type[Any], tuple[str, ...]] = {nodes.User: _END}
_TEXT_ORDER: dict[type[Any], tuple[str, ...]] = {nodes.User: ("mobile_addon", "account_holder", "rpat_addon", "status")}
#: Records whose page has a space after the colon, and writes booleans with a capital letter.
_SPACED = (nodes.User, nodes.Group)
#: Element names in the lists of sessions of versions 1 and 2, which have three custom fields.
_OLD_LISTS = ("SESSION", "SESSION_V2")
_OLD_FIELDS = 3


def numeric(output: Output) -> bool:
    """Whether the service's schema makes an output a number, by its declared type or by the prefix of its name."""
    return output.holds is int or names_int32(output.soap)


#: Types of the schema by the prefix of Rescue's names; a declaration may hold the value as another type.
_BY_PREFIX = {"i": "s:int", "b": "s:boolean", "s": "s:string", "d": "s:dateTime"}
_BY_TYPE = {int: "s:int", bool: "s:boolean", bytes: "s:base64Binary"}


def xsd(name: str, holds: type) -> str:
    """Type of a value in the service's schema, by the prefix of its name or else by the declared type."""
    named = _BY_PREFIX.get(name[:1]) if name[1:2].isupper() else None
    return named or _BY_TYPE.get(holds, "s:string")


def text_of(value: object) -> str:
    """A value as text, as the service writes it in an element or on a page."""
    if value.__class__ is str:  # nearly always
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return f"{value.month}/{value.day}/{value.year} {value.hour % 12 or 12}:{value:%M:%S} {_half(value)}"
    if isinstance(value, ReportTable):
        return table_text(value)
    return "" if value is None else str(value)


def _half(value: datetime) -> str:
    return "PM" if value.hour >= 12 else "AM"  # noqa: PLR2004 - a clock


def marks(record: type[Any], last: Sequence[str]) -> Iterator[tuple[str, Field | Columns]]:
    """The marked fields of a record, in the order of its class except for those that come last."""
    found = {name: mark for name, mark, _ in records.marks(record)}
    yield from ((name, mark) for name, mark in found.items() if name not in last)
    yield from ((name, found[name]) for name in last)


# --- elements -------------------------------------------------------------------------------------


def soap_marks(record: type[Any]) -> Iterator[tuple[str, Field | Columns]]:
    """The marked fields of a record in the order of SOAP."""
    return marks(record, _SOAP_ORDER.get(record, ()))


def structure(value: Any) -> str:
    """A record as elements; fields that are None are omitted."""
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
    """Element of an output in a SOAP answer; without a value it is 0 or empty, and omitted if it is a structure."""
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


# --- text pages -----------------------------------------------------------------------------------


def _cell(value: object) -> str:
    """A value in a cell of a table: booleans are "yes" or empty, times have no seconds."""
    if isinstance(value, bool):
        return "yes" if value else ""
    if isinstance(value, datetime):
        return f"{value.month}/{value.day}/{value.year} {value.hour % 12 or 12}:{value:%M} {_half(value)}"
    return text_of(value)


def _columns(declared: Output) -> Iterator[tuple[str, str, int | None]]:
    """Title, attribute and index of each column; of two columns with one title the last counts."""
    found: dict[str, tuple[str, int | None]] = {}
    for name, mark in marks(declared.record or Session, ()):
        if isinstance(mark, Columns):
            fields = mark.fields[:_OLD_FIELDS] if declared.item in _OLD_LISTS else mark.fields
            found.update({field.page_key: (name, index) for index, field in enumerate(fields)})
        elif mark.page_key:
            found[mark.page_key] = (name, None)
    yield from ((title, name, index) for title, (name, index) in found.items())


def table(declared: Output, values: Sequence[Any]) -> tuple[list[str], list[list[str]]]:
    """Titles and rows of a list of records."""
    columns = list(_columns(declared))

    def cell(value: Any, name: str, index: int | None) -> str:
        held = getattr(value, name)
        return _cell(held if index is None else held[index])

    rows = [[cell(value, name, index) for _, name, index in columns] for value in values]
    return [title for title, _, _ in columns], rows


def keyed(value: Any) -> Iterator[str]:
    """A record as lines of the form KEY:value."""
    record = type(value)
    space = " " if record in _SPACED else ""
    for name, mark in marks(record, _TEXT_ORDER.get(record, ())):
        held = getattr(value, name)
        if isinstance(mark, Columns) or not mark.page_key or held is None:
            continue
        yield f"{mark.page_key}:{space}{_keyed(held)}"


def _keyed(value: object) -> str:
    if isinstance(value, tuple):
        return "".join(f"{each}, " for each in value)
    return str(value) if isinstance(value, bool) else text_of(value)


def table_text(written: ReportTable) -> str:
    """A table as text, each cell closed with the delimiter and nothing escaped, or as an XML document."""
    if not written.as_xml:
        lines = (written.titles, *written.rows)
        return "".join(f"{''.join(f'{cell}{written.delimiter}' for cell in row)}\n" for row in lines)
    data = "".join(f"<row>{_fields(row)}</row>" for row in written.rows)
    return f"<report><header>{_fields(written.titles)}</header><data>{data}</data></report>"


def _fields(row: Sequence[str]) -> str:
    return "".join(f'<field id="{index}">{escape(cell)}</field>' for index, cell in enumerate(row))


# --- infoRouter -----------------------------------------------------------------------------------


def document(element: Element, namespace: str = "") -> str:
    """An element as XML text, with all of its children."""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in element.attributes.items())
    inner = escape(element.text) + "".join(map(document, element.children))
    head = f"<{element.tag}{attributes}{namespace}"
    return f"{head}>{inner}</{element.tag}>" if inner else f"{head} />"
