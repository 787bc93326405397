"""A bulk job: many requests for PIN codes in flight at once, each result as it comes."""

import asyncio
import os
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from hashlib import blake2b
from typing import Any, Generic, Self

import attrs

from aiorescue import errors
from aiorescue.bulk.journal import Entry, Journal, State
from aiorescue.bulk.source import Requests, RequestT, Source
from aiorescue.identity.identity import Identity
from aiorescue.operation import Binding
from aiorescue.rescue import PinCode, PinRequest, RescueClient

#: Requests under way for each identity. Those that wait for their slot cost nothing.
IN_FLIGHT = 64
#: Failures of the caller, not of the request: no other request would fare better as this identity.
_STOPS = (errors.AuthenticationError, errors.OutOfPinCodes)


@attrs.frozen
class Issued(Generic[RequestT]):
    """What became of one request.

    Attributes:
        request: the request.
        pin: its PIN, or None if it failed.
        error: why it failed, or None.
        attempts: how often it was sent in this run; 0 if the PIN came from the journal.
        key: the tracking field, or ``#n`` for the n-th request.
        position: its place among the requests, from 0.
        resumed: the PIN was issued in an earlier run.
    """

    request: RequestT
    pin: PinCode | None
    error: errors.RescueError | None = None
    attempts: int = 0
    key: str = ""
    position: int = 0
    resumed: bool = False


@attrs.define(eq=False)
class _Item(Generic[RequestT]):
    """One request on its way through a job."""

    request: RequestT
    position: int
    key: str = ""  # in the journal
    unseen: int = 0  # tries that may have left a PIN that nobody knows, in all runs
    sent: int = 0

    @property
    def name(self) -> str:
        """The tracking field, or the place among the requests."""
        return self.request.tracking or f"#{self.position}"

    def issued(self, pin: PinCode) -> "Issued[RequestT]":
        """Its PIN."""
        return Issued(self.request, pin, None, self.sent, self.name, self.position, resumed=not self.sent)

    def failed(self, problem: errors.RescueError) -> "Issued[RequestT]":
        """Why there is none."""
        return Issued(self.request, None, problem, self.sent, self.name, self.position)


def issue(
    client: RescueClient,
    requests: Requests[RequestT],
    *,
    journal: str | os.PathLike[str] | None = None,
    job: str | None = None,
    binding: Binding | None = None,
    in_flight: int = IN_FLIGHT,
) -> "Job[RequestT]":
    """Ask for a PIN code for each request, as fast as the service allows, over all identities of the client.

    Args:
        client: who asks.
        requests: PIN operations (``RequestPinCode(…)``, ``RequestLensPinCodeV2(…)``, …), any number of them, from
            an iterable or an async iterable. They are taken as they are needed.
        journal: a file in which each request is entered before it leaves, and each PIN before it is yielded.
            Run the same job with it again, and it goes on where it stopped.
        job: a name for the job; a journal of another name is refused. Left out, the client's base URL.
        binding: use this binding and no other.
        in_flight: requests under way for each identity, at most.

    Returns:
        An async iterator of `Issued`, in the order in which results come.

    Raises (from the iteration):
        errors.AuthenticationError, errors.OutOfPinCodes: no identity is left that can go on.
        errors.JournalError: the journal cannot be used.
    """
    if in_flight < 1:
        raise errors.InvalidRequest("in_flight must be at least 1")
    run = _Run(client, requests, Journal(journal, job or client.base_url), binding, in_flight)
    return Job(run)


class Job(AsyncIterator[Issued[RequestT]]):
    """A job under way; see `issue`. Leave a loop over it early only within ``async with``."""

    def __init__(self, run: "_Run[RequestT]") -> None:
        self._run = run
        self._results = run.results()
        self._closed = False

    def stop(self) -> None:
        """Take no more requests and send none that waits; the iteration ends with those already sent."""
        self._run.stop()

    async def aclose(self) -> None:
        """End at once. Requests that were sent stay in the journal as sent."""
        self._closed = True
        try:
            await self._results.aclose()
        except RuntimeError:  # somebody is waiting for a result: for them the job just ends
            self._run.end()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Issued[RequestT]:
        if self._closed:
            raise StopAsyncIteration
        return await anext(self._results)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()


