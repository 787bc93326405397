"""How a request goes out: whole, and in one piece where it is short."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from aiorescue import AuthCode, Binding, RescueClient, errors
from aiorescue.call.transport.request import _AT_ONCE

CODE = AuthCode("fixedtech0000")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nOK"


class Server(asyncio.Protocol):
    """Notes the pieces in which each request arrives, and answers when it is whole, or at its head if it is hasty."""

    def __init__(self, requests: list[list[bytes]], *, hasty: bool = False) -> None:
        self.requests = requests
        self.hasty = hasty
        self.pieces: list[bytes] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.pieces.append(data)
        head, _, body = b"".join(self.pieces).partition(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        if self.hasty:
            self.transport.pause_reading()
            self.transport.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        elif len(body) == length:
            self.requests.append(self.pieces)
            self.pieces = []
            self.transport.write(OK)


def body_of(pieces: list[bytes]) -> bytes:
    return b"".join(pieces).partition(b"\r\n\r\n")[2]


@asynccontextmanager
async def serving(requests: list[list[bytes]], *, hasty: bool = False) -> AsyncIterator[str]:
    """Run a server while the context lasts; gives its base URL."""
    connections: list[Server] = []

    def connect() -> Server:
        connections.append(Server(requests, hasty=hasty))
        return connections[-1]

    server = await asyncio.get_running_loop().create_server(connect, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        for connection in connections:
            connection.transport.abort()  # one that does not read learns of no end


async def test_head_and_body_of_a_short_request_come_in_one_piece():
    requests: list[list[bytes]] = []
    async with serving(requests) as url, RescueClient(CODE, base_url=url, binding=Binding.TEXT_POST) as client:
        for _ in range(3):
            await client.raw("closeSession", {"session": 1})
    assert [len(pieces) for pieces in requests] == [1, 1, 1]


@pytest.mark.parametrize("size", [_AT_ONCE - 1, _AT_ONCE, _AT_ONCE + 1, 2**21])
@pytest.mark.parametrize("lent", [None, aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_a_body_arrives_whole_whatever_its_size(size: int, lent: type | None):
    requests: list[list[bytes]] = []
    http = None if lent is None else aiohttp.ClientSession(cookie_jar=lent())
    async with (
        serving(requests) as url,
        RescueClient(CODE, base_url=url, binding=Binding.TEXT_POST, http=http) as client,
    ):
        await client.raw("closeSession", {"session": "x"})
        value = "x" * (size - len(body_of(requests.pop())) + 1)
        await asyncio.gather(*(client.raw("closeSession", {"session": value}) for _ in range(3)))
    for pieces in requests:
        assert len(body_of(pieces)) == size
        assert value.encode() in body_of(pieces)
    assert len(requests) == 3
    if http is not None:
        await http.close()


@pytest.mark.parametrize("size", [100, 2**23])
async def test_an_answer_that_comes_before_the_request_is_read_ends_the_call(size: int):
    async with serving([], hasty=True) as url, RescueClient(CODE, base_url=url, binding=Binding.TEXT_POST) as client:
        with pytest.raises(errors.RescueError, match="413"):
            await client.raw("closeSession", {"session": "x" * size})
