"""Output of the command: `show` prints what a command returned, `show_error` what it raised.

No command prints by itself. People read lines: results on stdout, errors as one line each on stderr. Programs
(``--json``) read one JSON object on stdout. Progress while a command runs (`progress.py`) goes through `complain`.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.cli import signals, stdio
from aiorescue.cli.status import MEANING, Status, status_of
from aiorescue.operation import frozen
from aiorescue.rescue.answers.by_column import ByColumn
from aiorescue.rescue.answers.cells import written


@frozen
class CommandResult:
    """What a command returns: a value that can be printed in two ways, and the exit status that goes with it."""

    @property
    def status(self) -> Status:
        """The exit status of the command."""
        return Status.OK

    @property
    def is_notice(self) -> bool:
        """Whether the result only says what can be seen elsewhere, such as in a file: a quiet command leaves it out."""
        return False

    @property
    def elsewhere(self) -> str:
        """A clause for a result that stdout does not take: in which file its subject is. Empty if it is in none."""
        return ""

    def for_people(self) -> Iterable[str]:
        """Lines for stdout; unless a subclass finds words, the JSON that programs get."""
        return [json_text(self.for_programs(), sys.stdout)]

    def for_programs(self) -> Any:
        """The JSON value for stdout; unless a subclass selects, all fields."""
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}

    def on_stderr(self, *, as_json: bool) -> Iterable[str]:
        """Whole lines for stderr: problems, and advice where people read."""
        return ()


@frozen
class RowsWritten(CommandResult):
    """Rows that were written as CSV.

    Attributes:
        rows: number of rows.
        output: file that was written; None for stdout.
    """

    rows: int
    output: Path | None

    @property
    def is_notice(self) -> bool:
        """Whether the result only says what can be seen elsewhere: in the file."""
        return True

    @property
    def elsewhere(self) -> str:
        """The file that has the rows, unless stdout has them."""
        return "" if self.output is None else f"the rows are in {self.output}"

    def for_people(self) -> Iterable[str]:
        """Yield one line that names the file; none if stdout holds the rows."""
        return [] if self.output is None else [f"{counted(self.rows, 'row')} in {self.output}"]

    def for_programs(self) -> Any:
        """The number of rows, and the file."""
        output = None if self.output is None else str(self.output)
        return {"rows": self.rows, "output": output, "exit_status": int(self.status)}


def show(result: CommandResult, *, as_json: bool, quiet: bool = False) -> Status:
    """Print the result of a command, and return its exit status.

    Args:
        result: what the command returned.
        as_json: print one JSON object for programs instead of lines for people.
        quiet: leave out results that are notices.
    """
    if as_json:
        _complain_in_lines(result.on_stderr(as_json=True))
        lines: Iterable[str] = [json_text(result.for_programs(), sys.stdout)]
    else:
        lines = () if quiet and result.is_notice else result.for_people()
    status = _print(result, lines)
    if not as_json:
        _complain_in_lines(result.on_stderr(as_json=False))
    return status


def _print(result: CommandResult, lines: Iterable[str]) -> Status:
    """Write to stdout; returns the exit status, which for a result that cannot be written is not that of success."""
    try:
        stdio.write(sys.stdout, _joined(lines))
    except BrokenPipeError:
        stdio.give_up_stdout()
    except OSError as problem:
        stdio.give_up_stdout()
        complain("; ".join(filter(None, (_of_stdout(problem), result.elsewhere))))
        return result.status or Status.BAD_INPUT
    return result.status


def show_error(problem: Exception, *, as_json: bool) -> Status:
    """Print an expected error as one line, for programs as JSON too; returns the exit status for its type."""
    status = status_of(problem)
    if isinstance(problem, BrokenPipeError):
        stdio.give_up_stdout()
        return status
    # The help is written by typer: its errors of stdout name no file, and leave a text that would fail once more.
    is_of_stdout = isinstance(problem, OSError) and not stdio.flush_stdout()
    complain(_of_stdout(problem) if is_of_stdout else message_of(problem))
    if as_json:
        record = {
            "error": error_record(problem, status),
            "exit_status": int(status),
            "exit_meaning": MEANING[status],
        }
        _print_record(record)
    return status


def _print_record(record: Any) -> None:
    """Write an object for programs to stdout, unless stdout takes nothing."""
    try:
        stdio.write(sys.stdout, _joined([json_text(record, sys.stdout)]))
    except OSError:
        stdio.give_up_stdout()


def show_interruption(number: int, *, as_json: bool) -> Status:
    """Print that a signal ended the command before it had a result; returns the exit status of the signal."""
    with signals.heeded_twice():
        stdio.write_error("".join(signals.words_for(sys.argv[1:], as_json=as_json)))
        if as_json:
            _print_record(signals.record_of(number))
    return Status.of_signal(number)


def complain(text: str) -> None:
    """Print one line for people on stderr."""
    _complain_in_lines([complaint(text)])


def log_line(text: str) -> None:
    """Print one line of the log on stderr."""
    _complain_in_lines([one_line(text)])


def complaint(text: str) -> str:
    """The line for stderr that tells people of a problem."""
    return f"aiorescue: {one_line(text)}"


def counted(number: int, one: str, many: str = "") -> str:
    """Write a number with its noun: ``1 PIN``, ``2 PINs``."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"


def one_line(text: str) -> str:
    """The text with line ends and terminal commands escaped: messages may quote files and services."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def json_text(value: Any, stream: Any = None) -> str:
    """A value as JSON; attrs values become objects, and what JSON has no type for becomes a string.

    Args:
        value: the value.
        stream: stream that the text will be written to; characters are escaped if it does not write UTF-8.
    """
    encoding = (getattr(stream, "encoding", None) or "utf-8").lower().replace("-", "")
    return json.dumps(value, indent=2, ensure_ascii=encoding != "utf8", default=_plain)


def message_of(problem: Exception) -> str:
    """The message of an expected error as people should read it."""
    if isinstance(problem, BrokenPipeError):
        return MEANING[Status.BROKEN_PIPE]
    if isinstance(problem, OSError) and problem.strerror:
        where = f"{problem.filename}: " if problem.filename else ""
        return f"{where}{problem.strerror}"
    return str(problem)


def _of_stdout(problem: Exception) -> str:
    return f"standard output: {message_of(problem)}"


def error_record(problem: Exception, status: int) -> dict[str, Any]:
    """An expected error as programs should read it: its type, its message and the service's own word."""
    ours = problem if isinstance(problem, errors.RescueError) else None
    return {
        "type": type(problem).__name__,
        "message": one_line(message_of(problem)),
        "operation": ours.operation if ours else None,
        "status": ours.status if ours else None,
        "exit_status": int(status),
    }


def _plain(value: Any) -> Any:
    if attrs.has(type(value)):
        return attrs.asdict(value)
    return list(value) if isinstance(value, ByColumn) else written(value)


def _joined(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)


def _complain_in_lines(lines: Iterable[str]) -> None:
    stdio.write_error(_joined(lines))
