"""Operations on folders and documents: looking them up, creating, moving and deleting them.

Their contents are in `upload` and `download`, searching is in `search`.
"""

from typing import Annotated, TypeVar

import attrs

from aiorescue.inforouter.answers.documents import (
    CreatedFolder,
    Document,
    Folder,
    Listing,
    documents,
    folders,
    only_document,
    only_folder,
)
from aiorescue.inforouter.service import TICKET, TICKET_LOWER, InfoRouterOperation, Path, declare
from aiorescue.operation import Effect, Parameter, operation

R_co = TypeVar("R_co", covariant=True)


def _flag(soap: str) -> Parameter:
    return Parameter(soap, holds=bool)


Rules = Annotated[bool, _flag("WithRules")]
PropertySets = Annotated[bool, _flag("withPropertySets")]
Security = Annotated[bool, _flag("withSecurity")]
Owner = Annotated[bool, _flag("withOwner")]
Versions = Annotated[bool, _flag("withVersions")]


# --- what is there --------------------------------------------------------------------------------


@operation
class FolderLookup(InfoRouterOperation[R_co]):
    """Base of the operations that look up folders; the flags bring more into each result's `element`."""

    path: Path
    """Path of the folder: ``/Library/Folder`` or ``~F{id}``."""
    rules: Rules = attrs.field(default=False, kw_only=True)
    """True to include the folder's rules."""
    property_sets: PropertySets = attrs.field(default=False, kw_only=True)
    """True to include the property sets."""
    security: Security = attrs.field(default=False, kw_only=True)
    """True to include the access list."""
    owner: Owner = attrs.field(default=False, kw_only=True)
    """True to include the owner."""


@operation
class GetFolder(FolderLookup[Folder]):
    """Get one folder. Vendor: ``GetFolder``."""

    spec = declare("GetFolder")
    read = staticmethod(only_folder)


@operation
class GetFolders(FolderLookup[tuple[Folder, ...]]):
    """List the folders in a folder. Vendor: ``GetFolders``."""

    spec = declare("GetFolders")
    read = staticmethod(folders)


@operation
class DocumentLookup(InfoRouterOperation[R_co]):
    """Base of the operations that look up documents; the flags bring more into each result's `element`."""

    path: Path
    """Path of the document, ``/Library/Folder/Name.ext`` or ``~D{id}``, or of the folder to list."""
    property_sets: PropertySets = attrs.field(default=False, kw_only=True)
    """True to include the property sets."""
    security: Security = attrs.field(default=False, kw_only=True)
    """True to include the access list."""
    owner: Owner = attrs.field(default=False, kw_only=True)
    """True to include the owner."""
    versions: Versions = attrs.field(default=False, kw_only=True)
    """True to include the versions."""


@operation
class GetDocument(DocumentLookup[Document]):
    """Get one document's properties; its bytes come with `DownloadDocument`. Vendor: ``GetDocument``."""

    spec = declare("GetDocument", ticket=TICKET)
    read = staticmethod(only_document)


@operation
class GetDocuments(DocumentLookup[tuple[Document, ...]]):
    """List the documents in a folder. Vendor: ``GetDocuments``."""

    spec = declare("GetDocuments", ticket=TICKET)
    read = staticmethod(documents)


@operation
class GetFoldersAndDocuments(InfoRouterOperation[Listing]):
    """List the folders and the documents in a folder. Vendor: ``GetFoldersAndDocuments``."""

    path: Path
    """Path of the folder to list."""
    rules: Annotated[bool, _flag("withrules")] = attrs.field(default=False, kw_only=True)
    """True to include the folders' rules, in each result's `element`."""
    property_sets: Annotated[bool, _flag("withpropertysets")] = attrs.field(default=False, kw_only=True)
    """True to include property sets."""
    security: Annotated[bool, _flag("withsecurity")] = attrs.field(default=False, kw_only=True)
    """True to include access lists."""
    owner: Owner = attrs.field(default=False, kw_only=True)
    """True to include owners."""
    versions: Versions = attrs.field(default=False, kw_only=True)
    """True to include the documents' versions."""

    spec = declare("GetFoldersAndDocuments")
    read = Listing.of


# --- changes --------------------------------------------------------------------------------------


@operation
class CreateFolder(InfoRouterOperation[CreatedFolder]):
    """Create a folder and the missing folders above it. Vendor: ``CreateFolder``."""

    path: Path
    """Path of the new folder."""

    spec = declare("CreateFolder", effect=Effect.CREATES)
    read = CreatedFolder.of


@operation
class DeleteFolder(InfoRouterOperation[None]):
    """Delete a folder and everything in it. Vendor: ``DeleteFolder``."""

    path: Path
    """Path of the folder."""

    spec = declare("DeleteFolder", effect=Effect.CREATES)


@operation
class DeleteDocument(InfoRouterOperation[None]):
    """Delete a document. Vendor: ``DeleteDocument``."""

    path: Path
    """Path of the document."""

    spec = declare("DeleteDocument", effect=Effect.CREATES)


Source = Annotated[str, Parameter("SourcePath")]
Destination = Annotated[str, Parameter("DestinationPath")]


@operation
class Copy(InfoRouterOperation[None]):
    """Copy a folder or document. Vendor: ``Copy``.

    A copy that fails for some of the items raises `aiorescue.errors.PartialFailure`, whose `log` names them.
    """

    source: Source
    """Path of the folder or document."""
    destination: Destination
    """Path of the folder to copy it to."""

    spec = declare("Copy", effect=Effect.CREATES)


@operation
class Move(InfoRouterOperation[None]):
    """Move a folder or document. Vendor: ``Move``.

    A move that fails for some of the items raises `aiorescue.errors.PartialFailure`, whose `log` names them.
    """

    source: Source
    """Path of the folder or document."""
    destination: Destination
    """Path of the folder to move it to."""

    spec = declare("Move", effect=Effect.CREATES)


@operation
class Rename(InfoRouterOperation[None]):
    """Rename a folder or document; offered by servers of 2026 and later. Vendor: ``Rename``."""

    path: Path
    """Path of the folder or document."""
    new_name: Annotated[str, Parameter("NewName")]
    """New name; that of a document includes its extension."""

    spec = declare("Rename", ticket=TICKET_LOWER, effect=Effect.CREATES)
