"""What the command says: one clear line on stderr for people, one JSON object on stdout for programs."""

import difflib
import json
import sys
from collections.abc import Iterable
from typing import Any

import attrs

from aiorescue import errors


def one_line(text: str) -> str:
    """The text without line ends and terminal commands: messages may quote what a file or a service said."""
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in text)


def complain(text: str) -> None:
    """One line for people, on stderr."""
    sys.stderr.write(f"aiorescue: {one_line(text)}\n")
    sys.stderr.flush()


def answer(value: Any) -> None:
    """One JSON object, on stdout."""
    sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False, default=_plain) + "\n")
    sys.stdout.flush()


def _plain(value: Any) -> Any:
    return attrs.asdict(value) if attrs.has(type(value)) else str(value)


def in_words(problem: Exception) -> str:
    """An expected error as people should read it."""
    if isinstance(problem, OSError) and problem.strerror:
        where = f"{problem.filename}: " if problem.filename else ""
        return f"{where}{problem.strerror}"
    return str(problem)


def in_fields(problem: Exception, status: int) -> dict[str, Any]:
    """An expected error as programs should read it."""
    known = problem if isinstance(problem, errors.RescueError) else None
    return {
        "type": type(problem).__name__,
        "message": one_line(in_words(problem)),
        "operation": known.operation if known else None,
        "status": known.status if known else None,
        "exit_status": int(status),
    }


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The rest of a sentence that names what comes nearest; empty if nothing does."""
    by_plain = {_bare(one): one for one in known}
    near = difflib.get_close_matches(_bare(word), by_plain, n=1)
    return f"; did you mean {by_plain[near[0]]}?" if near else ""


def _bare(word: str) -> str:
    return "".join(char for char in word.casefold() if char.isalnum())
