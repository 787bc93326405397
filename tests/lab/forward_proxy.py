"""A small HTTP proxy: tunnels by CONNECT, passes requests with absolute URLs on, and may want a user and a password."""

import asyncio
import base64
import re
from typing import Self
from urllib.parse import urlsplit

_REFUSED = (
    b'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"\r\nContent-Length: 0\r\n\r\n'
)


class ForwardProxy:
    """A proxy on 127.0.0.1 that reaches every host by connecting to 127.0.0.1, on the port that is asked for.

    Args:
        user: user and password, as ``user:password``, that it wants; None for none.
        status: status line of its answer to CONNECT.
        instead: what it says to each request before it hangs up; None to serve it.

    Attributes:
        asked: request lines that it received, without those that it refused for their authorization.
        refused: number of requests that it refused for their authorization.
    """

    def __init__(
        self, user: str | None = None, status: str = "200 Connection established", instead: bytes | None = None
    ) -> None:
        self._wanted = None if user is None else b"Basic " + base64.b64encode(user.encode())
        self._status = status
        self._instead = instead
        self.asked: list[str] = []
        self.refused = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """Port that it listens on."""
        assert self._server is not None
        port: int = self._server.sockets[0].getsockname()[1]
        return port

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        try:
            while await self._pass_on(reader, writer):
                pass
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Serve one request. Returns whether another one may follow on the connection."""
        head = await reader.readuntil(b"\r\n\r\n")
        given = re.search(rb"(?i)\r\nproxy-authorization: ([^\r]*)", head)
        if self._wanted is not None and (given is None or given[1] != self._wanted):
            self.refused += 1
            await reader.readexactly(_length(head))
            writer.write(_REFUSED)
            return True
        line = head.partition(b"\r\n")[0].decode()
        self.asked.append(line)
        if self._instead is not None:
            await reader.readexactly(_length(head))
            writer.write(self._instead)
            return False
        method, target, _ = line.split(" ")
        parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
        if method == "CONNECT":
            writer.write(f"HTTP/1.1 {self._status}\r\n\r\n".encode())
            if not self._status.startswith("200"):
                return False
        up_reader, up_writer = await asyncio.open_connection("127.0.0.1", parts.port)
        try:
            if method == "CONNECT":
                await asyncio.gather(_copy(reader, up_writer), _copy(up_reader, writer))
                return False
            path = target.partition(parts.netloc)[2]
            rest = re.sub(rb"(?i)\r\nproxy-authorization: [^\r]*", b"", head.partition(b"\r\n")[2])
            up_writer.write(f"{method} {path} HTTP/1.1\r\n".encode() + rest)
            up_writer.write(await reader.readexactly(_length(head)))
            answer = await up_reader.readuntil(b"\r\n\r\n")
            writer.write(answer + await up_reader.readexactly(_length(answer)))
        finally:
            up_writer.close()
        return True


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(2**16):
        writer.write(data)
    writer.close()


def _length(head: bytes) -> int:
    found = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return int(found[1]) if found else 0
