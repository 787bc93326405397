"""The transport: requests out, responses in, through a connection pool with timeouts and a size limit.

This is the only file that imports aiohttp's client.
"""

import asyncio
import ipaddress
import ssl
from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

import aiohttp
from aiohttp import ClientSession
from aiohttp.client import ClientRequest, ClientResponse
from yarl import URL

from aiorescue import errors
from aiorescue.call import spool
from aiorescue.call.deadline import Deadlines
from aiorescue.operation import Outcome, OutcomeClass
from aiorescue.pace.turns import Priority, PrioritySemaphore
from aiorescue.wire import Request, Response, Unreadable

__all__ = ["ClientSession", "Transport", "check_base_url"]

#: Seconds that an idle connection is kept. The server closes it after 15; below that no request meets a dying one.
KEEP_ALIVE = 10.0
#: Seconds that opening a connection may take.
CONNECT = 10.0
#: Bytes that an answer may have; a streamed one has the limit of `spool`.
LARGEST_ANSWER = 16 * 2**20
#: Bytes up to which an answer of declared length is taken from aiohttp's buffer at once, without a look at its size.
_SHORT = 2**16
#: An enum member kept in a global, as those in `operation.status` are.
_CALL = Priority.CALL

# Nothing is compressed: the service ignores the wish, and a bomb could not be told from an answer by its length.
_HEADERS = MappingProxyType({"User-Agent": "aiorescue", "Accept-Encoding": "identity"})


class _HungUpError(Exception):
    """The connection broke. For its own exceptions of that meaning aiohttp repeats a GET by itself, for this not."""


#: Lets the other calls of this turn of the event loop be made ready before the first of them is sent: what is done many
#: times in a row finds the processor's caches warm, which a system call in between would spoil. Measured: a GET costs a
#: third less. No function of its own, whose frame would cost each call again what it saves.
_yield_before_sending = partial(asyncio.sleep, 0)


async def _send_once(request: ClientRequest, handler: aiohttp.ClientHandlerType) -> ClientResponse:
    await _yield_before_sending()
    # aiohttp re-sends idempotent verbs by itself when a kept-alive connection dies, and a GET with an effect is
    # done twice. It only does so for its own two exceptions.
    try:
        return await handler(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as problem:
        if isinstance(problem, aiohttp.ClientConnectorError):
            raise
        raise _HungUpError(_why(problem)) from None


_MIDDLEWARES = (_send_once,)


def check_base_url(base_url: str, *, allow_plain_http: bool) -> str:
    """The base URL without its closing slash. Raises `errors.InvalidRequest` for one that must not be used."""
    try:
        url = URL(base_url)
        host = url.host
    except ValueError:
        url, host = URL(), None
    if url.scheme not in ("http", "https") or not host:
        shown = base_url.rpartition("@")[2]  # what stands before it may be a password
        raise errors.InvalidRequest(f"base_url must be like https://host, not {shown[:80]!r}")
    if url.user is not None or url.password is not None or url.raw_query_string or url.raw_fragment:
        raise errors.InvalidRequest("base_url must hold no user, password, query or fragment; pass credentials apart")
    if url.scheme == "http" and not allow_plain_http and not _is_loopback(host):
        raise errors.InvalidRequest(
            f"base_url is http://{host}, which would send credentials unencrypted;"
            " use https:// (in Python, allow_plain_http=True takes it all the same)"
        )
    return str(url).rstrip("/")


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class Transport:
    """Sends requests to one host through one connection pool.

    Args:
        base_url: checked by `check_base_url`.
        timeout: seconds for one request, from its connection to the last byte of its answer. A streamed answer may
            take any time, as long as no pause in it is longer than that.
        max_connections: number of requests that may be under way at once.
        http: a session that the program lends, never closed. Its pool, headers, traces and `trust_env` are used; with a
            `DummyCookieJar` it is used itself.
    """

    def __init__(self, base_url: str, *, timeout: float, max_connections: int, http: ClientSession | None) -> None:
        self._base = base_url
        # Connecting has less than all of it, so that a request that never left is told from one without an answer.
        connect = min(timeout * 0.8, CONNECT)
        self._timeout = aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect)
        self._deadlines = Deadlines(timeout)
        self._patient = aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=timeout)
        self._seconds = timeout
        self._limit = min(max_connections, _limit_of(http) or max_connections)
        self._http = http
        self._session: ClientSession | None = None
        # Our own limit, not above the pool's: calls queueing inside aiohttp would have their timeout running.
        self._places = PrioritySemaphore(self._limit)
        self._urls: dict[str, URL] = {}

    async def send(self, request: Request) -> Response | Outcome[object]:
        """Send a request. Returns its response, or the outcome if it got none; raises only CancelledError."""
        await self._places.acquire(_CALL)
        task = None
        try:
            if not request.streamed:
                task = self._deadlines.begin()
            received: Response | Outcome[object]
            session = self._session or self._open()
            if session.closed:
                return _lost(OutcomeClass.FINAL, errors.ConnectionFailed, "the session given as http= is closed")
            response = await session.request(
                request.method,
                self._url(request),
                data=request.body,
                headers=request.headers,
                timeout=self._patient if request.streamed else self._timeout,
                raise_for_status=False,
                allow_redirects=False,  # a redirect leads to a login page, and would turn a POST into a GET
                # A lent session may have some of its own, which these replace.
                middlewares=_MIDDLEWARES if request.method == "GET" or session is not self._http else None,
            )
            try:
                received = _read_at_once(response) or await (_receive if request.streamed else _read)(response)
            except BaseException:
                response.close()
                raise
            if isinstance(received, Outcome) or received.problem is not None:
                response.close()  # the rest is not worth reading, so the connection is of no more use
        except (aiohttp.ClientError, OSError, _HungUpError) as problem:
            return self._failed(problem)
        except asyncio.CancelledError:
            if task is None or not self._deadlines.ran_out(task):
                raise
            return self._failed(TimeoutError())
        finally:
            if task is not None:
                self._deadlines.end(task)
            self._places.release()
        return received

    def _failed(self, problem: Exception) -> Outcome[object]:
        """The outcome of a request that got no answer."""
        match problem:
            case aiohttp.ClientSSLError():
                # A certificate does not get better by asking again.
                return _lost(OutcomeClass.FINAL, errors.ConnectionFailed, f"TLS failed: {_why(problem)}")
            case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
                why = f"cannot connect to {self._base}: {_why(problem)}"
                return _lost(OutcomeClass.TRANSIENT, errors.ConnectionFailed, why)
            case TimeoutError():
                why = f"no answer within {self._seconds:g} s"
                return _lost(OutcomeClass.TRANSIENT, errors.RequestTimeout, why, ambiguous=True)
            case aiohttp.ClientPayloadError():
                why = "the answer stops before its end"
                return _lost(OutcomeClass.TRANSIENT, errors.ProtocolError, why, ambiguous=True)
            case aiohttp.ClientResponseError():
                # Its text may go on with what was sent, cookies and all.
                why = f"not HTTP: {problem.message.partition(':')[0]}"
                return _lost(OutcomeClass.FINAL, errors.ProtocolError, why, ambiguous=True)
        why = f"the connection broke: {_why(problem)}"
        return _lost(OutcomeClass.TRANSIENT, errors.ConnectionFailed, why, ambiguous=True)

    def _url(self, request: Request) -> URL:
        if request.query:
            return URL(f"{self._base}{request.path}?{request.query}", encoded=True)
        url = self._urls.get(request.path)
        if url is None:
            url = self._urls[request.path] = URL(f"{self._base}{request.path}", encoded=True)
        return url

    def _open(self) -> ClientSession:
        # No cookie jar, ever: on a host name aiohttp's jar overrides the cookie of a request, and two logins
        # become one. A lent session with a jar is used through its pool and its settings.
        lent = self._http
        if lent is None:
            connector = aiohttp.TCPConnector(limit=self._limit, keepalive_timeout=KEEP_ALIVE)
            self._session = ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar(), headers=_HEADERS)
        elif isinstance(lent.cookie_jar, aiohttp.DummyCookieJar):
            self._session = lent
        else:
            self._session = ClientSession(
                connector=lent.connector,
                connector_owner=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                headers=_merged(lent.headers),
                trust_env=lent.trust_env,
                trace_configs=list(lent.trace_configs),
            )
        return self._session

    async def close(self) -> None:
        """Close the connection pool, unless it was lent."""
        self._deadlines.close()
        session, self._session = self._session, None
        if session is not None and session is not self._http:
            await session.close()


