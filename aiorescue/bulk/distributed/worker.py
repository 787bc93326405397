"""`work`: one worker of distributed jobs. It holds identities, and runs a dispatcher for each of their lanes."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import AsyncExitStack
from math import ceil
from typing import Any, Final

import attrs
import psycopg

from aiorescue import errors
from aiorescue.bulk.distributed.database import Statements, connected
from aiorescue.bulk.distributed.lane_store import LaneStore
from aiorescue.bulk.distributed.watch import Watch, Work
from aiorescue.bulk.job import PATIENCE, Job, issue_staged
from aiorescue.bulk.store import Lane
from aiorescue.errors import JournalReason
from aiorescue.events import Listener
from aiorescue.identity.credentials import AuthCode, Login
from aiorescue.pace.pace import Pace
from aiorescue.rescue import PinRequest, RescueClient
from aiorescue.rescue.client import BASE_URL

_log = logging.getLogger(__name__)
#: Seconds between two looks at the other workers and at the jobs.
_LOOK: Final = 1.0
#: Seconds in which workers take their locks again when the database is back, before they look who is missing.
_GRACE: Final = 2.0
#: Rows that a lane claims at once, at a PIN a second.
_CLAIM: Final = 3
#: The most calls under way in a lane.
_IN_FLIGHT: Final = 64


@attrs.define(eq=False)
class _Holding:
    """An identity that this worker holds.

    Attributes:
        id: id of the identity.
        name: name of the identity.
        epoch: epoch of the identity, which its lanes name in each write.
        client: calls as the identity, and keeps its pace over all jobs.
        lanes: the task of each lane, by the id of its job.
        jobs: the job of each lane that has begun to send, so that it can be stopped.
        failed: True if a lane ended by an error, so that the identity is to be given back.
    """

    id: int
    name: str
    epoch: int
    client: RescueClient
    lanes: dict[int, "asyncio.Task[None]"] = attrs.field(factory=dict)
    jobs: dict[int, Job[PinRequest]] = attrs.field(factory=dict)
    failed: bool = False


async def work(
    database: str,
    credentials: Mapping[str, AuthCode | Login],
    *,
    base_url: str = BASE_URL,
    pace: Pace = Pace(),
    patience: float = PATIENCE,
    until_done: bool = False,
    stop: asyncio.Event | None = None,
    on_event: Listener | None = None,
    **options: Any,
) -> None:
    """Work on all jobs of the database that name one of the identities, until it is cancelled.

    Args:
        database: URL of the PostgreSQL.
        credentials: credentials of each identity that this worker can call as, by the name that jobs know.
        base_url: scheme and host of the service.
        pace: what the service allows each identity.
        patience: seconds for which a lane waits for a service that is away, before it begins anew.
        until_done: return when no job of these identities has a row left. Default: wait for further jobs.
        stop: once set, nothing more is sent; what is under way is finished and recorded, and `work` returns.
        on_event: called with the events of clients and jobs.
        options: further options of each `RescueClient`, such as ``relogin`` or ``proxy``.

    Raises:
        errors.InvalidRequest: there are no credentials, or an option is wrong.
        errors.AuthenticationError, errors.OutOfPinCodes: the service refused the last identity that was left.
        errors.JournalError: the database cannot be used at the beginning, or is of another version.
    """
    if not credentials:
        raise errors.InvalidRequest("a worker needs the credentials of at least one identity")
    client_options = {"base_url": base_url, "pace": pace, "relogin": True, "on_event": on_event, **options}
    async with connected(database, prepare=True):
        pass
    async with Statements(database) as statements:
        worker = _Worker(database, statements, credentials, client_options, patience, until_done=until_done)
        try:
            await worker.run(stop or asyncio.Event())
        finally:
            await worker.close()


class _Worker:
    def __init__(
        self,
        database: str,
        statements: Statements,
        credentials: Mapping[str, AuthCode | Login],
        options: Mapping[str, Any],
        patience: float,
        *,
        until_done: bool,
    ) -> None:
        self._database, self._statements, self._credentials = database, statements, dict(credentials)
        self._options, self._patience, self._until_done = options, patience, until_done
        self._held: dict[int, _Holding] = {}
        self._refused: dict[str, errors.RescueError] = {}
        rate = options["pace"].pins
        self._rate = float(rate) if isinstance(rate, int | float) else 1.0
        self._in_flight = min(max(2, ceil(2 * self._rate)), _IN_FLIGHT)

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, also when the database goes away and comes back."""
        number = 0
        while True:
            try:
                async with connected(self._database) as connection:
                    watch = Watch(connection, self._credentials, number)
                    await watch.register()
                    number = watch.id
                    await self._hold_again(watch)
                    await self._watch(watch, stop)
                    return
            except errors.JournalError as problem:
                if problem.reason is JournalReason.NEWER_VERSION:
                    raise
                _log.warning("%s; looking again", problem)
            if stop.is_set():
                return
            await asyncio.sleep(_LOOK / 2)

    async def close(self) -> None:
        """End all lanes at once; rows that were sent stay so until their identity is fenced."""
        for holding in list(self._held.values()):
            await self._end(holding)

    async def _watch(self, watch: Watch, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if not await self._look_once(watch):
                return
            try:
                async with asyncio.timeout(_LOOK):
                    await stop.wait()
            except TimeoutError:
                pass
        await asyncio.gather(*[self._give_up(watch, holding) for holding in list(self._held.values())])

    async def _hold_again(self, watch: Watch) -> None:
        """Take again the locks that went with the last connection; lanes of identities that are held elsewhere end."""
        for holding in list(self._held.values()):
            if not await watch.hold_again(holding.id, holding.epoch):
                await self._end(holding)
        if self._held:
            await asyncio.sleep(_GRACE)

    async def _look_once(self, watch: Watch) -> bool:
        """Take and give up identities, and begin lanes; returns whether there is anything to wait for."""
        lanes = await watch.look()
        for holding in list(self._held.values()):
            if holding.failed or not watch.is_mine(holding.name):
                await self._give_up(watch, holding)
        refused = [self._credentials[name] for name in self._refused]
        if all(one in refused for one in self._credentials.values()):
            raise next(iter(self._refused.values()))
        for lane in lanes:
            if lane.identity_name not in self._refused and watch.is_mine(lane.identity_name):
                await self._serve(watch, lane)
        if self._until_done and not lanes and not any(one.lanes for one in self._held.values()):
            return await watch.is_open()
        return True

    async def _serve(self, watch: Watch, lane: Work) -> None:
        holding = self._held.get(lane.identity)
        if holding is None:
            epoch = await watch.hold(lane.identity)
            if epoch is None:
                return
            client = RescueClient(self._credentials[lane.identity_name], **self._options)
            holding = self._held[lane.identity] = _Holding(lane.identity, lane.identity_name, epoch, client)
        if lane.job not in holding.lanes:
            await watch.begin_run(lane.job)
            first = not holding.lanes and not holding.jobs
            holding.lanes[lane.job] = asyncio.create_task(self._run_lane(holding, lane, wait=first))

    async def _run_lane(self, holding: _Holding, lane: Work, *, wait: bool) -> None:
        """Send rows of one job as one identity until none is free."""
        try:
            if wait and holding.epoch > 1:
                await asyncio.sleep(1 / self._rate)  # the worker before may have sent a moment ago
            store = LaneStore(
                self._statements,
                self._database,
                job=lane.job,
                name=lane.job_name,
                owner=lane.identity,
                lane=Lane(holding.name, holding.epoch),
                most=max(_CLAIM, ceil(self._rate)),
            )
            job = issue_staged(
                holding.client, store, job=lane.job_name, in_flight=self._in_flight, patience=self._patience
            )
            holding.jobs[lane.job] = job
            async with job:
                async for _ in job:
                    pass
        except (errors.AuthenticationError, errors.OutOfPinCodes) as problem:
            self._refused[holding.name] = problem
            holding.failed = True
            _log.warning("identity %s is refused, and its rows go to others: %s", holding.name, problem)
        except (errors.RescueError, psycopg.Error) as problem:
            holding.failed = True
            _log.warning("lane of %s in job %s ended: %s", holding.name, lane.job_name, problem)
        finally:
            holding.lanes.pop(lane.job, None)
            holding.jobs.pop(lane.job, None)

    async def _give_up(self, watch: Watch, holding: _Holding) -> None:
        """Finish what is under way, then free the identity and its rows."""
        for number, task in holding.lanes.items():
            if number in holding.jobs:
                holding.jobs[number].stop()
            else:
                task.cancel()
        if holding.lanes:
            await asyncio.wait(list(holding.lanes.values()))
        await self._end(holding)
        await watch.release(holding.id)

    async def _end(self, holding: _Holding) -> None:
        self._held.pop(holding.id, None)
        tasks = list(holding.lanes.values())
        for task in tasks:
            task.cancel()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(holding.client.aclose)
            if tasks:
                await asyncio.wait(tasks)
