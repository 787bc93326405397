"""Reading a journal: figures and rows as they were at one moment, while another process may be writing."""

import asyncio
import os
import shutil
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, Final, TypeVar

from aiorescue.bulk import records
from aiorescue.bulk.figures import WINDOW, FigureSums
from aiorescue.bulk.journal import log_check, schema, statements
from aiorescue.bulk.journal.lock import FileLock, lock_of
from aiorescue.bulk.journal.log_check import log_of
from aiorescue.bulk.journal.staging import damaged
from aiorescue.bulk.journal.trouble import check_access, check_kind, explained, journal_error, stray_log
from aiorescue.bulk.store import JobStatus, State, StoredRow
from aiorescue.errors import JournalReason

T = TypeVar("T")

#: Rows that are read at once.
_CHUNK: Final = 500


class JournalReader:
    """Reads a journal that this or another process may be writing. It is a `StoreReader`.

    Args:
        path: the file.
        now: the time of day in seconds, which is compared with that of the PINs.
    """

    def __init__(self, path: Path, now: Callable[[], float]) -> None:
        self._path = path
        self._now = now

    async def status(self) -> JobStatus:
        """The figures of the job at this moment."""
        return await self._once(lambda snapshot: snapshot.status(self._now()))

    async def columns(self) -> tuple[str, ...]:
        """The names of the program's own columns, as they were staged last."""
        return await self._once(lambda snapshot: snapshot.columns)

    def rows(self, *states: State) -> AsyncIterator[StoredRow]:
        """Yield the rows as they were at one moment, in the order of the input."""
        which = f"state IN ({', '.join(str(int(state)) for state in states)})" if states else "1"
        return self._in_thread(lambda snapshot: snapshot.rows(which))

    def orphans(self) -> AsyncIterator[StoredRow]:
        """Yield the rows with attempts that may have left an unclaimed PIN."""
        return self._in_thread(lambda snapshot: snapshot.rows(snapshot.is_orphaned))

    async def _once(self, question: Callable[["_Snapshot"], T]) -> T:
        async for answer in self._in_thread(lambda snapshot: iter([[question(snapshot)]])):
            return answer
        raise AssertionError("one question has one answer")

    async def _in_thread(self, question: Callable[["_Snapshot"], Iterator[Sequence[T]]]) -> AsyncIterator[T]:
        """Open a snapshot in a thread of its own, ask a question to it there, and yield the items of the answer."""
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, thread_name_prefix="aiorescue-journal-reader")
        opened: list[_Snapshot] = []

        def begin() -> Iterator[Sequence[T]]:
            with explained(self._path):
                opened.append(_Snapshot(self._path))
                return question(opened[0])

        def read(chunks: Iterator[Sequence[T]]) -> Sequence[T] | None:
            with explained(self._path):
                return next(chunks, None)

        def end() -> None:
            for snapshot in opened:
                snapshot.connection.close()

        try:
            chunks = await loop.run_in_executor(thread, begin)
            while (chunk := await loop.run_in_executor(thread, read, chunks)) is not None:
                for row in chunk:
                    yield row
        finally:
            closing = loop.run_in_executor(thread, end)  # behind what the thread may be doing for a cancelled wait
            thread.shutdown(wait=False)
            await asyncio.shield(closing)


