"""infoRouter: the client, the catalogue of its methods, and the typed operations and results."""

from aiorescue.inforouter import authentication, download, library, search, server, upload
from aiorescue.inforouter.answers.documents import CreatedFolder, Document, Folder, Listing
from aiorescue.inforouter.answers.element import Element, LogEntry
from aiorescue.inforouter.answers.search import SearchPage, SearchResult
from aiorescue.inforouter.answers.server import ServerInformation, User
from aiorescue.inforouter.answers.tickets import TicketHolder
from aiorescue.inforouter.answers.transfers import Chunk, DownloadHandler, Uploaded, UploadHandler
from aiorescue.inforouter.authentication import AuthenticateUser, IsValidTicket, LogOut, RenewTicket
from aiorescue.inforouter.catalogue import METHODS, Method, MethodParameter
from aiorescue.inforouter.client import InfoRouterClient
from aiorescue.inforouter.download import (
    DeleteDownloadHandler,
    DownloadDocument,
    DownloadDocumentVersion,
    DownloadFileChunk,
    GetDownloadHandler,
    GetDownloadHandlerByVersion,
)
from aiorescue.inforouter.invocation import Invocation, invocation
from aiorescue.inforouter.library import (
    Copy,
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
from aiorescue.inforouter.search import GetNextSearchPage, GetPreviousSearchPage, Search
from aiorescue.inforouter.server import GetCurrentUser, ServerInfo
from aiorescue.inforouter.upload import (
    CreateUploadHandler,
    DeleteUploadHandler,
    UploadDocument1,
    UploadDocumentWithHandler1,
    UploadFileChunk,
)
from aiorescue.operation import declared

#: The operations on tickets, by the vendor's name.
OPERATIONS = declared(authentication)

#: The typed operations beyond those on tickets, by the vendor's name.
TYPED = declared(download, library, search, server, upload)

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
