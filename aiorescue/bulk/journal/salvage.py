"""Saves a journal whose files were deleted, moved, replaced or cut short under a running job.

The system keeps deleted files until the process closes them, so that what was in them can still be read and written
to another place. Without that, PINs that were issued would be in no file.
"""

import os
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Final

from aiorescue.bulk.journal import schema
from aiorescue.bulk.journal.log_check import files_beside, log_of

#: Saved copies that may lie beside each other.
_MOST_SAVED: Final = 100


def save(connection: sqlite3.Connection, path: Path, job: tuple[Any, ...], *, is_there: bool) -> Path | None:
    """Save what a connection holds; returns where it is now, or None if it could not be written anywhere. Blocks.

    Args:
        connection: the journal's, without a transaction.
        path: the path of the journal.
        job: the row of `job` to save, without its checksum: that of a journal that was closed.
        is_there: the journal itself is where it was, and only its write-ahead log has gone.
    """
    if is_there and not log_of(path).exists():
        with suppress(sqlite3.Error):
            schema.write_job(connection, *job)
            if connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0] == 0:  # 1: a reader is in the way
                return path
    for place in _places(path):
        with suppress(OSError, sqlite3.Error, ValueError):
            _copy(connection, place, job)
            return place
    return None


def _places(path: Path) -> Iterator[Path]:
    if not path.exists():
        with suppress(OSError):
            for rest in files_beside(path):  # they would be taken for the copy's own
                rest.unlink(missing_ok=True)
            yield path
    for folder in (path.parent, Path(tempfile.gettempdir())):
        for number in range(1, _MOST_SAVED):
            yield folder / f"{path.name}.saved{number}"


def _copy(connection: sqlite3.Connection, place: Path, job: tuple[Any, ...]) -> None:
    os.close(os.open(place, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        with closing(schema.connect(place.absolute().as_uri())) as copy:
            connection.backup(copy)
            schema.check_structure(copy)  # of a file that was cut short SQLite may have a part only
            copy.execute("PRAGMA journal_mode = DELETE")
            schema.write_job(copy, *job)
    except BaseException:
        place.unlink()
        raise
