"""infoRouter: the client, the catalogue of its methods, and the typed operations as values."""

from aiorescue.inforouter.answers.documents import Document, Folder, Listing
from aiorescue.inforouter.answers.element import Element, LogEntry
from aiorescue.inforouter.authentication import AuthenticateUser, IsValidTicket, LogOut, RenewTicket, TicketHolder
from aiorescue.inforouter.catalogue import METHODS, Method, MethodParameter
from aiorescue.inforouter.client import InfoRouterClient
from aiorescue.inforouter.handlers import (
    Chunk,
    CreateUploadHandler,
    DeleteDownloadHandler,
    DeleteUploadHandler,
    DownloadDocument,
    DownloadDocumentVersion,
    DownloadFileChunk,
    DownloadHandler,
    GetDownloadHandler,
    GetDownloadHandlerByVersion,
    UploadDocument1,
    UploadDocumentWithHandler1,
    Uploaded,
    UploadFileChunk,
    UploadHandler,
)
from aiorescue.inforouter.invocation import Invocation, invocation
from aiorescue.inforouter.library import (
    Copy,
    CreatedFolder,
    CreateFolder,
    DeleteDocument,
    DeleteFolder,
    GetDocument,
    GetDocuments,
    GetFolder,
    GetFolders,
    GetFoldersAndDocuments,
    Move,
    Rename,
)
from aiorescue.inforouter.search import GetNextSearchPage, GetPreviousSearchPage, Search, SearchPage, SearchResult
from aiorescue.inforouter.server import GetCurrentUser, ServerInfo, ServerInformation, User

#: The operations that the emulator knows, by the vendor's name.
OPERATIONS = {operation.spec.name: operation for operation in (AuthenticateUser, IsValidTicket, LogOut, RenewTicket)}

#: The typed operations beyond those.
TYPED = {
    operation.spec.name: operation
    for operation in (
        Copy,
        CreateFolder,
        CreateUploadHandler,
        DeleteDocument,
        DeleteDownloadHandler,
        DeleteFolder,
        DeleteUploadHandler,
        DownloadDocument,
        DownloadDocumentVersion,
        DownloadFileChunk,
        GetCurrentUser,
        GetDocument,
        GetDocuments,
        GetDownloadHandler,
        GetDownloadHandlerByVersion,
        GetFolder,
        GetFolders,
        GetFoldersAndDocuments,
        GetNextSearchPage,
        GetPreviousSearchPage,
        Move,
        Rename,
        Search,
        ServerInfo,
        UploadDocument1,
        UploadDocumentWithHandler1,
        UploadFileChunk,
    )
}

__all__ = [
    "METHODS",
    "OPERATIONS",
    "TYPED",
    "AuthenticateUser",
    "Chunk",
    "Copy",
    "CreateFolder",
    "CreateUploadHandler",
    "CreatedFolder",
    "DeleteDocument",
    "DeleteDownloadHandler",
    "DeleteFolder",
    "DeleteUploadHandler",
    "Document",
    "DownloadDocument",
    "DownloadDocumentVersion",
    "DownloadFileChunk",
    "DownloadHandler",
    "Element",
    "Folder",
    "GetCurrentUser",
    "GetDocument",
    "GetDocuments",
    "GetDownloadHandler",
    "GetDownloadHandlerByVersion",
    "GetFolder",
    "GetFolders",
    "GetFoldersAndDocuments",
    "GetNextSearchPage",
    "GetPreviousSearchPage",
    "InfoRouterClient",
    "Invocation",
    "IsValidTicket",
    "Listing",
    "LogEntry",
    "LogOut",
    "Method",
    "MethodParameter",
    "Move",
    "Rename",
    "RenewTicket",
    "Search",
    "SearchPage",
    "SearchResult",
    "ServerInfo",
    "ServerInformation",
    "TicketHolder",
    "UploadDocument1",
    "UploadDocumentWithHandler1",
    "UploadFileChunk",
    "UploadHandler",
    "Uploaded",
    "User",
    "invocation",
]