class _Run(Generic[RequestT]):
    """The workings of a job. Its tasks refer to it and not to the iterator, so that a dropped iterator ends them."""

    def __init__(
        self,
        client: RescueClient,
        requests: Requests[RequestT],
        journal: Journal,
        binding: Binding | None,
        in_flight: int,
    ) -> None:
        self._client = client
        self._source = Source(requests)
        self._journal = journal
        self._binding = binding
        self._in_flight = in_flight
        self._feeder: asyncio.Task[None] | None = None
        self._dry = False  # nothing more comes from the source
        self._broken: BaseException | None = None  # why, if it did not just end
        self._changed = asyncio.Event()  # something is ready, or nothing will be
        self._ready: deque[_Item[RequestT]] = deque()
        # Bounded: a consumer that is slow slows the job down instead of filling the memory.
        self._results: asyncio.Queue[Issued[RequestT] | None] = asyncio.Queue(in_flight)
        self._waiting: dict[asyncio.Task[Any], Identity] = {}  # workers whose request has not left yet
        self._worker: asyncio.Task[None] | None = None
        self._stopping = False
        self._refused: dict[Identity, errors.RescueError] = {}

    async def results(self) -> AsyncGenerator[Issued[RequestT], None]:
        """All results; afterwards nothing is left running."""
        await self._journal.open()
        self._worker = work = asyncio.create_task(self._work())
        try:
            while (result := await self._results.get()) is not None:
                yield result
            await asyncio.wait({work})
            if not work.cancelled():
                work.result()  # raises what ended the job before its time
        finally:
            work.cancel()
            try:
                await asyncio.gather(work, return_exceptions=True)
            finally:
                try:
                    await self._source.aclose()
                finally:
                    await self._journal.close()

    def stop(self) -> None:
        """See `Job.stop`."""
        self._stopping = True
        self._call_off(self._waiting)
        self._changed.set()

    def end(self) -> None:
        """End at once, while somebody waits for a result."""
        if self._worker is not None:
            self._worker.cancel()
        while self._results.full():
            self._results.get_nowait()
        self._results.put_nowait(None)

    async def _work(self) -> None:
        """All the work; its end is marked in the results, unless it is cancelled."""
        try:
            await self._rounds()
        except asyncio.CancelledError:
            raise  # nobody reads the results any more
        except BaseException:
            await self._results.put(None)
            raise
        else:
            await self._results.put(None)
        finally:
            if self._feeder is not None:
                self._feeder.cancel()
                await asyncio.gather(self._feeder, return_exceptions=True)

    async def _rounds(self) -> None:
        """Workers for each identity; once more for what one gave back after the others had found nothing to do."""
        while identities := [one for one in self._client.identities if one not in self._refused]:
            try:
                async with asyncio.TaskGroup() as group:
                    for identity in identities * self._in_flight:
                        group.create_task(self._one_by_one(identity))
            except BaseExceptionGroup as problems:
                problem = problems.exceptions[0]
            else:
                problem = None
            if problem is not None:
                raise problem
            if self._stopping or not self._ready:
                break
        if self._ready and not self._stopping:
            raise next(iter(self._refused.values()))
        if self._broken is not None:
            raise self._broken

    async def _one_by_one(self, identity: Identity) -> None:
        """One request after the other, as one identity, until it is refused or nothing is left."""
        me = asyncio.current_task()
        assert me is not None  # noqa: S101 - for the type: a coroutine of ours runs in a task
        while not self._is_over(identity):
            item = await self._take(identity)
            if item is None:
                return
            self._waiting[me] = identity
            try:
                result = await self._ask(identity, item, me)
            except asyncio.CancelledError:
                if not (me in self._waiting and self._is_over(identity)):
                    raise  # not called off: the whole job is being ended
                self._put_back(item)
                return
            finally:
                self._waiting.pop(me, None)
            if result is not None:
                await self._results.put(result)

    def _is_over(self, identity: Identity) -> bool:
        return self._stopping or identity in self._refused

    async def _ask(self, identity: Identity, item: _Item[RequestT], me: "asyncio.Task[Any]") -> Issued[RequestT] | None:
        async def before_send() -> None:
            self._waiting.pop(me, None)
            item.sent += 1
            await self._journal.sent(item.key)

        try:
            pin = await self._client.call_as(
                identity, item.request, binding=self._binding, before_send=before_send, bulk=True
            )
        except errors.RescueError as problem:
            item.unseen += problem.possibly_orphaned
            if isinstance(problem, _STOPS):
                await self._give_back(identity, item, problem)
                return None
            await self._journal.failed(item.key, str(problem), item.unseen)
            return item.failed(problem)
        pin = attrs.evolve(pin, possibly_orphaned=pin.possibly_orphaned + item.unseen)
        await self._journal.issued(item.key, pin.code, pin.possibly_orphaned)
        return item.issued(pin)

    async def _give_back(self, identity: Identity, item: _Item[RequestT], problem: errors.RescueError) -> None:
        """This identity sends nothing more; whoever is left takes its requests over."""
        if identity not in self._refused:
            self._refused[identity] = problem
            self._call_off([task for task, whose in self._waiting.items() if whose is identity])
        await self._journal.given_back(item.key, item.unseen)
        self._put_back(item)

    def _put_back(self, item: _Item[RequestT]) -> None:
        self._ready.appendleft(item)
        self._changed.set()

    def _call_off(self, tasks: Iterable["asyncio.Task[Any]"]) -> None:
        for task in tasks:
            task.cancel()

    async def _take(self, identity: Identity) -> _Item[RequestT] | None:
        while not self._is_over(identity):
            if self._ready:
                return self._ready.popleft()
            if self._dry:
                return None
            if self._feeder is None or self._feeder.done():
                # A task of its own: a worker that is called off must not take along what is on its way in.
                self._feeder = asyncio.create_task(self._fill())
            self._changed.clear()
            await self._changed.wait()
        return None

    async def _fill(self) -> None:
        try:
            self._dry = not await self._feed()
        except Exception as problem:  # noqa: BLE001 - raised when what was sent before has been answered
            self._dry, self._broken = True, problem
        finally:
            self._changed.set()

    async def _feed(self) -> bool:
        """Take some requests from the source. Those that need not be sent go to the results at once."""
        items = [_Item(request, position) for position, request in await self._source.some(self._in_flight)]
        if not items:
            return False
        entries = await self._journal.admit([(item.request.tracking, _digest(item.request)) for item in items])
        for item, entry in zip(items, entries, strict=True):
            item.key, item.unseen = entry.key, entry.unseen
            known = _known(item, entry)
            if known is None:
                self._ready.append(item)
            else:
                await self._results.put(known)
        return True


def _known(item: _Item[RequestT], entry: Entry) -> Issued[RequestT] | None:
    """The result of a request that need not be sent, if it is one."""
    if entry.twice:
        return item.failed(
            errors.InvalidRequest(
                f"request {item.position}: tracking {item.name!r} occurs twice in this job; each request needs its own",
                operation=item.request.spec.name,
            )
        )
    if entry.state is State.ISSUED and entry.pin is not None:
        return item.issued(PinCode(entry.pin, entry.unseen))
    return None


def _digest(request: PinRequest) -> bytes:
    fields = (type(request).__name__, *(slot.get(request) for slot in request.slots))
    return blake2b(repr(fields).encode(), digest_size=16).digest()
