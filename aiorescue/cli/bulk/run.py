"""A run of `aiorescue pins`: stages the input in the journal, works on the job, and writes the output from it."""

import asyncio
import signal
from array import array
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

from aiorescue import AuthCode, Binding, Login, Pace, RescueClient, emulator, errors
from aiorescue.bulk import InputRow, Issued, Job, Journal, State, issue_staged
from aiorescue.cli import credentials
from aiorescue.cli.bulk import table
from aiorescue.cli.bulk.customers import Customers
from aiorescue.cli.bulk.progress import Display, RowErrors, display, waits_for
from aiorescue.cli.bulk.run_page.file import RunPage
from aiorescue.cli.bulk.summary import Changes, Summary, ending_of
from aiorescue.cli.bulk.tally import Tally, clock
from aiorescue.cli.output import complain
from aiorescue.cli.sheet import Sheet
from aiorescue.cli.signals import leave, on_signal
from aiorescue.emulator.rules.rescue.ledger import seed_behind
from aiorescue.events import Event, OutageBegan, OutageEnded
from aiorescue.operation import frozen
from aiorescue.rescue import PinRequest

#: Rows in a row that failed because of the service, after which the rest is left for a later run.
GIVE_UP: Final = 25
#: Seconds between two looks at the job while no result comes.
_REFRESH: Final = 0.5
#: Failures of the service or of the way to it, not of the row.
_OUTAGE = (errors.ConnectionFailed, errors.RequestTimeout, errors.ServiceError, errors.ProtocolError)


@frozen(kw_only=True)
class RunPlan:
    """What a run is to do.

    Attributes:
        customers: the rows.
        name: the job's name in the journal, so that no journal is used for another service, file or PIN operation.
        operation: the PIN request that is made for each row.
        no_tech_console: whether the service may issue a PIN while no Technician Console runs.
        output: the file for the rows with their PINs; ``-`` for stdout.
        safe: let no cell of the output begin like a formula.
        journal: the journal.
        page: the page about the run, or None.
        binding: the only binding to use, or None for the best.
        pace: PINs per second that the service allows each identity.
        patience: seconds for which a service that is away is waited for.
        credentials: the identities to call as.
        base_url: the service; None for an emulator that lives as long as the run.
        again: the command line.
    """

    customers: Customers
    name: str
    operation: type[PinRequest]
    no_tech_console: bool
    output: Path
    safe: bool
    journal: Path
    page: RunPage | None
    binding: Binding | None
    pace: float
    patience: float
    credentials: Sequence[AuthCode | Login]
    base_url: str | None
    again: str


async def run(plan: RunPlan) -> Summary:
    """Carry out a plan; expected errors that end it early are part of the summary."""
    return await _Run(plan).to_the_end()


