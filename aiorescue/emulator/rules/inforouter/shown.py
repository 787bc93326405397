"""Folders and documents as XML elements of an answer, with the attributes of the newer servers."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.inforouter.items import LibraryItem
from aiorescue.emulator.rules.inforouter.tickets import Tickets
from aiorescue.inforouter import Element

_FOLDER = (
    *("FolderID", "ParentID", "Name", "Path", "Description", "CreationDate", "OwnerName", "DomainId"),
    *("ClassificationLevel", "ClassificationLevelId", "DeclassifyOn", "DowngradeOn", "RDDefId", "RetentionDate"),
    *("DispositionDate", "CutoffDate"),
)
_DOCUMENT = (
    *("DocumentID", "Name", "Path", "Description", "UpdateInstructions", "CreationDate", "ModificationDate"),
    *("CheckoutDate", "CheckoutBy", "CheckoutByUserName", "Size", "Type", "PercentComplete", "CompletionDate"),
    *("Importance", "RetentionDate", "DispositionDate", "CutoffDate", "RDDefId", "ExpirationDate", "RegisterDate"),
    *("RegisteredBy", "DocTypeID", "DocTypeName", "VersionNumber", "PublishedVersionNumber", "PublishingRule"),
    *("OwnerName", "WorkflowId", "WorkflowName", "WorkflowStepNumber", "WorkflowStepName", "Author", "Language"),
    *("Source", "ApprovalStatus", "ClassificationLevel", "ClassificationLevelId", "DeclassifyOn", "DomainId"),
    *("DomainName", "DowngradeOn", "FolderId", "Foldername", "IsShortcut", "TargetDocumentId", "LastISOReviewDate"),
    *("NextISOReviewDate", "OwnerId", "RegisterById", "TemplateID", "VersionCount", "UserViewStatus"),
)
_FOUND_FOLDER = (
    *("FolderID", "FolderName", "ParentFolderID", "Path", "CreationDate", "ModificationDate", "OwnerID", "OwnerName"),
    "Description",
)
_FOUND_DOCUMENT = (
    *("DocumentID", "DocumentName", "FolderID", "FolderName", "Path", "MimeType", "MimeTypeDescription"),
    *("DocumentSize", "LastVersionNumber", "CreationDate", "ModificationDate", "OwnerID", "OwnerName", "StatusCode"),
)
#: Elements that a call can request beside the attributes, by the parameter that requests them.
_MORE = {"rules": "Rules", "property_sets": "PropertySets", "security": "AccessList"}


def moment(value: datetime) -> str:
    """A date of UTC with milliseconds, as the service writes it."""
    return f"{value:%Y-%m-%dT%H:%M:%S}.{value.microsecond // 1000:03}Z"


def _known(tickets: Tickets, item: LibraryItem) -> dict[str, object]:
    """Values of all attributes of an item, each under every name that some answer has for it."""
    owner, parent = item.owner, item.parent
    number = tickets.number(owner) if owner is not None else 0
    known: dict[str, object] = {
        "FolderID" if item.is_folder else "DocumentID": item.id,
        "FolderName" if item.is_folder else "DocumentName": item.name,
        **dict.fromkeys(("ParentID", "ParentFolderID"), parent.id if parent is not None else 0),
        **dict.fromkeys(("OwnerID", "OwnerId"), number),
        "Name": item.name,
        "Path": item.path,
        "CreationDate": moment(item.created),
        "ModificationDate": moment(item.modified),
        "OwnerName": owner.shown if owner is not None else "",
        "DomainId": item.library.id,
        "DomainName": item.library.name,
    }
    if item.is_folder or parent is None:
        return known
    return known | {
        **dict.fromkeys(("Size", "DocumentSize"), len(item.latest.content)),
        **dict.fromkeys(("Type", "MimeType"), item.mime_type),
        **dict.fromkeys(("VersionNumber", "PublishedVersionNumber", "LastVersionNumber"), item.latest.number),
        **dict.fromkeys(("FolderId", "FolderID"), parent.id),
        **dict.fromkeys(("Foldername", "FolderName"), parent.name),
        "VersionCount": len(item.versions),
        "IsShortcut": "false",
        "PercentComplete": 0,
    }


def element(tickets: Tickets, item: LibraryItem, requested: Mapping[str, Any], *, found: bool = False) -> Element:
    """Element of an item in a listing or in the results of a search.

    Args:
        tickets: knows the ids of owners.
        item: the folder or document.
        requested: parameters of the call, some of which request further elements.
        found: whether the item is the result of a search, whose elements have other attributes.
    """
    names: Sequence[str] = _FOLDER if item.is_folder else _DOCUMENT
    if found:
        names = _FOUND_FOLDER if item.is_folder else _FOUND_DOCUMENT
    known = _known(tickets, item)
    more = [Element(tag) for name, tag in _MORE.items() if requested.get(name) and (item.is_folder or name != "rules")]
    if requested.get("owner") and item.owner is not None:
        more.append(_owner(tickets, item.owner))
    if requested.get("versions") and not item.is_folder:
        more.append(_versions(item))
    attributes = {name: str(known.get(name, "")) for name in names}
    return Element("folder" if item.is_folder else "document", attributes, tuple(more))


def _owner(tickets: Tickets, user: EmulatedUser) -> Element:
    return Element("User", {"UserID": str(tickets.number(user)), "UserName": user.email, "FullName": user.shown})


def _versions(item: LibraryItem) -> Element:
    return Element(
        "Versions",
        {},
        tuple(
            Element(
                "Version",
                {
                    "Number": str(version.number),
                    "Size": str(len(version.content)),
                    "CreationDate": moment(version.when),
                    "Comments": version.comment,
                },
            )
            for version in item.versions
        ),
    )


def brief(item: LibraryItem) -> Element:
    """Element of an item in the short form of ``GetFoldersAndDocuments1``."""
    if item.is_folder:
        return Element("f", {"id": str(item.id), "n": item.name})
    latest = item.latest
    attributes = {
        "id": str(item.id),
        "n": item.name,
        "mdate": moment(item.modified),
        "cdate": moment(item.created),
        "size": str(len(latest.content)),
        "dformat": item.mime_type,
        **dict.fromkeys(("chkoutbyusername", "chkoutbyfullname"), ""),
        **dict.fromkeys(("version", "publishedversion"), str(latest.number)),
        **dict.fromkeys(("regdate", "dtype"), ""),
    }
    return Element("d", attributes)
