"""`Trust`: sees to it that nothing unasked lies on a connection when a request goes out on it.

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
from collections.abc import Callable
from contextvars import ContextVar
from functools import partial
from ssl import SSLError

from aiohttp import ClientPayloadError
from aiohttp.base_protocol import BaseProtocol
from aiohttp.client_proto import ResponseHandler
from aiohttp.connector import Connection
from aiohttp.http import HttpProcessingError, HttpResponseParser

from aiorescue.call.transport.tls import TLSBrokenError
from aiorescue.wire import Response

#: Seconds for which no connection is used twice after something came unasked.
DISTRUST = 600.0
#: Bytes that are read at once from a connection.
_BUFFER = 2**14
#: HTTP status by which a server says that it has waited for a request for too long; the first one of a refusal.
_REQUEST_TIMEOUT, _REFUSED = 408, 400
#: How an answer begins by which servers announce that they close an idle connection.
_LATE = (b"HTTP/1.1 408", b"HTTP/1.0 408")

#: The length in the head of an answer; an answer of more digits does not come in one packet.
_LENGTH = re.compile(rb"(?i)\r\ncontent-length:[ \t]*(\d{1,6})[ \t]*(?:\r\n|\Z)")


class UnaskedError(Exception):
    """Raised before a request is written, if its connection holds data that no request asked for; it is then closed.

    Attributes:
        kept: True if the connection had been used before.
    """

    def __init__(self, *, kept: bool) -> None:
        super().__init__()
        self.kept = kept


class _WatchedProtocol(asyncio.BufferedProtocol):
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
        is_kept: True if the last request was not the first one on the connection.
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
        inner.close = self.close  # type: ignore[method-assign]  # aiohttp closes a connection by it
        self._is_silent = encrypted  # nothing has come on this TLS connection since its handshake
        self._data_received = inner.data_received
        inner.data_received = self._receive  # type: ignore[method-assign]  # aiohttp goes on by it after a pause
        self.trust, self.generation = trust, trust.generation
        self.is_kept = self.has_unasked = False
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
        self._receive(data)

    def _receive(self, data: bytes) -> None:
        """Give bytes to aiohttp's parser; if it cannot read them, tell the reader of the body, which it does not do."""
        self._data_received(data)
        if self._inner.exception() is not None:
            payload = self._inner._payload  # noqa: SLF001 - it shows none
            if payload is not None and not payload.is_eof() and payload.exception() is None:
                payload.set_exception(ClientPayloadError())

    def eof_received(self) -> None:
        self._inner.eof_received()

    def unread(self) -> bytes:
        """What came since the request went out, if it came in one packet that aiohttp could not read; else nothing."""
        if self.filled > 0 and isinstance(self._inner.exception(), HttpProcessingError):
            self._unread, self.filled = bytes(self._buffer[: self.filled]), 0
        return self._unread

    def is_ending(self) -> bool:
        """Whether the connection ends with the answer that came last."""
        return self._inner.should_close

    def close(self) -> None:
        """Close the connection for aiohttp, at once if its request has no answer yet or was not taken whole.

        asyncio keeps a socket until the server has taken all that was written, which one that hangs never does, or has
        ended TLS. What the program itself does with a pool that it lends is left alone.
        """
        transport, is_in_use = self._inner.transport, self.in_use.protocol is not None
        if transport is not None and (is_in_use or not self.trust.is_lent):
            is_unanswered = is_in_use and not self.filled
            if is_unanswered or transport.get_write_buffer_size():
                transport.abort()
        ResponseHandler.close(self._inner)

    def connection_lost(self, exc: Exception | None) -> None:
        self.unread()
        del self._inner.close, self._inner.data_received  # they would hold this object, which holds it
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
_used: ContextVar[_WatchedProtocol | None] = ContextVar("_used", default=None)


class Trust:
    """What is known of the path to a host: whether answers come there that no request asked for.

    Args:
        lent: the program lends the pool, so that what looks unasked may be the answer to a request of its own.

    Attributes:
        is_lent: whether the program lends the pool.
        generation: raised at each sign of unasked answers; connections of an older one are not used again.
    """

    def __init__(self, *, lent: bool) -> None:
        self.is_lent = lent
        self._until = float("-inf")
        self.generation = 0

    def lose(self) -> None:
        """Drop all kept connections, and keep none for a while."""
        self.generation += 1
        self._until = time.monotonic() + DISTRUST

    def unasked(self, data: bytes) -> None:
        """Learn from data on an idle connection. A ``408`` is usual there and shows no path that repeats answers."""
        if not self.is_lent and not data.startswith(_LATE):
            self.lose()

    def take(self, conn: Connection) -> None:
        """Begin a request on a connection. Raises `UnaskedError` if something lies on it."""
        transport, protocol = conn.transport, conn.protocol
        if transport is None or protocol is None:
            raise UnaskedError(kept=True)
        watch = transport.get_protocol()
        if isinstance(watch, _WatchedProtocol):
            is_clean = not watch.has_unasked and watch.generation == watch.trust.generation
            is_ours = watch.trust is self or not self.generation
            # TLS that the server has ended is closing and still there: what is written to it would count as sent.
            is_open = not (protocol.should_close or transport.is_closing())
            if not (is_open and is_clean and is_ours) or watch.is_readable():
                raise UnaskedError(kept=True)
            watch.in_use, watch.filled, watch.is_kept = conn, 0, True
            watch.trust, watch.generation = self, self.generation
        else:
            is_used = protocol._payload is not None  # noqa: SLF001 - the program has had an answer on it
            watch = _WatchedProtocol(protocol, self, transport, conn)
            # On a new TLS connection lie the server's session tickets, which TLS reads by itself.
            is_looked_at = is_used or not watch.encrypted
            if protocol.should_close or (is_looked_at and (transport.is_closing() or watch.is_readable())):
                raise UnaskedError(kept=is_used)
            transport.set_protocol(watch)
        _used.set(watch)
        if self.generation and self.is_lost:
            protocol.force_close()  # after this answer

    @property
    def is_lost(self) -> bool:
        """Whether answers that no request asked for came a while ago."""
        return time.monotonic() < self._until

    def has_crossed(self, status: int) -> bool:
        """Whether an answer with that HTTP status may have been sent before the request that it seems to answer.

        A server that gives up an idle connection says so with a 408, or with another refusal, and closes it. If a
        request of the present task was on its way on that connection, a server behind it may have read it all the same.
        """
        watch = _used.get()
        return (
            watch is not None
            and watch.is_kept
            and (status == _REQUEST_TIMEOUT or (status >= _REFUSED and watch.is_ending()))
        )

    def drop_used(self) -> None:
        """See to it that the connection which the present task used last is not used again."""
        if (watch := _used.get()) is not None:
            watch.generation = -1

    def saved(self) -> Response | None:
        """A whole answer in XML behind which, in one packet, came what is not HTTP: aiohttp's parser gives up both.

        None if the last connection of the present task holds none. It is for XML alone, which shows its own end: what
        follows the declared length of a text may be the rest of the text.
        """
        watch = _used.get()
        _used.set(None)
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


def is_kept(conn: Connection) -> bool:
    """Whether a connection was used before, by a client of this library."""
    return conn.transport is not None and isinstance(conn.transport.get_protocol(), _WatchedProtocol)


def _look_at(sock: TransportSocket | None) -> Callable[[], object]:
    """A function that says whether something can be read from a socket, without reading it."""
    if sock is None:
        return lambda: False
    if not hasattr(select, "poll"):
        return lambda: select.select([sock], [], [], 0)[0]
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return partial(poll.poll, 0)
