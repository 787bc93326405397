"""`work`: one worker of distributed jobs. It holds identities, and runs a dispatcher for each of their lanes."""

import asyncio
import logging
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from math import ceil, inf
from typing import Any, Final

import attrs
import psycopg

from aiorescue import errors
from aiorescue.bulk.distributed.allowance import Allowance
from aiorescue.bulk.distributed.database import Statements, connected
from aiorescue.bulk.distributed.lane_store import LaneStore
from aiorescue.bulk.distributed.watch import Work, WorkerWatch
from aiorescue.bulk.job import PATIENCE, Job, check_patience, issue_staged
from aiorescue.bulk.store import Lane
from aiorescue.call.arguments import check_flags
from aiorescue.errors import JournalReason
from aiorescue.events import Listener
from aiorescue.identity.credentials import AuthCode, Login
from aiorescue.identity.standing import says_login_limit
from aiorescue.operation import discreetly_awaited
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
#: Seconds after which an identity tries again when it has logged in too often, as after several takeovers.
_REST: Final = 60.0
#: Seconds for which a worker that is to stop waits for a database that is away, to record what was under way.
_RECORDING: Final = 30.0
#: Why a database cannot be used, however long a worker waits.
_ENDS_WORKER: Final = (JournalReason.NEWER_VERSION, JournalReason.DAMAGED)
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
        allowance: the rows that its lanes may hold at once.
        lanes: the task of each lane, by the id of its job.
        jobs: the job of each lane that has begun to send, so that it can be stopped.
        leaving: True if it takes no more rows, and is to be given back when the calls under way have ended.
    """

    id: int
    name: str
    epoch: int
    client: RescueClient
    allowance: Allowance
    lanes: dict[int, "asyncio.Task[None]"] = attrs.field(factory=dict)
    jobs: dict[int, Job[PinRequest]] = attrs.field(factory=dict)
    leaving: bool = False

    def leave(self) -> None:
        """Send nothing more; calls under way go on."""
        if self.leaving:
            return
        self.leaving = True
        for number, task in self.lanes.items():
            if number in self.jobs:
                self.jobs[number].stop()
            elif task is not asyncio.current_task():
                task.cancel()

    async def end(self) -> None:
        """End all lanes at once; rows that were sent stay so until the identity is fenced."""
        tasks = list(self.lanes.values())
        for task in tasks:
            task.cancel()
        async with AsyncExitStack() as stack:
            stack.push_async_callback(self.client.aclose)
            if tasks:
                await asyncio.wait(tasks)


@discreetly_awaited
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
        until_done: return when no job of these identities has a row left. Default: wait for further jobs. Raises the
            refusal if the rows that are left are of jobs for which the service refuses the credentials given here.
        stop: once set, nothing more is sent; what is under way is finished and recorded, and `work` returns. A
            database that is away is waited for, for half a minute at most.
        on_event: called with the events of clients and jobs.
        options: further options of each `RescueClient`, such as ``relogin`` or ``proxy``.

    Raises:
        errors.InvalidRequest: there are no credentials, or an argument cannot be used; nothing was done.
        errors.AuthenticationError, errors.OutOfPinCodes: the service refused the last identity that was left, or
            with `until_done` the last one that could work on what is left; the message names it.
        errors.JournalError: the database cannot be used at the beginning, or its tables are of another version.
    """
    client_options = {"base_url": base_url, "pace": pace, "relogin": True, "on_event": on_event, **options}
    check_flags(until_done=until_done)
    _check(credentials, pace, patience, client_options)
    async with connected(database, prepare=True):
        pass
    async with Statements(database) as statements:
        worker = _Worker(database, statements, credentials, client_options, patience, until_done=until_done)
        try:
            await worker.run(stop or asyncio.Event())
        finally:
            await worker.close()


