"""The journal of a bulk job: which requests were sent and what came of them, in SQLite.

Writes are grouped: all that wait while one commit is under way share the next one, and commits that follow each other
quickly wait a moment for company, so each write costs a fraction of a disk sync; it is on the disk when its await
returns. One thread does all the work; the event loop never blocks.
"""

import asyncio
import enum
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import attrs

from aiorescue import errors

T = TypeVar("T")
#: A statement and its values; or, for what answers, a function in the thread.
Write = tuple[str, tuple[Any, ...]] | Callable[[sqlite3.Connection], Any]

#: Commits a second in the long run, unless they are full: a commit costs as much as half a dozen requests.
_COMMITS = 200
#: Commits that may come at once after a quiet time, and the writes that fill one.
_AT_ONCE, _FULL = 8, 16
#: Marks the file as ours ("RESQ").
_APPLICATION = 0x52455351
_VERSION = 1
_SCHEMA = """
CREATE TABLE IF NOT EXISTS job (name TEXT NOT NULL, run INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS request (
    key TEXT PRIMARY KEY,
    digest BLOB NOT NULL,              -- of the request's fields, to notice that another job uses the journal
    run INTEGER NOT NULL,              -- the run that asked last, to notice a key twice in one run
    state INTEGER NOT NULL DEFAULT 0,
    pin TEXT,
    unseen INTEGER NOT NULL DEFAULT 0, -- tries that may have left a PIN that nobody knows
    error TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alike (    -- how many requests of the same fields, without a name, a run has asked for
    digest BLOB PRIMARY KEY,
    run INTEGER NOT NULL,
    count INTEGER NOT NULL
) WITHOUT ROWID;
"""


class State(enum.IntEnum):
    """What the journal knows of a request."""

    NEW = 0
    SENT = 1  # it left; if that is all, whether a PIN was issued is unknown
    ISSUED = 2
    FAILED = 3


@attrs.frozen
class Entry:
    """A request as the journal found it.

    Attributes:
        key: the request's key.
        state: what is known of it.
        pin: the PIN, if issued.
        unseen: earlier tries that may have left a PIN that nobody knows.
        twice: the key was asked for before in this very run.
    """

    key: str
    state: State
    pin: str | None
    unseen: int
    twice: bool


