"""The connections of a client: how they are opened, and that nothing unasked lies on one that is used.

An HTTP/1.1 answer names no request: whatever lies on a kept connection when a request goes out would be taken for its
answer, as when a middlebox sends an answer again, or a server a late ``408``. aiohttp's pool only asks whether a
connection is open. So a request looks at its connection before it writes: at what the parser holds, at what came while
no answer was awaited, and at what has arrived in the kernel and was not read yet. A connection that fails is closed,
and the request takes another one; nothing has been sent, so this costs no attempt.

What comes unasked in the short time between a request and its answer cannot be told from the answer. Where one thing
came unasked, others will, so after the first sign of it connections are used for one request each for a while. A status
word may be that of an earlier request, with the request's own answer still to come: its connection is not used again.
"""

import asyncio
import re
import select
import time
from asyncio.trsock import TransportSocket
from collections.abc import Callable, Coroutine, Mapping
from contextvars import ContextVar
from errno import ECONNRESET
from functools import partial
from ssl import SSLCertVerificationError, SSLError
from typing import Any, NamedTuple

import aiohttp
from aiohttp import ClientSession
from aiohttp.base_protocol import BaseProtocol
from aiohttp.client import ClientRequest, ClientResponse
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, HttpResponseParser

from aiorescue import errors
from aiorescue.call.base_url import HEADERS, Route
from aiorescue.wire import Response

#: Seconds that an idle connection is kept. The server closes it after 15; below that no request meets a dying one.
KEEP_ALIVE = 10.0
#: Seconds for which no connection is used twice after something came unasked.
DISTRUST = 600.0
#: Bytes that are read at once from a connection.
_BUFFER = 2**14
#: How an answer begins by which servers announce that they close an idle connection.
_LATE = (b"HTTP/1.1 408", b"HTTP/1.0 408")

#: The length in the head of an answer; an answer of more digits does not come in one packet.
_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d{1,6})[ \t]*(?:\r\n|\Z)")


_CLIENT_CERTIFICATE = "the server may demand a client certificate: ssl= takes an ssl.SSLContext that has loaded one"
#: Why a TLS connection failed that the server ended without a reason.
TLS_ENDED = f"TLS was ended by the server before an answer; {_CLIENT_CERTIFICATE}"
#: OpenSSL's numbers for certificates whose authority is not trusted.
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)


def _refuses_client(problem: SSLError) -> bool:
    """Whether the server refused the client's certificate, or wants one, by the reason that OpenSSL gives."""
    alert = problem.reason or ""
    return "ALERT" in alert and any(word in alert for word in ("CERTIFICATE", "HANDSHAKE_FAILURE", "UNKNOWN_CA"))


def explain_tls(problem: SSLError) -> str:
    """Say why TLS failed, and what to do about it."""
    why = f"TLS failed: {problem.reason or type(problem).__name__}"
    if isinstance(problem, SSLCertVerificationError):
        why += f" ({problem.verify_message})"
        if problem.verify_code in _UNKNOWN_AUTHORITY:
            why += "; ssl= takes an ssl.SSLContext that trusts a private authority"
    elif _refuses_client(problem):
        why += f"; {_CLIENT_CERTIFICATE}"
    return why


class TLSBrokenError(ConnectionResetError):
    """TLS failed on a connection that was open already.

    Args:
        problem: what OpenSSL found; None where the server ended the connection without a reason.

    Attributes:
        refuses_client: the server does not accept the client's certificate, or wants one.
    """

    def __init__(self, problem: SSLError | None) -> None:
        super().__init__(ECONNRESET, TLS_ENDED if problem is None else explain_tls(problem))
        self.refuses_client = problem is not None and _refuses_client(problem)


class UnaskedError(Exception):
    """Raised before a request is written, if its connection holds data that no request asked for; it is then closed.

    Attributes:
        kept: True if the connection had been used before.
    """

    def __init__(self, *, kept: bool) -> None:
        super().__init__()
        self.kept = kept


