"""Folders and documents: what is there, and moving it about. Contents are in `transfer`, searching in `search`."""

from typing import Annotated, ClassVar

import attrs

from aiorescue.inforouter.answers.documents import Document, Folder, Listing, documents, folders
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.envelope import InfoRouterOperation
from aiorescue.inforouter.service import TICKET, TICKET_LOWER, Path, declare
from aiorescue.operation import Effect, Parameter, Spec, operation


def _flag(soap: str) -> Parameter:
    return Parameter(soap, holds=bool)


Rules = Annotated[bool, _flag("WithRules")]
PropertySets = Annotated[bool, _flag("withPropertySets")]
Security = Annotated[bool, _flag("withSecurity")]
Owner = Annotated[bool, _flag("withOwner")]
Versions = Annotated[bool, _flag("withVersions")]


def _only(found: tuple[Folder, ...] | tuple[Document, ...], what: str) -> None:
    if len(found) != 1:
        raise ValueError(f"one {what}")


@operation
class GetFolder(InfoRouterOperation[Folder]):
    """One folder. Vendor: ``GetFolder``.

    Args:
        path: its path, ``/Library/Folder`` or ``~F{id}``.
        rules: with its rules, in the result's `element`.
        property_sets: with its property sets.
        security: with its access list.
        owner: with its owner.
    """

    path: Path
    rules: Rules = attrs.field(default=False, kw_only=True)
    property_sets: PropertySets = attrs.field(default=False, kw_only=True)
    security: Security = attrs.field(default=False, kw_only=True)
    owner: Owner = attrs.field(default=False, kw_only=True)

    spec: ClassVar[Spec] = declare("GetFolder")

    @classmethod
    def read(cls, root: Element) -> Folder:
        """The only folder of the answer."""
        found = folders(root)
        _only(found, "folder")
        return found[0]


@operation
class GetFolders(InfoRouterOperation[tuple[Folder, ...]]):
    """The folders in a folder. Vendor: ``GetFolders``.

    Args:
        path: the folder they are in.
        rules: with their rules, in each result's `element`.
        property_sets: with their property sets.
        security: with their access lists.
        owner: with their owners.
    """

    path: Path
    rules: Rules = attrs.field(default=False, kw_only=True)
    property_sets: PropertySets = attrs.field(default=False, kw_only=True)
    security: Security = attrs.field(default=False, kw_only=True)
    owner: Owner = attrs.field(default=False, kw_only=True)

    spec: ClassVar[Spec] = declare("GetFolders")

    @classmethod
    def read(cls, root: Element) -> tuple[Folder, ...]:
        """The folders of the answer."""
        return folders(root)


@operation
class GetDocument(InfoRouterOperation[Document]):
    """One document. Vendor: ``GetDocument``.

    Args:
        path: its path, ``/Library/Folder/Name.ext`` or ``~D{id}``.
        property_sets: with its property sets, in the result's `element`.
        security: with its access list.
        owner: with its owner.
        versions: with its versions.
    """

    path: Path
    property_sets: PropertySets = attrs.field(default=False, kw_only=True)
    security: Security = attrs.field(default=False, kw_only=True)
    owner: Owner = attrs.field(default=False, kw_only=True)
    versions: Versions = attrs.field(default=False, kw_only=True)

    spec: ClassVar[Spec] = declare("GetDocument", ticket=TICKET)

    @classmethod
    def read(cls, root: Element) -> Document:
        """The only document of the answer."""
        found = documents(root)
        _only(found, "document")
        return found[0]


@operation
class GetDocuments(InfoRouterOperation[tuple[Document, ...]]):
    """The documents in a folder. Vendor: ``GetDocuments``.

    Args:
        path: the folder they are in.
        property_sets: with their property sets, in each result's `element`.
        security: with their access lists.
        owner: with their owners.
        versions: with their versions.
    """

    path: Path
    property_sets: PropertySets = attrs.field(default=False, kw_only=True)
    security: Security = attrs.field(default=False, kw_only=True)
    owner: Owner = attrs.field(default=False, kw_only=True)
    versions: Versions = attrs.field(default=False, kw_only=True)

    spec: ClassVar[Spec] = declare("GetDocuments", ticket=TICKET)

    @classmethod
    def read(cls, root: Element) -> tuple[Document, ...]:
        """The documents of the answer."""
        return documents(root)


