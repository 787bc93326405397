"""Folders and documents as values. Server versions name their attributes differently; here are their meanings."""

from datetime import datetime

import attrs

from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.values import first, moment, number


@attrs.frozen(kw_only=True)
class Folder:
    """A folder.

    Attributes:
        id: its number.
        name: its name.
        path: where it is; empty in short listings.
        parent_id: the folder it is in, if told.
        description: free text.
        owner: its owner's name.
        created: aware on newer servers, which tell it in UTC; a bare date or the server's zone on others.
        modified: the same.
        element: the element, with what was asked for beyond: rules, property sets, access list, owner.
    """

    id: int
    name: str
    path: str
    parent_id: int | None
    description: str
    owner: str
    created: datetime | None
    modified: datetime | None
    element: Element = attrs.field(repr=False)

    @classmethod
    def of(cls, element: Element) -> "Folder":
        """From an element of any listing. Raises ValueError where it has no number."""
        return cls(
            id=int(first(element, "FolderID", "id")),
            name=first(element, "Name", "FolderName", "n"),
            path=element.get("Path"),
            parent_id=number(first(element, "ParentID", "ParentFolderID")),
            description=element.get("Description"),
            owner=first(element, "OwnerName", "owner"),
            created=moment(first(element, "CreationDate", "createdate", "cdate")),
            modified=moment(first(element, "ModificationDate", "modifydate", "mdate")),
            element=element,
        )


@attrs.frozen(kw_only=True)
class Document:
    """A document.

    Attributes:
        id: its number.
        name: its name with its extension.
        path: where it is; empty in short listings.
        folder_id: the folder it is in, if told.
        description: free text.
        size: bytes, if told.
        type: MIME type or format, as the server writes it.
        version: the latest version: major times 1,000,000 plus minor times 1,000 plus revision.
        published_version: the published one, if told.
        owner: its owner's name.
        created: aware on newer servers, which tell it in UTC; a bare date or the server's zone on others.
        modified: the same.
        checked_out: when it was checked out, or None.
        checked_out_by: login name of who has it checked out; empty if nobody has.
        element: the element, with what was asked for beyond: property sets, access list, owner, versions.
    """

    id: int
    name: str
    path: str
    folder_id: int | None
    description: str
    size: int | None
    type: str
    version: int | None
    published_version: int | None
    owner: str
    created: datetime | None
    modified: datetime | None
    checked_out: datetime | None
    checked_out_by: str
    element: Element = attrs.field(repr=False)

    @classmethod
    def of(cls, element: Element) -> "Document":
        """From an element of any listing. Raises ValueError where it has no number."""
        return cls(
            id=int(first(element, "DocumentID", "id")),
            name=first(element, "Name", "DocumentName", "n"),
            path=element.get("Path"),
            folder_id=number(element.get("FolderId")),
            description=element.get("Description"),
            size=number(first(element, "Size", "DocumentSize")),
            type=first(element, "Type", "MimeType", "dformat"),
            version=number(first(element, "VersionNumber", "LastVersionNumber", "version")),
            published_version=number(first(element, "PublishedVersionNumber", "publishedversion")),
            owner=element.get("OwnerName"),
            created=moment(first(element, "CreationDate", "cdate")),
            modified=moment(first(element, "ModificationDate", "mdate")),
            checked_out=moment(element.get("CheckoutDate")),
            checked_out_by=first(element, "CheckoutByUserName", "chkoutbyusername"),
            element=element,
        )


@attrs.frozen
class Listing:
    """What is in a folder.

    Attributes:
        folders: its folders, in the server's order.
        documents: its documents, in the server's order.
    """

    folders: tuple[Folder, ...]
    documents: tuple[Document, ...]


def folders(root: Element) -> tuple[Folder, ...]:
    """The folders in an answer."""
    return tuple(Folder.of(child) for child in root if child.tag.lower() in ("folder", "f"))


def documents(root: Element) -> tuple[Document, ...]:
    """The documents in an answer."""
    return tuple(Document.of(child) for child in root if child.tag.lower() in ("document", "d"))
