"""Folders and documents in memory, found by path or number."""

import mimetypes
import re
import zlib
from collections.abc import Iterator
from datetime import datetime

import attrs

from aiorescue.emulator.people import User

LIBRARIES = ("Public", "Staff")
ANONYMOUS_LIBRARY = "Public"
MAJOR = 1_000_000

#: Made here, as it reads files.
_TYPES = mimetypes.MimeTypes()
_SHORT = re.compile(r"~([DF])(\d+)(?:\.\w+)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[/\\:*?\"<>|#\t%&+]")
_LONGEST = 128


@attrs.frozen
class Version:
    """A version of a document: major times a million."""

    number: int
    content: bytes = attrs.field(repr=False)
    comment: str
    by: str
    when: datetime

    @property
    def crc(self) -> str:
        """The checksum as the service writes it."""
        return f"{zlib.crc32(self.content):X}"


@attrs.define
class Item:
    """What folders and documents have in common; libraries are folders without a parent."""

    id: int
    name: str
    parent: "Item | None"
    owner: User | None
    created: datetime
    modified: datetime
    versions: list[Version] = attrs.field(factory=list)

    @property
    def is_folder(self) -> bool:
        """A document has a version at least."""
        return not self.versions

    @property
    def path(self) -> str:
        """Where it is."""
        return f"{self.parent.path if self.parent is not None else ''}/{self.name}"

    @property
    def library(self) -> "Item":
        """The library that it is in."""
        return self if self.parent is None else self.parent.library

    @property
    def latest(self) -> Version:
        """A document's last version."""
        return self.versions[-1]

    @property
    def mime_type(self) -> str:
        """By the extension."""
        return _TYPES.guess_type(self.name)[0] or "application/octet-stream"

    def version(self, number: int) -> Version | None:
        """One version; 0 is the last one."""
        return self.latest if number == 0 else next((each for each in self.versions if each.number == number), None)


def clean(name: str) -> str:
    """A name as the service makes it: without what a name may not hold, and not too long."""
    return _FORBIDDEN.sub("_", name)[:_LONGEST]


def is_clean(name: str) -> bool:
    """Whether it may stay as it is."""
    return bool(name.strip()) and clean(name) == name


class Store:
    """All folders and documents by number, in the order in which they were made."""

    def __init__(self, now: datetime) -> None:
        self.items: dict[int, Item] = {}
        self._next = 1
        for name in LIBRARIES:
            self.add(name, None, None, now)

    def add(self, name: str, parent: Item | None, owner: User | None, now: datetime) -> Item:
        """A new folder; one with a version is a document."""
        item = self.items[self._next] = Item(self._next, name, parent, owner, now, now)
        self._next += 1
        return item

    def children(self, folder: Item) -> Iterator[Item]:
        """What is in a folder."""
        return (item for item in list(self.items.values()) if item.parent is folder)

    def child(self, folder: Item | None, name: str) -> Item | None:
        """What bears a name in a folder; case does not matter."""
        wanted = name.lower()
        return next((i for i in self.items.values() if i.parent is folder and i.name.lower() == wanted), None)

    def find(self, path: str) -> Item | None:
        """An item by its path or its short form; a backslash does as well."""
        short = _SHORT.fullmatch(path.strip("/\\"))
        if short is not None:
            item = self.items.get(int(short[2]))
            return item if item is not None and item.is_folder == (short[1].upper() == "F") else None
        found: Item | None = None
        for name in names(path):
            found = self.child(found, name)
            if found is None:
                return None
        return found

    def below(self, item: Item) -> Iterator[Item]:
        """An item and all in it."""
        yield item
        for child in self.children(item):
            yield from self.below(child)

    def remove(self, item: Item) -> None:
        """Take it out, and all in it."""
        for gone in list(self.below(item)):
            del self.items[gone.id]


def names(path: str) -> list[str]:
    """The names in a path."""
    return [name for name in path.replace("\\", "/").split("/") if name]
