"""The journal of a bulk job: an SQLite file that holds each request, what became of it, and its PIN.

Theory of operation
===================

A *job* is a table of requests for PIN codes. A *run* is one process that works on the job; a job that is interrupted
or killed takes several runs. The *journal* is the file that carries the job from one run to the next. It answers one
question: which requests may be sent now, so that every request ends with exactly one PIN and no PIN that was handed
to the program is ever lost?

A request is found in the journal by its *key*. The key of a request with a tracking field is that field. A request
without one is known by a digest of its fields and by how many requests with the very same fields came before it in the
run; so it keeps its key when other requests are added in front of it. The digest is stored with every key, because a
tracking field that comes back with other fields belongs to another job, or to a request that was edited. If such a
request was sent or issued before, `Journal.admit` raises `errors.JournalError`.

**States.** A request is in one of four states:

ADMITTED
    The request was taken from the source, has its row, and is yet to be sent by this run.
SENT
    The request is about to leave or has left. As long as this is the last thing known, whether the service issued a
    PIN is unknown.
ISSUED
    The PIN has come and is in the row. This state is final: no later run sends the request again.
FAILED
    The service refused the request, or its retries ended. The next run tries again.

A request that the service refuses because of the identity (wrong credentials, no PIN codes left) says nothing about
the request. It is *given back*: it returns to ADMITTED, and another identity of this run, or a later run, sends it.

**Order of writes.** Two rules make the journal safe:

1. `Journal.sent` is awaited before the first byte of an attempt leaves. A request that is ADMITTED after a crash was
   therefore not sent by that run, or was given back after a refusal.
2. `Journal.issued` is awaited before the PIN is handed to the program. A PIN that the program has seen is therefore in
   the journal.

`admit` is awaited before either of them. `failed` and `given_back` are awaited before the result is handed on, too, but
nothing would be lost without them.

**What is on the disk.** The file is in SQLite's WAL mode with ``synchronous = FULL``: a commit is appended to the
write-ahead log and synced before its await ends. An awaited write survives the end of the process and the end of the
machine. A write that was not yet awaited may be on the disk or not; never half of it, since SQLite ignores a commit
that is cut short in the log. Cancelling an await does not take the write back.

**Group commit.** A sync takes milliseconds, so writes share it; see `aiorescue.bulk.group_commit`. The writes of one
group are applied in the order of their statements, not of their arrival. That is sound because a request has at most
one write under way: its next one begins after the await of the one before. One thread does all the work of the file.

**What a crash can leave**, by the last write of the request that reached the disk:

================  ================================  ==================================================
last write        what may have happened            what the next run does
================  ================================  ==================================================
none, ADMITTED    nothing was sent                  sends the request
SENT              nothing; or the request arrived   sends the request, and counts one possible orphan
                  and a PIN was issued
ISSUED            the program may have seen the     yields the PIN from the journal and sends nothing
                  PIN, or may not
FAILED            the program may have seen the     sends the request
                  error, or may not
================  ================================  ==================================================

**Orphans.** A PIN that the service issued while its answer was lost is an *orphan*: it exists, it expires unclaimed,
and nothing can find it again. The journal counts for each request the attempts that may have left one. The count goes
up by one for each attempt whose answer the journal does not know: when `sent` finds the request already SENT (the run
repeats an attempt), and when `admit` finds it SENT (an earlier run ended in the middle of an attempt). These are
estimates: an attempt that was rejected because it came too fast counts, too. When the call has ended, the call runner
knows which of its attempts were ambiguous, and `issued`, `failed` and `given_back` store that figure in place of the
estimate. So the count errs only upwards, and only for requests that were in flight when a run ended without warning.

**One writer.** The connection holds SQLite's exclusive lock from `open` to `close`. A second process that opens the
journal gets ``JournalReason.IN_USE``. The operating system releases the lock with the process, however that ends, so a
killed run leaves no stale lock. ``application_id`` marks the file as a journal of ours, ``user_version`` is the version
of the schema, and the name of the job is kept, so that no other database and no other job is overwritten.

**Resuming.** `open` raises the run's number. `admit` writes that number into each row; a row that already carries the
present number is a key that occurs twice in this run, which is refused. Rows of earlier runs are answered with what is
known of them: ISSUED ones with their PIN, all others to be sent. Rows whose requests do not come back stay untouched.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiorescue import errors
from aiorescue.bulk.group_commit import GroupCommit
from aiorescue.bulk.store import Entry, State
from aiorescue.errors import JournalReason

#: A statement with its values; or a function that runs in the thread and returns a value.
Write = tuple[str, tuple[Any, ...]] | Callable[[sqlite3.Connection], Any]

#: Marks the file as ours ("RESQ").
_APPLICATION = 0x52455351
_VERSION = 1
# The column `unseen` counts possible orphans; its name stays, so that existing journals can be taken over.
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
#: Why a file cannot be used, by SQLite's primary result code.
_REASONS = {
    sqlite3.SQLITE_BUSY: JournalReason.IN_USE,
    sqlite3.SQLITE_LOCKED: JournalReason.IN_USE,
    sqlite3.SQLITE_NOTADB: JournalReason.NO_DATABASE,
}


class Journal:
    """The journal file of a job; without a path, a private temporary database that only notices duplicate keys.

    Args:
        path: the file; it is made if it does not exist.
        job: the name of the job; a journal with another name is refused.
    """

    def __init__(self, path: str | os.PathLike[str] | None, job: str) -> None:
        self._path = None if path is None else Path(path)
        self._job = job
        self._loop: asyncio.AbstractEventLoop  # the loop and the commits are there from `open` on
        self._commits: GroupCommit[Write]
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="aiorescue-journal")
        self._connection: sqlite3.Connection | None = None
        self._run = 0

    async def open(self) -> None:
        """Open the file and begin a run.

        Raises:
            errors.JournalError: the file belongs to another job, is no journal, or is in use; `reason` says which.
        """
        self._loop = asyncio.get_running_loop()
        self._commits = GroupCommit(self._loop, self._thread, self._commit)
        try:
            await self._loop.run_in_executor(self._thread, self._open)
        except BaseException:
            await self._end()  # the thread may still be opening it: the next user must not find the file locked
            raise

    async def close(self) -> None:
        """Finish the writes that wait, and close the file."""
        try:
            with suppress(errors.JournalError):
                await self._commits.write(lambda _: None)  # behind all writes that wait
        finally:
            await self._end()

    async def _end(self) -> None:
        """Close the file when the thread has done all its work; a cancelled wait leaves that to the thread."""
        self._commits.flush()
        closing = self._loop.run_in_executor(self._thread, self._close)
        self._thread.shutdown(wait=False)
        await asyncio.shield(closing)

    async def admit(self, requests: Sequence[tuple[str, bytes]]) -> list[Entry]:
        """Enter requests into the journal and return what it knows of each.

        Args:
            requests: the tracking field (may be empty) and the digest of the fields, for each request.

        Raises:
            errors.JournalError: a request that was sent before comes back with other fields.
        """
        found: list[Entry] = await self._commits.write(
            lambda connection: [self._admit(connection, *request) for request in requests]
        )
        return found

    def sent(self, key: str) -> "asyncio.Future[None]":
        """Record that an attempt is about to leave; a request that is SENT already counts one possible orphan more."""
        return self._note("UPDATE request SET unseen = unseen + (state = 1), state = 1 WHERE key = ?", key)

    def issued(self, key: str, pin: str, orphans: int) -> "asyncio.Future[None]":
        """Record the PIN and the number of possible orphans."""
        statement = "UPDATE request SET state = 2, pin = ?, unseen = ?, error = NULL WHERE key = ?"
        return self._note(statement, pin, orphans, key)

    def failed(self, key: str, error: str, orphans: int) -> "asyncio.Future[None]":
        """Record that the request failed by itself; the next run sends it again."""
        return self._note("UPDATE request SET state = 3, error = ?, unseen = ? WHERE key = ?", error, orphans, key)

    def given_back(self, key: str, orphans: int) -> "asyncio.Future[None]":
        """Record that the request was refused because of the identity; it is ADMITTED again."""
        return self._note("UPDATE request SET state = 0, unseen = ? WHERE key = ?", orphans, key)

    def _note(self, statement: str, *values: Any) -> "asyncio.Future[None]":
        if self._path is None:
            nothing: asyncio.Future[None] = self._loop.create_future()
            nothing.set_result(None)
            return nothing
        return self._commits.write((statement, values))

    # --- in the thread ---

    def _commit(self, group: Sequence[Write]) -> list[Any]:
        connection = self._connection
        if connection is None:
            finding = f"{self._path}: the journal is closed"
            raise errors.JournalError(finding, reason=JournalReason.CLOSED, finding=finding)
        try:
            with connection:
                connection.execute("BEGIN")
                # A request has one write under way at a time, so the order of the writes of a group does not matter.
                noted: dict[str, list[tuple[Any, ...]]] = {}
                for write in group:
                    if isinstance(write, tuple):
                        noted.setdefault(write[0], []).append(write[1])
                for statement, values in noted.items():
                    connection.executemany(statement, values)
                return [None if isinstance(write, tuple) else _result(write, connection) for write in group]
        except sqlite3.Error as problem:
            raise self._error(_reason(problem), str(problem)) from None

    def _admit(self, connection: sqlite3.Connection, name: str, digest: bytes) -> Entry:
        key = f"={name}" if name else f"#{digest.hex()}.{self._count_alike(connection, digest)}"
        row = connection.execute("SELECT digest, run, state, pin, unseen FROM request WHERE key = ?", (key,)).fetchone()
        if row is None:
            connection.execute("INSERT INTO request (key, digest, run) VALUES (?, ?, ?)", (key, digest, self._run))
            return Entry(key, State.ADMITTED, None, 0, duplicate=False)
        known, run, state, pin, orphans = row
        if run == self._run:
            return Entry(key, State(state), pin, orphans, duplicate=True)
        if known != digest and state in (State.ISSUED, State.SENT):
            raise self._error(
                JournalReason.OTHER_FIELDS,
                f"request {name!r} was made with other fields; it is of another job, or the request was changed",
                advice="Use another journal",
            )
        if state == State.SENT:
            orphans += 1
        connection.execute(
            "UPDATE request SET run = ?, digest = ?, unseen = ?, state = ? WHERE key = ?",
            (self._run, digest, orphans, State.ISSUED if state == State.ISSUED else State.ADMITTED, key),
        )
        return Entry(key, State(state), pin, orphans, duplicate=False)

    def _count_alike(self, connection: sqlite3.Connection, digest: bytes) -> int:
        """Count a request without a tracking field; returns how many with its fields this run admitted before."""
        row = connection.execute("SELECT run, count FROM alike WHERE digest = ?", (digest,)).fetchone()
        before: int = row[1] if row is not None and row[0] == self._run else 0
        connection.execute("INSERT OR REPLACE INTO alike VALUES (?, ?, ?)", (digest, self._run, before + 1))
        return before

    def _open(self) -> None:
        try:
            if self._path is None:
                self._connection = self._connect("")
                return
            if not self._path.exists():
                # PINs open doors: only the owner may read them.
                os.close(os.open(self._path, os.O_CREAT | os.O_WRONLY, 0o600))
            self._connection = self._connect(str(self._path))
        except sqlite3.DatabaseError as problem:
            reason = _reason(problem)
            in_use = reason is JournalReason.IN_USE
            raise self._error(reason, "in use by another process" if in_use else str(problem)) from None
        except OSError as problem:
            raise self._error(JournalReason.FAILED, str(problem)) from None

    def _connect(self, path: str) -> sqlite3.Connection:
        connection = sqlite3.connect(path, isolation_level=None, timeout=1.0, check_same_thread=False)
        try:
            return self._set_up(connection)
        except BaseException:
            connection.close()
            raise

    def _set_up(self, connection: sqlite3.Connection) -> sqlite3.Connection:
        with connection:
            connection.execute("BEGIN")  # one snapshot: another process may be making the journal at this moment
            mark = connection.execute("PRAGMA application_id").fetchone()[0]
            tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
            version = connection.execute("PRAGMA user_version").fetchone()[0]
        if mark != _APPLICATION and (mark or tables):
            raise self._error(JournalReason.OTHER_PROGRAM, "a database of another program")
        if version > _VERSION:
            raise self._error(JournalReason.NEWER_VERSION, "made by a newer version of aiorescue")
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
            raise self._error(
                JournalReason.OTHER_JOB, f"the journal of another job: it says {name!r}, this is {self._job!r}"
            )
        self._run = run + 1
        connection.execute("UPDATE job SET run = ?", (self._run,))

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _error(self, reason: JournalReason, found: str, *, advice: str = "") -> errors.JournalError:
        finding = f"journal {self._path or '(temporary)'}: {found}"
        return errors.JournalError(f"{finding}. {advice}" if advice else finding, reason=reason, finding=finding)


def _reason(problem: sqlite3.Error) -> JournalReason:
    # Errors of Python's module, such as a closed connection, carry no code. Extended codes keep the primary one below.
    code = getattr(problem, "sqlite_errorcode", 0) & 0xFF
    return _REASONS.get(code, JournalReason.FAILED)


def _result(write: Callable[[sqlite3.Connection], Any], connection: sqlite3.Connection) -> Any:
    """The value of a write, or its own `JournalError` as a value: the other writes of the commit stay."""
    try:
        return write(connection)
    except errors.JournalError as problem:
        return problem
