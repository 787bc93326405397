"""`Element`: an XML element of an answer as a value. What an answer means is decided in `envelope`."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

import attrs

from aiorescue.operation import frozen
from aiorescue.wire.untracked import as_tuple, like

_TRUTHS = {"true": True, "1": True, "false": False, "0": False, "": False}
#: Elements in the text of each other: each holds a copy of the text in it.
_DEEPEST_MARKUP = 4


class LogEntry(NamedTuple):
    """An item that a bulk call failed for, and the reason."""

    item: str
    error: str


def _shown(attributes: Mapping[str, str]) -> str:
    return repr({name: "***" if name.lower() == "ticket" else value for name, value in attributes.items()})


@frozen
class Element:
    """An XML element of an answer; `InfoRouterClient.call` returns the root.

    The service spells one name in several cases (``errorCode``, ``errorcode``), so look-ups ignore case.

    Attributes:
        tag: name of the element, without a namespace.
        attributes: the element's attributes, spelled as they arrived.
        children: elements inside it, in document order.
        text: all text inside it with its white space, that in markup included (``see <b>this</b> now``); empty if there
            is only white space around children.
    """

    tag: str
    attributes: Mapping[str, str] = attrs.field(factory=dict, repr=_shown)
    children: tuple["Element", ...] = ()
    text: str = attrs.field(default="", repr=lambda text: repr(text if len(text) <= 80 else f"{text[:80]}…"))  # noqa: PLR2004

    @classmethod
    def of(cls, element: ET.Element) -> "Element":
        """Convert an ElementTree element and everything inside it, which is emptied; namespaces are dropped.

        Raises:
            ValueError: markup in a text is nested more than four deep.
        """
        return cls._of(element, 0)

    @classmethod
    def _of(cls, element: ET.Element, within: int) -> "Element":
        """Convert an element that lies in the text of a number of others, each of which holds a copy of its text."""
        if within > _DEEPEST_MARKUP:
            raise ValueError("the markup in a text is nested too deeply")
        tails = [child.tail or "" for child in element]
        text = element.text or ""
        mixed = within > 0 or text.strip() != "" or any(map(str.strip, tails))
        inside = within + 1 if mixed else 0
        children = like(element, tuple([cls._of(child, inside) for child in element]))
        if tails:
            parts = (f"{child.text}{tail}" for child, tail in zip(children, tails, strict=True))
            text = "".join([text, *parts]) if mixed else ""
        attributes: Mapping[str, str] = element.attrib
        if any("}" in name for name in attributes):
            attributes = {_local(name): value for name, value in attributes.items()}
        tag = _local(element.tag)
        made = like(element, cls(tag, attributes, children, text))
        # Bit by bit: a listing would be in memory twice, and to free all of it at once would hold up all threads.
        element.clear()
        return made

    def get(self, name: str, default: str = "") -> str:
        """The value of an attribute, or the default where the element does not have it."""
        found = self.attributes.get(name)
        if found is None:
            lower = name.lower()
            found = next((value for key, value in self.attributes.items() if key.lower() == lower), default)
        return found

    def __getitem__(self, name: str) -> str:
        if name not in self:
            raise KeyError(name)
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and any(key.lower() == name.lower() for key in self.attributes)

    def true(self, name: str) -> bool:
        """Whether an attribute says true, in any case or as ``1``; one that is absent or empty does not.

        Raises:
            ValueError: it says neither true nor false.
        """
        word = self.get(name).strip().lower()
        if word not in _TRUTHS:
            raise ValueError(f"{name} is neither true nor false")
        return _TRUTHS[word]

    def __iter__(self) -> Iterator["Element"]:
        return iter(self.children)

    def all(self, tag: str) -> tuple["Element", ...]:
        """The children with a tag, in document order."""
        return tuple(child for child in self.children if child.tag.lower() == tag.lower())

    def find(self, tag: str) -> "Element | None":
        """The first child with a tag, or None."""
        return next(iter(self.all(tag)), None)

    def walk(self) -> Iterator["Element"]:
        """Iterate over this element and its descendants in document order."""
        ahead = [self]
        while ahead:
            element = ahead.pop()
            yield element
            ahead += reversed(element.children)

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """The items that a bulk call failed for: the contents of the ``<log>`` elements."""
        found = (
            LogEntry(_text(entry.find("item")), _text(entry.find("error")))
            for entry in self.walk()
            if entry.tag.lower() == "log" and entry.find("error") is not None
        )
        return as_tuple(found)


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _text(element: Element | None) -> str:
    return "" if element is None else element.text.strip()
