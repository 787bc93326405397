"""The transport: requests out, responses in, through a connection pool with timeouts and a size limit."""

import asyncio
from collections.abc import AsyncIterable, Callable

import aiohttp
from aiohttp import ClientSession
from aiohttp.client import ClientResponse
from yarl import URL

from aiorescue import errors
from aiorescue.call import spool
from aiorescue.call.base_url import Route
from aiorescue.call.deadline import Deadlines, Task
from aiorescue.call.transport import connections
from aiorescue.call.transport.failures import (
    CLOSED,
    INTERRUPTED,
    NOT_BEGUN,
    PROXY_AUTHENTICATION,
    UNFINISHED,
    LentClosedError,
    ProxyRefusedError,
    cancelled,
    failed,
    lost,
    was_connecting,
)
from aiorescue.call.transport.request import as_data, checking, send_once
from aiorescue.call.transport.trust import Trust, UnaskedError
from aiorescue.call.transport.unpacking import unpacked
from aiorescue.call.under_way import OTHER_LOOP
from aiorescue.operation import Outcome, OutcomeClass
from aiorescue.pace.patience import Patience
from aiorescue.pace.turns import Priority, PrioritySemaphore
from aiorescue.wire import Request, Response, Unreadable

#: Seconds that opening a connection may take.
CONNECT = 10.0
#: Bytes that an answer may have; a streamed one has the limit of `spool`.
LARGEST_ANSWER = 16 * 2**20
#: Bytes up to which an answer of declared length is taken from aiohttp's buffer at once, without a look at its size.
_SHORT = 2**16
#: Bytes of an answer that are joined on the event loop; those of a longer one in a thread.
_JOINED_AT_ONCE = 2**20
#: Timeouts other than the client's whose timers are kept, besides those of requests under way: a program may compute
#: any number of them.
_OTHER_TIMEOUTS = 32
#: An enum member kept in a global, as those in `operation.status` are.
_CALL = Priority.CALL
_ALL_IN_USE = "all connections (max_connections) are in use"
_LENT_FOR_ANOTHER_LOOP = "the session given as http= was made in another event loop; make one for each"


class TimeLimits:
    """The time limits of all requests with one timeout.

    Attributes:
        seconds: the timeout.
        whole: aiohttp's limits for a request that is bounded by `deadlines`.
        patient: aiohttp's limits for a request with a streamed answer.
        deadlines: the timer that these requests share.
    """

    def __init__(self, seconds: float) -> None:
        # Connecting has less time than the whole, so that a request that never left does not look like one in doubt.
        connect = min(seconds * 0.8, CONNECT)
        self.seconds = seconds
        self.whole = aiohttp.ClientTimeout(total=None, connect=connect, sock_connect=connect)
        self.patient = aiohttp.ClientTimeout(connect=connect, sock_connect=connect, sock_read=seconds)
        self.deadlines = Deadlines(seconds)


