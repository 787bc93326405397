"""`Element`: what infoRouter answers with, as a value. Nothing here knows what an answer means."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple
from xml.etree import ElementTree as ET

import attrs


class LogEntry(NamedTuple):
    """One item of a bulk call, and what went wrong with it."""

    item: str
    error: str


def _shown(attributes: Mapping[str, str]) -> str:
    return repr({name: "***" if name.lower() == "ticket" else value for name, value in attributes.items()})


@attrs.frozen
class Element:
    """An element of an answer; the root of it, as `InfoRouterClient.call` returns it.

    The service writes one name in several cases (``errorCode``, ``errorcode``), so names are looked up in any case.

    Attributes:
        tag: its name.
        attributes: its attributes, spelled as they came.
        children: the elements in it, in order.
        text: the text in it, blanks and all; empty if there are but blanks around children.
    """

    tag: str
    attributes: Mapping[str, str] = attrs.field(factory=dict, repr=_shown)
    children: tuple["Element", ...] = ()
    text: str = attrs.field(default="", repr=lambda text: repr(text if len(text) <= 80 else f"{text[:80]}…"))  # noqa: PLR2004

    @classmethod
    def of(cls, element: ET.Element) -> "Element":
        """The same without namespaces."""
        children = tuple(map(cls.of, element))
        text = element.text or ""
        return cls(
            tag=_local(element.tag),
            attributes={_local(name): value for name, value in element.attrib.items()},
            children=children,
            text="" if children and not text.strip() else text,
        )

    def get(self, name: str, default: str = "") -> str:
        """An attribute, or the default."""
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
        """Whether an attribute says true; the service writes ``true``, ``True`` and ``TRUE``."""
        return self.get(name).strip().lower() == "true"

    def __iter__(self) -> Iterator["Element"]:
        return iter(self.children)

    def all(self, tag: str) -> tuple["Element", ...]:
        """The children of that name."""
        return tuple(child for child in self.children if child.tag.lower() == tag.lower())

    def find(self, tag: str) -> "Element | None":
        """The first child of that name, or None."""
        return next(iter(self.all(tag)), None)

    def walk(self) -> Iterator["Element"]:
        """This element and all in it, in order."""
        yield self
        for child in self.children:
            yield from child.walk()

    @property
    def log(self) -> tuple[LogEntry, ...]:
        """What went wrong with single items of a bulk call: the ``<log>`` elements."""
        return tuple(
            LogEntry(_text(entry.find("item")), _text(entry.find("error")))
            for entry in self.walk()
            if entry.tag.lower() == "log" and entry.find("error") is not None
        )


def _local(name: str) -> str:
    return name.rpartition("}")[2]


def _text(element: Element | None) -> str:
    return "" if element is None else element.text.strip()
