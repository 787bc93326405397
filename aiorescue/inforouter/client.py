"""`InfoRouterClient`: infoRouter's methods as awaitables."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import Any, Literal, TypeVar, overload

from aiorescue import errors
from aiorescue.call.awaits import awaits
from aiorescue.call.client import MAX_CONNECTIONS, TIMEOUT, ServiceClient
from aiorescue.call.conversation import Conversation
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.transport import ClientSession
from aiorescue.clock import Clock
from aiorescue.identity.credentials import Login, Ticket, kind
from aiorescue.identity.identity import AnonymousIdentity, Identity
from aiorescue.inforouter import authentication, handlers, library, server, transfer
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.catalogue import METHODS
from aiorescue.inforouter.invocation import Invocation, invocation
from aiorescue.inforouter.search import GetNextSearchPage, GetPreviousSearchPage, Search, Searches, SearchPage
from aiorescue.inforouter.ticket import TicketIdentity
from aiorescue.operation import Binding, Content, Operation
from aiorescue.pace.pace import Pace

R = TypeVar("R")

ByteMethod = Literal[
    "DownloadDocument", "DownloadDocumentVersion", "DownloadZip", "GetDocumentThumbnail", "GetAddInPart"
]

#: infoRouter documents no limits; between logins the server may wait by itself.
_NO_LIMITS = Pace(pins=None, email_texts=None, reports=None, logins=None)


class InfoRouterClient(ServiceClient):
    """A client of infoRouter's web service.

    Args:
        credentials: ``Login(user, password)`` or a ``Ticket``. None is enough to authenticate explicitly; the
            client then calls as that user.
        base_url: where the application is, with its virtual directory if it has one.
        binding: ``SOAP11``, ``HTTP_POST`` or ``HTTP_GET``.
        timeout: seconds for one request.
        retry: how long a call keeps trying.
        max_connections: requests under way at once.
        http: your own session; its pool and settings are used, and it is never closed.
        relogin: when the service says that a ticket has ended, authenticate once and repeat the call once.
        allow_plain_http: take ``http://`` for any host.
        clock: time, for tests.

    Raises:
        errors.InvalidRequest: an argument cannot be used.
    """

    def __init__(
        self,
        credentials: Login | Ticket | None = None,
        *,
        base_url: str,
        binding: Binding = Binding.SOAP11,
        timeout: float = TIMEOUT,
        retry: RetryPolicy = RetryPolicy(),
        max_connections: int = MAX_CONNECTIONS,
        http: ClientSession | None = None,
        relogin: bool = False,
        allow_plain_http: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            binding=binding,
            timeout=timeout,
            retry=retry,
            pace=_NO_LIMITS,
            max_connections=max_connections,
            http=http,
            relogin=relogin,
            allow_plain_http=allow_plain_http,
            clock=clock,
        )
        if credentials is not None and not isinstance(credentials, Login | Ticket):
            raise errors.InvalidRequest(
                f"credentials must be aiorescue's Login(…) or Ticket(…), not {kind(credentials)}"
            )
        self._identities = [AnonymousIdentity() if credentials is None else self._identity(credentials)]
        self._searches = Searches()
        self._heals = relogin

    def _identity(self, credentials: Login | Ticket) -> Identity:
        return TicketIdentity(
            credentials,
            name=credentials.email if isinstance(credentials, Login) else "ticket",
            authenticate=authentication.AuthenticateUser(credentials.email, credentials.password)
            if isinstance(credentials, Login)
            else None,
            log_out=authentication.LogOut,
            send=self._runner.send,
        )

    def _choose(self, operation: Operation[Any]) -> Identity:
        nobody = isinstance(self._identities[0], AnonymousIdentity)
        if (
            nobody
            and isinstance(operation, authentication.AuthenticateUser)
            and operation.user is not None
            and operation.password is not None
        ):
            # A client without credentials becomes the one who authenticates, if the service lets them.
            return self._identity(Login(operation.user, operation.password))
        return super()._choose(operation)

    @overload
    async def call(self, operation: Operation[R], *, binding: Binding | None = None) -> R: ...
    @overload
    async def call(self, operation: ByteMethod, *, binding: Binding | None = None, **parameters: Any) -> bytes: ...
    @overload
    async def call(self, operation: str, *, binding: Binding | None = None, **parameters: Any) -> Element: ...
    async def call(self, operation: Operation[Any] | str, *, binding: Binding | None = None, **parameters: Any) -> Any:
        """Call any method of the catalogue by its name, or an operation given as a value.

        ``await docs.call("GetDocuments", Path="/Public")``. Names are those of `aiorescue.inforouter.METHODS` and
        are checked before anything is sent. In methods that only read, a flag that is left out is sent as false.
        The ticket is added under the spelling that the method wants; one among the parameters takes its place.

        Args:
            operation: a method's name, or what to call as a value.
            binding: use this binding and no other; left out, the client's own if the method has it.
            parameters: the method's own, under their names in the catalogue.

        Returns:
            The root `Element` of the answer (with a `log`, if a call for many items failed for some of them and the
            service calls that a success), bytes from methods that answer so, or the operation's result.

        Raises:
            errors.InvalidRequest: no such method or parameter, a missing one, or a value of the wrong type; nothing
                was sent.
            errors.UnsupportedBinding: not offered on that binding; nothing was sent.
            errors.PartialFailure: it failed for some of the items, which its `log` names.
            errors.ServiceError: among others, for an answer of no bytes that stands for an unknown failure.
            errors.RescueError: whatever else went wrong; see `aiorescue.errors`.
        """
        if isinstance(operation, str):
            if not METHODS.loaded:
                await asyncio.to_thread(METHODS.load)
            nobody = isinstance(self._identities[0], AnonymousIdentity)
            operation = invocation(operation, parameters, anonymous=nobody)
        elif parameters:
            raise errors.InvalidRequest(f"{operation.spec.name}: a value has its parameters already")
        if operation.spec.content is not Content.BYTES:
            return await super().call(operation, binding=binding)
        async with self._together(self._identities[0], operation.spec.name) as calls:
            return await self._bytes(calls, operation, binding)

    async def _bytes(self, calls: Conversation, operation: Operation[Any], binding: Binding | None) -> bytes:
        """The answer, if it holds anything: before 9.0, and over SOAP, every failure is an answer of no bytes."""
        name = operation.spec.name
        answer: bytes = await calls.call(operation, binding=binding)
        if not self._says_nothing(name, answer):
            return answer
        own = getattr(operation, "ticket", None)
        if (own or operation.spec.identity) and not await calls.call(authentication.IsValidTicket(own)):
            if own or not self._heals or not self._logs_in:
                raise errors.NotLoggedIn(f"{name}: the ticket is no longer valid", operation=name, attempts=1)
            # The dead ticket is forgotten by now, so this goes out with a new one.
            answer = await calls.call(operation, binding=binding)
        if self._says_nothing(name, answer) and not await self._is_empty(calls, operation):
            raise errors.ServiceError(
                f"{name}: the server answered with no bytes, its way to say that it failed, without a reason",
                operation=name,
                attempts=1,
            )
        return answer

    @staticmethod
    def _says_nothing(name: str, answer: bytes) -> bool:
        return not answer or (name == "GetAddInPart" and answer == b"\0")

    @property
    def _logs_in(self) -> bool:
        return any(getattr(identity, "credentials", None).__class__ is Login for identity in self._identities)

    @staticmethod
    async def _is_empty(calls: Conversation, operation: Operation[Any]) -> bool:
        """Whether a document is known to have no bytes."""
        if isinstance(operation, Invocation) and operation.method.name == "DownloadDocument":
            path: Any = operation.values["Path"]
        elif isinstance(operation, handlers.DownloadDocument):
            path = operation.path
        else:
            return False
        return (await calls.call(library.GetDocument(path))).size == 0

    # --- tickets, the server, the user ---

    authenticate_user = awaits(authentication.AuthenticateUser)
    renew_ticket = awaits(authentication.RenewTicket)
    is_valid_ticket = awaits(authentication.IsValidTicket)
    log_out = awaits(authentication.LogOut)
    server_info = awaits(server.ServerInfo)
    get_current_user = awaits(server.GetCurrentUser)

    # --- folders and documents ---

    get_folder = awaits(library.GetFolder)
    get_folders = awaits(library.GetFolders)
    get_document = awaits(library.GetDocument)
    get_documents = awaits(library.GetDocuments)
    get_folders_and_documents = awaits(library.GetFoldersAndDocuments)
    create_folder = awaits(library.CreateFolder)
    delete_folder = awaits(library.DeleteFolder)
    delete_document = awaits(library.DeleteDocument)
    copy = awaits(library.Copy)
    move = awaits(library.Move)
    rename = awaits(library.Rename)

    # --- searching ---

    get_next_search_page = awaits(GetNextSearchPage)
    get_previous_search_page = awaits(GetPreviousSearchPage)

    def search(
        self,
        criteria: str,
        sort_by: str = "",
        *,
        ascending: bool = True,
        page: GetNextSearchPage | None = None,
    ) -> AsyncIterator[SearchPage]:
        """Search, and walk through the pages: ``async for page in docs.search(xml): …``.

        A ticket holds one result at a time: a second search takes the place of the first.

        Args:
            criteria: the criteria as XML.
            sort_by: a column; 9.x servers want one outside SOAP.
            ascending: the order.
            page: what to bring along with each row, as in ``GetNextSearchPage(owner=True)``.

        Raises:
            errors.PreconditionFailed: another search on this client has taken the result's place.
            errors.AmbiguousOutcome: a page was lost on its way; asked for again, the next one would come.
            errors.RescueError: whatever else went wrong.
        """
        asked, each = Search(criteria, sort_by, ascending=ascending), page or GetNextSearchPage()
        return self._stepwise("Search", lambda calls: self._searches.pages(calls, asked, each))

    # --- contents ---

    download_document = awaits(handlers.DownloadDocument)
    download_document_version = awaits(handlers.DownloadDocumentVersion)
    upload_document = awaits(handlers.UploadDocument1)

    async def upload(
        self,
        source: transfer.Source,
        path: str,
        *,
        comment: str | None = None,
        chunk_size: int = transfer.CHUNK,
        progress: transfer.Progress | None = None,
    ) -> handlers.Uploaded:
        """Send a document of any size, chunk by chunk, each with its checksum.

        Nothing is there before all of it has arrived. Over `Binding.HTTP_POST` chunks travel as they are; SOAP
        makes them a third longer.

        Args:
            source: a file's path, bytes, a file open in binary mode, or an async iterator of bytes. The first two
                are sent once more from the beginning if the connection breaks within a chunk.
            path: the document's path on the server; one that is there gets a new version.
            comment: on the version.
            chunk_size: bytes a chunk, 262,144 to 33,554,432; the server may choose another size.
            progress: called after each chunk with the bytes sent and, if known, those of the whole.

        Raises:
            errors.AmbiguousOutcome: the connection broke at the very end; the document may be there, or not.
            errors.InvalidParameter: it is there, but not checked out by this user.
            errors.ProtocolError: the server has other bytes than were sent; the document is as it was.
            errors.RescueError: whatever else went wrong; see `aiorescue.errors`.
        """
        more = {} if progress is None else {"progress": progress}
        async with self._together(self._identities[0], "upload") as calls:
            job = transfer.Upload(calls=calls, path=path, comment=comment, chunk_size=chunk_size, **more)
            return await job.send(source)

    async def download(
        self,
        path: str,
        target: transfer.Target,
        *,
        version: int | None = None,
        chunk_size: int = transfer.CHUNK,
        progress: transfer.Progress | None = None,
    ) -> handlers.DownloadHandler:
        """Fetch a document of any size, chunk by chunk, and compare checksums.

        Args:
            path: the document's path.
            target: a file's path, or a file open in binary mode. A path is written under a name ending
                in ``.part`` first, so that what bears the name is always a whole document.
            version: major times 1,000,000 plus minor times 1,000 plus revision; left out, the published or latest.
            chunk_size: bytes a chunk; the server may choose another size.
            progress: called after each chunk with the bytes received and, if known, those of the whole.

        Returns:
            What the server says of the document: size, checksum, version, MIME type.

        Raises:
            errors.NotFound: no such document or version.
            errors.ProtocolError: the bytes are not those that the checksums tell.
            errors.RescueError: whatever else went wrong; see `aiorescue.errors`.
        """
        more = {} if progress is None else {"progress": progress}
        async with self._together(self._identities[0], "download") as calls:
            return await transfer.download(calls, path, target, version=version, chunk_size=chunk_size, **more)

    def stream(
        self, path: str, *, version: int | None = None, chunk_size: int = transfer.CHUNK
    ) -> AsyncGenerator[bytes, None]:
        """A document's bytes, chunk by chunk: ``async for data in docs.stream(path): …``.

        Args:
            path: the document's path.
            version: as in `download`.
            chunk_size: bytes a chunk; the server may choose another size.

        Raises:
            errors.ProtocolError: the bytes are not those that the checksums tell; known only at the end.
            errors.RescueError: whatever else went wrong; see `aiorescue.errors`.
        """
        return self._stepwise("stream", lambda calls: transfer.stream(calls, path, version, chunk_size))
