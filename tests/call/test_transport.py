"""The connection pool: a session of the program's own, TLS, the size cap, sockets of servers that hang."""

import asyncio
import itertools
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from aiorescue import AuthCode, Binding, InfoRouterClient, RescueClient, RetryPolicy, Ticket, errors, rescue
from aiorescue.call.transport import transport
from aiorescue.emulator import Emulator
from tests.support import AUTHORITY, IMPATIENT, serving, trusting

CODE = AuthCode("fixedtech0000")
TICKET = Ticket("3f2a1b4c-5d6e-7f8a-9b0c-1d2e3f4a5b6c")
LONG, SHORT = bytes(6_000_000), b"a few bytes"


async def test_the_head_of_a_request_begins_with_the_host_and_has_each_header_once():
    heads: list[str] = []

    async def hang_up(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.close()

    async with await asyncio.start_server(hang_up, "127.0.0.1", 0) as server:
        host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
        async with RescueClient(CODE, base_url=f"http://{host}", retry=RetryPolicy(attempts=1)) as client:
            with pytest.raises(errors.ConnectionFailed):
                await client.request_pin_code()
    begin, first, *others = heads[0].rstrip().split("\r\n")
    assert (begin, first) == ("POST /API/API.asmx HTTP/1.1", f"Host: {host}")
    assert sorted(other.partition(":")[0] for other in others) == sorted(
        ("Accept", "Accept-Encoding", "Content-Length", "Content-Type", "SOAPAction", "User-Agent")
    )


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_a_session_of_the_programs_own_is_used_and_never_closed(service: Emulator, jar: type):
    agents: list[str | None] = []

    async def note(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestStartParams) -> None:
        agents.append(params.headers.get("User-Agent"))

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(note)
    async with aiohttp.ClientSession(cookie_jar=jar(), headers={"User-Agent": "my own"}, trace_configs=[trace]) as http:
        async with RescueClient(CODE, base_url=service.url, http=http) as client:
            await client.close_session(12345678)
        assert not http.closed
        assert not http.connector.closed
        assert agents == ["my own"]
        assert len(http.cookie_jar) == 0
        async with http.get(f"{service.url}/_emulator/") as response:
            assert response.status == 200


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_a_post_of_a_lent_session_keeps_its_middlewares(service: Emulator, jar: type):
    passed: list[str] = []

    async def note(request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
        passed.append(request.method)
        return await handler(request)

    async with (
        aiohttp.ClientSession(cookie_jar=jar(), middlewares=(note,)) as http,
        RescueClient(CODE, base_url=service.url, http=http) as client,
    ):
        await client.close_session(12345678)
    assert passed == ["POST"]


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
@pytest.mark.parametrize("when", ["middlewares", "on_request_end", "on_connection_create_start"])
@pytest.mark.parametrize("raised", ["JSONDecodeError", "CancelledError"])
async def test_an_exception_of_the_programs_own_code_in_a_lent_session_is_said_to_be_its(
    service: Emulator, jar: type, when: str, raised: str
):
    async def fail(*_: object) -> aiohttp.ClientResponse:
        if raised == "CancelledError":
            shared = asyncio.get_running_loop().create_future()
            shared.cancel()  # as the task of another request that asks for a token
            await shared
        return json.loads("{")  # raises a ValueError in the standard library

    trace = aiohttp.TraceConfig()
    if when != "middlewares":
        getattr(trace, when).append(fail)
    own = (fail,) if when == "middlewares" else ()
    async with (
        aiohttp.ClientSession(cookie_jar=jar(), middlewares=own, trace_configs=[trace]) as http,
        RescueClient(CODE, base_url=service.url, http=http, pace=None) as client,
    ):
        with pytest.raises(errors.RescueError, match=f"of the session given as http= raised {raised}") as caught:
            await client.request_pin_code()
    assert len(service.ledger) <= caught.value.possibly_orphaned == (when != "on_connection_create_start")


@pytest.mark.parametrize("limit", ["limit", "limit_per_host"])
async def test_calls_wait_for_a_connection_of_a_lent_session_without_using_up_their_time(service: Emulator, limit: str):
    service.latency, once = 0.25, RetryPolicy(attempts=1)
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(**{limit: 1})) as http,
        RescueClient(CODE, base_url=service.url, http=http, pace=None, timeout=1.5, retry=once) as client,
    ):
        pins = await asyncio.gather(*(client.request_pin_code() for _ in range(8)))
    assert len({pin.code for pin in pins}) == 8


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_a_lent_session_that_is_closed_is_replaced_by_no_other(service: Emulator, jar: type):
    http = aiohttp.ClientSession(cookie_jar=jar())
    await http.close()
    async with RescueClient(CODE, base_url=service.url, http=http, retry=IMPATIENT) as client:
        with pytest.raises(errors.ConnectionFailed, match="the session given as http= is closed"):
            await client.request_pin_code()
    assert not service.ledger


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.TEXT_GET])
async def test_a_lent_session_that_is_closed_while_a_request_takes_a_connection(
    service: Emulator, jar: type, binding: Binding
):
    http = aiohttp.ClientSession(cookie_jar=jar())
    async with RescueClient(CODE, base_url=service.url, http=http, pace=None, binding=binding) as client:
        for _ in range(2):
            await asyncio.gather(*(client.request_pin_code() for _ in range(3)))
        issued = len(service.ledger)
        calls = [asyncio.create_task(client.request_pin_code()) for _ in range(3)]
        closing = asyncio.create_task(http.close())
        for problem in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(problem, errors.ConnectionFailed)
            assert "the session given as http= is closed" in str(problem)
        await closing
    assert len(service.ledger) - issued <= client.stats().possibly_orphaned


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
async def test_a_lent_session_that_is_closed_while_a_request_waits_in_its_pool(jar: type):
    listening = socket.create_server(("127.0.0.1", 0))  # a server that hangs
    url, pool = f"http://127.0.0.1:{listening.getsockname()[1]}", aiohttp.TCPConnector(limit=1)
    http = aiohttp.ClientSession(cookie_jar=jar(), connector=pool)
    with listening:
        async with RescueClient(CODE, base_url=url, http=http, pace=None) as client:
            own = asyncio.create_task(http.get(url))
            while not pool._acquired:
                await asyncio.sleep(0)
            call = asyncio.create_task(client.request_pin_code())
            while not pool._waiters:
                await asyncio.sleep(0)
            await http.close()
            with pytest.raises(errors.ConnectionFailed, match="the session given as http= is closed") as caught:
                await call
            assert caught.value.possibly_orphaned == call.cancelling() == 0
            await asyncio.gather(own, return_exceptions=True)


