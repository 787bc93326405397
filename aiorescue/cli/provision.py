"""One run of `aiorescue pins`: rows in, PINs out, until the end, an interruption or a failure."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Final, Self

import attrs

from aiorescue import AuthCode, Binding, Login, Pace, RescueClient, errors
from aiorescue.bulk import Issued, Job, issue
from aiorescue.cli import say
from aiorescue.cli.customers import Chunks, Customers, Row
from aiorescue.cli.progress import Display, Troubles, display
from aiorescue.cli.sheet import Sheet
from aiorescue.cli.status import Status, status_of
from aiorescue.cli.tally import Tally
from aiorescue.emulator import Emulator
from aiorescue.rescue import PinRequest

#: Rows in a row that the service did not answer properly, after which the rest is left for another day.
GIVE_UP: Final = 25
_FAILING = (errors.ConnectionFailed, errors.RequestTimeout, errors.ServiceError, errors.ProtocolError)


@attrs.frozen(kw_only=True)
class Plan:
    """What to do.

    Attributes:
        customers: the rows.
        operation: what to ask for each.
        no_tech_console: whether no Technician Console need be running.
        output: where the PINs go.
        journal: the journal.
        binding: the one and only, or None for the best.
        pace: PINs per second that the service allows.
        callers: whom to call as.
        base_url: the service; None for an emulator of our own.
        seed: of that emulator.
        again: the command line.
    """

    customers: Customers
    operation: type[PinRequest]
    no_tech_console: bool
    output: Path
    journal: Path
    binding: Binding | None
    pace: float
    callers: Sequence[AuthCode | Login]
    base_url: str | None
    seed: int
    again: str

    @property
    def name(self) -> str:
        """The job's name in the journal, so that no journal is used for another service, file or kind of PIN."""
        where = self.base_url or "the emulator"
        return f"{self.operation.spec.name} for {self.customers.path.name} at {where}"


@attrs.frozen
class End:
    """How a run ended."""

    tally: Tally
    status: Status
    written: bool  # the output was replaced
    problem: Exception | None = None


async def run(plan: Plan) -> End:
    """Do it. Raises only what is no expected error."""
    async with AsyncExitStack() as stack:
        url = plan.base_url
        if url is None:
            url = (await stack.enter_async_context(Emulator(pin_rate=plan.pace, seed=plan.seed))).url
        client = RescueClient(plan.callers, base_url=url, pace=Pace(pins=plan.pace))
        await stack.enter_async_context(client)
        return await _Run(plan, client).to_the_end()


class _Run:
    """The run itself; it is the source of the job's requests, too."""

    def __init__(self, plan: Plan, client: RescueClient) -> None:
        customers = plan.customers
        self._rows = Chunks(customers.read(plan.operation, no_tech_console=plan.no_tech_console))
        self._under_way: dict[int, Row] = {}  # by position: taken by the job, without a result yet
        self._position = 0
        self._sheet = Sheet(plan.output, (*customers.columns, "pin", "error"), customers.encoding)
        self._tally = Tally(customers.rows)
        self._display: Display = display(customers.rows)
        self._troubles = Troubles(self._display)
        self._job: Job[PinRequest] = issue(client, self, journal=plan.journal, job=plan.name, binding=plan.binding)
        self._plan = plan
        self._failing: list[errors.RescueError] = []
        self._interrupted = False

    # --- rows in ---

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> PinRequest:
        while (row := await self._rows.next()) is not None:
            if row.request is not None:
                self._under_way[self._position] = row
                self._position += 1
                return row.request
            self._bad(row, row.problem)
            await self._sheet.flush_if_due()
        raise StopAsyncIteration

    # --- PINs out ---

    async def to_the_end(self) -> End:
        problem: Exception | None = None
        written = False
        try:
            with _interrupts(self._stop, self._leave):
                problem = await self._results()
                self._tally.stop()
                written = await self._sheet.close()
        except OSError as trouble:
            problem = problem or trouble
        finally:
            self._display.close()
        return End(self._tally, self._status(problem), written, problem)

    async def _results(self) -> Exception | None:
        """Write all results; returns the error that ended them before their time."""
        try:
            async with self._job:
                async for issued in self._job:
                    self._result(issued)
                    self._display.show(self._tally)
                    await self._sheet.flush_if_due()
        except (errors.RescueError, OSError) as problem:
            return problem
        return self._failing[0] if self._service_fails() else None

    def _service_fails(self) -> bool:
        if self._interrupted or not self._failing:
            return False
        return len(self._failing) >= min(GIVE_UP, self._tally.done - self._tally.bad_rows)

    def _result(self, issued: Issued[PinRequest]) -> None:
        row = self._under_way.pop(issued.position)
        if isinstance(issued.error, errors.InvalidRequest):
            why = str(issued.error).removeprefix(f"request {issued.position}: ")
            self._bad(row, f"line {row.line}: {why}")
            return
        self._tally.count(issued)
        if issued.pin is not None:
            self._sheet.add(*row.cells, issued.pin.code, "")
            self._failing.clear()
            return
        self._sheet.add(*row.cells, "", say.one_line(str(issued.error)))
        self._troubles.tell(f"{self._plan.customers.path.name}: line {row.line}: {issued.error}")
        if isinstance(issued.error, _FAILING):
            self._failing.append(issued.error)
            if len(self._failing) == GIVE_UP:
                self._display.line(
                    f"{GIVE_UP} rows in a row failed for the service's sake; finishing what is in flight"
                )
                self._job.stop()

    def _bad(self, row: Row, why: str) -> None:
        self._tally.bad_rows += 1
        self._sheet.add(*row.cells, "", say.one_line(why))
        self._troubles.tell(f"{self._plan.customers.path.name}: {why}")

    # --- before its time ---

    def _stop(self) -> None:
        self._interrupted = True
        self._display.line("interrupted: finishing what is in flight; once more leaves at once")
        self._job.stop()

    def _leave(self) -> None:
        """At once: what the service said is in the journal, and the output is as it was."""
        self._display.close()
        say.complain(f"left at once; the journal is safe. To go on: {self._plan.again}")
        os._exit(Status.INTERRUPTED)

    def _status(self, problem: Exception | None) -> Status:
        if problem is not None:
            return status_of(problem)
        tally = self._tally
        if self._interrupted and not tally.complete:
            return Status.INTERRUPTED
        return Status.SOME_FAILED if tally.failed or tally.bad_rows or not tally.complete else Status.OK


@contextmanager
def _interrupts(first: Callable[[], None], second: Callable[[], None]) -> Iterator[None]:
    """What Ctrl-C does meanwhile."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        loop.add_signal_handler(signal.SIGINT, second)
        first()

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except NotImplementedError:  # Windows: Ctrl-C leaves at once
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
