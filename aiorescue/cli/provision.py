"""A run of `aiorescue pins`: takes rows in, brings PINs out, until the end, an interruption or a failure."""

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
from aiorescue.cli.customers import Chunks, Customers, Row
from aiorescue.cli.output import complain, one_line
from aiorescue.cli.progress import Display, RowErrors, display
from aiorescue.cli.sheet import Sheet
from aiorescue.cli.status import Status
from aiorescue.cli.summary import Summary
from aiorescue.cli.tally import Tally
from aiorescue.emulator import Emulator
from aiorescue.rescue import PinRequest

#: Rows in a row that failed because of the service, after which the rest is left for a later run.
GIVE_UP: Final = 25
#: Failures of the service or of the way to it, not of the row.
_OUTAGE = (errors.ConnectionFailed, errors.RequestTimeout, errors.ServiceError, errors.ProtocolError)


@attrs.frozen(kw_only=True)
class Plan:
    """What a run is to do.

    Attributes:
        customers: the rows.
        operation: the PIN request that is made for each row.
        no_tech_console: whether the service may issue a PIN while no Technician Console runs.
        output: the file for the rows with their PINs.
        journal: the journal.
        binding: the only binding to use, or None for the best.
        pace: PINs per second that the service allows each identity.
        credentials: the identities to call as.
        base_url: the service; None for an emulator that lives as long as the run.
        seed: selects the PINs of that emulator.
        again: the command line.
    """

    customers: Customers
    operation: type[PinRequest]
    no_tech_console: bool
    output: Path
    journal: Path
    binding: Binding | None
    pace: float
    credentials: Sequence[AuthCode | Login]
    base_url: str | None
    seed: int
    again: str

    @property
    def name(self) -> str:
        """The job's name in the journal, so that no journal is used for another service, file or kind of PIN."""
        where = self.base_url or "the emulator"
        return f"{self.operation.spec.name} for {self.customers.path.name} at {where}"


async def run(plan: Plan) -> Summary:
    """Carry out a plan; expected errors that end it early are part of the summary."""
    async with AsyncExitStack() as stack:
        url = plan.base_url
        if url is None:
            url = (await stack.enter_async_context(Emulator(pin_rate=plan.pace, seed=plan.seed))).url
        client = RescueClient(plan.credentials, base_url=url, pace=Pace(pins=plan.pace))
        await stack.enter_async_context(client)
        return await _Run(plan, client).to_the_end()


class _Run:
    """One run of the job; as an async iterator it is the source of the job's requests."""

    def __init__(self, plan: Plan, client: RescueClient) -> None:
        customers = plan.customers
        self._rows = Chunks(customers.read(plan.operation, no_tech_console=plan.no_tech_console))
        self._under_way: dict[int, Row] = {}  # by position: taken by the job, without a result yet
        self._position = 0
        self._sheet = Sheet(plan.output, (*customers.columns, "pin", "error"), customers.encoding)
        self._tally = Tally(customers.rows)
        self._display: Display = display(customers.rows)
        self._row_errors = RowErrors(self._display)
        self._job: Job[PinRequest] = issue(client, self, journal=plan.journal, job=plan.name, binding=plan.binding)
        self._plan = plan
        self._outage: list[errors.RescueError] = []  # failures of the service since the last PIN
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
            self._add_bad_row(row, row.problem)
            await self._sheet.flush_if_due()
        raise StopAsyncIteration

    # --- PINs out ---

    async def to_the_end(self) -> Summary:
        """Run the job and put the output in its place."""
        problem: Exception | None = None
        written = False
        try:
            with _on_interrupt(self._stop, self._leave):
                problem = await self._write_results()
                self._tally.stop()
                written = await self._sheet.close()
        except OSError as trouble:
            problem = problem or trouble
        finally:
            self._display.close()
        return Summary(
            tally=self._tally,
            problem=problem,
            interrupted=self._interrupted,
            output=self._plan.output,
            written=written,
            journal=self._plan.journal,
            again=self._plan.again,
        )

    async def _write_results(self) -> Exception | None:
        """Write all results; returns the error that ended the job early."""
        try:
            async with self._job:
                async for issued in self._job:
                    self._add_result(issued)
                    self._display.show(self._tally)
                    await self._sheet.flush_if_due()
        except (errors.RescueError, OSError) as problem:
            return problem
        return self._outage[0] if self._service_is_down() else None

    def _service_is_down(self) -> bool:
        if self._interrupted or not self._outage:
            return False
        return len(self._outage) >= min(GIVE_UP, self._tally.done - self._tally.bad_rows)

    def _add_result(self, issued: Issued[PinRequest]) -> None:
        row = self._under_way.pop(issued.position)
        if isinstance(issued.error, errors.InvalidRequest):
            self._add_bad_row(row, f"line {row.line}: {_fault_of_row(issued.error)}")
            return
        self._tally.count(issued)
        if issued.pin is not None:
            self._sheet.add(*row.cells, issued.pin.code, "")
            self._outage.clear()
            return
        self._sheet.add(*row.cells, "", one_line(str(issued.error)))
        self._row_errors.show(f"{self._plan.customers.path.name}: line {row.line}: {issued.error}")
        if isinstance(issued.error, _OUTAGE):
            self._outage.append(issued.error)
            if len(self._outage) == GIVE_UP:
                self._display.line(
                    f"{GIVE_UP} rows in a row failed because of the service; finishing what is in flight"
                )
                self._job.stop()

    def _add_bad_row(self, row: Row, problem: str) -> None:
        self._tally.bad_rows += 1
        self._sheet.add(*row.cells, "", one_line(problem))
        self._row_errors.show(f"{self._plan.customers.path.name}: {problem}")

    # --- interruptions ---

    def _stop(self) -> None:
        """Finish what is in flight and send nothing more: each PIN that was asked for is used."""
        self._interrupted = True
        self._display.line("interrupted: finishing what is in flight; once more leaves at once")
        self._job.stop()

    def _leave(self) -> None:
        """End the process at once: what the service answered is in the journal, and the output is as it was."""
        self._display.close()
        complain(f"left at once; the journal is safe. To go on: {self._plan.again}")
        os._exit(Status.INTERRUPTED)


def _fault_of_row(problem: errors.InvalidRequest) -> str:
    """What is wrong with a row; a message that counts requests would confuse a reader who counts lines."""
    if isinstance(problem, errors.DuplicateTracking):
        return f"tracking {problem.tracking!r} occurs twice in this job; each request needs its own"
    return str(problem)


@contextmanager
def _on_interrupt(first: Callable[[], None], second: Callable[[], None]) -> Iterator[None]:
    """Call `first` at the first SIGINT and `second` at each later one."""
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        loop.add_signal_handler(signal.SIGINT, second)
        first()

    try:
        loop.add_signal_handler(signal.SIGINT, interrupt)
    except NotImplementedError:  # Windows: Ctrl-C ends the loop at once
        yield
        return
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
