"""Output of the command: `show` prints what a command returned, `show_error` what it raised.

No command prints by itself. People read lines: results on stdout, errors as one line each on stderr. Programs
(``--json``) read one JSON object on stdout. Progress while a command runs (`progress.py`) goes through `complain`.
"""

import json
import sys
from collections.abc import Iterable
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.cli.status import Status, status_of


@attrs.frozen
class Result:
    """What a command returns: a value that can be printed in two ways, and the exit status that goes with it."""

    @property
    def status(self) -> Status:
        """The exit status of the command."""
        return Status.OK

    def for_people(self) -> Iterable[str]:
        """Lines for stdout; unless a subclass finds words, the JSON that programs get."""
        return [json_text(self.for_programs())]

    def for_programs(self) -> Any:
        """The JSON value for stdout; unless a subclass selects, all fields."""
        return {field.name: getattr(self, field.name) for field in attrs.fields(type(self))}

    def on_stderr(self, *, as_json: bool) -> Iterable[str]:
        """Whole lines for stderr: problems, and advice where people read."""
        return ()


def show(result: Result, *, as_json: bool) -> None:
    """Print the result of a command.

    Args:
        result: what the command returned.
        as_json: print one JSON object for programs instead of lines for people.
    """
    if as_json:
        _write_lines(sys.stderr, result.on_stderr(as_json=True))
        _write_lines(sys.stdout, [json_text(result.for_programs())])
    else:
        _write_lines(sys.stdout, result.for_people())
        _write_lines(sys.stderr, result.on_stderr(as_json=False))


def show_error(problem: Exception, *, as_json: bool) -> Status:
    """Print an expected error as one line, for programs as JSON too; returns the exit status of its kind."""
    status = status_of(problem)
    complain(message_of(problem))
    if as_json:
        _write_lines(sys.stdout, [json_text({"error": error_record(problem, status), "exit_status": int(status)})])
    elif isinstance(problem, BrokenPipeError):
        sys.stdout = None  # its reader is gone: the interpreter must not flush it again
    return status


def complain(text: str) -> None:
    """Print one line for people on stderr."""
    _write_lines(sys.stderr, [complaint(text)])


def complaint(text: str) -> str:
    """The line for stderr that tells people of a problem."""
    return f"aiorescue: {one_line(text)}"


def one_line(text: str) -> str:
    """The text with line ends and terminal commands escaped: messages may quote files and services."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def json_text(value: Any) -> str:
    """A value as JSON; attrs values become objects, and what JSON has no type for becomes a string."""
    return json.dumps(value, indent=2, ensure_ascii=False, default=_plain)


def message_of(problem: Exception) -> str:
    """The message of an expected error as people should read it."""
    if isinstance(problem, OSError) and problem.strerror:
        where = f"{problem.filename}: " if problem.filename else ""
        return f"{where}{problem.strerror}"
    return str(problem)


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
    return attrs.asdict(value) if attrs.has(type(value)) else str(value)


def _write_lines(stream: Any, lines: Iterable[str]) -> None:
    text = "".join(f"{line}\n" for line in lines)
    if text:
        stream.write(text)
        stream.flush()
