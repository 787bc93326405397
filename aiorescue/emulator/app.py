"""The server: reads requests from a socket, hands calls to the rules, writes their results, and plays scripted faults.

The emulated services themselves are a `World`, which knows no socket.
"""

import asyncio
import errno
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary

import attrs
from aiohttp import web

from aiorescue import clock, rescue
from aiorescue.emulator import asmx, pages, soap
from aiorescue.emulator.catalogue import InfoRouterSite
from aiorescue.emulator.clock import TurnableClock
from aiorescue.emulator.control import plane
from aiorescue.emulator.faults import Fault, cut_at, reply
from aiorescue.emulator.http import Incoming, NotACall, ReadCall, Reply, error_page, not_found
from aiorescue.emulator.request_log import LoggedRequest
from aiorescue.emulator.rules.rescue.ledger import LEDGER_SIZE
from aiorescue.emulator.site import SESSION_COOKIE, Site
from aiorescue.emulator.thread import ServerThread
from aiorescue.emulator.world import World
from aiorescue.inforouter import METHODS
from aiorescue.operation.number import is_whole

_KEEP_ALIVE_SECONDS, _KEEP_ALIVE_ANSWERS = 15.0, 100
_LAST_PORT = 65_535
_LARGEST_BODY = 4 * 2**20
#: infoRouter's largest chunk is 32 MiB, which base64 makes a third longer and a form longer still.
_LARGEST_UPLOAD = 64 * 2**20

#: Where an emulator is reached that listens on all addresses: clients refuse plain HTTP for these.
_REACHED_AT = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - listens on none

_HARMLESS = ("delay_before", "delay_after", "expire")  # kinds of fault after which the reply is the proper one
_BREAKING = ("drop_before", "drop_after", "cut")  # kinds of fault that break the connection

RESCUE_SITE = Site(rescue.OPERATIONS, SESSION_COOKIE)
INFOROUTER_SITE = InfoRouterSite()
SITES = (RESCUE_SITE, INFOROUTER_SITE)


