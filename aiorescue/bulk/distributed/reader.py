"""`PostgresReader`: questions to a job in the database. It is a `StoreReader`, as a journal's reader is."""

from collections.abc import AsyncIterator
from typing import Any, Final

from psycopg import AsyncConnection

from aiorescue import errors
from aiorescue.bulk import records
from aiorescue.bulk.distributed.database import connected
from aiorescue.bulk.distributed.schema import HELD_IDENTITIES
from aiorescue.bulk.figures import WINDOW, FigureSums
from aiorescue.bulk.store import JobStatus, State, StoredRow
from aiorescue.errors import JournalReason
from aiorescue.operation import discreetly_awaited, discreetly_iterated

_FIGURES: Final = f"""
SELECT state, position IS NOT NULL, count(*), coalesce(sum(orphans), 0), count(*) FILTER (WHERE corrected),
    count(*) FILTER (WHERE issued_at > now() - %s * interval '1 second'),
    coalesce(extract(epoch FROM now() - min(issued_at) FILTER (WHERE issued_at > now() - %s * interval '1 second')), 0),
    count(*) FILTER (WHERE state = 1 AND owner NOT IN ({HELD_IDENTITIES}))
FROM aiorescue.request WHERE job = %s GROUP BY 1, 2"""
_RUNNING: Final = f"SELECT EXISTS (SELECT FROM aiorescue.lane WHERE job = %s AND identity IN ({HELD_IDENTITIES}))"
#: The columns of which `stored_row` makes a row.
COLUMNS: Final = "key, position, line, cells, operation, fields::text, state, pin, orphans, error, corrected"
_ROWS: Final = f"""SELECT {COLUMNS} FROM aiorescue.request
WHERE job = %s AND ({{}}) AND (position IS NOT NULL OR state IN (1, 2) OR orphans > 0)
ORDER BY position IS NULL, position, id"""


async def find(connection: AsyncConnection[Any], name: str) -> tuple[int, str, int]:
    """Id, columns and runs of a job. Raises `errors.JournalError` if there is no such job."""
    found = await connection.execute("SELECT id, columns, runs FROM aiorescue.job WHERE name = %s", (name,))
    row = await found.fetchone()
    if row is None:
        names = await connection.execute("SELECT name FROM aiorescue.job ORDER BY id DESC LIMIT 5")
        known = ", ".join([one[0] async for one in names]) or "none"
        raise errors.JournalError(
            f"there is no job {name!r} in the database; the latest are: {known}", reason=JournalReason.VANISHED
        )
    return row[0], row[1], row[2]


class PostgresReader:
    """Questions to a job, which may be asked at any time and need no credentials of the service.

    Args:
        database: URL of the database.
        name: name of the job.
    """

    def __init__(self, database: str, name: str) -> None:
        self._database, self._name = database, name

    @discreetly_awaited
    async def status(self) -> JobStatus:
        """The figures of the job at this moment."""
        async with connected(self._database) as connection, connection.transaction():
            await connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            job, _, runs = await find(connection, self._name)
            figures = await (await connection.execute(_FIGURES.encode(), (WINDOW, WINDOW, job))).fetchall()
            row = await (await connection.execute(_RUNNING.encode(), (job,))).fetchone()
        sums, age = FigureSums(), 0.0
        for state, is_here, count, left, changed, issued, oldest, abandoned in figures:
            sums.add(state, count, is_here=is_here, orphans=left + abandoned, corrected=changed, recent=issued)
            age = max(age, float(oldest))
        running = bool(sums.left and row and row[0])
        return sums.status(self._name, runs=runs, running=running, seconds=age)

    @discreetly_awaited
    async def columns(self) -> tuple[str, ...]:
        """The names of the program's own columns, as they were submitted last."""
        async with connected(self._database) as connection:
            return records.cells_of((await find(connection, self._name))[1])

    @discreetly_iterated
    async def rows(self, *states: State) -> AsyncIterator[StoredRow]:
        """Yield the rows as they were at one moment, in the order of the input."""
        which = f"state IN ({', '.join(str(int(state)) for state in states)})" if states else "true"
        async for row in self._select(which):
            yield row

    @discreetly_iterated
    async def orphans(self) -> AsyncIterator[StoredRow]:
        """Yield the rows with attempts that may have left an unclaimed PIN."""
        async for row in self._select(f"orphans > 0 OR state = 1 AND owner NOT IN ({HELD_IDENTITIES})"):
            yield row

    async def _select(self, which: str) -> AsyncIterator[StoredRow]:
        async with connected(self._database) as connection, connection.transaction():
            job, _, _ = await find(connection, self._name)
            async with connection.cursor("rows") as cursor:
                cursor.itersize = 500
                await cursor.execute(_ROWS.format(which).encode(), (job,))
                async for values in cursor:
                    yield stored_row(*values)


def stored_row(*values: Any) -> StoredRow:
    """A row of the database as a `StoredRow`. Raises `errors.JournalError` if its fields are no request."""
    key, position, line, cells, operation, fields, state, pin, orphans, error, corrected = values
    try:
        request = None if operation is None else records.decode(operation, fields)
    except ValueError as problem:
        text = f"the row of the request {records.name_of(key)} is damaged; {problem}"
        raise errors.JournalError(text, reason=JournalReason.DAMAGED) from None
    return StoredRow(
        key=key,
        position=position,
        line=None if position is None else line,
        cells=records.cells_of(cells),
        request=request,
        state=State(state),
        pin=pin,
        orphans=orphans,
        error=error or "",
        corrected=corrected,
    )