@operation
class GetFoldersAndDocuments(InfoRouterOperation[Listing]):
    """All that is in a folder. Vendor: ``GetFoldersAndDocuments``.

    Args:
        path: the folder.
        rules: with the folders' rules, in each result's `element`.
        property_sets: with their property sets.
        security: with their access lists.
        owner: with their owners.
        versions: with the documents' versions.
    """

    path: Path
    rules: Annotated[bool, _flag("withrules")] = attrs.field(default=False, kw_only=True)
    property_sets: Annotated[bool, _flag("withpropertysets")] = attrs.field(default=False, kw_only=True)
    security: Annotated[bool, _flag("withsecurity")] = attrs.field(default=False, kw_only=True)
    owner: Owner = attrs.field(default=False, kw_only=True)
    versions: Versions = attrs.field(default=False, kw_only=True)

    spec: ClassVar[Spec] = declare("GetFoldersAndDocuments")

    @classmethod
    def read(cls, root: Element) -> Listing:
        """Both kinds."""
        return Listing(folders(root), documents(root))


@attrs.frozen
class CreatedFolder:
    """A folder that was made.

    Attributes:
        id: its number, if told.
        name: its name: cleaned of what a name may not hold, and cut at 128 characters.
    """

    id: int | None
    name: str


@operation
class CreateFolder(InfoRouterOperation[CreatedFolder]):
    """Make a folder, and those above it that are missing. Vendor: ``CreateFolder``.

    Args:
        path: its path.
    """

    path: Path

    spec: ClassVar[Spec] = declare("CreateFolder", effect=Effect.CREATES)

    @classmethod
    def read(cls, root: Element) -> CreatedFolder:
        """Number and name."""
        text = root.get("FolderId")
        return CreatedFolder(int(text) if text else None, root.get("FolderName"))


@operation
class DeleteFolder(InfoRouterOperation[None]):
    """Delete a folder and all in it. Vendor: ``DeleteFolder``.

    Args:
        path: its path.
    """

    path: Path

    spec: ClassVar[Spec] = declare("DeleteFolder", effect=Effect.CREATES)


@operation
class DeleteDocument(InfoRouterOperation[None]):
    """Delete a document. Vendor: ``DeleteDocument``.

    Args:
        path: its path.
    """

    path: Path

    spec: ClassVar[Spec] = declare("DeleteDocument", effect=Effect.CREATES)


Source = Annotated[str, Parameter("SourcePath")]
Destination = Annotated[str, Parameter("DestinationPath")]


@operation
class Copy(InfoRouterOperation[None]):
    """Copy a folder or document. Vendor: ``Copy``.

    What fails for some of the items raises `aiorescue.errors.PartialFailure`, whose `log` names them.

    Args:
        source: its path.
        destination: the path of the folder to copy it to.
    """

    source: Source
    destination: Destination

    spec: ClassVar[Spec] = declare("Copy", effect=Effect.CREATES)


@operation
class Move(InfoRouterOperation[None]):
    """Move a folder or document. Vendor: ``Move``.

    Args:
        source: its path.
        destination: the path of the folder to move it to.
    """

    source: Source
    destination: Destination

    spec: ClassVar[Spec] = declare("Move", effect=Effect.CREATES)


@operation
class Rename(InfoRouterOperation[None]):
    """Give a folder or document another name; servers of 2026 on. Vendor: ``Rename``.

    Args:
        path: its path.
        new_name: its name from now on; that of a document with its extension.
    """

    path: Path
    new_name: Annotated[str, Parameter("NewName")]

    spec: ClassVar[Spec] = declare("Rename", ticket=TICKET_LOWER, effect=Effect.CREATES)
