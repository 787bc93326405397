"""The dispatcher of a bulk job: brings requests to the identities that may send them, and results to the iterator.

A *feeder* takes requests from the source into the journal and on to a queue. *Workers*, several for each identity, take
requests from that queue and send them one after the other; the pace decides when. An identity that the service refuses
stops: its workers end, and the requests that they held go back to the queue for the other identities. Results pass
through a bounded queue, so a program that reads slowly slows the job down instead of filling the memory.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable
from typing import Any, Generic

import attrs

from aiorescue import errors
from aiorescue.bulk.issued import Issued, Item
from aiorescue.bulk.journal import Journal
from aiorescue.bulk.source import Requests, RequestT, Source
from aiorescue.bulk.store import Entry, State
from aiorescue.identity.identity import Identity
from aiorescue.operation import Binding
from aiorescue.rescue import PinCode, RescueClient

#: Refusals of the identity, not of the request: this identity would get no other answer for any request.
_STOPS_IDENTITY = (errors.AuthenticationError, errors.OutOfPinCodes)


class Dispatcher(Generic[RequestT]):
    """One run of a bulk job.

    Its tasks refer to the dispatcher and not to the `Job` that iterates over the results, so that a job which the
    program drops is collected, and its tasks end.

    Args:
        client: makes the calls.
        requests: the requests of the job.
        journal: records them; opened and closed by `results`.
        binding: the only binding to use, or None for the best of each operation.
        in_flight: workers for each identity.
    """

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
        self._work: asyncio.Task[None] | None = None
        self._feeder: asyncio.Task[None] | None = None
        self._exhausted = False  # the source has no more requests
        self._source_error: BaseException | None = None  # the error that ended the source early
        self._changed = asyncio.Event()  # a request is ready, or none will come
        self._ready: deque[Item[RequestT]] = deque()
        self._results: asyncio.Queue[Issued[RequestT] | None] = asyncio.Queue(in_flight)  # None marks the end
        self._unsent: dict[asyncio.Task[Any], Identity] = {}  # workers whose request has not left yet
        self._stopping = False
        self._refused: dict[Identity, errors.RescueError] = {}

    async def results(self) -> AsyncGenerator[Issued[RequestT], None]:
        """Run the job and yield its results; when it has ended, no task is left running."""
        await self._journal.open()
        self._work = work = asyncio.create_task(self._run())
        try:
            while (result := await self._results.get()) is not None:
                yield result
            await asyncio.wait({work})
            if not work.cancelled():
                work.result()  # raises what ended the job early
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
        """Take no more requests and send none that waits; `results` ends with those already sent."""
        self._stopping = True
        self._call_off(self._unsent)
        self._changed.set()

    def end(self) -> None:
        """End the job at once while another task waits in `results`."""
        if self._work is not None:
            self._work.cancel()
        while self._results.full():
            self._results.get_nowait()
        self._results.put_nowait(None)

    async def _run(self) -> None:
        """Do all the work and mark its end in the results, unless it is cancelled."""
        try:
            await self._run_workers()
        except asyncio.CancelledError:
            raise  # the results are no longer read
        except BaseException:
            await self._results.put(None)
            raise
        else:
            await self._results.put(None)
        finally:
            if self._feeder is not None:
                self._feeder.cancel()
                await asyncio.gather(self._feeder, return_exceptions=True)

    async def _run_workers(self) -> None:
        """Run workers for each identity; again, if one gave requests back after the others had found none to send."""
        while identities := [identity for identity in self._client.identities if identity not in self._refused]:
            try:
                async with asyncio.TaskGroup() as group:
                    for identity in identities * self._in_flight:
                        group.create_task(self._work_as(identity))
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
        if self._source_error is not None:
            raise self._source_error

    async def _work_as(self, identity: Identity) -> None:
        """Send one request after the other as one identity, until it is refused or no request is left."""
        me = asyncio.current_task()
        assert me is not None  # noqa: S101 - for the type: a coroutine of ours runs in a task
        while not self._is_over(identity):
            item = await self._take(identity)
            if item is None:
                return
            self._unsent[me] = identity
            try:
                result = await self._send(identity, item, me)
            except asyncio.CancelledError:
                if not (me in self._unsent and self._is_over(identity)):
                    raise  # not called off: the whole job is being ended
                self._put_back(item)
                return
            finally:
                self._unsent.pop(me, None)
            if result is not None:
                await self._results.put(result)

    def _is_over(self, identity: Identity) -> bool:
        return self._stopping or identity in self._refused

    async def _send(self, identity: Identity, item: Item[RequestT], me: "asyncio.Task[Any]") -> Issued[RequestT] | None:
        """Make one call and record what became of it; None if the request was given back."""

        async def before_send() -> None:
            self._unsent.pop(me, None)
            item.attempts += 1
            await self._journal.sent(item.key)

        try:
            pin = await self._client.call_as(
                identity, item.request, binding=self._binding, before_send=before_send, bulk=True
            )
        except errors.RescueError as problem:
            item.orphans += problem.possibly_orphaned
            if isinstance(problem, _STOPS_IDENTITY):
                await self._give_back(identity, item, problem)
                return None
            await self._journal.failed(item.key, str(problem), item.orphans)
            return item.failed(problem)
        pin = attrs.evolve(pin, possibly_orphaned=pin.possibly_orphaned + item.orphans)
        await self._journal.issued(item.key, pin.code, pin.possibly_orphaned)
        return item.issued(pin)

    async def _give_back(self, identity: Identity, item: Item[RequestT], problem: errors.RescueError) -> None:
        """Stop a refused identity and return its request to the queue, for the identities that are left."""
        if identity not in self._refused:
            self._refused[identity] = problem
            self._call_off([worker for worker, sender in self._unsent.items() if sender is identity])
        await self._journal.given_back(item.key, item.orphans)
        self._put_back(item)

    def _put_back(self, item: Item[RequestT]) -> None:
        self._ready.appendleft(item)
        self._changed.set()

    def _call_off(self, workers: Iterable["asyncio.Task[Any]"]) -> None:
        for worker in workers:
            worker.cancel()

    async def _take(self, identity: Identity) -> Item[RequestT] | None:
        """The next request to send as this identity; None if the identity is to stop or no request is left."""
        while not self._is_over(identity):
            if self._ready:
                return self._ready.popleft()
            if self._exhausted:
                return None
            if self._feeder is None or self._feeder.done():
                # A task of its own: a worker that is called off must not take along a request that is on its way in.
                self._feeder = asyncio.create_task(self._feed())
            self._changed.clear()
            await self._changed.wait()
        return None

    async def _feed(self) -> None:
        try:
            self._exhausted = not await self._admit_some()
        except Exception as problem:  # noqa: BLE001 - raised when what was sent before has been answered
            self._exhausted, self._source_error = True, problem
        finally:
            self._changed.set()

    async def _admit_some(self) -> bool:
        """Admit some requests from the source; those that need not be sent become results at once. False at the end."""
        items = [Item(request, position) for position, request in await self._source.some(self._in_flight)]
        if not items:
            return False
        entries = await self._journal.admit([item.request for item in items])
        for item, entry in zip(items, entries, strict=True):
            item.key, item.orphans = entry.key, entry.orphans
            known = _known_result(item, entry)
            if known is None:
                self._ready.append(item)
            else:
                await self._results.put(known)
        return True


def _known_result(item: Item[RequestT], entry: Entry) -> Issued[RequestT] | None:
    """The result of a request that need not be sent: it is a duplicate, or its PIN is in the journal."""
    if entry.duplicate:
        return item.failed(
            errors.DuplicateTracking(
                f"request {item.position}: tracking {item.name!r} occurs twice in this job; each request needs its own",
                operation=item.request.spec.name,
                tracking=item.name,
            )
        )
    if entry.state is State.ISSUED and entry.pin is not None:
        return item.issued(PinCode(entry.pin, entry.orphans))
    return None
