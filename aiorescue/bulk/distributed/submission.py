"""Submission: copies a whole input into a table of its own, and enters it into the job in one transaction.

An input may take long to come. No transaction is open meanwhile, and nothing locked: one that is open holds back the
results of all jobs, and a lock on the job the workers that begin its lanes.
"""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable, Sequence
from typing import Any, Final

from psycopg import AsyncConnection

from aiorescue import errors
from aiorescue.bulk import records
from aiorescue.bulk.distributed.database import beyond_deadlocks, connected
from aiorescue.bulk.distributed.schema import SUBMISSION_LOCK
from aiorescue.bulk.source import checked
from aiorescue.bulk.store import InputRow, Staging, State
from aiorescue.operation import discreetly_awaited
from aiorescue.rescue import PinRequest

#: Rows after which the event loop gets its turn.
_BREATH: Final = 200
_LINES: Final = 100
#: Rows that are copied at once, and rows whose cells are moved at once.
_AT_ONCE: Final = 1_000
#: The rows of the input, as they were copied; the table is gone with the connection.
_STAGE: Final = """CREATE TEMP TABLE staged (position bigint, line bigint, cells text, key text, digest bytea,
    operation text, fields jsonb, problem text, earlier bytea[])"""
#: A tracking field that occurs twice makes the later row a bad one; other rows of the same fields are numbered.
_NUMBER: Final = """
CREATE TEMP TABLE numbered ON COMMIT DROP AS
SELECT *, row_number() OVER same - 1 AS before, first_value(line) OVER same AS first_line
FROM staged WINDOW same AS (PARTITION BY key ORDER BY position)"""
#: A request that the job has under the digest of an earlier version keeps that digest, and the key that is made of it.
_AS_BEFORE: Final = """
UPDATE numbered SET key = known.key, digest = known.digest
FROM (
    SELECT position, digests.digest, CASE WHEN starts_with(key, '=') THEN key ELSE '#' || encode(digests.digest, 'hex')
        END AS key, before, CASE WHEN starts_with(key, '#') THEN key || '.' || before END AS present
    FROM numbered CROSS JOIN unnest(earlier) AS digests (digest)
) AS known
JOIN aiorescue.request AS r ON r.job = %(job)s AND r.digest = known.digest
    AND r.key = CASE WHEN starts_with(known.key, '=') THEN known.key ELSE known.key || '.' || known.before END
WHERE numbered.position = known.position
    AND NOT EXISTS (SELECT FROM aiorescue.request AS p WHERE p.job = %(job)s AND p.key = known.present)"""
_BAD: Final = """
INSERT INTO aiorescue.request (job, staging, key, digest, position, line, cells, state, ended, error)
SELECT %(job)s, %(staging)s, '!' || position, '', position, line, cells, 4, pg_current_xact_id(),
    coalesce(problem, 'tracking occurs twice; line ' || first_line || ' has it, too')
FROM numbered WHERE problem IS NOT NULL OR before > 0 AND starts_with(key, '=')"""
_CHANGED: Final = "r.digest <> excluded.digest"
_REOPEN: Final = f"({_CHANGED} AND r.state <> 2)"
_GOOD: Final = f"""
INSERT INTO aiorescue.request AS r (job, staging, key, digest, position, line, cells, operation, fields)
SELECT %(job)s, %(staging)s, CASE WHEN starts_with(key, '=') THEN key ELSE key || '.' || before END, digest,
    position, line, cells, operation, fields
FROM numbered WHERE problem IS NULL AND (before = 0 OR NOT starts_with(key, '=')) ORDER BY position
ON CONFLICT (job, key) DO UPDATE SET
    staging = excluded.staging, position = excluded.position, line = excluded.line, cells = excluded.cells,
    operation = excluded.operation, fields = excluded.fields,
    digest = CASE WHEN r.state = 2 THEN r.digest ELSE excluded.digest END,
    corrected = r.state = 2 AND {_CHANGED},
    orphans = r.orphans + ({_REOPEN} AND r.state = 1)::int,
    state = CASE WHEN {_REOPEN} THEN 0 ELSE r.state END,
    error = CASE WHEN {_REOPEN} THEN NULL ELSE r.error END,
    ended = CASE WHEN {_REOPEN} THEN NULL ELSE r.ended END,
    owner = CASE WHEN {_REOPEN} THEN NULL ELSE r.owner END,
    epoch = CASE WHEN {_REOPEN} THEN NULL ELSE r.epoch END"""  # noqa: S608 - constants

