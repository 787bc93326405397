"""The summary of a run of `aiorescue pins`: figures, files, and the advice how to go on."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Self

from aiorescue import errors
from aiorescue.bulk import Staging
from aiorescue.cli import settings
from aiorescue.cli.bulk.customers import label_of
from aiorescue.cli.bulk.run_page.file import RunPage
from aiorescue.cli.bulk.run_page.page import Ending
from aiorescue.cli.bulk.tally import Tally, duration
from aiorescue.cli.output import CommandResult, complaint, counted, error_record, message_of
from aiorescue.cli.sheet import DASH
from aiorescue.cli.status import MEANING, Status, status_of
from aiorescue.errors import JournalReason
from aiorescue.operation import frozen

#: Reasons for which a file will never be the journal of this job.
_UNFIT = frozenset(
    (JournalReason.OTHER_JOB, JournalReason.OTHER_FIELDS, JournalReason.OTHER_PROGRAM, JournalReason.NO_DATABASE)
)
#: How the labels of inputs begin that cannot be read again.
_PIPES = (label_of(DASH), "/dev/fd/")
#: Lines of corrected rows that are named.
_NAMED = 10


@frozen(kw_only=True)
class Changes:
    """What is different in an input that was staged before.

    Attributes:
        corrected: rows whose PIN was issued for other fields.
        corrected_lines: the lines of the first of them.
        vanished: requests that are not in the input any more.
        vanished_issued: vanished requests that hold a PIN.
    """

    corrected: int = 0
    corrected_lines: tuple[int, ...] = ()
    vanished: int = 0
    vanished_issued: int = 0

    @classmethod
    def of(cls, staging: Staging) -> Self:
        """Take the changes from what a staging found."""
        return cls(
            corrected=staging.corrected,
            corrected_lines=staging.corrected_lines,
            vanished=staging.vanished,
            vanished_issued=staging.vanished_issued,
        )

    def sentences(self) -> Iterator[str]:
        """Yield a sentence for each change between the input and the journal."""
        if self.corrected:
            lines = ", ".join(map(str, self.corrected_lines[:_NAMED])) + (", …" if self.corrected > _NAMED else "")
            place = f"line{'' if self.corrected == 1 else 's'} {lines}"
            yield f"{place}: the row was corrected after its PIN was issued; it keeps that PIN"
        if self.vanished:
            gone = counted(self.vanished, "row of an earlier run is", "rows of an earlier run are")
            kept = f"; those with a PIN ({self.vanished_issued}) stay in the output" if self.vanished_issued else ""
            yield f"{gone} not in the input any more{kept}"


@frozen(kw_only=True)
class Summary(CommandResult):
    """How a run of a bulk job ended.

    Attributes:
        tally: the figures.
        problem: the error that ended the run early, or None.
        output_problem: why the output could not be written, or None.
        signal: the signal by which the operator asked the run to stop; 0 for none.
        refused: the identities that the service refuses, by name, each with its error.
        changes: what is different from an earlier run's input.
        label: name of the input in messages.
        output: the file for the rows.
        written: the file was replaced; False if no row had a result.
        journal: the journal of the job.
        page: the page about the run, or None.
        again: the command line that goes on with the job.
    """

    tally: Tally
    problem: Exception | None
    output_problem: OSError | None
    signal: int
    refused: Mapping[str, errors.RescueError]
    changes: Changes
    label: str
    output: Path
    written: bool
    journal: Path
    page: RunPage | None
    again: str

    @property
    def is_notice(self) -> bool:
        """Whether the result only says what can be seen elsewhere: the PINs are in the output."""
        return True

    @property
    def elsewhere(self) -> str:
        """The file that has the PINs: the output, or else the journal."""
        if not self.tally.is_begun:
            return ""
        in_output = self.written and self.output != DASH
        return f"the PINs are in {self.output if in_output else f'the journal {self.journal}'}"

    @property
    def status(self) -> Status:
        """The exit status: that of the error, else by what became of the rows."""
        if self.problem is not None:
            return status_of(self.problem)
        tally = self.tally
        if self.signal and not tally.complete:
            return Status.of_signal(self.signal)
        if (trouble := self.output_problem or self._page_problem) is not None:
            return status_of(trouble)
        return Status.SOME_FAILED if tally.failed or tally.bad_rows or not tally.complete else Status.OK

    def for_people(self) -> Iterable[str]:
        """Figures and files; nothing if an error came before the first row, or stdout holds the rows."""
        return () if self.output == DASH else self._figures()

    def _figures(self) -> Iterator[str]:
        tally = self.tally
        if not tally.is_begun or (self.problem is not None and not tally.done):
            return
        rate = tally.figures()["pins_per_second"]
        yield (
            f"{counted(tally.issued, 'PIN')} issued in {duration(tally.seconds)} ({rate:.1f} PINs/s), "
            f"{tally.from_journal} from the journal"
        )
        yield (
            f"{tally.failed} failed, {counted(tally.bad_rows, 'bad row')}, {tally.possibly_orphaned} possibly orphaned"
        )
        if self.output_problem is None and self.output != DASH:
            yield f"output:  {self.output}" + ("" if self.written else " (as it was)")
        if self.page is not None and self.page.is_written:
            yield f"report:  {self.page.path}"
        if _reason_of(self.problem) is not JournalReason.VANISHED:  # its message says where it is
            yield f"journal: {self.journal} (kept: the same command issues nothing twice)"

    def for_programs(self) -> Any:
        """Figures, files, exit status and error."""
        problem = self.problem or self.output_problem or self._page_problem
        return self.tally.figures() | {
            "corrected": self.changes.corrected,
            "vanished": self.changes.vanished,
            "refused_callers": list(self.refused),
            "output": str(self.output) if self.written else None,
            "journal": str(self.journal),
            "report": str(self.page.path) if self.page is not None and self.page.is_written else None,
            "exit_status": int(self.status),
            "exit_meaning": MEANING[self.status],
            "error": None if problem is None else error_record(problem, self.status),
        }

    def on_stderr(self, *, as_json: bool) -> Iterable[str]:
        """What an operator should know: errors, refused identities, changes, what is left and the command to go on."""
        if self.problem is not None and self.problem not in self.refused.values():
            yield complaint(self._advised(self.problem))
        is_last = isinstance(self.problem, errors.AuthenticationError) or self.problem in self.refused.values()
        others = "" if is_last else ", the other identities went on"
        for name, problem in self.refused.items():
            yield complaint(f"{name} is refused{others}: {message_of(problem)}")
        for change in self.changes.sentences():
            yield complaint(f"{self.label}: {change}")
        if self.output_problem is not None:
            yield complaint(message_of(self.output_problem))
            yield complaint(f"the PINs are in the journal: aiorescue job export {shlex.quote(str(self.journal))}")
        if self._page_problem is not None:
            yield complaint(message_of(self._page_problem))
        if not as_json:
            if self.output == DASH and not settings.current().quiet:
                yield from self._figures()
            yield from self._what_is_left()

    @property
    def _page_problem(self) -> OSError | None:
        return None if self.page is None else self.page.problem

    def _what_is_left(self) -> Iterator[str]:
        tally = self.tally
        reason = _reason_of(self.problem)
        if reason is JournalReason.IN_USE:  # how many rows are left is for the other process to say
            return
        if tally.left and tally.is_begun:
            yield complaint(_left_of(tally))
        if reason not in (*_UNFIT, JournalReason.VANISHED) and (tally.failed or tally.left):
            if self.label.startswith(_PIPES):
                yield complaint("the rows came from a pipe, and the command needs them once more")
            yield f"To go on: {self.again}"

    def _advised(self, problem: Exception) -> str:
        if isinstance(problem, errors.JournalError) and problem.reason in _UNFIT:
            is_other = problem.reason is JournalReason.OTHER_JOB
            renamed = "; if only the input was renamed, give it the old name, as a new job asks for all PINs anew; else"
            return f"{problem.finding}{renamed if is_other else ';'} choose another --journal or --output"
        if _reason_of(problem) is JournalReason.IN_USE:
            return f"{message_of(problem)}; to see how far it is: aiorescue job status {shlex.quote(str(self.journal))}"
        return message_of(problem)


def ending_of(tally: Tally, problem: Exception | None, signal: int) -> Ending:
    """How a run has ended, for the page about it.

    Args:
        tally: its figures.
        problem: the error that ended it early, or None.
        signal: the signal by which the operator asked it to stop; 0 for none.
    """
    left = _left_of(tally)
    if problem is not None:
        return Ending(f"Ended early: {_named(problem)}" + (f"; {left}." if tally.left else "."))
    if not tally.complete:
        how = "Interrupted" if signal else "Ended early"
        return Ending(f"{how}: {left}; the same command goes on with them.")
    troubles = [f"{counted(tally.failed, 'row')} failed"] if tally.failed else []
    if tally.bad_rows:
        troubles.append(counted(tally.bad_rows, "bad row"))
    if troubles:
        return Ending(f"Done: {', '.join(troubles)}.")
    return Ending("Done: every row has its PIN.", is_good=True)


def _left_of(tally: Tally) -> str:
    return f"{tally.left} of {counted(tally.rows, 'row')} {'is' if tally.left == 1 else 'are'} left"


def _named(problem: Exception) -> str:
    """An error by its type and the service's word: its message may quote an answer."""
    if isinstance(problem, errors.RescueError) and not isinstance(problem, errors.JournalError):
        return type(problem).__name__ + (f" ({problem.status})" if problem.status else "")
    return message_of(problem).rstrip(".")


def _reason_of(problem: Exception | None) -> JournalReason | None:
    return problem.reason if isinstance(problem, errors.JournalError) else None