class _Run:
    """One run of the job."""

    def __init__(self, plan: RunPlan) -> None:
        self._plan = plan
        self._tally = Tally(plan.customers.rows)
        self._display: Display = display(plan.customers.rows)
        self._row_errors = RowErrors(self._display)
        self._lines = array("L")  # of the input, by position
        self._job: Job[PinRequest] | None = None
        self._sheet: Sheet | None = None
        self._changes = Changes()
        self._outage: list[errors.RescueError] = []  # failures of the service since the last PIN
        self._refused: Mapping[str, errors.RescueError] = {}
        self._signal = 0
        self._output_problem: OSError | None = None
        self._written = False
        self._page = plan.page

    async def to_the_end(self) -> Summary:
        """Stage the input, work on the job, and put the output in its place."""
        problem: Exception | None = None
        working = asyncio.create_task(self._work())
        try:
            with on_signal(lambda number: self._stop(number, working), self._leave):
                await asyncio.wait({working})
                if not working.cancelled():
                    problem = working.result()
        except (errors.RescueError, OSError) as trouble:
            problem = trouble
        finally:
            working.cancel()
            await asyncio.wait({working})
            self._tally.stop()
            self._display.close()
        await self._finish_page(problem)
        plan = self._plan
        return Summary(
            tally=self._tally,
            problem=problem,
            output_problem=self._output_problem,
            signal=self._signal,
            refused=self._refused,
            changes=self._changes,
            label=plan.customers.label,
            output=plan.output,
            written=self._written,
            journal=plan.journal,
            page=self._page,
            again=plan.again,
        )

    async def _work(self) -> Exception | None:
        """Do all the work; returns the error that ended it early."""
        async with Journal(self._plan.journal, self._plan.name) as store:
            await self._stage(store)
            sheet = self._sheet = await table.sheet_for(
                store, self._plan.output, encoding=self._plan.customers.encoding, safe=self._plan.safe
            )
            try:
                async with self._client(store) as client:
                    problem = await self._issue(client, store)
            except (errors.RescueError, OSError) as trouble:
                problem = trouble
            except BaseException:
                await sheet.discard()
                raise
            try:
                self._tally.end(await store.status())
            except errors.JournalError as trouble:  # its file has vanished
                await sheet.discard()
                return problem or trouble
            self._tally.stop()
            self._display.show(self._tally)
            await self._write(store, sheet)
        return problem

    # --- rows in ---

    async def _stage(self, store: Journal) -> None:
        plan, customers = self._plan, self._plan.customers
        rows = customers.read(plan.operation, no_tech_console=plan.no_tech_console)
        staging = await store.stage(self._noting_lines(rows), columns=customers.columns)
        self._changes = Changes.of(staging)
        self._tally.begin(await store.status())
        if staging.bad:
            async for row in store.rows(State.BAD):
                self._row_errors.show(f"{customers.label}: {table.error_of(row)}")
                if self._row_errors.are_enough:
                    break

    def _noting_lines(self, rows: Iterator[InputRow]) -> Iterator[InputRow]:
        for row in rows:
            self._lines.append(row.line)
            yield row

    # --- PINs out ---

    @asynccontextmanager
    async def _client(self, store: Journal) -> AsyncIterator[RescueClient]:
        plan = self._plan
        pace, listener = Pace(pins=plan.pace), None if self._page is None else self._page.record
        if plan.base_url is not None:
            async with credentials.client(plan.credentials, plan.base_url, pace=pace, on_event=listener) as client:
                yield client
            return
        async with (
            emulator.Emulator(pin_rate=plan.pace, seed=await _seed(store)) as service,
            RescueClient(plan.credentials, base_url=service.url, pace=pace, on_event=listener) as client,
        ):
            yield client

    async def _issue(self, client: RescueClient, store: Journal) -> Exception | None:
        """Ask for a PIN for each row that is left; returns the error that ended the job early."""
        if self._signal:
            return None
        plan = self._plan
        job = issue_staged(
            client, store, job=plan.name, binding=plan.binding, patience=plan.patience, on_event=self._tell
        )
        self._job = job
        refreshing = asyncio.create_task(self._refresh(job))
        try:
            async with job:
                async for issued in job:
                    self._add_result(issued, job)
                    self._display.show(self._tally, waits_for(job))
        except (errors.RescueError, OSError) as problem:
            return problem
        finally:
            refreshing.cancel()
            self._refused = job.refused
        return self._outage[0] if self._service_is_down() else None

    async def _refresh(self, job: Job[PinRequest]) -> None:
        while True:
            await asyncio.sleep(_REFRESH)
            self._display.show(self._tally, waits_for(job))
            if self._page is not None:
                await self._page.write_if_due(self._tally)

    def _tell(self, event: Event) -> None:
        if isinstance(event, OutageBegan):
            self._display.line(f"the service is away ({event.error}); waiting for up to {clock(event.patience)}")
        elif isinstance(event, OutageEnded):
            self._display.line(f"the service is back after {clock(event.seconds)}")

    def _service_is_down(self) -> bool:
        if self._signal or not self._outage:
            return False
        tried = self._tally.done - self._tally.bad_rows - self._tally.from_journal
        return len(self._outage) >= min(GIVE_UP, tried)

    def _add_result(self, issued: Issued[PinRequest], job: Job[PinRequest]) -> None:
        self._tally.count(issued)
        if issued.pin is not None:
            self._outage.clear()
            return
        line = self._lines[issued.position] if issued.position < len(self._lines) else 0
        self._row_errors.show(f"{self._plan.customers.label}: line {line}: {issued.error}")
        if isinstance(issued.error, _OUTAGE):
            self._outage.append(issued.error)
            if len(self._outage) == GIVE_UP:
                self._display.line(
                    f"{GIVE_UP} rows in a row failed because of the service; finishing what is in flight"
                )
                job.stop()

    async def _write(self, store: Journal, sheet: Sheet) -> None:
        """Write the output, unless no row has a result; what goes wrong is part of the summary."""
        plan, tally = self._plan, self._tally
        if not tally.done and not self._changes.vanished_issued:
            await sheet.discard()
            return
        try:
            aside = await table.write(store, plan.output, sheet)
        except OSError as problem:
            self._output_problem = problem
            return
        self._written = True
        if aside is not None:
            self._display.line(table.kept_aside(plan.output, aside))

    async def _finish_page(self, problem: Exception | None) -> None:
        """Write the page about the run, whatever ended it; what goes wrong is part of the summary."""
        if self._page is not None:
            ending = ending_of(self._tally, problem, self._signal)
            await asyncio.to_thread(self._page.finish, self._tally, ending)

    # --- interruptions ---

    def _stop(self, number: int, working: "asyncio.Task[Exception | None]") -> None:
        """Finish what is in flight and send nothing more: each PIN that was asked for is used."""
        self._signal = number
        if self._job is not None:
            self._display.line(f"{_word(number)}: finishing what is in flight; once more leaves at once")
            self._job.stop()
        else:
            self._display.line(f"{_word(number)}: nothing was sent")
            working.cancel()

    def _leave(self, number: int) -> None:
        """End the process at once: what the service answered is in the journal, and the output is as it was."""
        self._display.close()
        if self._sheet is not None:
            self._sheet.abandon()
        if self._page is not None:
            self._page.finish(self._tally, ending_of(self._tally, None, number))
        complain(f"left at once; the journal is safe. To go on: {self._plan.again}")
        leave(number)


def _word(number: int) -> str:
    return "interrupted" if number == signal.SIGINT else f"interrupted by {signal.Signals(number).name}"


async def _seed(store: Journal) -> int:
    """Selects the PINs of an emulator: those of a job that goes on come behind those that it has."""
    seed = 0
    async for row in store.rows(State.ISSUED):
        seed = max(seed, seed_behind(row.pin or ""))
    return seed