Requests = Iterable[PinRequest | InputRow] | AsyncIterable[PinRequest | InputRow]


@discreetly_awaited
async def submit(
    database: str, job: str, requests: Requests, *, identities: Sequence[str], columns: Sequence[str] = ()
) -> Staging:
    """Enter all requests of a job into the database, or none; workers begin with them at once.

    Submitted again under its name, a job keeps what became of its requests, as `Store.stage` says.

    Args:
        database: URL of the PostgreSQL, ``postgresql://user@host/database``.
        job: name of the job.
        requests: PIN operations, or rows of an input, from an iterable or an async iterable.
        identities: names of the identities that may work on the job; workers hold their credentials.
        columns: names of the cells of rows of an input.

    Raises:
        errors.InvalidRequest: a name is empty or no text, or an item is no PIN operation; nothing was entered.
        errors.JournalError: the database cannot be used.
    """
    names = list(dict.fromkeys([identities] if isinstance(identities, str) else identities))
    given: list[object] = [job, *names]
    if not names or not all(isinstance(name, str) and name for name in given):
        raise errors.InvalidRequest("a job needs a name and at least one identity; a name is a text that is not empty")
    async with connected(database, prepare=True) as connection:
        is_known = await connection.execute("SELECT FROM aiorescue.job WHERE name = %s", (job,))
        await _copy(connection, requests, is_new=not is_known.rowcount)
        return await beyond_deadlocks()(_enter, connection, job, names, columns)


async def _enter(connection: AsyncConnection[Any], job: str, names: list[str], columns: Sequence[str]) -> Staging:
    """Enter the rows that were copied into a job."""
    async with connection.transaction():
        number, staging, before = await _find_or_enter(connection, job)
        await _enter_identities(connection, number, names)
        found = await _merge(connection, number, staging)
        if found.vanished and before and before != tuple(columns):
            await _move_cells(connection, number, before, columns)
        # At the end, as workers that begin a lane count it in this row.
        await connection.execute(
            "UPDATE aiorescue.job SET columns = %s, staging = %s WHERE id = %s",
            (records.to_json(list(columns)), staging, number),
        )
        return found


async def _copy(connection: AsyncConnection[Any], requests: Requests, *, is_new: bool) -> None:
    """Copy the rows of an input into `staged`, some at a time; a new job has no earlier digests."""
    await connection.execute(_STAGE)
    rows: list[tuple[Any, ...]] = []

    async def flush() -> None:
        async with connection.cursor().copy("COPY staged FROM STDIN") as copy:
            for row in rows:
                await copy.write_row(row)
        rows.clear()

    async for position, one in _numbered(requests):
        rows.append((*_columns_of(position, one), [] if is_new else _earlier_digests(one)))
        if len(rows) == _AT_ONCE:
            await flush()
    await flush()


async def _find_or_enter(connection: AsyncConnection[Any], job: str) -> tuple[int, int, tuple[str, ...]]:
    """Id of a job, number of this submission, and the columns of the one before; waits for one that is under way."""
    await connection.execute("SELECT pg_advisory_xact_lock(%s, hashtext(%s))", (SUBMISSION_LOCK, job))
    for statement in (
        # FOR KEY SHARE: the job cannot be deleted before this transaction ends.
        b"SELECT id, staging + 1, columns FROM aiorescue.job WHERE name = %s FOR KEY SHARE",
        b"INSERT INTO aiorescue.job (name) VALUES (%s) RETURNING id, staging + 1, columns",
    ):
        row = await (await connection.execute(statement, (job,))).fetchone()
        if row is not None:
            break
    assert row is not None  # noqa: S101 - RETURNING returns
    return row[0], row[1], records.cells_of(row[2])


