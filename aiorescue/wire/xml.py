"""XML both ways: escaping into templates, and xmltodict with its traps closed.

xmltodict answers an empty element with None, one child with a scalar, strips blanks, and takes a DOCTYPE; here
blanks stay, a document with a DOCTYPE is refused, and elements are matched by namespace, not by prefix.
"""

from collections.abc import Mapping
from typing import Any
from xml.parsers.expat import ExpatError
from xml.sax.saxutils import escape as _escape

import xmltodict

SOAP11 = "http://schemas.xmlsoap.org/soap/envelope/"
SOAP12 = "http://www.w3.org/2003/05/soap-envelope"

#: Expat's codes for a document that stops before its end.
_CUT = frozenset({3, 5, 6, 20})
_HTML = ("<!doctype html", "<html")
_HEAD = 1_024


class Unreadable(ValueError):
    """An answer that is none.

    Attributes:
        cut: it stopped before its end, so that another attempt may bring all of it.
    """

    def __init__(self, why: str, *, cut: bool = False) -> None:
        super().__init__(why)
        self.cut = cut


def escape(value: str) -> str:
    """Text for an element's content. A bare carriage return would be read as a line feed."""
    return _escape(value, {"\r": "&#13;"})


def parse(text: str, namespace: str) -> dict[str, Any]:
    """A document as a dict: names of `namespace` are bare, the envelope's are ``soap:…``, others ``uri:name``.

    Raises `Unreadable`.
    """
    head = text[:_HEAD].lstrip("\ufeff \t\r\n").lower()
    if not head:
        raise Unreadable("the answer is empty", cut=True)
    if any(mark in head for mark in _HTML):
        raise Unreadable("the answer is an HTML page")
    if not head.startswith("<"):
        raise Unreadable("the answer is not XML")
    if "<!DOCTYPE" in text:
        raise Unreadable("the answer holds a DOCTYPE, which is refused")
    try:
        return xmltodict.parse(
            text.lstrip("\ufeff"),
            process_namespaces=True,
            namespaces={SOAP11: "soap", SOAP12: "soap", namespace: None, "": None},
            strip_whitespace=False,
        )
    except ExpatError as problem:
        cut = problem.code in _CUT
        why = "the answer stops before its end" if cut else f"the answer is not well-formed XML ({problem})"
    except ValueError as problem:  # what xmltodict says of entities, and Python of a broken declaration
        cut, why = False, f"the answer is not acceptable XML ({problem})"
    raise Unreadable(why, cut=cut)


def child(element: Any, name: str) -> Any:
    """The child of that name, or None."""
    return element.get(name) if isinstance(element, Mapping) else None


def content(element: Any) -> Any:
    """The text of an element without children, else the element itself. Declarations are no content."""
    if not isinstance(element, Mapping):
        return element
    rest = {name: value for name, value in element.items() if name != "@xmlns"}
    if not rest:
        return None
    return rest["#text"] if rest.keys() == {"#text"} else rest
