"""`aiorescue job`: figures, rows and failures of a job from its store, also while other processes work on it."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Final

import attrs
import typer

from aiorescue.bulk import JobStatus, Journal, State, StoredRow
from aiorescue.cli import sheet, signals
from aiorescue.cli.bulk import table
from aiorescue.cli.bulk.customers import RESULTS
from aiorescue.cli.bulk.database import DatabaseOption, distributed, find_url, journal_at, reader_of
from aiorescue.cli.bulk.tally import clock
from aiorescue.cli.options import JsonOption, SafeOption
from aiorescue.cli.output import CommandResult, RowsWritten, complain, complaint, counted, one_line
from aiorescue.operation import frozen

#: Rows that are named one by one to people.
_SHOWN: Final = 20
_NO_PIN: Final = (State.FAILED, State.BAD)

JournalArgument = Annotated[
    str,
    typer.Argument(
        metavar="JOURNAL|JOB",
        help="The journal of the job: the output's name and .journal. With a database the name of the job.",
    ),
]


@frozen
class Figures(CommandResult):
    """The figures of a job at one moment.

    Attributes:
        journal: the journal, or the name of the job in a database.
        job: the figures.
        orphans: the rows with attempts that may have left an unclaimed PIN.
    """

    journal: Path
    job: JobStatus
    orphans: list[StoredRow]

    def for_people(self) -> Iterator[str]:
        """Yield the figures as lines, those of orphans with their rows."""
        job = self.job
        yield one_line(f"job:     {job.name}{' (a process works on it)' if job.running else ''}")
        yield f"rows:    {job.rows}: {job.issued} issued, {job.failed} failed, {job.bad} bad, {job.left} left"
        if job.running or job.rate:
            left = f", {clock(job.seconds_left)} left" if job.left else ""
            yield f"rate:    {job.rate:.1f} PINs/s over the last minute{left}"
        if job.corrected or job.vanished:
            yield f"changed: {job.corrected} corrected after the PIN was issued, {job.vanished} gone from the input"
        yield f"orphans: {counted(job.possibly_orphaned, 'PIN')} may be unclaimed"
        for row in self.orphans[:_SHOWN]:
            yield f"         {one_line(_name(row))}"
        if len(self.orphans) > _SHOWN:
            yield f"         … and {len(self.orphans) - _SHOWN} more; --json has all"

    def for_programs(self) -> Any:
        """The figures, and the rows that may have left an orphan."""
        job = self.job
        return attrs.asdict(job) | {
            "complete": job.complete,
            "journal": str(self.journal),
            "orphans": [_place(row) | {"possibly_orphaned": self._orphans_of(row)} for row in self.orphans],
            "exit_status": int(self.status),
        }

    def _orphans_of(self, row: StoredRow) -> int:
        """The attempts at a row that may have left a PIN, with the one that was under way when the job was killed."""
        return row.orphans + (row.state is State.SENT and not self.job.running)

    def on_stderr(self, *, as_json: bool) -> Iterable[str]:
        """Yield a warning about the journal's condition, such as a missing log."""
        return [complaint(f"{self.journal}: {self.job.note}")] if self.job.note else []


@frozen
class JobTable(CommandResult):
    """The rows of a job in memory, for programs.

    Attributes:
        columns: the columns of the output.
        rows: the rows as objects.
    """

    columns: list[str]
    rows: list[dict[str, str]]

    def for_programs(self) -> Any:
        """The columns and the rows."""
        return {"columns": self.columns, "rows": self.rows, "exit_status": int(self.status)}


@frozen
class Failures(CommandResult):
    """The rows of a job that have no PIN and never will by themselves.

    Attributes:
        failures: the rows that failed or are bad.
    """

    failures: list[StoredRow]

    def for_people(self) -> Iterator[str]:
        """Yield one line for each row: where it is in the input, and its error."""
        for row in self.failures:
            yield one_line(f"{_name(row)}: {row.status}: {row.error}")
        if not self.failures:
            yield "no row failed"

    def for_programs(self) -> Any:
        """The place in the input and the error of each row."""
        counts = {state.name.lower(): sum(row.state is state for row in self.failures) for state in _NO_PIN}
        return counts | {
            "failures": [_place(row) | {"status": row.status, "error": row.error} for row in self.failures],
            "exit_status": int(self.status),
        }