async def _move_cells(connection: AsyncConnection[Any], job: int, before: Sequence[str], after: Sequence[str]) -> None:
    """Put the cells of rows that are not in the last input under its columns, by the names of both."""
    last = 0
    while True:
        # Not by JSON functions of PostgreSQL, for which a cell with NUL is no text.
        found = await connection.execute(
            "SELECT id, cells FROM aiorescue.request WHERE job = %s AND position IS NULL AND cells <> '[]' AND id > %s"
            " ORDER BY id LIMIT %s",
            (job, last, _AT_ONCE),
        )
        rows = [(number, records.cells_of(cells)) for number, cells in await found.fetchall()]
        if not rows:
            return
        last = rows[-1][0]
        moved = ((records.moved_cells(cells, before, after), number) for number, cells in rows)
        async with connection.cursor() as cursor:
            await cursor.executemany("UPDATE aiorescue.request SET cells = %s WHERE id = %s", moved)


async def _enter_identities(connection: AsyncConnection[Any], job: int, names: list[str]) -> None:
    await connection.execute(
        "INSERT INTO aiorescue.identity (name) SELECT unnest(%s::text[]) ON CONFLICT (name) DO NOTHING", (names,)
    )
    await connection.execute("DELETE FROM aiorescue.lane WHERE job = %s", (job,))
    await connection.execute(
        "INSERT INTO aiorescue.lane SELECT %s, id FROM aiorescue.identity WHERE name = ANY(%s)", (job, names)
    )


async def _merge(connection: AsyncConnection[Any], job: int, staging: int) -> Staging:
    values = {"job": job, "staging": staging}
    await connection.execute(_NUMBER)
    await connection.execute(_AS_BEFORE, values)
    before = await _one(connection, "SELECT count(*) FROM aiorescue.request WHERE job = %s AND state <> 4", job)
    await connection.execute("DELETE FROM aiorescue.request WHERE job = %s AND state = %s", (job, State.BAD.value))
    await connection.execute(_GOOD.encode(), values)
    bad = (await connection.execute(_BAD, values)).rowcount
    after = await _one(connection, "SELECT count(*) FROM aiorescue.request WHERE job = %s AND state <> 4", job)
    if staging > 1:
        await connection.execute(
            "UPDATE aiorescue.request SET position = NULL WHERE job = %s AND staging <> %s AND position IS NOT NULL",
            (job, staging),
        )
    lines = await connection.execute(
        "SELECT line FROM aiorescue.request WHERE job = %s AND corrected AND position IS NOT NULL ORDER BY position",
        (job,),
    )
    corrected = [line for (line,) in await lines.fetchall()]
    gone = "SELECT count(*) FROM aiorescue.request WHERE job = %s AND position IS NULL"
    return Staging(
        rows=await _one(connection, "SELECT count(*) FROM numbered"),
        new=after - before,
        bad=bad,
        corrected=len(corrected),
        corrected_lines=tuple(corrected[:_LINES]),
        vanished=await _one(connection, gone, job),
        vanished_issued=await _one(connection, f"{gone} AND state = 2", job),
    )


async def _one(connection: AsyncConnection[Any], question: str, *values: int) -> int:
    row = await (await connection.execute(question.encode(), values)).fetchone()
    return 0 if row is None else int(row[0])


async def _numbered(requests: Requests) -> AsyncIterator[tuple[int, PinRequest | InputRow]]:
    position = 0
    if isinstance(requests, AsyncIterable):
        async for one in requests:
            yield position, one
            position += 1
        return
    for position, one in enumerate(requests):
        if not position % _BREATH:
            await asyncio.sleep(0)
        yield position, one


def _earlier_digests(one: PinRequest | InputRow) -> list[bytes]:
    request = one.request if isinstance(one, InputRow) else one
    return [] if request is None else records.earlier_digests(request)


def _columns_of(position: int, one: Any) -> tuple[Any, ...]:
    row: Any = one if isinstance(one, InputRow) else InputRow(position + 1, (), one)
    cells = records.to_json(row.cells)
    if isinstance(one, InputRow) and row.request is None:
        return position, row.line, cells, f"!{position}", b"", None, None, row.problem.replace("\0", "\\0")
    request = checked(row.request)
    digest = records.digest(request)
    key = records.named_key(request.tracking) if request.tracking else f"#{digest.hex()}"
    return position, row.line, cells, key, digest, *records.encode(request), None
