"""Connections to the database of distributed jobs, and what its errors become."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from typing import Any, Final, Self

import attrs
import psycopg
from psycopg import AsyncConnection
from tenacity import (
    AsyncRetrying,
    retry_if_exception_type,
    stop_after_attempt,
    stop_after_delay,
    wait_exponential,
    wait_random_exponential,
)

from aiorescue import errors
from aiorescue.bulk.distributed import schema
from aiorescue.bulk.distributed.url import check_url, secrets_of
from aiorescue.errors import JournalReason
from aiorescue.wire.redact import clean

_log = logging.getLogger(__name__)
#: A host that vanished is noticed within half a minute: by keepalives where nothing is on its way to it, and else by
#: TCP's timeout for data that is not acknowledged, which is a quarter of an hour by default.
_OPTIONS: Final = {
    "autocommit": True,
    "connect_timeout": 5,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
    "application_name": "aiorescue",
}
#: What each session sets. A note that was answered survives a crash of the server, whatever is set for it; a stronger
#: setting stays as it is. The server notices within half a minute that a host has vanished, and frees its locks.
_SESSION: Final = """SELECT set_config('synchronous_commit', CASE found WHEN 'off' THEN 'on' ELSE found END, false),
    set_config('tcp_keepalives_idle', '10', false), set_config('tcp_keepalives_interval', '5', false),
    set_config('tcp_keepalives_count', '3', false), set_config('tcp_user_timeout', '25000', false)
    FROM current_setting('synchronous_commit') found"""
#: Connections for the writes of a worker, and the seconds after which a write does not wait for those before it.
_MOST, _STUCK = 3, 0.25
#: Name of the parameter that is true when a statement is repeated, as the answer to it was lost.
REPEATED: Final = "repeated"
#: Writes that are committed together.
_GROUP: Final = 128
#: Seconds for which a write waits for a database that is away.
PATIENCE: Final = 600.0
#: Half of the seconds between two attempts, at first and at most; the other half is random.
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

#: The database is away, or in a failover: a server that may not write yet, or no longer, is no place for a note.
_AWAY: Final = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
#: Classes of SQL states of a server that answers and cannot write: read-only; no room. Its connections stand, so that
#: the watch of a worker notices nothing.
_CANNOT_WRITE: Final = ("25", "53")
#: What PostgreSQL says when tables are not as this module knows them.
_NOT_OURS: Final = (
    psycopg.errors.InvalidSchemaName,
    psycopg.errors.UndefinedTable,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.DatatypeMismatch,
)

Rows = list[tuple[Any, ...]]


@contextmanager
def explained(secrets: Sequence[str]) -> Iterator[None]:
    """Turn what psycopg raises into `errors.JournalError`, which quotes it without the secrets."""
    try:
        yield
    except psycopg.Error as problem:
        raise _error(problem, secrets) from None


def _error(problem: psycopg.Error, secrets: Sequence[str]) -> errors.JournalError:
    text = clean(" ".join(str(problem).split()), secrets)
    if isinstance(problem, _NOT_OURS):
        return errors.JournalError(
            f"the tables in the database are not those of this version of aiorescue ({text});"
            " use one version of aiorescue on all machines",
            reason=JournalReason.DAMAGED,
        )
    return errors.JournalError(f"the database cannot be used: {text}", reason=JournalReason.FAILED)


async def _connect(url: str) -> AsyncConnection[Any]:
    connection = await AsyncConnection.connect(url, **_OPTIONS)  # type: ignore[arg-type]
    try:
        await connection.execute(_SESSION)
    except BaseException:
        await asyncio.shield(connection.close())
        raise
    return connection


def beyond_deadlocks() -> AsyncRetrying:
    """Repeats a transaction that PostgreSQL ended because it and those of lanes waited for each other.

    What becomes of several rows is committed at once, in any order.
    """
    return AsyncRetrying(
        retry=retry_if_exception_type(psycopg.errors.DeadlockDetected), stop=stop_after_attempt(10), reraise=True
    )


@asynccontextmanager
async def connected(url: str, *, prepare: bool = False) -> AsyncIterator[AsyncConnection[Any]]:
    """A connection while the context lasts; the tables are checked, or made with `prepare`.

    Raises:
        errors.InvalidRequest: the text is no URL of a database.
        errors.JournalError: the database cannot be used, or its tables are not those of this version.
    """
    check_url(url)
    with explained(secrets_of(url)):
        async with await _connect(url) as connection:
            await (schema.prepare if prepare else schema.check_version)(connection)
            yield connection


@attrs.frozen(eq=False)
class _Write:
    """A statement that waits for its commit.

    Attributes:
        statement: the statement, with named parameters.
        values: values of the statement's parameters; `REPEATED` among them says whether it may have been carried out.
        done: ends with the rows that it returned, once they are committed.
    """

    statement: bytes
    values: Mapping[str, Any]
    done: "asyncio.Future[Rows]"


class Statements:
    """Runs single statements of all lanes of a worker, and repeats them until a database that went away is back.

    Statements that come while a commit is under way share the next one: they are sent at once, and cost one answer and
    one sync of the disk. A statement that must wait for a lock holds up the others for a quarter of a second only.

    Args:
        url: the database.
    """

    def __init__(self, url: str) -> None:
        self._url, self._secrets = url, secrets_of(url)
        self._waiting: list[_Write] = []
        self._idle: list[AsyncConnection[Any]] = []
        self._commits: set[asyncio.Task[None]] = set()
        self._timer: asyncio.TimerHandle | None = None
        self._retrying = AsyncRetrying(
            retry=retry_if_exception_type(_AWAY),
            # Half of a pause is random, so that workers do not all come at once.
            wait=wait_exponential(_FIRST_PAUSE, _LONGEST_PAUSE) + wait_random_exponential(_FIRST_PAUSE, _LONGEST_PAUSE),
            stop=stop_after_delay(PATIENCE),
            reraise=True,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for commit in self._commits:
            commit.cancel()
        if self._commits:
            await asyncio.wait(self._commits)
        while self._idle:
            await self._idle.pop().close()

    def explained(self) -> AbstractContextManager[None]:
        """Turns what `rows` raises into `errors.JournalError`, without the secrets of the URL."""
        return explained(self._secrets)

    async def rows(self, statement: bytes, values: Mapping[str, Any]) -> Rows:
        """The rows that a statement returns, once it is committed; it must have one effect even if carried out twice.

        A statement may use the parameter `REPEATED`, which is True when it may have been carried out before.

        Raises:
            psycopg.Error: the statement cannot be carried out, or the database was away for too long.
        """
        write = _Write(statement, values, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        self._pump()
        return await write.done

    def _pump(self, *, stuck: bool = False) -> None:
        """Commit what waits, unless a commit is under way that what waits can follow."""
        if not self._waiting:
            return
        if not self._commits or (stuck and len(self._commits) < _MOST):
            group, self._waiting = self._waiting[:_GROUP], self._waiting[_GROUP:]
            commit = asyncio.get_running_loop().create_task(self._commit(group))
            self._commits.add(commit)
            commit.add_done_callback(self._committed)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_STUCK, self._look_for_stuck)

    def _look_for_stuck(self) -> None:
        self._timer = None
        self._pump(stuck=True)

    def _committed(self, commit: "asyncio.Task[None]") -> None:
        self._commits.discard(commit)
        if not commit.cancelled():
            self._pump()

    async def _commit(self, group: Sequence[_Write]) -> None:
        """Carry out a group, again when the database was away; after another error each statement alone."""

        async def once() -> list[Rows]:
            nonlocal group
            try:
                return await self._carry_out(group)
            except _AWAY as problem:
                if (problem.sqlstate or "")[:2] in _CANNOT_WRITE:
                    _log.warning("%s; trying again", _error(problem, self._secrets))
                group = [attrs.evolve(write, values={**write.values, REPEATED: True}) for write in group]
                raise

        try:
            found: list[Rows] = await self._retrying(once)
        except psycopg.Error as problem:
            if len(group) == 1 or isinstance(problem, _AWAY):
                _refuse(group, problem)
                return
            for write in group:
                await self._commit([write])
        else:
            for write, rows in zip(group, found, strict=True):
                if not write.done.done():
                    write.done.set_result(rows)

    async def _carry_out(self, group: Sequence[_Write]) -> list[Rows]:
        """The rows of all statements of a group, in one transaction."""
        connection = self._idle.pop() if self._idle else await _connect(self._url)
        try:
            if len(group) == 1:
                found = [await (await connection.execute(group[0].statement, group[0].values)).fetchall()]
            else:
                async with connection.pipeline():  # it commits at its end, so that nothing is known before
                    cursors = [await connection.execute(write.statement, write.values) for write in group]
                    found = [await cursor.fetchall() for cursor in cursors]
        except _AWAY:
            await connection.close()
            raise
        except psycopg.Error:
            self._idle.append(connection)
            raise
        except BaseException:
            await asyncio.shield(connection.close())
            raise
        self._idle.append(connection)
        return found


def _refuse(group: Sequence[_Write], problem: psycopg.Error) -> None:
    for write in group:
        if not write.done.done():
            write.done.set_exception(problem)
