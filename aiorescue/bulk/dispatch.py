"""The dispatcher of a bulk job: brings requests to the identities that may send them, and results to the iterator.

A *feed* gives requests, a few at a time. The dispatcher holds them until the pace of an identity is ready, and begins
one call for each: a task for each call under way, and none for those that wait. It has no loop of its own. `_pump` does
all that can be done at a moment, and is called whenever something has changed: a call has begun to wait for its turn or
has ended, requests have come, a result was taken, or a moment has come at which an identity or a probe is due.

An identity that the service refuses stops: its calls that have not left are called off, and the requests that it held
go to the other identities. A program that reads slowly slows the job down, as calls begin only while there is room for
their results. While the service is away, the breaker of `outage.py` lets nothing through but probes.
"""

import asyncio
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import partial
from typing import Any, Final, Generic

import attrs

from aiorescue import errors
from aiorescue.bulk.alarm import Alarm
from aiorescue.bulk.feed import Feed
from aiorescue.bulk.issued import Issued, Item
from aiorescue.bulk.lanes import Lanes, WorkLane
from aiorescue.bulk.outage import Breaker, Outage, is_of_the_service
from aiorescue.bulk.progress import Progress
from aiorescue.bulk.source import RequestT
from aiorescue.bulk.store import Store
from aiorescue.operation import Binding
from aiorescue.rescue import RequestPinCode, RescueClient

#: Refusals of the identity, not of the request: this identity would get no other answer for any request.
_STOPS_IDENTITY: Final = (errors.AuthenticationError, errors.OutOfPinCodes)
#: Stands for any request of a job, where it matters what a PIN request needs.
_ANY: Final = RequestPinCode()
#: Requests that are taken from the feed at once, for each that may be under way in a lane.
_AHEAD: Final = 4
#: The most that are taken at once.
_MOST_AHEAD: Final = 4_096
#: How often a request may get a PIN that another request has, before it fails.
_REPEATS: Final = 5


@attrs.define(eq=False)
class _Attempt(Generic[RequestT]):
    """One call under way.

    Attributes:
        item: the request.
        lane: the lane whose identity calls.
        is_sent: True once the call's turn in the pace has come, so that the request may have left.
        task: the task that makes the call.
    """

    item: Item[RequestT]
    lane: WorkLane
    is_sent: bool = False
    task: "asyncio.Task[Issued[RequestT] | None] | None" = None


