"""A TCP proxy between a client and a server of HTTP that disturbs answers: repeats them, adds rubbish, cuts, closes."""

import asyncio
import enum
import random
import re
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
    CLOSE = "the connection is closed"
    CUT = "half of the answer comes, then the connection is closed"


#: Those that leave a connection behind on which something unasked lies.
UNASKED = (
    Disturbance.REPEAT,
    Disturbance.RUBBISH,
    Disturbance.LATE_408,
    Disturbance.INTERIM,
    Disturbance.HALF,
    Disturbance.TOGETHER,
)
_BYTES = {
    Disturbance.RUBBISH: RUBBISH,
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
    ) -> None:
        parts = urlsplit(url)
        self._target = parts.hostname, parts.port
        self.share = share
        self._kinds = kinds
        self._delay = delay
        self._random = random.Random(seed)
        self.disturbed = dict.fromkeys(Disturbance, 0)
        self.connections = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._pending: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """Base URL for clients."""
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
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
            await asyncio.gather(*self._pending)

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
                if not await self._answer(await _message(up_reader), writer):
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            up_writer.close()
            writer.close()

    async def _answer(self, answer: bytes, writer: asyncio.StreamWriter) -> bool:
        """Pass an answer on, disturbed or not. Returns whether the connection goes on."""
        kind = self._random.choice(self._kinds) if self._random.random() < self.share else None
        if kind is None:
            writer.write(answer)
            return True
        self.disturbed[kind] += 1
        if kind is Disturbance.CUT:
            writer.write(answer[: len(answer) // 2])
            return False
        if kind is Disturbance.TOGETHER:
            writer.write(answer * 2)
            return True
        writer.write(answer)
        late = asyncio.ensure_future(self._disturb(kind, answer, writer))
        self._pending.add(late)
        late.add_done_callback(self._pending.discard)
        return True

    async def _disturb(self, kind: Disturbance, answer: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(self._delay())
        if not writer.is_closing():
            if kind is not Disturbance.CLOSE:
                writer.write(_BYTES.get(kind, answer))
            if kind in (Disturbance.CLOSE, Disturbance.LATE_408):
                writer.close()


async def _message(reader: asyncio.StreamReader) -> bytes:
    """One message of HTTP with a Content-Length, or without a body."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return head + await reader.readexactly(int(length[1]) if length else 0)