class Transport:
    """Sends requests to one host through one connection pool.

    Args:
        base_url: checked by `check_base_url`.
        timeout: seconds for one request, from its connection to the last byte of its answer. A streamed answer may
            take any time, as long as no pause in it is longer than that.
        max_connections: number of requests that may be under way at once.
        route: how the host is reached.
        http: a session that the program lends, never closed. Its pool, headers, traces, proxy, `trust_env` and, for
            POST, middlewares are used; with a `DummyCookieJar` it is used itself.

    Attributes:
        base_url: where requests go.
        lent_pool: the pool of the session that the program lends; None without one.
        trust: what is known of the path to the host.
    """

    def __init__(
        self, base_url: str, *, timeout: float, max_connections: int, route: Route, http: ClientSession | None
    ) -> None:
        connections.check_lent(http)
        self.base_url = base_url
        self._times = TimeLimits(timeout)
        self._other_times: dict[float, TimeLimits] = {}
        self._limit = min(max_connections, connections.limit_of(http) or max_connections)
        self._route = route
        self._proxy_headers = route.proxy_headers()
        self._http = http
        self._more_headers = connections.missing_headers(http)
        self.lent_pool = None if http is None else http.connector
        self.trust = Trust(lent=http is not None)
        # Our own limit, not above the pool's: calls queueing inside aiohttp would have their timeout running.
        self._places = PrioritySemaphore(self._limit)
        # A POST keeps the middlewares of a lent session, and needs no other, as aiohttp sends it once. A GET does not
        # keep them, since they may send it twice.
        own = getattr(http, "_middlewares", ())
        check = (checking(self.trust, self._places),) if http is not None and connections.is_used_itself(http) else ()
        self._middlewares = {"GET": (send_once, *check), "POST": (*own, *check)}
        self._session: ClientSession | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._interrupted = self._closed = False
        self._urls: dict[str, URL] = {}

    async def send(
        self,
        request: Request,
        timeout: float | None = None,  # noqa: ASYNC109 - of one request of a call
        patience: Patience | None = None,
        begin: Callable[[], bool] | None = None,
    ) -> Response | Outcome[object]:
        """Send a request. Returns its response, or the outcome if it got none.

        Args:
            request: what to send.
            timeout: seconds for this request; None for those of the client.
            patience: the time that it may wait for a connection; None for any time.
            begin: called when a connection is free, right before the request is sent. Where it returns False, because
                the turn of the call has passed or its ticket has ended, nothing is sent: `NOT_BEGUN` is returned.

        Raises:
            QueuedTooLongError: no connection was free in time; nothing was sent.
        """
        # The client lets no call begin while another event loop of it runs. `get_running_loop` would ask the system.
        if (self._loop is None or asyncio.current_task(self._loop) is None) and (why := await self._move()):
            return lost(OutcomeClass.FINAL, errors.InvalidRequest, why)
        times = self._times if timeout is None else self._times_of(timeout)
        await (self._places.acquire(_CALL) if patience is None else patience.place(self._places, _CALL, _ALL_IN_USE))
        task = None
        try:
            if self._closed or (begin is not None and not begin()):
                return CLOSED if self._closed else NOT_BEGUN
            task = times.deadlines.begin(limited=not request.streamed)
            received: Response | Outcome[object]
            response = await self._request(self._session or self._open(), request, times)
            try:
                received = _read_at_once(response) or await (_receive if request.streamed else _read)(response)
            except BaseException:
                response.close()
                raise
            if isinstance(received, Outcome) or received.problem is not None:
                response.close()  # the rest is not worth reading, so the connection is of no more use
        except Exception as problem:  # noqa: BLE001 - of any type where aiohttp stumbles over a length or a cookie
            is_unread = isinstance(problem, aiohttp.ClientResponseError) and not was_connecting(problem)
            saved = self.trust.saved() if is_unread else None
            return saved or self._failed(problem, times.seconds)
        except asyncio.CancelledError as problem:
            if task is not None and times.deadlines.ran_out(task):
                return self._failed(TimeoutError(), times.seconds)
            if task is None or task.cancelling() or (outcome := cancelled(problem)) is None:
                raise
            return outcome
        finally:
            if task is not None:
                times.deadlines.end(task)
            self._places.release()
        return received

    async def _request(self, session: ClientSession, request: Request, times: TimeLimits) -> ClientResponse:
        """Send a request and return the head of the answer; on one kept connection after another, then on a new one."""
        while True:
            if session.closed:
                raise LentClosedError
            try:
                response = await session.request(
                    request.method,
                    self._url(request),
                    data=as_data(request.body),
                    headers={**request.headers, **self._more_headers} if self._more_headers else request.headers,
                    timeout=times.patient if request.streamed else times.whole,
                    raise_for_status=False,
                    proxy_headers=self._proxy_headers,
                    allow_redirects=False,  # a redirect leads to a login page, and would turn a POST into a GET
                    auto_decompress=False,  # see `unpacking`
                    middlewares=self._middlewares[request.method],
                )
            except UnaskedError as problem:
                if not problem.kept:
                    raise
                continue
            if response.status == PROXY_AUTHENTICATION:
                response.close()
                raise ProxyRefusedError(response.status)
            return response

    def _times_of(self, seconds: float) -> TimeLimits:
        times = self._other_times.get(seconds)
        if times is None:
            if len(self._other_times) >= _OTHER_TIMEOUTS:
                # One without requests under way: `interrupt` must find those, so that their PINs are told of.
                idle = next((one for one, of in self._other_times.items() if of.deadlines.is_idle), None)
                if idle is not None:
                    self._other_times.pop(idle).deadlines.close()
            times = self._other_times[seconds] = TimeLimits(seconds)
        return times

    def _failed(self, problem: Exception, seconds: float) -> Outcome[object]:
        """The outcome of a request that got no answer; one that ran out of time may have been ended by `interrupt`."""
        is_interrupted = self._interrupted and isinstance(problem, TimeoutError)
        return INTERRUPTED if is_interrupted else failed(problem, self.base_url, seconds)

    def _url(self, request: Request) -> URL:
        if request.query:
            return URL(f"{self.base_url}{request.path}?{request.query}", encoded=True)
        url = self._urls.get(request.path)
        if url is None:
            url = self._urls[request.path] = URL(f"{self.base_url}{request.path}", encoded=True)
        return url

    def _open(self) -> ClientSession:
        self._session = session = connections.open_session(
            self._http, self._route, self._limit, self.trust, self._places
        )
        if session is not self._http:
            self._left_open = connections.when_left_open(self, session, self.base_url)
        return session

    @property
    def is_full(self) -> bool:
        """Whether a request that came now would wait for a connection."""
        return self._places.is_full

    @property
    def connections(self) -> int:
        """Open connections, those that are idle included."""
        connector = None if self._session is None else self._session.connector
        if connector is None:
            return 0
        return len(connector._acquired) + sum(map(len, connector._conns.values()))  # noqa: SLF001 - it shows no count

    async def _move(self) -> str:
        """Move to the running event loop, with a new pool: a connection belongs to the loop that opened it.

        Returns why the client cannot be used in this loop; an empty text if it can.
        """
        loop, lent_for = asyncio.get_running_loop(), getattr(self._http, "_loop", None)
        if self._loop is not None and self._loop.is_running():
            return OTHER_LOOP
        if isinstance(lent_for, asyncio.AbstractEventLoop) and lent_for is not loop:
            return _LENT_FOR_ANOTHER_LOOP
        self._loop = loop
        await self._close_pool()
        return ""

    def interrupt(self) -> set[Task]:
        """End the requests under way at once, because the client is being closed. Returns the tasks that made them."""
        self._interrupted = True
        return set[Task]().union(*(times.deadlines.run_out() for times in (self._times, *self._other_times.values())))

    async def close(self) -> None:
        """Close the connection pool, unless it was lent, and open nothing from now on."""
        self._closed = True
        for times in (self._times, *self._other_times.values()):
            times.deadlines.close()
        await self._close_pool()

    async def _close_pool(self) -> None:
        session, self._session = self._session, None
        if session is not None and session is not self._http:
            self._left_open.detach()
            if session._loop is asyncio.get_running_loop():  # noqa: SLF001 - its property is deprecated
                await session.close()
            else:
                connections.close_elsewhere(session)


