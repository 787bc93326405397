"""XML: texts escaped for requests, and answers parsed by xmltodict in a way that loses nothing.

By itself xmltodict strips blanks, and names elements by their prefix. Here blanks stay, and elements are named by their
namespace. What `wire.bounded` refuses, a DOCTYPE above all, is refused.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from xml.etree import ElementTree as ET
from xml.parsers.expat import ExpatError

import xmltodict

from aiorescue.wire.bounded import MOST_KEPT, BoundedParser
from aiorescue.wire.characters import replaced
from aiorescue.wire.message import Unreadable
from aiorescue.wire.untracked import FEW, take_apart, untracked

T = TypeVar("T")

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"

#: Expat's codes for a document that stops before its end.
CUT = frozenset({3, 5, 6, 20})
#: Expat's codes for a character that XML does not allow: raw, or as a reference (``&#1;``).
_INVALID, _BAD_REFERENCE = 4, 14
_HTML = ("<!doctype html", "<html")
_HEAD = 1_024
#: What may stand before a document, beside a byte order mark.
_BLANKS = "\ufeff \t\r\n"
_ESCAPES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "\r": "&#13;"})
_NIL = "@http://www.w3.org/2001/XMLSchema-instance:nil"


def escape(value: str) -> str:
    """A text as the content of an element. Carriage returns are escaped, as parsers read a bare one as a line feed."""
    marked = "&" in value or "<" in value or ">" in value or "\r" in value
    return value.translate(_ESCAPES) if marked else value


def parse(pieces: list[str], namespace: str) -> dict[str, Any]:
    """Parse a document, given in pieces, into a dict. Raises `Unreadable`.

    Names in `namespace` have no prefix, those of either SOAP envelope begin with ``soap:``, others with their URI.
    """
    return _with_allowed(pieces, lambda begun: _parsed(begun, namespace))


def tree(pieces: list[str]) -> ET.Element:
    """Parse a document into elements, for answers whose order or root name matters. Raises `Unreadable`."""
    return _with_allowed(pieces, _built)


def _with_allowed(pieces: list[str], read: Callable[[list[str]], T]) -> T:
    """Read a document; where characters in it are not allowed in XML, once more with others in their place."""
    pieces = _begun(pieces)
    try:
        return read(pieces)
    except Unreadable:
        raise
    except ExpatError as problem:
        code, refused = problem.code, _broken(problem)
    except ValueError as problem:  # what xmltodict says of entities, and Python of a broken declaration
        code, refused = _INVALID, Unreadable(f"the answer is not acceptable XML ({problem})")
    allowed = replaced(pieces) if code in (_INVALID, _BAD_REFERENCE) else None
    if allowed is None:
        raise refused
    return _with_allowed(allowed, read)


class _Expat:
    """What xmltodict takes for the module `xml.parsers.expat`; it keeps the parser."""

    def ParserCreate(self, _encoding: str, separator: str) -> BoundedParser:  # noqa: N802 - expat's own
        self.parser = BoundedParser(separator=separator)
        return self.parser


def _parsed(pieces: list[str], namespace: str) -> dict[str, Any]:
    expat = _Expat()
    try:
        return xmltodict.parse(
            pieces[0] if len(pieces) == 1 else (piece.encode() for piece in pieces),
            encoding="utf-8",
            expat=expat,
            process_namespaces=True,
            namespaces={SOAP11: "soap", SOAP12: "soap", namespace: None, "": None},
            strip_whitespace=False,
        )
    except BaseException:
        handler = expat.parser.owner
        for item, texts in [*handler.stack, (handler.item, handler.data)]:
            take_apart([item, texts])
        raise


def _built(pieces: list[str]) -> ET.Element:
    parser, builder = BoundedParser(separator="}", most_elements=MOST_KEPT), ET.TreeBuilder()
    parser.buffer_text = True
    parser.StartElementHandler = builder.start
    parser.EndElementHandler = (
        builder.end if len(pieces) == 1 and len(pieces[0]) <= FEW else lambda name: untracked(builder.end(name))
    )
    parser.CharacterDataHandler = builder.data
    try:
        for piece in pieces:
            parser.Parse(piece.encode())
        parser.Parse(b"", True)  # noqa: FBT003 - as of expat
    except BaseException:
        _take_apart(builder.close())
        raise
    root: ET.Element = builder.close()
    return root


def _take_apart(root: ET.Element | None) -> None:
    """Free elements one by one: freed at once, half a million would hold up all threads."""
    ahead = [] if root is None else [root]
    while ahead:
        element = ahead.pop()
        ahead += element
        element.clear()


def local(element: ET.Element) -> str:
    """An element's name without its namespace."""
    return element.tag.rpartition("}")[2]


def text_of(element: ET.Element) -> str:
    """The text of an element that holds no others. Raises `Unreadable` where it does, as a part would be lost."""
    if len(element):
        raise Unreadable(f"the answer holds elements in a text ({local(element)})")
    return element.text or ""


def _begun(pieces: list[str]) -> list[str]:
    """A document without the blanks before it. Raises `Unreadable` for a text that is no XML."""
    begun = pieces if len(pieces) == 1 else [piece for piece in pieces if piece] or [""]
    _check(begun[0])
    return [begun[0].lstrip(_BLANKS), *begun[1:]]


def _check(text: str) -> None:
    if text.startswith("<?xml") and text.find("<!", 0, _HEAD) < 0:
        return  # the usual answer
    head = text[:_HEAD].lstrip(_BLANKS).lower()
    if not head:
        raise Unreadable("the answer is empty", cut=True)
    if is_html(head):
        raise Unreadable("the answer is an HTML page")
    if not head.startswith("<"):
        raise Unreadable("the answer is not XML")


def _broken(problem: ExpatError) -> Unreadable:
    if problem.code in CUT:
        return Unreadable("the answer stops before its end", cut=True)
    return Unreadable(f"the answer is not well-formed XML ({problem})")


def is_html(text: str) -> bool:
    """Whether a document is an HTML page."""
    head = text[:_HEAD].lower()
    return any(mark in head for mark in _HTML)


def child(element: Any, name: str) -> Any:
    """The child of an element by its name, or None where there is none."""
    return element.get(name) if isinstance(element, Mapping) else None


def content(element: Any) -> Any:
    """The text of an element without children, else the element itself; None if it is empty or nil.

    Declarations of namespaces are left out.
    """
    if not isinstance(element, Mapping):
        return element
    rest = {name: value for name, value in element.items() if name != "@xmlns"}
    if not rest or rest.keys() == {_NIL}:
        return None
    return rest["#text"] if rest.keys() == {"#text"} else rest
