"""Answers that are compressed though no request asks for it, and chunked ones with a broken chunk: all or an error."""

import asyncio
import gzip
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import aiohttp
import pytest

from aiorescue import AuthCode, Binding, RescueClient, RetryPolicy, errors, rescue
from tests.support import AUTHORITY, serving, trusting

ONCE = RetryPolicy(attempts=1)
NOTE = "\n".join(f"line {number} of the note" for number in range(9_000))
ROWS = "".join(f"2/16/2012 9:00:00 AM|{number}|Jane {number * 7_919}|\n" for number in range(9_000))
BODIES = {"note": f"OK\nNOTE:{NOTE}".encode(), "report": f"OK\n\nStart Time|Session ID|Name|\n{ROWS}".encode()}


class Served:
    """What a server was asked.

    Attributes:
        url: base URL of the server.
        heads: heads of the requests.
    """

    def __init__(self) -> None:
        self.url = ""
        self.heads = b""


@asynccontextmanager
async def server(*parts: bytes, tls: ssl.SSLContext | None = None) -> AsyncIterator[Served]:
    """A server that answers each request with these parts, one a while after the other, and leaves the connection."""
    served, speaking = Served(), set()

    async def speak(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        speaking.add(asyncio.current_task())
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                served.heads += await reader.readuntil(b"\r\n\r\n")
                length = re.findall(rb"(?i)content-length: (\d+)", served.heads)
                await reader.readexactly(int(length[-1]))
                for part in parts:
                    writer.write(part)
                    await writer.drain()
                    await asyncio.sleep(0.02 if len(parts) > 1 else 0)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    listening = await asyncio.start_server(speak, "127.0.0.1", 0, ssl=tls)
    served.url = f"http{'s' if tls else ''}://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        listening.close()
        if speaking:
            await asyncio.wait(speaking)


def head(*headers: bytes) -> bytes:
    return b"\r\n".join((b"HTTP/1.1 200 OK", b"Content-Type: text/plain", *headers, b"", b""))


def packed(body: bytes, coding: bytes) -> bytes:
    return head(b"Content-Encoding: " + coding, b"Content-Length: %d" % len(body)) + body


def chunks(body: bytes) -> bytes:
    return b"".join(
        b"%x\r\n%b\r\n" % (len(body[at : at + 5_000]), body[at : at + 5_000]) for at in range(0, len(body), 5_000)
    )


def chunked(body: bytes, coding: bytes) -> bytes:
    return head(b"Content-Encoding: " + coding, b"Transfer-Encoding: chunked") + chunks(body) + b"0\r\n\r\n"


def padded(body: bytes) -> bytes:
    return gzip.compress(b"") + gzip.compress(body) + b"\0" * 9


def bare(body: bytes) -> bytes:
    made = zlib.compressobj(wbits=-15)
    return made.compress(body) + made.flush()


async def asked(served: Served, name: str, **options: object) -> str | int:
    """The note, or the number of the report's rows, as the server gives it."""
    options = {"retry": ONCE, "pace": None, "binding": Binding.TEXT_POST, "timeout": 20.0, **options}
    async with RescueClient(AuthCode("code"), base_url=served.url, **options) as client, asyncio.timeout(5):  # type: ignore[arg-type]
        if name == "note":
            return await client.get_note(1)
        return len(await client.call(rescue.GetReportV2(1)))


WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "gzip": lambda body: packed(gzip.compress(body), b"gzip"),
    "x-gzip": lambda body: packed(gzip.compress(body), b"X-GZip"),
    "gzip in two members": lambda body: packed(gzip.compress(body[:999]) + gzip.compress(body[999:]), b"gzip"),
    "gzip behind an empty member, with padding": lambda body: packed(padded(body), b"gzip"),
    "gzip in chunks": lambda body: chunked(gzip.compress(body), b"gzip"),
    "zlib": lambda body: packed(zlib.compress(body), b"deflate"),
    "deflate without a head": lambda body: packed(bare(body), b"deflate"),
    "no coding": lambda body: packed(body, b"identity"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("write", WHOLE.values(), ids=WHOLE)
async def test_a_compressed_answer_is_read_whole(write: Callable[[bytes], bytes], name: str):
    async with server(write(BODIES[name])) as served:
        assert await asked(served, name) == {"note": NOTE, "report": 9_000}[name]


def _half(body: bytes) -> bytes:
    return body[: len(body) // 2]


CUT: dict[str, Callable[[bytes], bytes]] = {
    "half of a gzip": lambda body: packed(_half(gzip.compress(body)), b"gzip"),
    "gzip without its end": lambda body: packed(gzip.compress(body)[:-1], b"gzip"),
    "gzip of another checksum": lambda body: packed(gzip.compress(body)[:-8] + bytes(8), b"gzip"),
    "gzip with half of a second member": lambda body: packed(gzip.compress(body) + _half(gzip.compress(body)), b"gzip"),
    "gzip with rubbish behind it": lambda body: packed(gzip.compress(body) + b"rubbish", b"gzip"),
    "half of a gzip in chunks": lambda body: chunked(_half(gzip.compress(body)), b"gzip"),
    "half of a zlib": lambda body: packed(_half(zlib.compress(body)), b"deflate"),
    "zlib with rubbish behind it": lambda body: packed(zlib.compress(body) + b"rubbish", b"deflate"),
    "half of a deflate": lambda body: packed(_half(bare(body)), b"deflate"),
    "a chunk that is none": lambda body: head(b"Transfer-Encoding: chunked") + chunks(body) + b"zz\r\nrubbish\r\n",
    "gzip of too many members": lambda body: packed(gzip.compress(b"") * 2_000 + gzip.compress(body), b"gzip"),
}


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("write", CUT.values(), ids=CUT)
async def test_a_compressed_or_chunked_answer_that_is_not_whole_is_one_that_was_cut(
    write: Callable[[bytes], bytes], name: str
):
    async with server(write(BODIES[name])) as served:
        with pytest.raises(errors.ProtocolError, match="the answer stops before its end"):
            await asked(served, name)


@pytest.mark.parametrize("over_tls", [False, True], ids=["TCP", "TLS"])
@pytest.mark.parametrize("lent", [False, True], ids=["own", "lent"])
@pytest.mark.parametrize("name", BODIES)
async def test_a_bad_chunk_in_a_packet_of_its_own_ends_the_call_at_once(name: str, lent: bool, over_tls: bool):
    parts = head(b"Transfer-Encoding: chunked"), chunks(BODIES[name][:50_000]), b"zz\r\nrubbish\r\n"
    trusted = trusting(AUTHORITY)
    async with (
        server(*parts, tls=serving("127.0.0.1") if over_tls else None) as served,
        aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(ssl=trusted)
        ) as session,
    ):
        with pytest.raises(errors.ProtocolError, match="the answer stops before its end"):
            await asked(served, name, **({"http": session} if lent else {"ssl": trusted}))


async def test_a_bad_chunk_behind_more_than_is_read_at_once_ends_the_call():
    sent = head(b"Transfer-Encoding: chunked") + chunks(BODIES["report"] * 8) + b"zz\r\nrubbish\r\n"
    async with server(sent) as served:
        for name in BODIES:
            with pytest.raises(errors.ProtocolError, match="the answer stops before its end"):
                await asked(served, name)


async def test_an_answer_that_was_cut_is_asked_for_again():
    async with server(CUT["half of a gzip"](BODIES["note"])) as served:
        with pytest.raises(errors.ProtocolError) as caught:
            await asked(served, "note", retry=RetryPolicy(attempts=3, first=0.01))
    assert caught.value.attempts == 3


@pytest.mark.parametrize("coding", [b"br", b"gzip, gzip", b",".join([b"gzip"] * 999)])
async def test_a_coding_that_is_not_known_is_named_as_the_reason(coding: bytes):
    for name, body in BODIES.items():
        async with server(packed(gzip.compress(body), coding)) as served:
            with pytest.raises(errors.ProtocolError, match="the answer is compressed in a way that is not known"):
                await asked(served, name)


@pytest.mark.parametrize("name", BODIES)
async def test_a_bomb_is_unpacked_no_further_than_an_answer_may_be_long(name: str):
    body = b"OK\nNOTE:" + bytes(200_000_000)
    async with server(packed(gzip.compress(body, 1), b"gzip")) as served:
        with pytest.raises(errors.ProtocolError, match=r"more than 16,777,216 bytes|does not fit the header"):
            await asked(served, name)


async def test_a_lent_session_asks_for_no_compression_unless_it_says_so_itself():
    wanted = []
    for headers in ({}, {"Accept-Encoding": "gzip"}):
        for jar in (aiohttp.DummyCookieJar, aiohttp.CookieJar):
            async with (
                server(packed(BODIES["note"], b"identity")) as served,
                aiohttp.ClientSession(cookie_jar=jar(), headers=headers) as session,
            ):
                await asked(served, "note", http=session)
            wanted += re.findall(rb"(?i)accept-encoding: (.*)\r\n", served.heads)
    assert wanted == [b"identity", b"identity", b"gzip", b"gzip"]
