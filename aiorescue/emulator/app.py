"""The server: bytes come in on a socket, the readers read, the rules decide, the writers write, trouble is staged."""

import asyncio
import random
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, Self
from weakref import WeakKeyDictionary, WeakValueDictionary

import attrs
from aiohttp import web

from aiorescue import clock, rescue
from aiorescue.emulator import asmx, control, pages, soap
from aiorescue.emulator.catalogue import InfoRouterSite
from aiorescue.emulator.clock import Clock
from aiorescue.emulator.faults import Fault, Faults, cut_at, reply
from aiorescue.emulator.reading import (
    SESSION_COOKIE,
    Incoming,
    Reading,
    RefusedError,
    Reply,
    Site,
    error_page,
    not_found,
)
from aiorescue.emulator.rules.call import Limits, Said
from aiorescue.emulator.rules.rescue.pins import LedgerEntry
from aiorescue.emulator.state import State
from aiorescue.inforouter import METHODS

_KEEP_ALIVE_SECONDS, _KEEP_ALIVE_ANSWERS = 15.0, 100
_LARGEST_BODY = 4 * 2**20
#: The largest chunk of 32 MiB takes a third more in base64, and some of them go in a form.
_LARGEST_UPLOAD = 64 * 2**20
_LOG_LENGTH = 10_000

_HARMLESS = ("delay_before", "delay_after", "expire")  # the answer is the proper one
_BREAKING = ("drop_before", "drop_after", "cut")

RESCUE_SITE = Site(rescue.OPERATIONS, SESSION_COOKIE)
INFOROUTER_SITE = InfoRouterSite()
SITES = (RESCUE_SITE, INFOROUTER_SITE)


@attrs.define
class Request:
    """A request in the log; no parameters, so no secrets. The fields fill as it is understood."""

    operation: str = ""
    binding: str = ""
    word: str = ""

    def __iter__(self) -> Iterator[str]:
        return iter((self.operation, self.binding, self.word))


class RequestLog:
    """Every request that arrived, whatever became of it: all are counted, the last ten thousand kept."""

    def __init__(self) -> None:
        self.count = 0
        self.by_operation: Counter[str] = Counter()
        self.recent: deque[Request] = deque(maxlen=_LOG_LENGTH)

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Request]:
        return iter(self.recent)

    def arrived(self) -> Request:
        """Count a request whose operation is not known yet."""
        request = Request()
        self.count += 1
        self.recent.append(request)
        return request


