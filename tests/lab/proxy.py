"""A TCP proxy between an HTTP client and its server that disturbs answers: cuts, delays, repeats or swaps them."""

import asyncio
import enum
import random
import re
import socket
import ssl
import struct
from collections.abc import Callable
from typing import Self
from urllib.parse import urlsplit

LATE_408 = b"HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
INTERIM = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>\r\n\r\n"
RUBBISH = b"\x00\xff<<not http>>\r\n\r\n"
#: The beginning of an answer, of which the rest never comes.
HALF = b"HTTP/1.1 200 OK\r\nContent-Type: text/xml; charset=utf-8\r\nContent-Le"


class Disturbance(enum.Enum):
    """What the proxy does after it has passed an answer on, or in its place."""

    REPEAT = "the answer comes again"
    RUBBISH = "bytes that are not HTTP come"
    LATE_408 = "the server says that it has waited for too long"
    INTERIM = "an interim answer comes, 103"
    HALF = "the beginning of an answer comes"
    TOGETHER = "the answer comes twice in one packet"
    BEHIND = "bytes that are not HTTP come behind the answer, in one packet"
    CLOSE = "the connection is closed"
    CUT = "half of the answer comes, then the connection is closed"
    EARLY = "the connection is closed in place of the answer"
    RESET = "half of the answer comes, then the connection is reset"
    STALL = "half of the answer comes, and the rest never"
    DELAY = "the answer comes late"
    TRICKLE = "the answer comes byte by byte"
    HALF_CLOSE = "the proxy sends nothing after the answer, and does not read what comes"
    STALE = "an earlier answer comes in its place"
    SWAP = "two answers change places, where a second one comes soon enough"


#: Those that leave a connection behind on which something unasked lies.
UNASKED = (
    Disturbance.REPEAT,
    Disturbance.RUBBISH,
    Disturbance.LATE_408,
    Disturbance.INTERIM,
    Disturbance.HALF,
    Disturbance.TOGETHER,
)
#: All but those of which a client cannot always know: an answer does not say which request it belongs to.
NOTICEABLE = tuple(
    kind for kind in Disturbance if kind not in (Disturbance.SWAP, Disturbance.STALE, Disturbance.BEHIND)
)
#: Those after which the connection is of no use any more.
_LAST = (Disturbance.EARLY, Disturbance.CUT, Disturbance.RESET, Disturbance.HALF_CLOSE)
#: Turns of the event loop after which a client on it has read what was written, so that more comes in another packet.
_TURNS = 3
#: Seconds that an answer waits for another one to change places with.
_SWAP_WAIT = 0.05
#: The socket option that makes a close a reset: what was not sent is thrown away.
_RESET_AT_CLOSE = struct.pack("ii", 1, 0)
_BYTES = {
    Disturbance.RUBBISH: RUBBISH,
    Disturbance.BEHIND: RUBBISH,
    Disturbance.LATE_408: LATE_408,
    Disturbance.INTERIM: INTERIM,
    Disturbance.HALF: HALF,
}