def _read_at_once(response: ClientResponse) -> Response | None:
    """A short response that has already arrived whole, without waiting for it; None for any other."""
    headers = response.headers
    length = headers.get("Content-Length")
    # With a Content-Encoding the length would say nothing of the size after unpacking.
    if length is None or int(length) > _SHORT or "Content-Encoding" in headers or not response.content.is_eof():
        return None
    return Response(response.status, response.content.read_nowait(), headers)


async def _read(response: ClientResponse) -> Response:
    """The whole response; the beginning and the problem of one that is too large or stops before its end."""
    chunks: list[bytes] = []
    size, length, problem = 0, response.content_length or 0, None
    try:
        async for chunk in _body(response):
            chunks.append(chunk)
            size += len(chunk)
            if max(length, size) > LARGEST_ANSWER:
                problem = _too_large(LARGEST_ANSWER)
                break
    except UNFINISHED:
        problem = Unreadable("the answer stops before its end", cut=True)
    except Unreadable as unknown:
        problem = unknown
    # Megabytes take milliseconds to join; Python lets other threads run meanwhile.
    body = b"".join(chunks) if size <= _JOINED_AT_ONCE else await asyncio.to_thread(b"".join, chunks)
    return Response(response.status, body, response.headers, problem=problem)


async def _receive(response: ClientResponse) -> Response | Outcome[object]:
    """A response that may be long: in memory if it is short, else with a stream from a temporary file."""
    try:
        body, rest = await spool.receive(_body(response), response.headers.get("Content-Type", ""))
    except spool.TooLargeError:
        return Response(response.status, b"", response.headers, problem=_too_large(spool.LARGEST_LONG_ANSWER))
    except spool.NoRoomError as problem:
        return lost(OutcomeClass.FINAL, errors.RescueError, str(problem), ambiguous=True)
    except Unreadable as problem:
        return Response(response.status, b"", response.headers, problem=problem)
    return Response(response.status, body, response.headers, rest)


def _body(response: ClientResponse) -> AsyncIterable[bytes]:
    """The body of a response, as it comes, without its Content-Encoding."""
    return unpacked(response.content.iter_any(), ",".join(response.headers.getall("Content-Encoding", ())))


def _too_large(largest: int) -> Unreadable:
    return Unreadable(f"the answer has more than {largest:,} bytes", too_large=True)