class _Snapshot:
    """A journal at one moment, for one thread.

    Attributes:
        connection: reads that moment until it is closed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        check_kind(path)
        self._running = FileLock.is_held(lock_of(path))
        self._note = ""
        if not path.exists():
            raise journal_error(path, JournalReason.FAILED, "there is no such file")
        check_access(path, os.R_OK)
        log = log_of(path)
        if not self._running and log_check.is_stray(log, path):
            raise stray_log(path, log)
        if not self._running and log_check.is_damaged(log):
            raise journal_error(path, JournalReason.DAMAGED, f"its write-ahead log {log.name} is damaged")
        self.connection = self._connect(log)
        try:
            self._begin(log_is_empty=not self._running and log_check.is_empty(log))
        except BaseException:
            self.connection.close()
            raise

    def _connect(self, log: Path) -> sqlite3.Connection:
        """Connect without leaving a trace: where there is no log, SQLite would make one that holds nothing."""
        uri = self._path.absolute().as_uri()
        if not log.exists():
            connection = schema.connect(f"{uri}?immutable=1")
            try:
                _check_marks(self._path, connection)
                was_open = schema.version_of(connection) == schema.VERSION and schema.read_job(connection)[2]
            except BaseException:
                connection.close()
                raise
            if was_open and not log.exists():
                return connection
            connection.close()
        try:
            return self._opened(schema.connect(f"{uri}?mode=ro"))
        except sqlite3.OperationalError as problem:
            if self._running or problem.sqlite_errorcode != sqlite3.SQLITE_CANTOPEN:
                raise
        # SQLite shares memory with others that read a log, in a file beside it: in a read-only folder it cannot.
        return self._opened(_copied(self._path, log))

    def _opened(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        try:
            _check_marks(self._path, connection)
            return connection if schema.version_of(connection) == schema.VERSION else _taken_over(connection)
        except BaseException:
            connection.close()
            raise

    def _begin(self, *, log_is_empty: bool) -> None:
        self.connection.execute("BEGIN")
        self.name, self._runs, was_open, self._staging, columns = schema.read_job(self.connection)
        self.columns = records.cells_of(columns)
        if not self._running:  # else its writer has checked it
            schema.check_structure(self.connection)
        if was_open and log_is_empty:
            self._note = log_check.loss_of(log_of(self._path), is_staged=self._staging > 0)

    @property
    def is_orphaned(self) -> str:
        """In SQL: the row may have left an unclaimed PIN; one that was sent before a crash has, too."""
        return "orphans > 0" if self._running else "orphans > 0 OR state = 1"

    def status(self, now: float) -> JobStatus:
        """The figures of the job."""
        since = now - WINDOW
        sums, first = FigureSums(), now
        for state, staged, count, left, changed, issued, earliest, wrong in self.connection.execute(
            statements.FIGURES, (self._staging, since, since)
        ):
            if wrong:
                raise ValueError(damaged(self.connection.execute(statements.WRONG).fetchone()[0]))
            sums.add(state, count, is_here=bool(staged), orphans=int(left), corrected=int(changed), recent=int(issued))
            first = min(first, earliest or now)
        if not self._running:
            sums.orphans += sums.in_flight  # sent before a crash
        return sums.status(self.name, runs=self._runs, running=self._running, seconds=now - first, note=self._note)

    def rows(self, which: str) -> Iterator[Sequence[StoredRow]]:
        """Rows for which a condition in SQL holds, in chunks."""
        found = self.connection.execute(statements.rows(which), (self._staging, self._staging))
        while chunk := found.fetchmany(_CHUNK):
            yield [self._row(*values) for values in chunk]

    def _row(self, *values: Any) -> StoredRow:
        given, placed, outcome, check = values[:6], values[6], values[7:-1], values[-1]
        staging, position, line, cells, operation, fields = given
        key, _, state, pin, orphans, error, corrected, _ = outcome
        if schema.outcome_check(*outcome) != check or schema.input_check(*given) != placed:
            raise ValueError(damaged(key))
        is_here = staging == self._staging
        return StoredRow(
            key=key,
            position=position if is_here else None,
            line=line if is_here else None,
            cells=records.cells_of(cells),
            request=None if operation is None else records.decode(operation, fields),
            state=State(state),
            pin=pin,
            orphans=orphans,
            error=error or "",
            corrected=bool(corrected),
        )


def _taken_over(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Copy a journal of version 1 into memory, in the tables of the present version; the file stays as it is."""
    copy = schema.connect("file::memory:")
    try:
        with closing(connection):
            connection.backup(copy)
        schema.take_over(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _copied(path: Path, log: Path) -> sqlite3.Connection:
    """Copy a journal that no process writes, with what is in its log, into a temporary database."""
    copy = schema.connect("")
    real = Path(os.path.realpath(path))
    try:
        with tempfile.TemporaryDirectory() as folder:
            for file in (real, log):
                shutil.copyfile(file, Path(folder, file.name))
            with closing(schema.connect(Path(folder, real.name).as_uri())) as connection:
                connection.backup(copy)
    except BaseException:
        copy.close()
        raise
    return copy


def _check_marks(path: Path, connection: sqlite3.Connection) -> None:
    if connection.execute("PRAGMA application_id").fetchone()[0] != schema.APPLICATION:
        raise journal_error(path, JournalReason.OTHER_PROGRAM, "not a journal of a bulk job")
    version = schema.version_of(connection)
    if version > schema.VERSION:
        raise journal_error(path, JournalReason.NEWER_VERSION, "made by a newer version of aiorescue")
    if version < 1 or (version == schema.VERSION and not schema.is_whole(connection)):
        raise journal_error(path, JournalReason.DAMAGED, "its tables are not those of a journal")