class Proxy:
    """A proxy in front of one server, which chooses at random what to disturb.

    Args:
        url: base URL of the server.
        share: share of the answers that are disturbed.
        kinds: disturbances to choose from.
        delay: seconds between an answer and its disturbance.
        seed: seed of the choice.
        context: TLS that clients must speak; None for none.

    Attributes:
        disturbed: how often each disturbance was carried out.
        connections: how many connections clients have opened.
    """

    def __init__(
        self,
        url: str,
        *,
        share: float = 1.0,
        kinds: tuple[Disturbance, ...] = UNASKED,
        delay: Callable[[], float] = lambda: 0.0,
        seed: int = 0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        parts = urlsplit(url)
        self._target = parts.hostname, parts.port
        self.share = share
        self._kinds = kinds
        self._delay = delay
        self._random = random.Random(seed)
        self._context = context
        self.disturbed = dict.fromkeys(Disturbance, 0)
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: set[asyncio.Task[None]] = set()
        self._earlier: bytes | None = None
        self._to_swap: tuple[bytes, asyncio.Future[bytes]] | None = None
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Base URL for clients."""
        assert self._server is not None
        return f"{'https' if self._context else 'http'}://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    @property
    def open_connections(self) -> int:
        """How many connections of clients are open."""
        return len(self._tasks)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in (*self._tasks, *self._pending):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._pending, return_exceptions=True)

    async def settle(self) -> None:
        """Wait until every disturbance that is due has been sent."""
        while self._pending:
            await asyncio.gather(*self._pending)  # of eager tasks it returns at once if all are done …
            await asyncio.sleep(0)  # … and they leave the set in the next turn of the event loop

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        up_reader, up_writer = await asyncio.open_connection(*self._target)
        try:
            while True:
                up_writer.write(await _message(reader))
                if not await self._answer(await _message(up_reader), reader, writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass  # cancelled by `__aexit__` alone; asyncio 3.11 would log a task of a stream that ends as cancelled
        finally:
            up_writer.close()
            writer.close()

    async def _answer(self, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Pass an answer on, disturbed or not. Returns whether the connection goes on."""
        if writer.is_closing():
            return False
        kind = self._random.choice(self._kinds) if self._random.random() < self.share else None
        if kind is None:
            writer.write(answer)
            self._earlier = answer
            return True
        self.disturbed[kind] += 1
        if kind in _LAST:
            await _end_with(kind, answer, reader, writer)
            return False
        match kind:
            case Disturbance.STALL:
                writer.write(answer[: len(answer) // 2])
            case Disturbance.DELAY:
                await asyncio.sleep(self._delay())
                writer.write(answer)
            case Disturbance.STALE:
                writer.write(self._earlier or answer)
            case Disturbance.TRICKLE:
                await _trickle(answer, writer)
            case Disturbance.SWAP:
                writer.write(await self._swapped(answer))
            case Disturbance.TOGETHER | Disturbance.BEHIND:
                writer.write(answer + _BYTES.get(kind, answer))
            case _:
                writer.write(answer)
                late = asyncio.ensure_future(self._disturb(kind, answer, writer))
                self._pending.add(late)
                late.add_done_callback(self._pending.discard)
        return True

    async def _swapped(self, answer: bytes) -> bytes:
        """The answer that comes in the place of another one; its own if none comes soon."""
        if self._to_swap is not None:
            (other, place), self._to_swap = self._to_swap, None
            place.set_result(answer)
            return other
        place = asyncio.get_running_loop().create_future()
        self._to_swap = answer, place
        try:
            await asyncio.wait([place], timeout=_SWAP_WAIT)
        finally:
            if not place.done():
                self._to_swap = None
        if place.done():
            return place.result()
        self.disturbed[Disturbance.SWAP] -= 1
        return answer

    async def _disturb(self, kind: Disturbance, answer: bytes, writer: asyncio.StreamWriter) -> None:
        for _ in range(_TURNS):  # an eager task would write at once, into the packet of the answer
            await asyncio.sleep(0)
        await asyncio.sleep(self._delay())
        if not writer.is_closing():
            if kind is not Disturbance.CLOSE:
                writer.write(_BYTES.get(kind, answer))
            if kind in (Disturbance.CLOSE, Disturbance.LATE_408):
                writer.close()


async def _end_with(
    kind: Disturbance, answer: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Disturb the last answer of a connection."""
    if kind is Disturbance.HALF_CLOSE:
        writer.write(answer)
        await writer.drain()
        # Not `write_eof`, after which asyncio raises for what another disturbance would still send.
        with socket.fromfd(writer.get_extra_info("socket").fileno(), socket.AF_INET, socket.SOCK_STREAM) as other:
            other.shutdown(socket.SHUT_WR)
        await reader.read()
    elif kind is not Disturbance.EARLY:
        writer.write(answer[: len(answer) // 2])
        if kind is Disturbance.RESET:
            await writer.drain()
            _reset(writer)


def _reset(writer: asyncio.StreamWriter) -> None:
    """Close a connection so that the other side sees a reset."""
    sock: socket.socket = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_CLOSE)
    writer.transport.abort()


async def _trickle(answer: bytes, writer: asyncio.StreamWriter) -> None:
    """Write an answer byte by byte, each in a packet of its own."""
    for place in range(len(answer)):
        if writer.is_closing():
            return
        writer.write(answer[place : place + 1])
        await asyncio.sleep(0)


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One message of HTTP with a Content-Length, or without a body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)
