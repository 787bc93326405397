"""`JournalFile`: the open file of a journal, for the one thread that writes it. `journal.py` is its face.

What is checked when a file is opened, so that a damaged one never passes for another job or an earlier state of this
one: the marks and the schema, SQLite's own structures and indexes, the checksum of each row, the write-ahead log, and
that the log is there if the last run ended without closing the file.
"""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from aiorescue import errors
from aiorescue.bulk.journal import log_check, salvage, schema, statements
from aiorescue.bulk.journal.lock import FileLock, lock_of
from aiorescue.bulk.journal.notes import Note, RowsUnderWay
from aiorescue.bulk.journal.pins import PinSet
from aiorescue.bulk.journal.staging import damaged
from aiorescue.bulk.journal.trouble import check_access, check_kind, explained, journal_error, stray_log
from aiorescue.bulk.store import State
from aiorescue.errors import JournalReason

#: A note of what became of a row; or a function that runs in the thread and returns a value.
Write = Note | Callable[["JournalFile"], Any]

#: How often a lock of another process is tried within `schema.PATIENCE`.
_TRIES = 20


class JournalFile:
    """The open file of a journal.

    Attributes:
        connection: the connection of the thread.
        pins: the PINs of the job.
        under_way: the rows that this run has admitted or claimed, and that have no end yet.
        staging: number of the last staging; 0 if none was staged.
        columns: names of the program's own columns, as JSON.
        is_fresh: True if all rows of the file were admitted in this run.

    Args:
        path: the file; it is made if it does not exist. None for a temporary database that goes with the connection.
        job: the name of the job; a journal with another name is refused.
        accept_loss: open a journal whose write-ahead log is missing; see `aiorescue.bulk.journal.journal.Journal`.
    """

    connection: sqlite3.Connection

    def __init__(self, path: Path | None, job: str, *, accept_loss: bool) -> None:
        self._path = path
        self._job = job
        self._accept_loss = accept_loss
        self._lock: FileLock | None = None
        # Files that must stay where they are, the journal itself as the first, and what they were at the opening.
        self._places: list[tuple[Path, os.stat_result | None]] = []
        self._size = 0  # bytes of the journal itself, which only grows
        self._after_loss = ""  # where the rows are that were in files which have vanished
        self._runs = 0
        self.pins = PinSet()
        self.under_way = RowsUnderWay()
        self.staging = 0
        self.columns = "[]"
        self.is_fresh = True
        self.is_open = False

    # --- opening ---

    def open(self) -> None:
        """Open the file, check it and begin a run.

        Raises:
            errors.JournalError: the file cannot be used; `reason` says why.
        """
        with explained(self._path):
            try:
                self._open()
            except BaseException:
                self._abandon()
                raise

    def _open(self) -> None:
        path = self._path
        if path is None:
            self.connection = schema.connect(":memory:")
            self._make_temporary_tables()
            self.is_fresh, self.is_open = False, True
            return
        check_kind(path)
        self._lock = self._take_lock(path)
        log = log_check.log_of(path)
        if log_check.is_stray(log, path):
            raise stray_log(path, log)
        _make_private(path)
        log_is_empty = log_check.is_empty(log)
        if log_check.is_damaged(log):
            raise self.error(JournalReason.DAMAGED, f"its write-ahead log {log.name} is damaged", advice=_TAKE_A_COPY)
        self.connection = schema.connect(f"{path.absolute().as_uri()}?mode=rw")
        is_new = self._check_marks()
        if not is_new:
            self._check_structure()
        _patiently(lambda: self.connection.execute("PRAGMA journal_mode = WAL"))
        self.connection.execute("PRAGMA synchronous = FULL")
        self.connection.execute("PRAGMA journal_size_limit = 0")  # for `log_check`: no old frames behind new ones
        self._make_temporary_tables()
        with self.transaction():
            if is_new:
                schema.create(self.connection, self._job)
            elif schema.version_of(self.connection) < schema.VERSION:
                schema.take_over(self.connection)
            self._begin_run(log_is_empty=log_is_empty)
        self.checkpoint()
        self._places = [(place, _status(place)) for place in (path, log)]
        self.is_open = True

    def _take_lock(self, path: Path) -> FileLock:
        for tries_left in reversed(range(_TRIES)):
            lock = FileLock.take(lock_of(path))
            if lock is not None:
                return lock
            if tries_left:
                time.sleep(schema.PATIENCE / _TRIES)  # a look at whether it is held takes the lock for a moment, too
        raise self.error(JournalReason.IN_USE, "in use by another process")

    def _make_temporary_tables(self) -> None:
        for statement in schema.TEMPORARY:
            self.connection.execute(statement)

    def _check_marks(self) -> bool:
        """Check whose database the file is; returns whether it is a new one."""
        execute = self.connection.execute
        with self.transaction("DEFERRED"):
            mark = execute("PRAGMA application_id").fetchone()[0]
            tables = execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            version = schema.version_of(self.connection)
        if mark != schema.APPLICATION:
            if mark or tables:
                raise self.error(JournalReason.OTHER_PROGRAM, "a database of another program")
            return True
        if version > schema.VERSION:
            raise self.error(JournalReason.NEWER_VERSION, "made by a newer version of aiorescue")
        if version == schema.VERSION and not schema.is_whole(self.connection):
            raise self.error(JournalReason.DAMAGED, "its tables are not those of a journal", advice=_TAKE_A_COPY)
        if version < 1:
            raise self.error(JournalReason.DAMAGED, "it names no version of its tables", advice=_TAKE_A_COPY)
        return False

    def _check_structure(self) -> None:
        try:
            schema.check_structure(self.connection)
        except ValueError as problem:
            raise self.error(JournalReason.DAMAGED, str(problem), advice=_TAKE_A_COPY) from None

    def _begin_run(self, *, log_is_empty: bool) -> None:
        name, runs, was_open, self.staging, self.columns = schema.read_job(self.connection)
        if name != self._job:
            raise self.error(
                JournalReason.OTHER_JOB, f"the journal of another job: it says {name!r}, this is {self._job!r}"
            )
        self._runs = runs + 1
        self._check_rows()
        if was_open and log_is_empty:
            if not self._accept_loss:
                raise self.error(
                    JournalReason.LOG_MISSING,
                    log_check.loss_of(log_check.log_of(self._path or Path()), is_staged=self.staging > 0),
                    advice="Put that file back beside the journal. If it is lost, `aiorescue job retry` goes on without"
                    " it and counts each request without a PIN as possibly orphaned",
                )
            self.connection.execute(statements.COUNT_LOST)
        self._write_job(is_open=True)

    def _check_rows(self) -> None:
        rows = self.connection.execute(statements.OUTCOMES)
        check, issued, add = schema.outcome_check, int(State.ISSUED), self.pins.add
        for *outcome, expected in rows:
            self.is_fresh = False
            if check(*outcome) != expected:
                raise self.error(JournalReason.DAMAGED, damaged(outcome[0]), advice=_TAKE_A_COPY)
            if outcome[2] == issued:
                add(outcome[3])

    def _write_job(self, *, is_open: bool) -> None:
        schema.write_job(self.connection, *self._job_row(is_open=is_open))

    def _job_row(self, *, is_open: bool) -> tuple[Any, ...]:
        return self._job, self._runs, int(is_open), self.staging, self.columns

    # --- writing ---

    @contextmanager
    def transaction(self, lock: str = "IMMEDIATE") -> Iterator[None]:
        """Commit what the block writes, or nothing of it if it raises.

        Args:
            lock: SQLite's word for when the database is locked: ``DEFERRED`` to the first write, or ``IMMEDIATE``.
        """
        self.connection.execute(f"BEGIN {lock}")
        try:
            yield
        except BaseException:
            with suppress(sqlite3.Error):
                self.connection.execute("ROLLBACK")
            raise
        self.connection.execute("COMMIT")

    def commit(self, group: Sequence[Write]) -> list[Any]:
        """Carry out writes in one transaction; returns an outcome for each, which may be an exception of its own.

        Raises:
            errors.JournalError: none of them was carried out.
        """
        if not self.is_open:
            raise self.error(JournalReason.CLOSED, "the journal is closed")
        self._check_places()
        try:
            with explained(self._path), self.transaction():
                self.under_way.write(self.connection, [write for write in group if isinstance(write, tuple)])
                return [None if isinstance(write, tuple) else self._result(write) for write in group]
        except BaseException:
            self.under_way.forget()  # nothing of them was written
            raise

    def _result(self, write: Callable[["JournalFile"], Any]) -> Any:
        """The value of a write, or its own `errors.JournalError` as a value: the other writes of the commit stay."""
        try:
            return write(self)
        except errors.JournalError as problem:
            return problem

    def _check_places(self) -> None:
        found = [(place, before, _status(place)) for place, before in self._places]
        gone = [place for place, before, now in found if not (before and now and os.path.samestat(before, now))]
        what = "deleted or replaced"
        size = found[0][2].st_size if found and found[0][2] else 0
        if not gone and size < self._size:  # the next checkpoint would make it long again, with holes in it
            gone, what = [found[0][0]], "emptied or cut short"
        self._size = max(size, self._size)
        if gone and self._path is not None:
            if not self._after_loss:
                job = self._job_row(is_open=False)
                saved = salvage.save(self.connection, self._path, job, is_there=self._path not in gone)
                self._after_loss = _after_loss(self._path, saved)
            raise self.error(
                JournalReason.VANISHED,
                f"{gone[0].name} was {what} while the job ran",
                advice=f"{self._after_loss}. Leave the files of a running job as they are",
            )

    def checkpoint(self) -> None:
        """Copy what is in the write-ahead log to the file, as far as readers allow it."""
        if self._path is not None:
            self.connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    def checkpoint_quietly(self) -> None:
        """Call `checkpoint` and ignore its errors, whose cause the next commit will meet and report."""
        if self.is_open:
            with suppress(sqlite3.Error, errors.JournalError):
                self._check_places()
                self.checkpoint()

    @contextmanager
    def staging_as(self, columns: str) -> Iterator[tuple[sqlite3.Connection, int]]:
        """A transaction in which the next input is staged; gives the connection and the number of the staging.

        Args:
            columns: names of the program's own columns, as JSON.
        """
        if not self.is_open:
            raise self.error(JournalReason.CLOSED, "the journal is closed")
        self._check_places()
        before = self.staging, self.columns
        self.under_way.forget()
        if self.is_fresh:  # requests that were admitted before
            self.connection.execute("INSERT INTO temp.seen SELECT key FROM request")
            self.is_fresh = False
        try:
            with explained(self._path), self.transaction():
                self.staging, self.columns = self.staging + 1, columns
                self._write_job(is_open=True)
                yield self.connection, self.staging
        except BaseException:
            self.staging, self.columns = before
            raise

    @property
    def is_temporary(self) -> bool:
        """Whether nothing is kept but the keys of this run."""
        return self._path is None

    def error(self, reason: JournalReason, found: str, *, advice: str = "") -> errors.JournalError:
        """The error for this journal."""
        return journal_error(self._path, reason, found, advice=advice)

    # --- closing ---

    def close(self) -> None:
        """Bring all into the one file, and close it. Where a reader is in the way, the log stays beside it."""
        if not self.is_open:
            self._abandon()
            return
        self.is_open = False
        try:
            if self._path is not None:
                with suppress(sqlite3.Error, errors.JournalError):
                    self._check_places()
                    self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    with self.transaction():
                        self._write_job(is_open=False)
                    self.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                    self.connection.execute("PRAGMA journal_mode = DELETE")
        finally:
            self._abandon()

    def _abandon(self) -> None:
        """Close what is open, and leave the file as it is."""
        connection: sqlite3.Connection | None = self.__dict__.pop("connection", None)
        lock, self._lock = self._lock, None
        try:
            if connection is not None:
                connection.close()
        finally:
            if lock is not None:
                lock.release()


def _after_loss(path: Path, saved: Path | None) -> str:
    if saved is None:
        return "What was in it could not be saved: PINs that were issued in this run are in no file"
    if saved == path:
        return "What was in it is there again, and the same command goes on"
    return f"What was in it is in {saved}: move it to {path}, and the same command goes on"


_TAKE_A_COPY = "Nothing was changed. Keep it, and go on from a backup"


def _make_private(path: Path) -> None:
    """Make the file if need be. PINs open doors: only the owner may read it and what lies beside it."""
    try:
        os.close(os.open(os.path.realpath(path), os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    except FileExistsError:
        for part in (path, *log_check.files_beside(path)):
            with suppress(FileNotFoundError):
                if part.is_file() and part.stat().st_mode & 0o077:
                    part.chmod(0o600)
        check_access(path, os.R_OK | os.W_OK)


def _status(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def _patiently(work: Callable[[], Any]) -> None:
    """Try for a second to do something that a reader of the file may keep from working."""
    for tries_left in reversed(range(_TRIES)):
        try:
            work()
        except sqlite3.OperationalError:
            if not tries_left:
                raise
            time.sleep(schema.PATIENCE / _TRIES)
        else:
            return
