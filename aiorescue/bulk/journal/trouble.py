"""What SQLite and the system raise about the file of a journal, as a `errors.JournalError` with its reason."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from aiorescue import errors
from aiorescue.errors import JournalReason

#: Why a file cannot be used, by SQLite's primary result code.
_REASONS: Final = {
    sqlite3.SQLITE_BUSY: JournalReason.IN_USE,
    sqlite3.SQLITE_LOCKED: JournalReason.IN_USE,
    sqlite3.SQLITE_NOTADB: JournalReason.NO_DATABASE,
    sqlite3.SQLITE_CORRUPT: JournalReason.DAMAGED,
}
#: What the parts of a journal raise; each becomes a `errors.JournalError`.
_TROUBLE = (sqlite3.Error, OSError, ValueError, TypeError, OverflowError)


def path_of(journal: object) -> Path:
    """The path of a journal; raises `errors.InvalidRequest` for what is no path."""
    if not isinstance(journal, str | os.PathLike) or isinstance(os.fspath(journal), bytes):
        raise errors.InvalidRequest(
            f"a journal is the path of a file, as a text or a Path, not {type(journal).__name__}"
        )
    return Path(journal)


def journal_error(path: Path | None, reason: JournalReason, found: str, *, advice: str = "") -> errors.JournalError:
    """The error for a journal that cannot be used."""
    finding = f"journal {path or '(temporary)'}: {found}"
    return errors.JournalError(f"{finding}. {advice}" if advice else finding, reason=reason, finding=finding)


def stray_log(path: Path, log: Path) -> errors.JournalError:
    """The error for a write-ahead log beside a file that it does not belong to."""
    return journal_error(
        path,
        JournalReason.DAMAGED,
        f"{log.name} is the write-ahead log of a journal that was moved, replaced or deleted without it",
        advice=f"Nothing was changed. Put that journal back beside it, under the name {path.name}; if it is not needed"
        f" any more, delete {log.name}",
    )


@contextmanager
def explained(path: Path | None) -> Iterator[None]:
    """Turn what SQLite and the system raise into `errors.JournalError`."""
    try:
        yield
    except _TROUBLE as problem:
        reason = _reason(problem)
        found = "in use by another process" if reason is JournalReason.IN_USE else _words(problem)
        raise journal_error(path, reason, found) from None


def check_kind(path: Path) -> None:
    """Raise `errors.JournalError` for a folder, a pipe or a device: SQLite would make files beside it."""
    if path.exists() and not path.is_file():
        kind = "a folder" if path.is_dir() else "a pipe or a device"
        raise journal_error(path, JournalReason.FAILED, f"it is {kind}; a journal is a file")


def check_access(path: Path, mode: int) -> None:
    """Raise PermissionError where this user may not read or write a file; SQLite would not say why it cannot open it.

    The file is not opened: closing it would take all of SQLite's locks on it from this process.
    """
    if not os.access(path, mode):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _words(problem: Exception) -> str:
    """What a problem says; of the system's errors without number and folder."""
    if not isinstance(problem, OSError) or not problem.strerror:
        return str(problem)
    return problem.strerror + (f" ({Path(problem.filename).name})" if problem.filename else "")


def _reason(problem: Exception) -> JournalReason:
    if isinstance(problem, sqlite3.Error):
        # Errors of Python's module, such as a closed connection, carry no code. Extended codes keep the primary below.
        return _REASONS.get(getattr(problem, "sqlite_errorcode", 0) & 0xFF, JournalReason.FAILED)
    return JournalReason.FAILED if isinstance(problem, OSError) else JournalReason.DAMAGED