class _Watch(asyncio.BufferedProtocol):
    """A connection's protocol that passes everything on, and notes whether data came while no answer was awaited.

    It reads into a buffer of its own. For a protocol without one, asyncio asks the system for 256 KiB of memory before
    each `recv`, and gives most of it back behind it, which costs as much as a tenth of a call.

    Args:
        inner: aiohttp's protocol of the connection.
        trust: what the client that opened the connection knows of its path.
        transport: the connection's transport.
        in_use: aiohttp's hold of the connection for a request, which it gives up when the answer is complete.

    Attributes:
        in_use: the hold for the last request.
        is_readable: whether bytes, or the end of the stream, have arrived that the event loop has not read yet.
        encrypted: True for a TLS connection.
        trust: that of the client which made the last request; several may share a lent pool.
        generation: generation of `trust` when the connection was opened, or the client took it over from another.
        has_unasked: True if data came while no answer was awaited.
        filled: bytes that came since the request went out; -1 if they came in more than one packet.
    """

    def __init__(
        self, inner: ResponseHandler, trust: "Trust", transport: asyncio.Transport, in_use: Connection
    ) -> None:
        self.in_use = in_use
        self.is_readable = _look_at(transport.get_extra_info("socket"))
        self.encrypted = encrypted = transport.get_extra_info("sslcontext") is not None
        self._inner = inner
        self._is_silent = encrypted  # nothing has come on this TLS connection since its handshake
        self._data_received = inner.data_received
        self.trust, self.generation = trust, trust.generation
        self.has_unasked = False
        self.filled = 0
        self._buffer = memoryview(bytearray(_BUFFER))
        self._unread = b""

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        data = bytes(self._buffer[:nbytes])
        self._is_silent = False
        self.filled = -1 if self.filled else nbytes
        if self.in_use.protocol is None and not self.has_unasked:
            self.has_unasked = True
            self.trust.unasked(data)
        self._data_received(data)

    def eof_received(self) -> None:
        self._inner.eof_received()

    def unread(self) -> bytes:
        """What came since the request went out, if it came in one packet that aiohttp could not read; else nothing."""
        if self.filled > 0 and isinstance(self._inner.exception(), HttpProcessingError):
            self._unread, self.filled = bytes(self._buffer[: self.filled]), 0
        return self._unread

    def connection_lost(self, exc: Exception | None) -> None:
        self.unread()
        self._buffer = memoryview(b"")  # `_used` may hold this object for as long as a task lives
        # In TLS 1.3 a server looks at the client's certificate after the client's handshake is done.
        if isinstance(exc, SSLError):
            exc = TLSBrokenError(exc)
        elif self._is_silent and (exc is None or isinstance(exc, ConnectionError)):
            exc = TLSBrokenError(None)
        self._inner.connection_lost(exc)

    def pause_writing(self) -> None:
        self._inner.pause_writing()

    def resume_writing(self) -> None:
        self._inner.resume_writing()


#: The connection that the present task has used last.
_used: ContextVar[_Watch | None] = ContextVar("_used", default=None)


class Trust:
    """What is known of the path to a host: whether answers come there that no request asked for.

    Args:
        lent: the program lends the pool, so that what looks unasked may be the answer to a request of its own.

    Attributes:
        generation: raised at each sign of unasked answers; connections of an older one are not used again.
    """

    def __init__(self, *, lent: bool) -> None:
        self._lent = lent
        self._until = float("-inf")
        self.generation = 0

    def lose(self) -> None:
        """Drop all kept connections, and keep none for a while."""
        self.generation += 1
        self._until = time.monotonic() + DISTRUST

    def unasked(self, data: bytes) -> None:
        """Learn from data on an idle connection. A ``408`` is usual there and shows no path that repeats answers."""
        if not self._lent and not data.startswith(_LATE):
            self.lose()

    def take(self, conn: Connection) -> None:
        """Begin a request on a connection. Raises `UnaskedError` if something lies on it."""
        transport, protocol = conn.transport, conn.protocol
        if transport is None or protocol is None:
            raise UnaskedError(kept=True)
        watch = transport.get_protocol()
        if isinstance(watch, _Watch):
            is_clean = not watch.has_unasked and watch.generation == watch.trust.generation
            is_ours = watch.trust is self or not self.generation
            if protocol.should_close or not (is_clean and is_ours) or watch.is_readable():
                raise UnaskedError(kept=True)
            watch.in_use, watch.filled = conn, 0
            watch.trust, watch.generation = self, self.generation
        else:
            watch = _Watch(protocol, self, transport, conn)
            # On a new TLS connection lie the server's session tickets, which TLS reads by itself.
            if protocol.should_close or (not watch.encrypted and watch.is_readable()):
                raise UnaskedError(kept=False)
            transport.set_protocol(watch)
        _used.set(watch)
        if self.generation and self.is_lost:
            protocol.force_close()  # after this answer

    @property
    def is_lost(self) -> bool:
        """Whether answers that no request asked for came a while ago."""
        return time.monotonic() < self._until

    def drop_used(self) -> None:
        """See to it that the connection which the present task used last is not used again."""
        if (watch := _used.get()) is not None:
            watch.generation = -1

    def saved(self) -> Response | None:
        """A whole answer in XML behind which, in one packet, came what is not HTTP: aiohttp's parser gives up both.

        None if the last connection of the present task holds none. It is for XML alone, which shows its own end: what
        follows the declared length of a text may be the rest of the text.
        """
        watch, _ = _used.get(), _used.set(None)
        data = b"" if watch is None else watch.unread()
        head, end, rest = data.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if not end or length is None or len(rest) <= int(length[1]):
            return None
        loop = asyncio.get_running_loop()
        parser = HttpResponseParser(BaseProtocol(loop), loop, _BUFFER)
        try:
            ((message, body),), *_ = parser.feed_data(data[: len(head) + len(end) + int(length[1])])
        except (HttpProcessingError, ValueError):  # not HTTP either, or not one answer
            return None
        if "xml" not in message.headers.get("Content-Type", "") or message.compression or not body.is_eof():
            return None
        self.unasked(rest)
        return Response(message.code, body.read_nowait(), message.headers)

    def checked_request(self) -> type[ClientRequest]:
        """A request class whose requests look at their connection before they write."""
        take = self.take

        class CheckedRequest(ClientRequest):
            def send(self, conn: Connection) -> Coroutine[Any, Any, ClientResponse]:
                take(conn)
                return super().send(conn)

        return CheckedRequest

    async def check(self, request: ClientRequest, handler: aiohttp.ClientHandlerType) -> ClientResponse:
        """Middleware that makes a request of a lent session look at its connection before it writes."""
        send = request.send

        def checked(conn: Connection) -> Coroutine[Any, Any, ClientResponse]:
            self.take(conn)
            return send(conn)

        request.send = checked  # type: ignore[method-assign]
        return await handler(request)