class Dispatcher(Generic[RequestT]):
    """One run of a bulk job.

    Its tasks refer to the dispatcher and not to the `Job` that iterates over the results, so that a job which the
    program drops is collected, and its tasks end.

    Args:
        client: makes the calls.
        feed: gives the requests.
        store: records each request and what becomes of it.
        binding: the only binding to use, or None for the best of each operation.
        in_flight: the most calls under way for each identity.
        patience: seconds for which an outage of the service is waited out; 0 lets each request fail by itself.
        progress: counts what becomes of the requests, and makes the events of the job.
    """

    def __init__(
        self,
        client: RescueClient,
        feed: Feed[RequestT],
        store: Store,
        *,
        binding: Binding | None,
        in_flight: int,
        patience: float,
        progress: Progress,
    ) -> None:
        self._client = client
        self._clock = client.clock
        self._feed = feed
        self._store = store
        self._binding = binding
        self._progress = progress
        self._breaker = Breaker(patience)
        # All PIN requests are of one rate family.
        self._lanes = Lanes(client.identities, in_flight, lambda one: client.readiness(one, RequestPinCode))
        self._batch = min(_AHEAD * in_flight, _MOST_AHEAD)
        self._most = client.max_connections  # calls under way; one that had its turn would wait for a connection
        self._room = max(in_flight, len(self._lanes.all))  # results that may wait to be read
        self._ready: deque[Item[RequestT]] = deque()
        self._attempts: set[_Attempt[RequestT]] = set()
        self._feeding: asyncio.Task[None] | None = None
        self._exhausted = False  # the feed has no more requests
        self._feed_error: BaseException | None = None  # what ended the feed early
        self._alarm = Alarm(self._clock, self._pump)  # rings when an identity or a probe is due
        self._stopping = False
        self.error: BaseException | None = None  # what ended the job early; `run` does not raise it
        self._over: asyncio.Future[None] | None = None  # made by `run`
        self.results: deque[Issued[RequestT]] = deque()
        self.changed = asyncio.Event()  # a result came, or the end

    async def run(self) -> None:
        """Run the job to its end, or until `error` is set and all calls that had left are answered."""
        self._over = asyncio.get_running_loop().create_future()
        try:
            self._pump()
            await self._over
        finally:
            await self._end()

    def stop(self) -> None:
        """Take no more requests and send none that waits; the job ends with those already sent."""
        self._stopping = True
        self._call_off(self._attempts)
        self._pump()

    def taken(self) -> None:
        """Note that the iterator has taken a result, so that there is room for another one."""
        if len(self.results) == self._room - 1:
            self._pump()

    @property
    def refused(self) -> Mapping[str, errors.RescueError]:
        """The identities that the service refuses, by name."""
        return {lane.identity.name: lane.refusal for lane in self._lanes.all if lane.refusal is not None}

    @property
    def outage(self) -> Outage | None:
        """The outage that the job waits out at this moment; None if there is none."""
        return self._breaker.outage(self._clock.time())

    @property
    def login_wait(self) -> float | None:
        """Seconds until the first login for which all identities at work wait; None if one of them waits for none."""
        waits = []
        for lane in self._lanes.all:
            if lane.refusal is None:
                wait = self._client.login_wait(lane.identity, _ANY)
                if wait is None:
                    return None
                waits.append(wait)
        return min(waits, default=None)

    # --- what can be done at a moment ---

    def _pump(self) -> None:
        """Begin all calls that can begin, see to it that requests come, and notice the end."""
        if self._over is None or self._over.done():
            return
        if not self._is_stopped():
            self._begin_calls()
            has_room = len(self._ready) < self._batch // 2 and len(self.results) < self._room
            if has_room and not self._exhausted and self._feeding is None:
                self._feeding = asyncio.get_running_loop().create_task(self._take_requests())
                # Not at the end of the task itself, which an eager task may reach within this line.
                self._feeding.add_done_callback(self._requests_taken)
        if not self._attempts and (self._is_stopped() or (self._exhausted and not self._ready)):
            self.error = self.error or self._reason_to_end()
            self._over.set_result(None)

    def _is_stopped(self) -> bool:
        return self._stopping or self.error is not None or not self._lanes.left

    def _reason_to_end(self) -> BaseException | None:
        if self._ready and not self._stopping and not self._lanes.left:
            return next(iter(self.refused.values()), None)
        return self._feed_error

    def _begin_calls(self) -> None:
        now = self._clock.time()
        while self._ready and len(self.results) < self._room and len(self._attempts) < self._most:
            if self._breaker.is_open:
                if self._attempts:
                    return  # the probe, or calls that began before the outage was noticed
                if self._breaker.probe_at > now:
                    self._alarm.at(self._breaker.probe_at)
                    return
            lane = self._lanes.take(now)
            if isinstance(lane, float):
                self._alarm.at(lane)
            if not isinstance(lane, WorkLane):
                return
            self._begin(self._ready.popleft(), lane)

    def _begin(self, item: Item[RequestT], lane: WorkLane) -> None:
        attempt = _Attempt(item, lane)
        self._attempts.add(attempt)
        lane.under_way += 1
        loop = asyncio.get_running_loop()
        attempt.task = task = loop.create_task(self._send(attempt))
        task.add_done_callback(partial(self._call_ended, attempt))
        # By then the call stands in the line of its pace, which knows when the next one can be sent.
        loop.call_soon(self._put_back, lane)

    def _put_back(self, lane: WorkLane) -> None:
        if self._lanes.put_back(lane):
            self._pump()

    def _call_ended(self, attempt: _Attempt[RequestT], task: "asyncio.Task[Issued[RequestT] | None]") -> None:
        """Take the result of a call; one that was called off gives its request back."""
        self._attempts.discard(attempt)
        attempt.lane.under_way -= 1
        if task.cancelled():
            if not attempt.is_sent:
                self._ready.appendleft(attempt.item)
            elif not self._is_stopped():  # by the program: without an error its request would be missing in silence
                self._end_with(asyncio.CancelledError("a call of the job was cancelled"))
        elif (problem := task.exception()) is not None:
            self._end_with(problem)
        elif (result := task.result()) is not None:
            self._add_result(result)
        self._lanes.put_back(attempt.lane)
        self._pump()

    def _add_result(self, result: Issued[RequestT]) -> None:
        self._progress.count(result, self._clock.time())
        self.results.append(result)
        self.changed.set()

    def _end_with(self, problem: BaseException) -> None:
        """End the job early with an error; calls that have not left are called off."""
        self.error = self.error or problem
        self._call_off(self._attempts)

    def _call_off(self, attempts: Iterable[_Attempt[RequestT]]) -> None:
        for attempt in attempts:
            if not attempt.is_sent and attempt.task is not None:
                attempt.task.cancel()

    # --- requests in ---

    async def _take_requests(self) -> None:
        feeding = asyncio.current_task()
        try:
            taken = await self._feed.some(self._batch)
        except BaseException as problem:
            if feeding is not None and feeding.cancelling():
                raise  # `_end`
            # Raised when what came before has been answered.
            self._feed_error, taken = problem, ()
        self._exhausted = not taken
        for one in taken:
            if isinstance(one, Item):
                self._ready.append(one)
            else:
                self._add_result(one)

    def _requests_taken(self, feeding: "asyncio.Task[None]") -> None:
        self._feeding = None
        if not feeding.cancelled():
            self._pump()

    # --- one call ---

    async def _send(self, attempt: _Attempt[RequestT]) -> Issued[RequestT] | None:
        """Make one call and record what became of it; None if the request is to be sent again."""
        item, lane = attempt.item, attempt.lane

        async def before_send() -> None:
            attempt.is_sent = True
            item.attempts += 1
            await self._store.sent(item.key, lane.name)

        try:
            pin = await self._client.call_as(
                lane.identity, item.request, binding=self._binding, before_send=before_send, bulk=True
            )
        except errors.JournalError:
            raise
        except errors.RescueError as problem:
            return await self._call_failed(attempt, problem)
        self._service_answered()
        orphans = pin.possibly_orphaned + item.orphans
        try:
            await self._store.issued(item.key, pin.code, orphans, lane.name)
        except errors.ProtocolError as problem:
            return await self._ask_again(attempt, orphans + 1, problem)
        return item.issued(attrs.evolve(pin, possibly_orphaned=orphans) if orphans else pin)

    async def _call_failed(self, attempt: _Attempt[RequestT], problem: errors.RescueError) -> Issued[RequestT] | None:
        """Record a call that ended with an error of the identity, of the client, of the service or of the request."""
        item, lane = attempt.item, attempt.lane
        item.orphans += problem.possibly_orphaned
        if isinstance(problem, _STOPS_IDENTITY):
            self._service_answered()
            if self._lanes.refuse(lane, problem):
                self._call_off([other for other in self._attempts if other.lane is lane and other is not attempt])
            await self._give_back(attempt)
            return None
        if self._client.closed and not isinstance(problem, errors.InvalidParameter | errors.PreconditionFailed):
            if not attempt.is_sent:
                self._ready.appendleft(item)
            self._end_with(problem)  # one that was sent stays so: nothing is known of it
            return None
        if self._breaker.patience and is_of_the_service(problem):
            now = self._clock.time()
            if not self._breaker.failed(item, item.setbacks, problem, now):
                if self._breaker.gives_up(now):
                    self._end_with(problem)
                elif self._breaker.is_open:
                    self._call_off(self._attempts)
                    self._progress.outage_began(self._breaker, now)
                await self._give_back(attempt, last=True)
                return None
            self._progress.outage_ended(now)  # if there was one, it was this request's alone
        elif attempt.is_sent:
            self._service_answered()
        await self._store.failed(item.key, str(problem), item.orphans, lane.name)
        return item.failed(problem)

    def _service_answered(self) -> None:
        if self._breaker.answered():
            self._progress.outage_ended(self._clock.time())

    async def _ask_again(
        self, attempt: _Attempt[RequestT], orphans: int, problem: errors.ProtocolError
    ) -> Issued[RequestT] | None:
        """Give back a request that got the PIN of another one, as its own PIN may have been issued and lost."""
        item = attempt.item
        item.orphans = orphans
        item.repeats += 1
        if item.repeats < _REPEATS:
            await self._give_back(attempt)
            return None
        await self._store.failed(item.key, str(problem), item.orphans, attempt.lane.name)
        return item.failed(problem)

    async def _give_back(self, attempt: _Attempt[RequestT], *, last: bool = False) -> None:
        """Return a request to those that are ready, as the first of them or as the last."""
        item = attempt.item
        await self._store.given_back(item.key, item.orphans, attempt.lane.name)
        if last:
            self._ready.append(item)
        else:
            self._ready.appendleft(item)

    # --- the end ---

    async def _end(self) -> None:
        """Cancel the tasks that still run, wait for them, and close the feed."""
        running: set[asyncio.Task[Any]] = {attempt.task for attempt in self._attempts if attempt.task is not None}
        running |= {task for task in (self._feeding, self._alarm.task) if task is not None}
        for task in running:
            task.cancel()
        if running:
            await asyncio.wait(running)
        with suppress(Exception):  # the program's own generator, closed early
            await self._feed.aclose()