@pytest.mark.parametrize("jar", [aiohttp.CookieJar, aiohttp.DummyCookieJar])
def test_a_lent_session_of_another_event_loop_is_named(jar: type):
    async def lend() -> aiohttp.ClientSession:
        return aiohttp.ClientSession(cookie_jar=jar())

    async def use(http: aiohttp.ClientSession) -> None:
        async with RescueClient(CODE, http=http) as client:
            for _ in range(2):
                with pytest.raises(errors.InvalidRequest, match="http= was made in another event loop"):
                    await client.request_pin_code()

    http = asyncio.run(lend())
    asyncio.run(use(http))
    asyncio.run(http.close())


async def test_an_untrusted_certificate_is_refused_without_a_retry():
    requests = []
    runner = web.ServerRunner(web.Server(requests.append))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=serving("127.0.0.1")).start()
    url = f"https://127.0.0.1:{runner.addresses[0][1]}"
    try:
        async with RescueClient(CODE, base_url=url, retry=IMPATIENT) as client:
            with pytest.raises(errors.ConnectionFailed, match="TLS failed: CERTIFICATE_VERIFY_FAILED") as caught:
                await client.close_session(1)
        assert caught.value.attempts == 1
        assert not requests
    finally:
        await runner.cleanup()


async def test_what_is_not_http_is_a_protocol_error():
    async def speak(reader, writer):
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"SSH-2.0-OpenSSH_9.2\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(speak, "127.0.0.1", 0)
    async with (
        server,
        RescueClient(
            CODE, base_url=f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", retry=RetryPolicy(attempts=1)
        ) as client,
    ):
        with pytest.raises(errors.ProtocolError, match="not HTTP"):
            await client.close_session(1)


async def test_an_answer_of_the_largest_size_is_read_and_a_byte_more_is_not(
    service: Emulator, monkeypatch: pytest.MonkeyPatch
):
    service.fault("huge", bytes=100_000)
    service.fault("huge", bytes=100_001)
    monkeypatch.setattr(transport, "LARGEST_ANSWER", 100_000)
    async with RescueClient(CODE, base_url=service.url) as client:
        with pytest.raises(errors.ProtocolError) as caught:
            await client.call(rescue.CloseSession(1))
        assert "more than" not in str(caught.value)
        with pytest.raises(errors.ProtocolError, match="more than 100,000 bytes: "):
            await client.call(rescue.CloseSession(1))


async def test_a_content_length_is_always_sent_with_a_post(service: Emulator):
    lengths: list[str | None] = []

    async def note(_: aiohttp.ClientSession, __: object, params: aiohttp.TraceRequestHeadersSentParams) -> None:
        lengths.append((params.headers.get("Content-Length"), params.headers.get("Transfer-Encoding")))

    trace = aiohttp.TraceConfig()
    trace.on_request_headers_sent.append(note)
    async with aiohttp.ClientSession(trace_configs=[trace]) as http:
        for binding in rescue.Logout.spec.bindings:
            if not binding.is_get:
                async with RescueClient(base_url=service.url, binding=binding, http=http) as client:
                    with pytest.raises(errors.NotLoggedIn):
                        await client.logout()
    assert [chunked for _, chunked in lengths] == [None] * 4
    assert all(length is not None for length, _ in lengths)
    assert [length for length, _ in lengths][-2:] == ["0", "0"]  # forms without parameters