def _look_at(sock: TransportSocket | None) -> Callable[[], object]:
    """A function that says whether something can be read from a socket, without reading it."""
    if sock is None:
        return lambda: False
    if not hasattr(select, "poll"):
        return lambda: select.select([sock], [], [], 0)[0]
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return partial(poll.poll, 0)


def open_session(lent: ClientSession | None, route: Route, limit: int, trust: Trust) -> ClientSession:
    """A session without a cookie jar, over a pool of its own or over the pool of a lent session.

    On a host name aiohttp's jar overrides the cookie of a request, and two logins become one. So a lent session with a
    jar is used through its pool and its settings, and one without is used itself, as is one that is closed.
    """
    if lent is None:
        connector = aiohttp.TCPConnector(
            limit=limit, keepalive_timeout=KEEP_ALIVE, ssl=True if route.ssl is None else route.ssl
        )
        return ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=route.headers(),
            request_class=trust.checked_request(),
            proxy=route.proxy,
        )
    if is_used_itself(lent) or lent.closed:
        return lent
    session = ClientSession(
        connector=lent.connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_merged(lent.headers),
        trust_env=lent.trust_env,
        trace_configs=list(lent.trace_configs),
        request_class=trust.checked_request(),
    )
    # Without its proxy, requests would go to the host directly. Not as arguments, of which aiohttp has deprecated some.
    for name in ("_default_proxy", "_default_proxy_auth", "_default_auth"):
        setattr(session, name, getattr(lent, name, None))
    return session


def is_used_itself(lent: ClientSession) -> bool:
    """Whether a lent session sends the client's requests itself, as it keeps no cookies."""
    return isinstance(lent.cookie_jar, aiohttp.DummyCookieJar)


def limit_of(http: ClientSession | None) -> int | None:
    """The number of connections that a lent session's pool may have to one host; None for any number."""
    pool = None if http is None else http.connector
    return None if pool is None else min(filter(None, (pool.limit, pool.limit_per_host)), default=None)


def _merged(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower() for name in headers}
    return {**headers, **{name: value for name, value in HEADERS.items() if name.lower() not in given}}


class Probed(NamedTuple):
    """What a host answered to a plain GET.

    Attributes:
        status: HTTP status.
        date: the Date header; empty if there is none.
        body: the beginning of the body, as much as was asked for.
    """

    status: int
    date: str
    body: bytes


async def probe(
    url: str, *, seconds: float, proxy: str | None = None, trust_env: bool = False, most: int = 0
) -> Probed:
    """Whatever a host answers to a plain GET, without credentials and redirects, as proof that it can be reached.

    Args:
        url: the address.
        seconds: most time that the answer may take.
        proxy: URL of the HTTP proxy; None for none.
        trust_env: use the proxies that the environment names.
        most: bytes of the body to read at most.

    Raises:
        errors.ConnectionFailed: no answer; the message is the reason alone.
    """
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with (
            ClientSession(trust_env=trust_env, timeout=timeout) as session,
            session.get(url, proxy=proxy, allow_redirects=False) as response,
        ):
            body = bytearray()
            while len(body) < most and (piece := await response.content.read(most - len(body))):
                body += piece
            return Probed(response.status, response.headers.get("Date", ""), bytes(body))
    except TimeoutError:
        raise errors.ConnectionFailed(f"no answer in {seconds:g} s") from None
    except (aiohttp.ClientError, ValueError) as problem:
        # aiohttp's own texts can hold the URL of a proxy and its password: only the cause is quoted.
        cause = getattr(problem, "certificate_error", None) or getattr(problem, "os_error", None)
        if isinstance(cause, SSLError):
            raise errors.ConnectionFailed(explain_tls(cause)) from None
        raise errors.ConnectionFailed(getattr(cause, "strerror", None) or type(problem).__name__) from None
