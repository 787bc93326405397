"""The summary of a run of `aiorescue pins`: figures, files, and the advice how to go on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.cli.output import Result, complaint, error_record, message_of
from aiorescue.cli.status import Status, status_of
from aiorescue.cli.tally import Tally, duration
from aiorescue.errors import JournalReason

#: Reasons for which a file will never be the journal of this job.
_UNFIT = frozenset(
    (JournalReason.OTHER_JOB, JournalReason.OTHER_FIELDS, JournalReason.OTHER_PROGRAM, JournalReason.NO_DATABASE)
)


@attrs.frozen(kw_only=True)
class Summary(Result):
    """How a run of a bulk job ended.

    Attributes:
        tally: the figures.
        problem: the error that ended the run early, or None.
        interrupted: the operator asked the run to stop.
        output: the file for the rows.
        written: the file was replaced; False if no row had a result.
        journal: the journal of the job.
        again: the command line that goes on with the job.
    """

    tally: Tally
    problem: Exception | None
    interrupted: bool
    output: Path
    written: bool
    journal: Path
    again: str

    @property
    def status(self) -> Status:
        """The exit status: that of the error, else by what became of the rows."""
        if self.problem is not None:
            return status_of(self.problem)
        tally = self.tally
        if self.interrupted and not tally.complete:
            return Status.INTERRUPTED
        return Status.SOME_FAILED if tally.failed or tally.bad_rows or not tally.complete else Status.OK

    def for_people(self) -> Iterable[str]:
        """Figures and files; nothing if an error came before the first row."""
        tally = self.tally
        if self.problem is not None and not tally.done:
            return
        rate = tally.figures()["pins_per_second"]
        yield (
            f"{tally.issued} PINs issued in {duration(tally.seconds)} ({rate:.1f} PINs/s), "
            f"{tally.from_journal} from the journal"
        )
        yield f"{tally.failed} failed, {tally.bad_rows} bad rows, {tally.possibly_orphaned} possibly orphaned"
        yield f"output:  {self.output}" + ("" if self.written else " (as it was)")
        yield f"journal: {self.journal} (kept: the same command issues nothing twice)"

    def for_programs(self) -> Any:
        """Figures, files, exit status and error."""
        files = {"output": str(self.output) if self.written else None, "journal": str(self.journal)}
        problem = None if self.problem is None else error_record(self.problem, self.status)
        return self.tally.figures() | files | {"exit_status": int(self.status), "error": problem}

    def on_stderr(self, *, as_json: bool) -> Iterable[str]:
        """The error; for people also the rows that are left and the command that goes on."""
        if self.problem is not None:
            yield complaint(self._advised(self.problem))
        if as_json:
            return
        tally = self.tally
        if not tally.complete:
            yield complaint(f"{tally.rows - tally.done} of {tally.rows} rows are left")
        if not _is_unfit(self.problem) and (tally.failed or not tally.complete):  # else it would end no better
            yield f"To go on: {self.again}"

    def _advised(self, problem: Exception) -> str:
        if isinstance(problem, errors.JournalError) and _is_unfit(problem):
            return f"{problem.finding}; choose another --journal or --output"
        return message_of(problem)


def _is_unfit(problem: Exception | None) -> bool:
    return isinstance(problem, errors.JournalError) and problem.reason in _UNFIT