@frozen
class Retried(CommandResult):
    """Failed rows that are ready to be sent again.

    Attributes:
        retried: number of these rows.
        journal: the journal, or the name of the job in a database.
        next_step: sentence that says which command sends them.
    """

    retried: int
    journal: Path
    next_step: str = "the command that began the job goes on with it"

    def for_people(self) -> Iterator[str]:
        """Yield one line: the number of rows, and what to do next."""
        what = counted(self.retried, "failed row is", "failed rows are")
        yield f"{what} ready to be sent again; {self.next_step}"

    def for_programs(self) -> Any:
        """The number of rows, and the journal."""
        return {"retried": self.retried, "journal": str(self.journal), "exit_status": int(self.status)}


def status(journal: JournalArgument, *, database: DatabaseOption = None, as_json: JsonOption = False) -> Figures:  # noqa: ARG001 - read at the print
    """Show the figures of a job; it may be running."""
    reader = reader_of(journal, database)

    async def read() -> Figures:
        return Figures(Path(journal), await reader.status(), [row async for row in reader.orphans()])

    return signals.run(read())


def export(
    journal: JournalArgument,
    *,
    database: DatabaseOption = None,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Write the CSV into this file.", show_default="stdout")
    ] = sheet.DASH,
    safe_csv: SafeOption = False,
    as_json: JsonOption = False,
) -> CommandResult:
    """Write the rows of a job as CSV: the columns of its input, then pin, status and error."""
    output = sheet.dash_if_stdout(output)
    sheet.check_writable(output, 0)

    reader = reader_of(journal, database)

    async def read() -> CommandResult:
        if as_json and output == sheet.DASH:
            columns = await table.columns_of(reader)
            names = [*columns, *RESULTS]
            return JobTable(
                names,
                [dict(zip(names, table.line_of(row, len(columns)), strict=True)) async for row in reader.rows()],
            )
        lines = await table.sheet_for(reader, output, safe=safe_csv)
        aside = await table.write(reader, output, lines)
        if aside is not None:
            complain(table.kept_aside(output, aside))
        return RowsWritten(lines.count, None if output == sheet.DASH else output)

    return signals.run(read())


def failures(journal: JournalArgument, *, database: DatabaseOption = None, as_json: JsonOption = False) -> Failures:  # noqa: ARG001 - as above
    """List the rows that failed, and those of which no request can be made."""
    reader = reader_of(journal, database)

    async def read() -> Failures:
        return Failures([row async for row in reader.rows(*_NO_PIN)])

    return signals.run(read())


def retry(journal: JournalArgument, *, database: DatabaseOption = None, as_json: JsonOption = False) -> Retried:  # noqa: ARG001 - as above
    """Make the failed rows of a job ready to be sent again, and accept a journal that has lost its log."""
    url = find_url(database)
    path = journal_at(journal) if url is None else journal

    async def write() -> Retried:
        if url is not None:
            return Retried(await distributed().retry(url, journal), Path(journal), "its workers go on with it")
        name = (await Journal.reading(path).status()).name
        async with Journal(path, name, accept_loss=True) as store:
            return Retried(await store.retry(), Path(journal))

    return signals.run(write())


def _name(row: StoredRow) -> str:
    place = "not in the input" if row.line is None else f"line {row.line}"
    tracking = table.tracking_of(row)
    return f"{place}, {tracking}" if tracking else place


def _place(row: StoredRow) -> dict[str, Any]:
    return {
        "line": row.line,
        "tracking": table.tracking_of(row) or None,
        "cells": list(row.cells),
    }