class Journal:
    """A journal file, or a private temporary one (no path) that only notices keys that occur twice.

    Args:
        path: the file; made if it does not exist.
        job: the name of the job; a journal of another name is refused.
    """

    def __init__(self, path: str | os.PathLike[str] | None, job: str) -> None:
        self._path = None if path is None else Path(path)
        self._job = job
        self._loop: asyncio.AbstractEventLoop  # the one that opened it
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aiorescue-journal")
        self._waiting: list[tuple[Write, asyncio.Future[Any]]] = []
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None  # of a commit that waits for company
        self._free_at = 0.0  # when the next commit may come without waiting
        self._connection: sqlite3.Connection | None = None
        self._run = 0

    async def open(self) -> None:
        """Open the file. Raises `errors.JournalError` if it is of another job, no journal, or in use."""
        self._loop = asyncio.get_running_loop()
        try:
            await self._loop.run_in_executor(self._thread, self._open)
        except BaseException:
            await self._end()  # cancelled, it may be opening still: whoever comes next must not find it locked
            raise

    async def close(self) -> None:
        """Finish what is being written and close the file."""
        try:
            with suppress(errors.JournalError):
                await self._write(lambda _: None)  # behind all that waits
        finally:
            await self._end()

    async def _end(self) -> None:
        """Close the file behind all that the thread has to do. Cancelled, that happens unseen."""
        if self._waiting:
            self._commit_waiting()
        closing = self._loop.run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)
        await asyncio.shield(closing)

    async def admit(self, requests: Sequence[tuple[str, bytes]]) -> list[Entry]:
        """Enter requests, given as name and digest of their fields, and tell what is known of each.

        One without a name is known by its fields and how many of the same fields were before it in the run: so it
        keeps its key when others come in between.
        """
        found: list[Entry] = await self._write(lambda connection: [self._admit(connection, *one) for one in requests])
        return found

    def sent(self, key: str) -> "asyncio.Future[None]":
        """The request is about to leave."""
        # Sent again within a run: should it be the last that is heard, there were two tries.
        return self._note("UPDATE request SET unseen = unseen + (state = 1), state = 1 WHERE key = ?", key)

    def issued(self, key: str, pin: str, unseen: int) -> "asyncio.Future[None]":
        """The PIN has come."""
        statement = "UPDATE request SET state = 2, pin = ?, unseen = ?, error = NULL WHERE key = ?"
        return self._note(statement, pin, unseen, key)

    def failed(self, key: str, error: str, unseen: int) -> "asyncio.Future[None]":
        """The request failed by itself; another run asks again."""
        return self._note("UPDATE request SET state = 3, error = ?, unseen = ? WHERE key = ?", error, unseen, key)

    def given_back(self, key: str, unseen: int) -> "asyncio.Future[None]":
        """The request was refused for its caller's sake: it is as good as new."""
        return self._note("UPDATE request SET state = 0, unseen = ? WHERE key = ?", unseen, key)

    # --- grouping ---

    def _note(self, statement: str, *values: Any) -> "asyncio.Future[None]":
        if self._path is None:
            nothing: asyncio.Future[None] = self._loop.create_future()
            nothing.set_result(None)
            return nothing
        return self._write((statement, values))

    def _write(self, write: Write) -> "asyncio.Future[Any]":
        """What will be done when it is on the disk. A future: many wait here, and a coroutine more for each costs."""
        future: asyncio.Future[Any] = self._loop.create_future()
        self._waiting.append((write, future))
        if not self._busy and (self._timer is None or len(self._waiting) >= _FULL):
            self._next()
        return future

    def _next(self) -> None:
        """Commit what waits, now or in a moment."""
        early = self._free_at - self._loop.time()
        if early > 0 and len(self._waiting) < _FULL:
            self._timer = self._loop.call_later(early, self._commit_waiting)
        else:
            self._commit_waiting()

    def _commit_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        group, self._waiting = self._waiting, []
        self._busy = True
        now, gap = self._loop.time(), 1 / _COMMITS
        # After a quiet time some may be early; one that came because it was full makes nobody else wait for longer.
        self._free_at = min(max(self._free_at, now - _AT_ONCE * gap) + gap, now + gap)
        done = self._loop.run_in_executor(self._thread, self._commit, [write for write, _ in group])
        done.add_done_callback(lambda done: self._committed(done, [future for _, future in group]))

    def _committed(self, done: "asyncio.Future[list[Any]]", futures: Sequence["asyncio.Future[Any]"]) -> None:
        self._busy = False
        problem = done.exception()
        outcomes = [problem] * len(futures) if problem is not None else done.result()
        for outcome, future in zip(outcomes, futures, strict=True):
            if future.done():  # cancelled; what it wrote stays written
                continue
            if isinstance(outcome, BaseException):
                future.set_exception(outcome)
            else:
                future.set_result(outcome)
        if self._waiting:
            self._next()

    # --- in the thread ---

    def _commit(self, group: Sequence[Write]) -> list[Any]:
        connection = self._connection
        if connection is None:
            raise errors.JournalError(f"{self._path}: the journal is closed")
        try:
            with connection:
                connection.execute("BEGIN")
                # A request has one write under way at a time, so that their order among each other does not matter.
                noted: dict[str, list[tuple[Any, ...]]] = {}
                for write in group:
                    if isinstance(write, tuple):
                        noted.setdefault(write[0], []).append(write[1])
                for statement, values in noted.items():
                    connection.executemany(statement, values)
                return [None if isinstance(write, tuple) else _result(write, connection) for write in group]
        except sqlite3.Error as problem:
            raise self._refused(str(problem)) from None

    def _admit(self, connection: sqlite3.Connection, name: str, digest: bytes) -> Entry:
        key = f"={name}" if name else f"#{digest.hex()}.{self._count_alike(connection, digest)}"
        row = connection.execute("SELECT digest, run, state, pin, unseen FROM request WHERE key = ?", (key,)).fetchone()
        if row is None:
            connection.execute("INSERT INTO request (key, digest, run) VALUES (?, ?, ?)", (key, digest, self._run))
            return Entry(key, State.NEW, None, 0, twice=False)
        known, run, state, pin, unseen = row
        if run == self._run:
            return Entry(key, State(state), pin, unseen, twice=True)
        if known != digest and state in (State.ISSUED, State.SENT):
            raise self._refused(
                f"request {name!r} was made with other fields; it is of another job, or the request was changed."
                " Use another journal"
            )
        if state == State.SENT:
            unseen += 1
        connection.execute(
            "UPDATE request SET run = ?, digest = ?, unseen = ?, state = ? WHERE key = ?",
            (self._run, digest, unseen, State.ISSUED if state == State.ISSUED else State.NEW, key),
        )
        return Entry(key, State(state), pin, unseen, twice=False)

    def _count_alike(self, connection: sqlite3.Connection, digest: bytes) -> int:
        row = connection.execute("SELECT run, count FROM alike WHERE digest = ?", (digest,)).fetchone()
        before: int = row[1] if row is not None and row[0] == self._run else 0
        connection.execute("INSERT OR REPLACE INTO alike VALUES (?, ?, ?)", (digest, self._run, before + 1))
        return before

    def _open(self) -> None:
        try:
            if self._path is None:
                self._connection = self._fresh("")
                return
            if not self._path.exists():
                # PINs open doors: nobody else need read them.
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._connection = self._fresh(str(self._path))
        except sqlite3.OperationalError as problem:
            in_use = "locked" in str(problem)
            raise self._refused("in use by another process" if in_use else str(problem)) from None
        except (sqlite3.DatabaseError, OSError) as problem:
            raise self._refused(str(problem)) from None

    def _fresh(self, path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
        try:
            return self._set_up(connection)
        except BaseException:
            connection.close()
            raise

    def _set_up(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        with connection:
            connection.execute("BEGIN")  # one look: another process may be making the journal between two of them
            mark = connection.execute("PRAGMA application_id").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if mark != _APPLICATION and (mark or tables):
            raise self._refused("a database of another program")
        if version > _VERSION:
            raise self._refused("made by a newer version of aiorescue")
        # The lock keeps a second process out and goes with the process, however it ends.
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        if self._path is not None:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")
        with connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(f"PRAGMA application_id = {_APPLICATION}")
            connection.execute(f"PRAGMA user_version = {_VERSION}")
            for statement in _SCHEMA.strip().removesuffix(";").split(";\n"):
                connection.execute(statement)
            self._begin_run(connection)
        return connection

    def _begin_run(self, connection: sqlite3.Connection) -> None:
        row = connection.execute("SELECT name, run FROM job").fetchone()
        if row is None:
            connection.execute("INSERT INTO job VALUES (?, 1)", (self._job,))
            self._run = 1
            return
        name, run = row
        if name != self._job:
            raise self._refused(f"the journal of another job: it says {name!r}, this is {self._job!r}")
        self._run = run + 1
        connection.execute("UPDATE job SET run = ?", (self._run,))

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _refused(self, why: str) -> errors.JournalError:
        return errors.JournalError(f"journal {self._path or '(temporary)'}: {why}")


def _result(work: Callable[[sqlite3.Connection], Any], connection: sqlite3.Connection) -> Any:
    """What came of a piece of work. Its own refusal is no reason to undo what others wrote in the same commit."""
    try:
        return work(connection)
    except errors.JournalError as problem:
        return problem
