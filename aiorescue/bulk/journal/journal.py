"""`Journal`: a job in an SQLite file, for the process that works on it. `aiorescue.bulk.journal` says how it works."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final, Self

from aiorescue import errors
from aiorescue.bulk import records
from aiorescue.bulk.group_commit import GroupCommit
from aiorescue.bulk.journal import notes
from aiorescue.bulk.journal.file import JournalFile, Write
from aiorescue.bulk.journal.reading import JournalReader
from aiorescue.bulk.journal.rows import admit, claim, list_what_is_left, retry
from aiorescue.bulk.journal.staging import Stager, StagingStopped, Watched, move_cells, utf8
from aiorescue.bulk.journal.trouble import path_of
from aiorescue.bulk.store import Claimed, Entry, InputRow, JobStatus, Lane, Staging, State, StoredRow
from aiorescue.errors import JournalReason
from aiorescue.rescue import PinRequest

#: Seconds after a commit by which it is in the file itself, and not only in the log beside it.
_CHECKPOINT: Final = 0.5


class Journal:
    """The journal file of a job. It is a `Store`; as an async context it is opened and closed.

    Args:
        path: the file; it is made if it does not exist. None for a private temporary database that only notices
            requests that come twice.
        job: the name of the job; a journal with another name is refused.
        accept_loss: open a journal whose write-ahead log is missing, and count what it may have held as possible
            orphans. Left out, such a journal is refused.
        now: the time of day in seconds, which is kept with each PIN.

    Raises:
        errors.InvalidRequest: the path or the name is of another type.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None,
        job: str,
        *,
        accept_loss: bool = False,
        now: Callable[[], float] = time.time,
    ) -> None:
        if not isinstance(job, str):
            raise errors.InvalidRequest(f"the name of a job must be a text, not {type(job).__name__}")
        self._path = None if path is None else path_of(path)
        self._now = now
        self._loop: asyncio.AbstractEventLoop  # the loop and the commits are there from `open` on
        self._commits: GroupCommit[Write]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aiorescue-journal")
        self._file = JournalFile(self._path, job, accept_loss=accept_loss)
        self._checkpoint: asyncio.TimerHandle | None = None
        self._place: int | None = None  # of the row that was claimed last, among those to be sent
        self._nothing: asyncio.Future[None]
        self._is_closed = False

    @classmethod
    def reading(cls, path: str | os.PathLike[str], *, now: Callable[[], float] = time.time) -> JournalReader:
        """A reader of a journal, which may be in use by this or another process. It need not be opened or closed."""
        return JournalReader(path_of(path), now)

    async def open(self) -> None:
        """Open the file and begin a run.

        Raises:
            errors.JournalError: the file belongs to another job, is no journal, damaged or in use; `reason` says which.
        """
        self._loop = asyncio.get_running_loop()
        self._commits = GroupCommit(self._loop, self._thread, self._file.commit)
        self._nothing = self._loop.create_future()
        self._nothing.set_result(None)
        try:
            await self._loop.run_in_executor(self._thread, self._file.open)
        except BaseException:
            await self._end()  # the thread may still be opening it: the next user must not find the file locked
            raise

    async def close(self) -> None:
        """Finish the writes that wait, and close the file. A second close does nothing."""
        try:
            with suppress(errors.JournalError, RuntimeError):
                await self._write(lambda _: None)  # behind all writes that wait
        finally:
            await self._end()

    async def _end(self) -> None:
        """Close the file when the thread has done all its work; a cancelled wait leaves that to the thread."""
        self._is_closed = True
        if self._checkpoint is not None:
            self._checkpoint.cancel()
        with suppress(RuntimeError):  # closed before
            self._commits.flush()
            closing = self._loop.run_in_executor(self._thread, self._file.close)
            self._thread.shutdown(wait=False)
            await asyncio.shield(closing)

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    # --- questions ---

    async def status(self) -> JobStatus:
        """The figures of the job at this moment."""
        return await self._reader().status()

    async def columns(self) -> tuple[str, ...]:
        """The names of the program's own columns, as they were staged last."""
        return await self._reader().columns()

    def rows(self, *states: State) -> AsyncIterator[StoredRow]:
        """Yield the rows as they were at one moment, in the order of the input; see `StoreReader.rows`."""
        return self._reader().rows(*states)

    def orphans(self) -> AsyncIterator[StoredRow]:
        """Yield the rows with attempts that may have left an unclaimed PIN."""
        return self._reader().orphans()

    def _reader(self) -> JournalReader:
        if self._path is None:
            raise self._file.error(JournalReason.CLOSED, "a job without a file cannot be read")
        return JournalReader(self._path, self._now)

    # --- rows in ---

    async def stage(self, rows: Iterable[InputRow], *, columns: Sequence[str] = ()) -> Staging:
        """Take in a whole input, or nothing of it; see `Store.stage`."""
        self._check_open()
        watched = Watched(rows)
        try:
            staged = await self._loop.run_in_executor(self._thread, self._stage, watched, columns)
        except StagingStopped:
            raise watched.problem or errors.RescueError("the staging was stopped") from None
        except BaseException:
            watched.stop()  # a cancelled wait: the thread shall take in no more
            raise
        self._place = None
        return staged

    def _stage(self, rows: Watched, columns: Sequence[str]) -> Staging:
        before = records.cells_of(self._file.columns)
        with self._file.staging_as(records.to_json(columns)) as (connection, number):
            staged = Stager(connection, number).stage(rows)
            if staged.vanished and before and before != tuple(columns):
                move_cells(connection, number, before, columns)
        self._file.checkpoint_quietly()
        return staged

    async def admit(self, requests: Sequence[PinRequest]) -> list[Entry]:
        """Enter requests that are about to be sent, and return what is known of each; see `Store.admit`."""
        admitted = self._write(lambda file: admit(file, requests))
        self._commits.flush()
        found: list[Entry] = await admitted
        return found

    async def claim(self, most: int, lane: Lane | None = None) -> Sequence[Claimed]:
        """Hand out the next rows to be sent, in the order of the input; see `Store.claim`."""
        if self._place is None:
            await self._write(list_what_is_left)
            self._place = 0
        claimed = self._write(lambda file: claim(file, self._place or 0, most))
        self._commits.flush()
        self._place, rows = await claimed
        return rows  # type: ignore[no-any-return]

    async def retry(self) -> int:
        """Make failed rows ready to be sent again; returns how many."""
        count: int = await self._write(retry)
        return count

    # --- what became of them ---

    def sent(self, key: str, lane: Lane | None = None) -> "asyncio.Future[None]":
        """Record that an attempt is about to leave; a row that is SENT already counts one possible orphan more."""
        return self._note(key, notes.sent, patient=False)  # the request waits for it, and its slot passes

    def issued(self, key: str, pin: str, orphans: int, lane: Lane | None = None) -> "asyncio.Future[None]":
        """Record a PIN, and the number of possible orphans. Raises `errors.ProtocolError`, see `Store.issued`."""
        if self._path is not None and not self._file.pins.add(pin):
            raise errors.ProtocolError("the answer is OK, but its PIN is that of another request of this job")
        return self._note(key, notes.issued(pin, orphans, self._now()))

    def failed(self, key: str, error: str, orphans: int, lane: Lane | None = None) -> "asyncio.Future[None]":
        """Record that the request failed by itself; the next run sends it again."""
        return self._note(key, notes.failed(utf8(error), orphans))

    def given_back(self, key: str, orphans: int, lane: Lane | None = None) -> "asyncio.Future[None]":
        """Record that the request has no result for a reason that lies outside it; it is ADMITTED again."""
        return self._note(key, notes.given_back(orphans))

    def _note(
        self, key: str, change: Callable[[notes.RowUnderWay], None], *, patient: bool = True
    ) -> "asyncio.Future[None]":
        return self._nothing if self._path is None else self._write((key, change), patient=patient)

    def _write(self, write: Write, *, patient: bool = False) -> "asyncio.Future[Any]":
        self._check_open()
        if self._checkpoint is None and self._path is not None:
            self._checkpoint = self._loop.call_later(_CHECKPOINT, self._begin_checkpoint)
        return self._commits.write(write, patient=patient)

    def _check_open(self) -> None:
        if self._is_closed:  # the thread takes no more work
            raise self._file.error(JournalReason.CLOSED, "the journal is closed")

    def _begin_checkpoint(self) -> None:
        self._checkpoint = None
        with suppress(RuntimeError):  # closed
            self._loop.run_in_executor(self._thread, self._file.checkpoint_quietly)