def _check(credentials: object, pace: object, patience: object, options: Mapping[str, Any]) -> None:
    """Check the arguments of a worker: in a lane, a wrong one would be the problem of an identity, again and again."""
    if not credentials:
        raise errors.InvalidRequest("a worker needs the credentials of at least one identity")
    if not isinstance(credentials, Mapping) or not all(isinstance(name, str) for name in credentials):
        raise errors.InvalidRequest("credentials must be a mapping of names to AuthCode(…) or Login(…)")
    if not isinstance(pace, Pace):
        raise errors.InvalidRequest(f"pace must be Pace(…), not {pace!r}")
    check_patience(patience)
    for one in credentials.values():
        RescueClient([one], **options)


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
        self._rests: dict[str, float] = {}  # until when an identity is not to log in
        self._ends_at = inf  # when it ends, though something is under way
        self._wake = asyncio.Event()  # an identity can be given back, or the end is wanted
        rate = options["pace"].pins
        self._rate = float(rate) if isinstance(rate, int | float) else 1.0
        self._in_flight = min(max(2, ceil(2 * self._rate)), _IN_FLIGHT)
        self._claim = max(_CLAIM, ceil(self._rate))

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop`, also when the database goes away and comes back."""
        number = 0
        while True:
            try:
                async with connected(self._database) as connection:
                    watch = WorkerWatch(connection, self._credentials, number)
                    await watch.register()
                    number = watch.id
                    await self._hold_again(watch)
                    await self._watch(watch, stop)
                    return
            except errors.JournalError as problem:
                if problem.reason in _ENDS_WORKER:
                    raise
                _log.warning("%s; looking again", problem)
            if stop.is_set() and self._may_end():
                return
            await asyncio.sleep(_LOOK / 2)

    def _may_end(self) -> bool:
        """Send nothing more; returns whether nothing is under way, or the database is away too long to record it."""
        now = asyncio.get_running_loop().time()
        self._ends_at = min(self._ends_at, now + _RECORDING)
        for holding in self._held.values():
            holding.leave()
        return now >= self._ends_at or not any(holding.lanes for holding in self._held.values())

    async def close(self) -> None:
        """End all lanes at once; rows that were sent stay so until their identity is fenced."""
        await self._end(list(self._held.values()))

    async def _watch(self, watch: WorkerWatch, stop: asyncio.Event) -> None:
        stopping = asyncio.create_task(_set_with(stop, self._wake))
        try:
            while not stop.is_set():
                if not await self._look_once(watch):
                    return
                await self._pause()
            for holding in self._held.values():
                holding.leave()
            while self._held:
                await self._give_back(watch)
                if self._held:
                    await self._pause()
                    await watch.check()
        finally:
            stopping.cancel()

    async def _pause(self) -> None:
        """Wait for the next look: a while, or until an identity can be given back or the end is wanted."""
        try:
            async with asyncio.timeout(_LOOK):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()

    async def _hold_again(self, watch: WorkerWatch) -> None:
        """Take again the locks that went with the last connection; lanes of identities that are held elsewhere end."""
        if self._held:
            same = await watch.hold_again({number: one.epoch for number, one in self._held.items()})
            await self._end([one for number, one in self._held.items() if number not in same])
        if self._held:
            await asyncio.sleep(_GRACE)

    async def _look_once(self, watch: WorkerWatch) -> bool:
        """Take and give up identities, and begin lanes; returns whether there is anything to wait for."""
        await watch.leave_out(self._refused)
        lanes = await watch.look()
        for holding in self._held.values():
            if not watch.is_mine(holding.name):
                holding.leave()
        await self._give_back(watch)
        refused = [self._credentials[name] for name in self._refused]
        if all(one in refused for one in self._credentials.values()):
            raise next(iter(self._refused.values()))
        await self._serve(watch, [lane for lane in lanes if self._may_begin(watch, lane.identity_name)])
        if self._until_done and not lanes and not any(one.lanes for one in self._held.values()):
            return await watch.is_open() or await self._fail_if_refused(watch)
        return True

    async def _fail_if_refused(self, watch: WorkerWatch) -> bool:
        """Raise the refusal of an identity whose jobs have rows left; returns False if there is none."""
        for name, problem in self._refused.items():
            if await watch.is_open(name):
                raise problem
        return False

    def _may_begin(self, watch: WorkerWatch, identity: str) -> bool:
        rests = self._rests.get(identity, 0.0) > asyncio.get_running_loop().time()
        return not rests and identity not in self._refused and watch.is_mine(identity)

    async def _serve(self, watch: WorkerWatch, lanes: Sequence[Work]) -> None:
        """Take the identities of lanes, and begin those that have not begun."""
        names = {lane.identity: lane.identity_name for lane in lanes if lane.identity not in self._held}
        for number, epoch in (await watch.hold(names) if names else {}).items():
            client = RescueClient(self._credentials[names[number]], **self._options)
            allowance = Allowance(self._in_flight + self._claim)
            self._held[number] = _Holding(number, names[number], epoch, client, allowance)
        begun = []
        for lane in lanes:
            holding = self._held.get(lane.identity)
            if holding is None or holding.leaving or lane.job in holding.lanes:
                continue
            first = lane.identity in names and not holding.lanes
            holding.lanes[lane.job] = asyncio.create_task(self._run_lane(holding, lane, wait=first))
            begun.append(lane.job)
        await watch.count_runs(begun)

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
                most=self._claim,
                allowance=holding.allowance,
            )
            job = issue_staged(
                holding.client, store, job=lane.job_name, in_flight=self._in_flight, patience=self._patience
            )
            holding.jobs[lane.job] = job
            async with job:
                async for _ in job:
                    pass
        except (errors.AuthenticationError, errors.OutOfPinCodes) as problem:
            holding.leave()
            if says_login_limit(problem.status):
                self._rests[holding.name] = asyncio.get_running_loop().time() + _REST
                _log.warning("identity %s has logged in too often, and rests for %.0f s", holding.name, _REST)
                return
            refusal = type(problem)(f"identity {holding.name} is refused: {problem}", **vars(problem))
            self._refused[holding.name] = refusal
            _log.warning("%s; its rows go to others", refusal)
        except (errors.RescueError, psycopg.Error) as problem:
            holding.leave()
            _log.warning("lane of %s in job %s ended: %s", holding.name, lane.job_name, problem)
        finally:
            holding.lanes.pop(lane.job, None)
            holding.jobs.pop(lane.job, None)
            if holding.leaving and not holding.lanes:
                self._wake.set()

    async def _give_back(self, watch: WorkerWatch) -> None:
        """Free the identities that are to leave and have nothing under way, with their rows."""
        ended = [holding for holding in self._held.values() if holding.leaving and not holding.lanes]
        if ended:
            await watch.release([holding.id for holding in ended])
            await self._end(ended)

    async def _end(self, holdings: Sequence[_Holding]) -> None:
        for holding in holdings:
            self._held.pop(holding.id, None)
        await asyncio.gather(*[holding.end() for holding in holdings])


async def _set_with(first: asyncio.Event, second: asyncio.Event) -> None:
    await first.wait()
    second.set()