class Emulator(World):
    """LogMeIn Rescue and infoRouter on a port of this machine.

    ``async with`` serves on the running event loop. ``with`` serves in a thread with an event loop of its own, which
    goes on while a test blocks; faults, limits, ledger, clock and reset may be used from the test's thread.

    Args:
        port: port to listen on; 0 takes a free one.
        pin_rate: PINs per second and user; None for no limit.
        host: address to listen on.
        latency: seconds that an answer takes, half of them before the call's effect and half after.
        jitter: most seconds that are added to the latency, at random.
        clock: base of the emulator's clock, in seconds; tests turn the emulator's clock with `clock.advance`.
        pins: number of PINs in stock; None for an unlimited stock.
        seed: seed of the random values and of the sequence of PINs.
        ledger_size: PINs that the ledger keeps; older ones are dropped, and counted.

    Raises:
        ValueError: an argument is no number, or out of its range.
    """

    def __init__(
        self,
        port: int = 0,
        pin_rate: float | None = 1.0,
        *,
        host: str = "127.0.0.1",
        latency: float = 0.0,
        jitter: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
        pins: int | None = None,
        seed: int = 0,
        ledger_size: int = LEDGER_SIZE,
    ) -> None:
        super().__init__(
            TurnableClock(clock),
            pin_rate=pin_rate,
            pins=pins,
            latency=latency,
            jitter=jitter,
            seed=seed,
            ledger_size=ledger_size,
        )
        if not is_whole(port) or not 0 <= port <= _LAST_PORT:
            raise ValueError(f"port is {port!r}, but it is a whole number from 0 to {_LAST_PORT}")
        given: object = host
        if not isinstance(given, str) or not given:
            raise ValueError(f"host is {host!r}, but it is the name or address of this machine to listen on")
        self.host, self.port = host, port
        self._runner: web.ServerRunner | None = None
        self._thread: ServerThread | None = None
        self._answers: WeakKeyDictionary[asyncio.Transport, int] = WeakKeyDictionary()

    @property
    def url(self) -> str:
        """The base URL, on the loopback for an emulator that listens on all addresses.

        Raises RuntimeError before the start, unless a port was given.
        """
        if not self.port:
            raise RuntimeError("the emulator was not started, and has no address yet: async with Emulator() as service")
        reached = _REACHED_AT.get(self.host, self.host)
        host = f"[{reached}]" if ":" in reached else reached
        return f"http://{host}:{self.port}"

    # --- start and stop ---------------------------------------------------------------------------

    async def start(self) -> Self:
        """Start to listen on the running event loop; a second call does nothing.

        Raises:
            OSError: the port is taken, or the host is not one of this machine.
            RuntimeError: the emulator is running in a thread of its own.
        """
        self._refuse_thread("start")
        await self._listen()
        return self

    async def stop(self) -> None:
        """Stop listening and close open connections; a second call does nothing.

        Raises:
            RuntimeError: the emulator is running in a thread of its own.
        """
        self._refuse_thread("stop")
        await self._close()

    def _refuse_thread(self, what: str) -> None:
        if self._thread is not None:
            raise RuntimeError(f"cannot {what} the emulator at {self.url} here: its `with` block runs it in a thread")

    async def _listen(self) -> None:
        if self._runner is not None:
            return
        if not METHODS.loaded:  # reads a file, which would block the event loop during a call
            await asyncio.to_thread(METHODS.load)
        server = web.Server(
            self._handle,
            request_factory=_request,
            auto_decompress=False,
            keepalive_timeout=_KEEP_ALIVE_SECONDS,
            access_log=None,
        )
        runner = web.ServerRunner(server, shutdown_timeout=0.1)
        await runner.setup()
        try:
            await web.TCPSite(runner, self.host, self.port).start()
        except OSError as problem:
            await runner.cleanup()
            raise _cannot_listen(problem, self.host, self.port) from problem
        except BaseException:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]

    async def _close(self) -> None:
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, exc_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    def __enter__(self) -> Self:
        if self._thread is not None or self._runner is not None:
            raise RuntimeError(f"the emulator runs already, at {self.url}; make another Emulator() for another server")
        thread = ServerThread(self._listen, self._close)
        thread.start()
        self._thread = thread
        return self

    def __exit__(
        self, exc_type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()

    # --- one request ------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if plane.is_for(path):
            return await plane.handle(self, request, path, self.host)
        # Counted before anything can go wrong with it.
        entry = self.requests.arrived()
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._respond(request, soap.too_long())
        except ConnectionError:  # the client has gone before it sent all of the body
            return _hang_up(request)
        incoming = Incoming(request.method, path, query, request.headers, body)
        try:
            reading = self._read(incoming)
        except NotACall as refused:
            entry.word = refused.reply.word or str(refused.reply.status)
            return self._respond(request, refused.reply)
        self.requests.understood(entry, reading.call.name, reading.binding.value)
        async with self.session_lock(reading.call):
            answer = await self._answer(request.transport, reading, entry)
        if answer is None:
            return _hang_up(request)
        return self._respond(request, answer)

    def _read(self, request: Incoming) -> ReadCall:
        path = request.path.lower()
        if request.method not in ("GET", "POST"):
            raise NotACall(error_page(405, f"{request.method} is not allowed.", close=False))
        for site in SITES:
            if path == site.path or path.startswith(f"{site.path}/"):
                return asmx.read(request, site, self._base(request))
            shape = site.pages.get(path)
            if shape is not None:
                return pages.read(request, site, shape)
        raise NotACall(not_found(request.path))

    def _base(self, request: Incoming) -> str:
        host = request.headers.get("Host")
        return f"http://{host}" if host else self.url

    async def _answer(
        self, transport: asyncio.Transport | None, reading: ReadCall, entry: LoggedRequest
    ) -> Reply | None:
        """The reply to a call after its delay, with its fault; None where the fault breaks the connection."""
        fault = self.faults.take(entry.operation)
        if fault is None and not self.latency and not self.jitter:
            return self._carry_out(reading, entry)
        kind = fault.kind if fault is not None else ""
        wait = fault.options.get("seconds", 0.0) if fault is not None else 0.0
        delay = self.delay()
        await _pause(delay + (wait if kind == "delay_before" else 0.0))
        if kind == "expire":
            self.state.expire((reading.call.cookie, str(reading.call.values.get("ticket") or reading.call.auth_code)))
        usual = self._carry_out(reading, entry) if fault is None or fault.effect else None
        await _pause(delay + (wait if kind == "delay_after" else 0.0))
        if fault is None or (usual is not None and kind in _HARMLESS):
            return usual
        return _spoil(transport, fault, reading, entry, usual)

    def _carry_out(self, reading: ReadCall, entry: LoggedRequest) -> Reply:
        result = reading.named(self.carry_out(reading.call))
        entry.word = result.word
        usual = reading.write(result)
        return _with_cookie(usual, result.cookie) if result.cookie else usual

    def _respond(self, request: web.BaseRequest, answer: Reply) -> web.Response:
        response = web.Response(
            body=answer.body,
            status=answer.status,
            headers={"Content-Type": answer.content_type, "Cache-Control": "private, max-age=0", **answer.headers},
        )
        if answer.close or self._answers_on(request.transport) > _KEEP_ALIVE_ANSWERS:
            response.force_close()
        return response

    def _answers_on(self, connection: asyncio.Transport | None) -> int:
        if connection is None:  # the client has gone
            return 0
        answers = self._answers[connection] = self._answers.get(connection, 0) + 1
        return answers


def _request(message: Any, payload: Any, protocol: Any, writer: Any, task: "asyncio.Task[None]") -> web.BaseRequest:
    loop = asyncio.get_running_loop()
    largest = _LARGEST_UPLOAD if message.path.lower().startswith(INFOROUTER_SITE.path) else _LARGEST_BODY
    return web.BaseRequest(message, payload, protocol, writer, task, loop, client_max_size=largest)


def _cannot_listen(problem: OSError, host: str, port: int) -> OSError:
    """An OSError that says what to do about a port that cannot be listened on."""
    if problem.errno == errno.EADDRINUSE:
        return OSError(
            problem.errno, f"port {port} of {host} is taken: address already in use; port=0 takes a free one"
        )
    return OSError(problem.errno, f"cannot listen on port {port} of {host}: {problem.strerror or problem}")


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await clock.sleep(seconds)


def _spoil(
    transport: asyncio.Transport | None, fault: Fault, reading: ReadCall, entry: LoggedRequest, usual: Reply | None
) -> Reply | None:
    """Reply that a fault makes of the proper one; None if the fault breaks the connection."""
    if fault.kind == "cut" and usual is not None and transport is not None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {usual.content_type}\r\nContent-Length: {len(usual.body)}\r\n\r\n"
        transport.write(head.encode() + usual.body[: cut_at(fault, usual)])
    if fault.kind in _BREAKING:
        entry.word = entry.word or fault.kind
        return None
    spoilt = reply(fault, reading, usual)
    entry.word = spoilt.word or entry.word or fault.kind
    return spoilt


def _with_cookie(usual: Reply, cookie: str) -> Reply:
    return attrs.evolve(usual, headers={"Set-Cookie": f"{SESSION_COOKIE}={cookie}; path=/"})


def _hang_up(request: web.BaseRequest) -> web.Response:
    """Close the connection, and return the response that aiohttp wants from a handler; it is never sent."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