@asynccontextmanager
async def hanging(context: ssl.SSLContext | None) -> AsyncIterator[tuple[str, asyncio.Semaphore]]:
    """A server that reads what its buffer takes and never answers: its base URL, and a semaphore of connections."""
    opened, release = asyncio.Semaphore(0), asyncio.Event()

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        opened.release()
        await release.wait()
        writer.transport.abort()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    async with server:
        scheme = "http" if context is None else "https"
        yield f"{scheme}://127.0.0.1:{server.sockets[0].getsockname()[1]}", opened
        release.set()


def open_to(base_url: str) -> int:
    """The number of sockets of this process that are connected to a server."""
    peer = ("127.0.0.1", int(base_url.rpartition(":")[2]))
    found = 0
    for descriptor in [int(one.name) for one in Path("/proc/self/fd").iterdir()]:
        with suppress(OSError):  # it is no socket, or connected to none
            one = socket.socket(fileno=descriptor)
            try:
                found += one.getpeername() == peer
            finally:
                one.detach()  # to the one that it belongs to
    return found


async def run_out(calls: list[asyncio.Task[object]], _: InfoRouterClient) -> None:
    await asyncio.gather(*calls)


async def cancel(calls: list[asyncio.Task[object]], _: InfoRouterClient) -> None:
    for call in calls:
        call.cancel()


async def close(_: list[asyncio.Task[object]], client: InfoRouterClient) -> None:
    await client.aclose(timeout=0)


@pytest.mark.every_loop
@pytest.mark.parametrize("over_tls", [False, True], ids=["TCP", "TLS"])
@pytest.mark.parametrize("lent", [False, True], ids=["own", "lent"])
@pytest.mark.parametrize("body", [LONG, SHORT], ids=["long", "short"])
@pytest.mark.parametrize("end", [run_out, cancel, close])
async def test_no_socket_waits_for_a_server_that_hangs(over_tls: bool, lent: bool, body: bytes, end: Callable):
    async with (
        hanging(serving("127.0.0.1") if over_tls else None) as (url, opened),
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(ssl=trusting(AUTHORITY))) as http,
        InfoRouterClient(
            TICKET,
            base_url=url,
            timeout=1 if end is run_out else 60,
            retry=RetryPolicy(attempts=1),
            **({"http": http} if lent else {"ssl": trusting(AUTHORITY)}),
        ) as client,
    ):
        calls = [asyncio.create_task(client.upload_document("/a", body)) for _ in range(4)]
        ended = asyncio.gather(*calls, return_exceptions=True)
        if end is not run_out:  # whose time runs, on a busy machine as well
            for _ in calls:
                await opened.acquire()
            assert open_to(url) == len(calls)
        with suppress(errors.RescueError):
            await end(calls, client)
        assert all(isinstance(one, errors.RescueError | asyncio.CancelledError) for one in await ended)
        for _ in range(10):  # turns of the event loop, in which it closes what was given up
            await asyncio.sleep(0)
        assert open_to(url) == 0


PIN = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 18\r\n\r\nOK\n\nPINCODE:%06d"


@pytest.mark.every_loop
async def test_a_kept_tls_connection_that_the_server_ends_right_before_a_request_is_written_is_not_used():
    """The event loop reads the end of TLS between the pool's look at the connection and the writing of the request."""
    idle: set[asyncio.StreamWriter] = set()
    numbers, asked, release, calls = itertools.count(), [], asyncio.Event(), []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                idle.discard(writer)
                asked.append(await reader.readexactly(int(head.lower().partition(b"length:")[2].partition(b"\r")[0])))
                if b"slow" in asked[-1]:
                    await release.wait()
                writer.write(PIN % next(numbers))
                idle.add(writer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=serving("127.0.0.1"))
    async with (
        server,
        RescueClient(
            CODE,
            base_url=f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}",
            ssl=trusting(AUTHORITY),
            pace=None,
            binding=Binding.TEXT_POST,
            retry=RetryPolicy(attempts=1),
        ) as client,
    ):
        for _ in range(3):
            await asyncio.gather(*(client.request_pin_code() for _ in range(4)))
        slow = asyncio.create_task(client.request_pin_code(tracking="slow"))
        while b"slow" not in asked[-1]:
            await asyncio.sleep(0)
        kept = len(idle)

        def end() -> None:
            calls.extend(asyncio.create_task(client.request_pin_code()) for _ in range(3))
            for writer in idle:
                writer.close()  # writes the end of TLS at once; the end of TCP follows when the client has answered

        asyncio.get_running_loop().call_soon(end)
        while not calls:
            await asyncio.sleep(0)
        pins = await asyncio.gather(*calls)
        release.set()
        pins.append(await slow)
    assert kept >= len(calls)
    assert [pin.possibly_orphaned for pin in pins] == [0] * 4
