"""The face of a bulk job: `issue` begins one, `Job` iterates over its results. `dispatch.py` does the work."""

import asyncio
import os
from collections.abc import AsyncIterator, Mapping
from typing import Any, Self

from aiorescue import errors
from aiorescue.bulk.dispatch import Dispatcher
from aiorescue.bulk.feed import SourceFeed, StagedFeed
from aiorescue.bulk.issued import Issued
from aiorescue.bulk.journal import Journal
from aiorescue.bulk.outage import Outage
from aiorescue.bulk.progress import Progress
from aiorescue.bulk.source import Requests, RequestT
from aiorescue.bulk.store import Store
from aiorescue.call.arguments import check_binding, check_listener
from aiorescue.events import Listener
from aiorescue.operation import Binding
from aiorescue.operation.number import check_count, is_number
from aiorescue.rescue import PinRequest, RescueClient

#: Requests under way for each identity.
IN_FLIGHT = 64
#: Seconds for which an outage of the service is waited out.
PATIENCE = 600.0


def issue(
    client: RescueClient,
    requests: Requests[RequestT],
    *,
    journal: str | os.PathLike[str] | None = None,
    job: str | None = None,
    binding: Binding | None = None,
    in_flight: int = IN_FLIGHT,
    patience: float = PATIENCE,
    on_event: Listener | None = None,
) -> "Job[RequestT]":
    """Ask for a PIN code for each request, as fast as the service allows, over all identities of the client.

    Args:
        client: makes the calls.
        requests: PIN operations (``RequestPinCode(…)``, ``RequestLensPinCodeV2(…)``, …), any number of them, from
            an iterable or an async iterable. They are taken as they are needed.
        journal: path of a file in which each request is entered before it leaves, and each PIN before it is yielded.
            Run the same job with it again, and it goes on where it stopped. None, the default, keeps no record.
        job: a name for the job; a journal with another name is refused. Default: the client's base URL.
        binding: the only binding to use. Default: the best that each operation has.
        in_flight: the most requests under way for each identity.
        patience: seconds for which the job waits for a service that is away, instead of failing requests; then it ends
            with the error of the last one. With 0 each request fails by itself.
        on_event: called with `aiorescue.events.JobProgressed`, `OutageBegan` and `OutageEnded`, beside the listeners
            of the client.

    Returns:
        An async iterator of `Issued`, in the order in which results come. The iteration raises the errors below.

    Raises:
        errors.AuthenticationError, errors.OutOfPinCodes: the service refused the last identity that was left.
        errors.RescueError: the service was away for longer than `patience`; the rest is left for another run.
        errors.InvalidRequest: an argument cannot be used, which is raised at once; or the client was closed, and the
            rest is left for another run.
        errors.JournalError: the journal cannot be used.
        BaseException: whatever the iteration over the requests raises, once what came before has its result.
    """
    _check(binding, in_flight, patience, on_event)
    name = client.base_url if job is None or job == "" else job
    store = Journal(journal, name)
    dispatcher = Dispatcher(
        client,
        SourceFeed(requests, store),
        store,
        binding=binding,
        in_flight=in_flight,
        patience=patience,
        progress=Progress(name, client.listeners().joined(on_event)),
    )
    return Job(dispatcher, store)


