"""Results of a distributed job as they come; its figures; and a job as a whole: retrying and deleting it."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Final

from psycopg import AsyncCursor

from aiorescue import errors
from aiorescue.bulk.distributed.database import beyond_deadlocks, connected
from aiorescue.bulk.distributed.reader import COLUMNS, PostgresReader, find, stored_row
from aiorescue.bulk.issued import Issued
from aiorescue.bulk.store import JobStatus, State, StoredRow
from aiorescue.operation import discreetly_awaited, discreetly_iterated
from aiorescue.rescue import PinCode, PinRequest

#: Seconds between two looks for new results.
_LOOK: Final = 0.5
#: A transaction below the horizon has ended, so that no row of it comes later.
_HORIZON: Final = """SELECT pg_snapshot_xmin(pg_current_snapshot())::text, NOT EXISTS
    (SELECT FROM aiorescue.request WHERE job = %(job)s AND state IN (0, 1) AND position IS NOT NULL)"""
_ENDED: Final = f"""SELECT {COLUMNS} FROM aiorescue.request WHERE job = %(job)s AND ended >= %(after)s::xid8
    AND (%(horizon)s::xid8 IS NULL OR ended < %(horizon)s::xid8) ORDER BY ended""".encode()  # noqa: S608 - constants

_RETRY: Final = b"""UPDATE aiorescue.request SET state = 0, error = NULL, ended = NULL, attempt = NULL
    WHERE job = %s AND state = %s AND position IS NOT NULL"""


@discreetly_iterated
async def results(database: str, job: str, *, follow: bool = False) -> AsyncIterator[Issued[PinRequest]]:
    """Yield the results of a job in the order in which they were recorded; constant in memory.

    Args:
        database: URL of the PostgreSQL.
        job: name of the job.
        follow: wait for further results until no row is left; a row that is retried then has a second result. While a
            transaction that writes is open anywhere in the PostgreSQL, results of later ones wait for its end, or for
            the end of the job.

    Raises:
        errors.JournalError: the database cannot be used, or there is no such job, or no longer.
    """
    after = "0"
    async with connected(database) as connection:
        while True:
            number, _, _ = await find(connection, job)
            row = await (await connection.execute(_HORIZON, {"job": number})).fetchone()
            assert row is not None  # noqa: S101 - a SELECT without FROM has a row
            horizon, no_row_left = row
            if no_row_left or not follow:
                horizon = None  # nothing is to come later that could be missed
            async with connection.transaction(), connection.cursor("ended") as cursor:
                cursor.itersize = 500
                await cursor.execute(_ENDED, {"job": number, "after": after, "horizon": horizon})
                async for values in cursor:
                    result = _result(stored_row(*values))
                    if result is not None:
                        yield result
            if horizon is None:
                return
            after = horizon
            await asyncio.sleep(_LOOK)


def _result(row: StoredRow) -> Issued[PinRequest] | None:
    if row.request is None:
        return None
    position = -1 if row.position is None else row.position
    name = row.request.tracking or f"#{position}"
    if row.pin is not None:
        return Issued(row.request, PinCode(row.pin, row.orphans), None, 0, name, position, resumed=True)
    return Issued(row.request, None, errors.RescueError(row.error), 0, name, position)


@discreetly_awaited
async def status(database: str, job: str) -> JobStatus:
    """The figures of a job at this moment. Raises `errors.JournalError` if there is no such job."""
    return await PostgresReader(database, job).status()


@discreetly_awaited
async def retry(database: str, job: str) -> int:
    """Make the failed rows of a job's input ready to be sent again, which workers do at once; returns how many."""
    async with connected(database) as connection:
        number, _, _ = await find(connection, job)
        done: AsyncCursor[Any] = await beyond_deadlocks()(connection.execute, _RETRY, (number, State.FAILED.value))
        return done.rowcount


@discreetly_awaited
async def delete(database: str, job: str) -> None:
    """Delete a job with its rows and PINs; workers stop before they send another of its requests."""
    async with connected(database) as connection:
        number, _, _ = await find(connection, job)
        await beyond_deadlocks()(connection.execute, b"DELETE FROM aiorescue.job WHERE id = %s", (number,))