def _limit_of(http: ClientSession | None) -> int | None:
    """The number of connections that a lent session's pool may have; None for any number."""
    return None if http is None or http.connector is None else http.connector.limit or None


def _merged(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower() for name in headers}
    return {**headers, **{name: value for name, value in _HEADERS.items() if name.lower() not in given}}


def _read_at_once(response: ClientResponse) -> Response | None:
    """A short response that has already arrived whole, without waiting for it; None for any other."""
    headers = response.headers
    length = headers.get("Content-Length")
    # With a Content-Encoding the length would say nothing of the size after unpacking.
    if length is None or int(length) > _SHORT or "Content-Encoding" in headers or not response.content.is_eof():
        return None
    return Response(response.status, response.content.read_nowait(), headers)


async def _read(response: ClientResponse) -> Response:
    """The whole response; the beginning and the problem of one that is too large or stops before its end."""
    body, problem = bytearray(), None
    length = response.content_length or 0
    try:
        async for chunk in response.content.iter_any():
            body += chunk
            if max(length, len(body)) > LARGEST_ANSWER:
                problem = _too_large(LARGEST_ANSWER)
                break
    except aiohttp.ClientPayloadError:
        problem = Unreadable("the answer stops before its end", cut=True)
    return Response(response.status, bytes(body), response.headers, problem=problem)


async def _receive(response: ClientResponse) -> Response | Outcome[object]:
    """A response that may be long: in memory if it is short, else with a stream from a temporary file."""
    try:
        body, rest = await spool.receive(response.content.iter_any(), response.charset or "utf-8")
    except spool.TooLargeError:
        return Response(response.status, b"", response.headers, problem=_too_large(spool.LARGEST_LONG_ANSWER))
    except spool.NoRoomError as problem:
        return _lost(OutcomeClass.FINAL, errors.RescueError, str(problem), ambiguous=True)
    return Response(response.status, body, response.headers, rest)


def _too_large(largest: int) -> Unreadable:
    return Unreadable(f"the answer has more than {largest:,} bytes", too_large=True)


def _lost(
    outcome_class: OutcomeClass, error: type[errors.RescueError], detail: str, *, ambiguous: bool = False
) -> Outcome[object]:
    return Outcome(outcome_class, error=error, detail=detail, ambiguous=ambiguous)


def _why(problem: BaseException) -> str:
    """The reason in words, without the request: aiohttp's own texts can hold its URL."""
    cause = getattr(problem, "os_error", problem)
    if isinstance(cause, ssl.SSLError):
        return cause.reason or type(cause).__name__
    if isinstance(cause, OSError) and cause.strerror:
        return cause.strerror
    return type(problem).__name__ if isinstance(problem, aiohttp.ClientError) else str(problem)
