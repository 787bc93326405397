"""Folders and documents in memory, found by path or id."""

import mimetypes
import re
import zlib
from collections.abc import Iterator
from datetime import datetime

import attrs

from aiorescue.emulator.people import EmulatedUser
from aiorescue.operation import frozen

LIBRARIES = ("Public", "Staff")
ANONYMOUS_LIBRARY = "Public"
MAJOR = 1_000_000

#: Made at import, because making it reads files, which would block the event loop later.
_TYPES = mimetypes.MimeTypes()
_SHORT = re.compile(r"~([DF])(\d{1,9})(?:\.\w+)?", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[/\\:*?\"<>|#\t%&+]")
_LONGEST = 128


@frozen
class DocumentVersion:
    """A version of a document.

    Attributes:
        number: version number: the major version times a million.
        content: bytes of the document.
        comment: comment of the upload.
        when: date of the upload, in UTC.
    """

    number: int
    content: bytes = attrs.field(repr=False)
    comment: str
    when: datetime

    @property
    def crc(self) -> str:
        """CRC-32 of the content in hexadecimal digits, as the service writes it."""
        return f"{zlib.crc32(self.content):X}"


@attrs.define
class LibraryItem:
    """A folder or document; libraries are folders without a parent.

    Attributes:
        id: id of the item.
        name: name of the item within its folder.
        parent: folder that holds the item; None for a library.
        owner: user who made the item; None for a library.
        created: date of creation, in UTC.
        modified: date of the last change, in UTC.
        versions: versions of a document, oldest first; empty for a folder.
    """

    id: int
    name: str
    parent: "LibraryItem | None"
    owner: EmulatedUser | None
    created: datetime
    modified: datetime
    versions: list[DocumentVersion] = attrs.field(factory=list)

    @property
    def is_folder(self) -> bool:
        """Whether the item is a folder; a document has at least one version."""
        return not self.versions

    @property
    def path(self) -> str:
        """Path from the library down."""
        return f"{self.parent.path if self.parent is not None else ''}/{self.name}"

    @property
    def library(self) -> "LibraryItem":
        """The library that holds the item."""
        return self if self.parent is None else self.parent.library

    @property
    def latest(self) -> DocumentVersion:
        """The last version of a document."""
        return self.versions[-1]

    @property
    def mime_type(self) -> str:
        """Media type by the extension of the name."""
        return _TYPES.guess_type(self.name)[0] or "application/octet-stream"

    def version(self, number: int) -> DocumentVersion | None:
        """The version with a number, or the last one for 0; None if there is no such version."""
        return self.latest if number == 0 else next((each for each in self.versions if each.number == number), None)


def clean(name: str) -> str:
    """Name with the forbidden characters replaced and cut to the longest length, as the service stores it."""
    return _FORBIDDEN.sub("_", name)[:_LONGEST]


def is_clean(name: str) -> bool:
    """Whether the service stores a name unchanged."""
    return bool(name.strip()) and clean(name) == name


class ItemStore:
    """All folders and documents by id, in the order of their creation."""

    def __init__(self, now: datetime) -> None:
        self.items: dict[int, LibraryItem] = {}
        self._next = 1
        for name in LIBRARIES:
            self.add(name, None, None, now)

    def add(self, name: str, parent: LibraryItem | None, owner: EmulatedUser | None, now: datetime) -> LibraryItem:
        """Add an empty folder; it becomes a document with its first version."""
        item = self.items[self._next] = LibraryItem(self._next, name, parent, owner, now, now)
        self._next += 1
        return item

    def children(self, folder: LibraryItem) -> Iterator[LibraryItem]:
        """The items directly in a folder."""
        return (item for item in list(self.items.values()) if item.parent is folder)

    def child(self, folder: LibraryItem | None, name: str) -> LibraryItem | None:
        """The item of a name in a folder, or None; upper and lower case are equal."""
        wanted = name.lower()
        return next((i for i in self.items.values() if i.parent is folder and i.name.lower() == wanted), None)

    def find(self, path: str) -> LibraryItem | None:
        """The item of a path, with slashes or backslashes, or of a short path (``~D12.txt``); None if missing."""
        short = _SHORT.fullmatch(path.strip("/\\"))
        if short is not None:
            item = self.items.get(int(short[2]))
            return item if item is not None and item.is_folder == (short[1].upper() == "F") else None
        found: LibraryItem | None = None
        for name in names(path):
            found = self.child(found, name)
            if found is None:
                return None
        return found

    def below(self, item: LibraryItem) -> Iterator[LibraryItem]:
        """An item and all items below it."""
        yield item
        for child in self.children(item):
            yield from self.below(child)

    def remove(self, item: LibraryItem) -> None:
        """Remove an item and all items below it."""
        for gone in list(self.below(item)):
            del self.items[gone.id]


def names(path: str) -> list[str]:
    """Names of the items in a path."""
    return [name for name in path.replace("\\", "/").split("/") if name]
