"""Folders and documents as values, read from the attributes that each server version names in its own way."""

from datetime import datetime

import attrs

from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.values import first, lowered, moment, number
from aiorescue.operation import frozen
from aiorescue.wire.numbers import whole_number
from aiorescue.wire.untracked import like


@frozen(kw_only=True)
class Folder:
    """A folder of a library, or a library itself.

    Attributes:
        id: number of the folder.
        name: name of the folder.
        path: path of the folder; empty in short listings.
        parent_id: number of the folder that it is in; None if the server does not send it.
        description: free text.
        owner: name of the owner.
        created: time of creation: aware on newer servers, which send UTC; naive on others, which send a bare date or
            the server's local time.
        modified: time of the last change; aware or naive like `created`.
        element: the XML element, with what the call asked for beyond: rules, property sets, access list, owner.
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
        """Read a folder from an element of any listing. Raises ValueError where the element has no number."""
        held = lowered(element)
        return cls(
            id=whole_number(first(held, "folderid", "id")),
            name=first(held, "name", "foldername", "n"),
            path=first(held, "path"),
            parent_id=number(first(held, "parentid", "parentfolderid")),
            description=first(held, "description"),
            owner=first(held, "ownername", "owner"),
            created=moment(first(held, "creationdate", "createdate", "cdate")),
            modified=moment(first(held, "modificationdate", "modifydate", "mdate")),
            element=element,
        )


@frozen(kw_only=True)
class Document:
    """A document in a folder, without its content.

    Attributes:
        id: number of the document.
        name: name of the document with its extension.
        path: path of the document; empty in short listings.
        folder_id: number of the folder that it is in; None if the server does not send it.
        description: free text.
        size: bytes in the document; None if the server does not send it.
        type: MIME type or format, as the server writes it.
        version: latest version: major times 1,000,000 plus minor times 1,000 plus revision.
        published_version: published version, numbered like `version`; None if the server does not send it.
        owner: name of the owner.
        created: time of creation: aware on newer servers, which send UTC; naive on others, which send a bare date or
            the server's local time.
        modified: time of the last change; aware or naive like `created`.
        checked_out: time at which it was checked out; None if it is not.
        checked_out_by: login name of the user that has it checked out; empty if it is not checked out.
        element: the XML element, with what the call asked for beyond: property sets, access list, owner, versions.
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
        """Read a document from an element of any listing. Raises ValueError where the element has no number."""
        held = lowered(element)
        return cls(
            id=whole_number(first(held, "documentid", "id")),
            name=first(held, "name", "documentname", "n"),
            path=first(held, "path"),
            folder_id=number(first(held, "folderid")),
            description=first(held, "description"),
            size=number(first(held, "size", "documentsize")),
            type=first(held, "type", "mimetype", "dformat"),
            version=number(first(held, "versionnumber", "lastversionnumber", "version")),
            published_version=number(first(held, "publishedversionnumber", "publishedversion")),
            owner=first(held, "ownername"),
            created=moment(first(held, "creationdate", "cdate")),
            modified=moment(first(held, "modificationdate", "mdate")),
            checked_out=moment(first(held, "checkoutdate")),
            checked_out_by=first(held, "checkoutbyusername", "chkoutbyusername"),
            element=element,
        )


@frozen
class Listing:
    """Contents of a folder.

    Attributes:
        folders: folders in it, in the server's order.
        documents: documents in it, in the server's order.
    """

    folders: tuple[Folder, ...]
    documents: tuple[Document, ...]

    @classmethod
    def of(cls, root: Element) -> "Listing":
        """Read the folders and documents in the root element."""
        return cls(folders(root), documents(root))


@frozen
class CreatedFolder:
    """A folder that a call has created.

    Attributes:
        id: number of the folder; None if the server does not send it.
        name: name that the server gave it: characters that a name may not hold are gone, and 128 are kept.
    """

    id: int | None
    name: str

    @classmethod
    def of(cls, root: Element) -> "CreatedFolder":
        """Read the folder's number and name from the attributes of the root element."""
        text = root.get("FolderId")
        return cls(whole_number(text) if text else None, root.get("FolderName"))


def folders(root: Element) -> tuple[Folder, ...]:
    """Read all folders in the root element."""
    return tuple(like(child, Folder.of(child)) for child in root if child.tag.lower() in ("folder", "f"))


def documents(root: Element) -> tuple[Document, ...]:
    """Read all documents in the root element."""
    return tuple(like(child, Document.of(child)) for child in root if child.tag.lower() in ("document", "d"))


def only_folder(root: Element) -> Folder:
    """Read the one folder in the root element. Raises ValueError where there is none, or several."""
    found = folders(root)
    if len(found) != 1:
        raise ValueError(f"it has {len(found)} folders instead of one")
    return found[0]


def only_document(root: Element) -> Document:
    """Read the one document in the root element. Raises ValueError where there is none, or several."""
    found = documents(root)
    if len(found) != 1:
        raise ValueError(f"it has {len(found)} documents instead of one")
    return found[0]