def issue_staged(
    client: RescueClient,
    store: Store,
    *,
    job: str = "",
    binding: Binding | None = None,
    in_flight: int = IN_FLIGHT,
    patience: float = PATIENCE,
    on_event: Listener | None = None,
) -> "Job[PinRequest]":
    """Ask for a PIN code for each row of a store that is left, in the order of the input.

    Rows that failed in an earlier run are left, too; those that were sent and have no answer are asked for again, and
    count one possible orphan each. Rows with a PIN are not yielded: `StoreReader.rows` has them.

    Args:
        client: makes the calls.
        store: an open store; it stays open.
        job: name of the job in events.
        binding: the only binding to use. Default: the best that each operation has.
        in_flight: the most requests under way for each identity.
        patience: seconds for which the job waits for a service that is away; see `issue`.
        on_event: called with the events of the job; see `issue`.

    Returns:
        An async iterator of `Issued`, in the order in which results come; `Issued.position` is the row's.
    """
    _check(binding, in_flight, patience, on_event)
    dispatcher = Dispatcher(
        client,
        StagedFeed(store),
        store,
        binding=binding,
        in_flight=in_flight,
        patience=patience,
        progress=Progress(job, client.listeners().joined(on_event)),
    )
    return Job(dispatcher)


def _check(binding: object, in_flight: object, patience: object, on_event: object) -> None:
    check_binding(binding)
    check_count("in_flight", in_flight)
    check_patience(patience)
    check_listener(on_event)


def check_patience(seconds: object) -> None:
    """Check for how long an outage is waited out; raises `errors.InvalidRequest` unless that is a time in seconds."""
    if not is_number(seconds) or seconds < 0:
        raise errors.InvalidRequest(f"patience must be a number of seconds from 0 on, not {seconds!r}")


class Job(AsyncIterator[Issued[RequestT]]):
    """A bulk job under way; see `issue`. Leave a loop over it early only within ``async with``.

    A wait for the next result may be cancelled, as `asyncio.wait_for` does: the job goes on, and no result is lost.

    Args:
        dispatcher: does the work.
        journal: opened before the work begins, and closed behind it; None if the program sees to its store.
    """

    def __init__(self, dispatcher: Dispatcher[RequestT], journal: Journal | None = None) -> None:
        self._dispatcher = dispatcher
        self._journal = journal
        self._work: asyncio.Task[None] | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closed = False

    @property
    def refused(self) -> Mapping[str, errors.RescueError]:
        """The identities that the service refuses, by name, each with its error; the others go on."""
        return self._dispatcher.refused

    @property
    def outage(self) -> Outage | None:
        """The outage that the job waits out at this moment; None if the service answers."""
        return self._dispatcher.outage

    @property
    def login_wait(self) -> float | None:
        """Seconds for which the job waits at this moment because its identities have logged in too often; else None."""
        return self._dispatcher.login_wait

    def stop(self) -> None:
        """Take no more requests and send none that waits; the iteration ends with those already sent."""
        self._dispatcher.stop()

    async def aclose(self) -> None:
        """End the job at once. Requests that were sent stay in the journal as sent."""
        self._closed = True
        self._dispatcher.changed.set()
        if self._work is not None:
            self._work.cancel()
            await asyncio.wait({self._work})

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Issued[RequestT]:
        dispatcher = self._dispatcher
        if self._work is None and not self._closed:
            self._loop = asyncio.get_running_loop()
            self._work = self._loop.create_task(_work(dispatcher, self._journal))
            self._work.add_done_callback(lambda _: dispatcher.changed.set())
        while not self._closed:
            if dispatcher.results:
                result = dispatcher.results.popleft()
                dispatcher.taken()
                return result
            if self._work is None or self._work.done():
                break
            dispatcher.changed.clear()
            await dispatcher.changed.wait()
        if not self._closed and self._work is not None:
            self._work.result()  # raises if the journal could not be opened, or the loop is being closed
            if dispatcher.error is not None:
                raise dispatcher.error
        raise StopAsyncIteration

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    def __del__(self) -> None:
        work, loop = self._work, self._loop
        if work is not None and loop is not None and not work.done() and not loop.is_closed():
            loop.call_soon_threadsafe(work.cancel)


async def _work(dispatcher: Dispatcher[Any], journal: Journal | None) -> None:
    """Run a job, within its journal; refers to no `Job`, so that one that is dropped can be collected."""
    if journal is None:
        await dispatcher.run()
        return
    async with journal:
        await dispatcher.run()