class Emulator:
    """LogMeIn Rescue and infoRouter on a port of this machine.

    Args:
        port: where to listen; 0 takes a free one.
        pin_rate: PINs per second and user; None for no limit.
        host: the address to listen on.
        latency: seconds that an answer takes, half of them before the effect and half after.
        jitter: at most so many seconds more, at random.
        clock: the base of the emulator's clock, in seconds; tests turn it with `clock.advance`.
        pins: how many PINs there are; None for plenty.
        seed: what its random values and its PINs begin with.
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
    ) -> None:
        if pin_rate is not None and pin_rate <= 0:
            raise ValueError(f"pin_rate is {pin_rate}, but it is above 0, or None for no limit")
        self.host, self.port = host, port
        self._given = {"pin_rate": pin_rate, "pins_left": pins}
        self._delays = latency, jitter
        self._seed = seed
        self.clock = Clock(clock)
        self._runner: web.ServerRunner | None = None
        self._answers: WeakKeyDictionary[asyncio.Transport, int] = WeakKeyDictionary()
        self.reset()

    def reset(self) -> None:
        """Everything as it was at the start; connections stay."""
        self.clock.offset = 0.0
        self.latency, self.jitter = self._delays
        self.limits = Limits(**self._given)  # type: ignore[arg-type]  # the two were typed on the way in
        self.state = State(self.clock, self.limits, self._seed)
        self.requests = RequestLog()
        self.faults = Faults()
        self._random = random.Random(self._seed)  # noqa: S311 - jitter
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def url(self) -> str:
        """The base URL, once started."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}"

    @property
    def ledger(self) -> list[LedgerEntry]:
        """Every PIN that was issued, in order."""
        return self.state.ledger

    def fault(self, kind: str, operation: str | None = None, times: int = 1, **options: Any) -> None:
        """Script trouble for the next requests (of one operation); see `faults.KINDS` for kinds and options.

        Raises:
            ValueError: no such kind or option.
        """
        self.faults.add(kind, operation, times, **options)

    # --- life -------------------------------------------------------------------------------------

    async def start(self) -> Self:
        """Begin to listen; a second time does nothing. Raises OSError if the port is taken."""
        if self._runner is not None:
            return self
        if not METHODS.loaded:  # a file, which nobody should wait for in the middle of a call
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
        except OSError:
            await runner.cleanup()
            raise
        self._runner = runner
        self.port = runner.addresses[0][1]
        return self

    async def stop(self) -> None:
        """Stop listening and cut what is open; a second time does nothing."""
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    async def __aenter__(self) -> Self:
        return await self.start()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.stop()

    # --- one request ------------------------------------------------------------------------------

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        path, _, query = request.raw_path.partition("?")
        if path.lower().startswith(control.PREFIX):
            return await control.handle(self, request, path[len(control.PREFIX) :].strip("/"))
        # Counted before anything can go wrong with it.
        entry = self.requests.arrived()
        try:
            body = await request.read()
        except web.HTTPRequestEntityTooLarge:
            return self._respond(request, soap.too_long())
        incoming = Incoming(request.method, path, query, request.headers, body)
        try:
            reading = self._read(incoming)
        except RefusedError as refused:
            entry.word = refused.reply.word or str(refused.reply.status)
            return self._respond(request, refused.reply)
        name = reading.call.operation.spec.name
        entry.operation, entry.binding = name, reading.binding.value
        self.requests.by_operation[name] += 1
        async with self._turn(reading):
            answer = await self._answer(request.transport, reading, entry)
        if answer is None:
            return _hang_up(request)
        return self._respond(request, answer)

    def _read(self, request: Incoming) -> Reading:
        path = request.path.lower()
        if request.method not in ("GET", "POST"):
            raise RefusedError(error_page(405, f"{request.method} is not allowed.", close=False))
        for site in SITES:
            if path == site.path or path.startswith(f"{site.path}/"):
                return asmx.read(request, site, self._base(request))
            shape = site.pages.get(path)
            if shape is not None:
                return pages.read(request, site, shape)
        raise RefusedError(not_found(request.path))

    def _base(self, request: Incoming) -> str:
        host = request.headers.get("Host")
        return f"http://{host}" if host else self.url

    def _turn(self, reading: Reading) -> asyncio.Lock:
        """ASP.NET runs the calls of one server session one after the other, and all others at once."""
        call = reading.call
        if call.operation.spec.service is not RESCUE_SITE.service or not self.state.alive(call.cookie):
            return asyncio.Lock()
        return self._locks.setdefault(call.cookie, asyncio.Lock())

    async def _answer(self, transport: asyncio.Transport | None, reading: Reading, entry: Request) -> Reply | None:
        """The answer, or None where the connection breaks instead."""
        fault = self.faults.take(entry.operation)
        if fault is None and not self.latency and not self.jitter:
            return self._carry_out(reading, entry)
        kind = fault.kind if fault is not None else ""
        wait = fault.options.get("seconds", 0.0) if fault is not None else 0.0
        delay = (self.latency + self.jitter * self._random.random()) / 2
        await _pause(delay + (wait if kind == "delay_before" else 0.0))
        if kind == "expire":
            self.state.expire((reading.call.cookie, str(reading.call.values.get("ticket") or reading.call.auth_code)))
        usual = self._carry_out(reading, entry) if fault is None or fault.effect else None
        await _pause(delay + (wait if kind == "delay_after" else 0.0))
        if fault is None or (usual is not None and kind in _HARMLESS):
            return usual
        return _spoil(transport, fault, reading, entry, usual)

    def _carry_out(self, reading: Reading, entry: Request) -> Reply:
        said = self.state.handle(reading.call)
        entry.word = said.word
        usual = reading.write(said)
        return _with_cookie(usual, said) if said.cookie else usual

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


async def _pause(seconds: float) -> None:
    if seconds > 0:
        await clock.sleep(seconds)


def _spoil(
    transport: asyncio.Transport | None, fault: Fault, reading: Reading, entry: Request, usual: Reply | None
) -> Reply | None:
    """What a fault makes of the answer, or None if it breaks the connection."""
    if fault.kind == "cut" and usual is not None and transport is not None:
        head = f"HTTP/1.1 200 OK\r\nContent-Type: {usual.content_type}\r\nContent-Length: {len(usual.body)}\r\n\r\n"
        transport.write(head.encode() + usual.body[: cut_at(fault, usual)])
    if fault.kind in _BREAKING:
        entry.word = entry.word or fault.kind
        return None
    spoilt = reply(fault, reading, usual)
    entry.word = spoilt.word or entry.word or fault.kind
    return spoilt


def _with_cookie(usual: Reply, said: Said) -> Reply:
    return attrs.evolve(usual, headers={"Set-Cookie": f"{SESSION_COOKIE}={said.cookie}; path=/"})


def _hang_up(request: web.BaseRequest) -> web.Response:
    """Close the connection as it is; the response that aiohttp wants to see is written to nobody."""
    if request.transport is not None:
        request.transport.close()
    return web.Response()
