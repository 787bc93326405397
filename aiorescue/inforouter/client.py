"""`InfoRouterClient`: infoRouter's methods as awaitable methods of a client."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Literal, TypeVar, overload

from aiorescue import errors
from aiorescue.call.awaits import awaits
from aiorescue.call.client import ServiceClient
from aiorescue.call.options import MAX_CONNECTIONS, TIMEOUT
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.transport import ClientSession
from aiorescue.clock import Clock
from aiorescue.identity.credentials import Login, Ticket, type_name
from aiorescue.identity.identity import AnonymousIdentity, Identity
from aiorescue.identity.standing import REFUSED_FOR, Standing, checked_refused_for
from aiorescue.inforouter import authentication, library, server
from aiorescue.inforouter import download as downloads
from aiorescue.inforouter import upload as uploads
from aiorescue.inforouter.answers.element import Element
from aiorescue.inforouter.answers.search import SearchPage
from aiorescue.inforouter.answers.transfers import DownloadHandler, Uploaded
from aiorescue.inforouter.catalogue import METHODS
from aiorescue.inforouter.files import CHUNK, Progress, no_progress
from aiorescue.inforouter.invocation import invocation
from aiorescue.inforouter.search import GetNextSearchPage, GetPreviousSearchPage, Search, Searches
from aiorescue.inforouter.ticket import TicketIdentity
from aiorescue.operation import Binding, Content, Operation, Veiled, discreet
from aiorescue.pace.pace import Pace

if TYPE_CHECKING:
    from aiorescue.events import Listener

R = TypeVar("R")

#: The methods of the catalogue that answer with bytes; a test compares.
ByteMethod = Literal[
    "DownloadDocument", "DownloadDocumentVersion", "DownloadZip", "GetDocumentThumbnail", "GetAddInPart"
]

#: infoRouter documents no limits; the server itself may delay logins that follow each other too fast.
_NO_LIMITS = Pace(pins=None, email_texts=None, reports=None, logins=None)


class InfoRouterClient(ServiceClient):
    """A client of infoRouter's web service.

    Args:
        credentials: ``Login(user, password)`` or ``Ticket(ticket)``. Without credentials, a successful
            `authenticate_user` with a name and a password makes the client call as that user, until the next one.
        base_url: address of the application, with its virtual directory if it has one.
        binding: ``SOAP11``, ``HTTP_POST`` or ``HTTP_GET``.
        timeout: seconds that one request may take.
        retry: how long a call keeps trying.
        max_connections: requests in flight at once.
        http: an `aiohttp.ClientSession` of your own; its pool and settings are used, and it is never closed.
        ssl: an `ssl.SSLContext` that trusts a private authority, or shows a certificate of the client.
        proxy: URL of an HTTP proxy, as ``http://user:password@proxy.example.com:3128``.
        trust_env: use the proxy that ``https_proxy``, ``http_proxy`` and ``no_proxy`` of the environment name.
        relogin: when the service says that the ticket has ended, authenticate once and repeat the call once.
        refused_for: seconds for which credentials that the service refuses are not sent again: calls that come in that
            time raise at once. 0 remembers nothing, None remembers for ever.
        allow_plain_http: allow ``http://`` for any host.
        clock: source of time, for tests.
        on_event: a listener, called with each `aiorescue.events.Event`; see there.

    Raises:
        errors.InvalidRequest: an argument cannot be used.
    """

    _service = "infoRouter"

    @discreet
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
        ssl: SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        relogin: bool = False,
        refused_for: float | None = REFUSED_FOR,
        allow_plain_http: bool = False,
        clock: Clock | None = None,
        on_event: "Listener | None" = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            binding=binding,
            timeout=timeout,
            retry=retry,
            pace=_NO_LIMITS,
            max_connections=max_connections,
            http=http,
            ssl=ssl,
            proxy=proxy,
            trust_env=trust_env,
            relogin=relogin,
            allow_plain_http=allow_plain_http,
            clock=clock,
            on_event=on_event,
        )
        if credentials is not None and not isinstance(credentials, Login | Ticket):
            raise errors.InvalidRequest(
                f"credentials must be aiorescue's Login(…) or Ticket(…), not {type_name(credentials)}"
            )
        self._refused_for = checked_refused_for(refused_for)
        self._takes_on_logins = credentials is None
        self._explicit: TicketIdentity | None = None  # of the last login on a client without credentials
        self._identities = [AnonymousIdentity() if credentials is None else self._identity(credentials)]
        self._searches = Searches()
        self._relogin = relogin

    def _identity(self, credentials: Login | Ticket) -> TicketIdentity:
        standing, explicit = (Standing(self._clock, self._refused_for) for _ in range(2))
        return TicketIdentity(
            credentials,
            self._runner.send,
            standing=standing,
            explicit=explicit,
            clock=self._clock,
            observer=self._observer,
        )

    @property
    def _is_anonymous(self) -> bool:
        return isinstance(self._identities[0], AnonymousIdentity)

    @property
    def _renews(self) -> bool:
        """Whether a ticket that has ended is replaced by a new one."""
        identity = self._identities[0]
        return self._relogin and isinstance(identity, TicketIdentity) and identity.can_log_in

    def _choose(self, operation: Operation[Any]) -> Identity:
        """The identity to call as: for a login on a client that was made without credentials, that of the login.

        If that login succeeds, `ServiceClient.call` keeps the identity for the calls that follow.
        """
        if (
            self._takes_on_logins
            and isinstance(operation, authentication.AuthenticateUser)
            and operation.user is not None
            and operation.password is not None
        ):
            wanted = Login(operation.user, operation.password)
            for known in (*self._identities, self._explicit):
                if isinstance(known, TicketIdentity) and known.credentials == wanted:
                    return known
            self._explicit = self._identity(wanted)
            return self._explicit
        return super()._choose(operation)

    @overload
    async def call(
        self,
        operation: Operation[R],
        *,
        binding: Binding | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds each request, not the call
        max_wait: float | None = None,
    ) -> R: ...
    @overload
    async def call(
        self,
        operation: ByteMethod,
        *,
        binding: Binding | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds each request, not the call
        max_wait: float | None = None,
        **parameters: Any,
    ) -> bytes: ...
    @overload
    async def call(
        self,
        operation: str,
        *,
        binding: Binding | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds each request, not the call
        max_wait: float | None = None,
        **parameters: Any,
    ) -> Element: ...
    async def call(
        self,
        operation: Operation[Any] | str,
        *,
        binding: Binding | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - it bounds each request, not the call
        max_wait: float | None = None,
        **parameters: Any,
    ) -> Any:
        """Call any method of the catalogue by its name, or an operation given as a value.

        ``await docs.call("GetDocuments", Path="/Public")``. Names are those of `aiorescue.inforouter.METHODS` and
        are checked before anything is sent. In methods that only read, a flag that is left out is sent as false.
        The ticket is added under the spelling that the method wants; one among the parameters takes its place.

        Args:
            operation: name of a method, or an operation.
            binding: use this binding and no other; left out, the client's own if the method is offered on it.
            timeout: seconds that one request may take; left out, those of the client.
            max_wait: seconds that the call may wait to be sent, as in `with_options`; left out, as the client has it.
            parameters: the method's parameters by their names in the catalogue.

        Returns:
            The root `Element` of the answer (with a `log`, if a call for many items failed for some of them and the
            service calls that a success), bytes from methods that answer so, or the operation's result.

        Raises:
            errors.InvalidRequest: no such method or parameter, a missing one, or a value of the wrong type; nothing
                was sent.
            errors.UnsupportedBinding: not offered on that binding; nothing was sent.
            errors.PartialFailure: it failed for some of the items, which its `log` names.
            errors.ServiceError: among others, for an answer of no bytes that stands for an unknown failure.
            errors.RescueError: any other failure; see `aiorescue.errors`.
        """
        given, names = Veiled(parameters), ", ".join(parameters)
        del parameters  # in a traceback they would show a password
        if isinstance(operation, str):
            if not METHODS.loaded:
                await asyncio.to_thread(METHODS.load)
            operation = invocation(operation, given.value, anonymous=self._is_anonymous)
        elif names:
            raise errors.InvalidRequest(
                f"{operation.spec.name}: an operation has its parameters already; "
                f"parameters by name ({names}) go with the name of a method"
            )
        if operation.spec.content is not Content.BYTES:
            return await super().call(operation, binding=binding, timeout=timeout, max_wait=max_wait)
        options = self._options.but(timeout=timeout, max_wait=max_wait)
        async with self._together(self._identities[0], operation.spec.name, options) as calls:
            return await downloads.call_for_bytes(calls, operation, binding=binding, renews=self._renews)

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
        """Search, and iterate over the pages of the result: ``async for page in docs.search(xml): …``.

        The server keeps one result for each ticket: a second search replaces the result of the first.

        Args:
            criteria: search criteria as XML.
            sort_by: name of the column to sort by; 9.x servers require one in forms and queries.
            ascending: True to sort in ascending order.
            page: what to include with each item, as in ``GetNextSearchPage(owner=True)``.

        Raises:
            errors.PreconditionFailed: another search on this client has replaced the result.
            errors.AmbiguousOutcome: a page was lost on its way; asking again would skip it.
            errors.RescueError: any other failure; see `aiorescue.errors`.
        """
        search, each = Search(criteria, sort_by, ascending=ascending), page or GetNextSearchPage()
        return self._stepwise("Search", lambda calls: self._searches.pages(calls, search, each))

    # --- contents ---

    download_document = awaits(downloads.DownloadDocument)
    download_document_version = awaits(downloads.DownloadDocumentVersion)
    upload_document = awaits(uploads.UploadDocument1)

    async def upload(
        self,
        source: uploads.Source,
        path: str,
        *,
        comment: str | None = None,
        chunk_size: int = CHUNK,
        progress: Progress | None = None,
    ) -> Uploaded:
        """Upload a document of any size, chunk by chunk, each with its checksum.

        The document appears only when all of it has arrived. Over `Binding.HTTP_POST` chunks travel as they are; SOAP
        makes them a third longer.

        Args:
            source: path of a file, bytes, a file open in binary mode, which has to block, or an async iterator of
                bytes. A path or bytes are sent once more from the beginning if the connection breaks within a chunk.
            path: path of the document on the server; a document that exists there gets a new version.
            comment: comment on the version.
            chunk_size: bytes in a chunk, 262,144 to 33,554,432; the server may choose another size.
            progress: called after each chunk with the bytes sent and, if known, those of the whole.

        Raises:
            errors.AmbiguousOutcome: the connection broke at the very end; whether the document exists is unknown.
            errors.InvalidParameter: the document exists, but this user has not checked it out.
            errors.InvalidRequest: the source yields no bytes; noticed at its beginning, before anything is sent.
            errors.ProtocolError: the server has other bytes than were sent; the document is unchanged.
            errors.RescueError: any other failure; see `aiorescue.errors`.
        """
        async with self._together(self._identities[0], "upload") as calls:
            job = uploads.Upload(calls, path, comment, chunk_size, progress or no_progress)
            return await job.send(source)

    async def download(
        self,
        path: str,
        target: downloads.Target,
        *,
        version: int | None = None,
        chunk_size: int = CHUNK,
        progress: Progress | None = None,
    ) -> DownloadHandler:
        """Download a document of any size to a file, chunk by chunk, and compare checksums.

        Args:
            path: path of the document on the server.
            target: path of a file, or a file open in binary mode, which has to block. A path is written under a name
                ending in ``.part`` first, so that a file with the target's name is always a whole document; the mode of
                an old file is kept. A link stays, and a pipe or a device is written in place.
            version: major times 1,000,000 plus minor times 1,000 plus revision; left out, the published or latest.
            chunk_size: bytes in a chunk, 8 MiB at most; the server may choose another size.
            progress: called after each chunk with the bytes received and, if known, those of the whole.

        Returns:
            The server's description of the document: size, checksum, version, MIME type.

        Raises:
            errors.NotFound: no such document or version.
            errors.ProtocolError: the bytes do not fit the server's checksums.
            errors.InvalidRequest: the target is no binary file, or took no bytes, because it does not block.
            errors.RescueError: any other failure; see `aiorescue.errors`.
            OSError: the target cannot be written; for a folder before anything is sent.
        """
        async with self._together(self._identities[0], "download") as calls:
            return await downloads.download(
                calls, path, target, version=version, chunk_size=chunk_size, progress=progress or no_progress
            )

    def stream(self, path: str, *, version: int | None = None, chunk_size: int = CHUNK) -> AsyncGenerator[bytes, None]:
        """Iterate over a document's bytes, chunk by chunk: ``async for data in docs.stream(path): …``.

        Args:
            path: path of the document on the server.
            version: major times 1,000,000 plus minor times 1,000 plus revision; left out, the published or latest.
            chunk_size: bytes in a chunk, 8 MiB at most; the server may choose another size.

        Raises:
            errors.ProtocolError: the bytes do not fit the server's checksums; raised after the last chunk.
            errors.RescueError: any other failure; see `aiorescue.errors`.
        """
        return self._stepwise("stream", lambda calls: downloads.stream(calls, path, version, chunk_size))
