"""`WorkerWatch`: which workers live, which identities have work and which worker holds them, by locks of PostgreSQL."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final

from psycopg import AsyncConnection

from aiorescue.bulk.distributed.database import beyond_deadlocks
from aiorescue.bulk.distributed.schema import HELD_IDENTITIES, IDENTITY_LOCK, LIVE_WORKERS, WORKER_LOCK
from aiorescue.operation import frozen

#: Living workers, and the version of the row of each, which another one has when its names change.
_LIVE: Final = f"""SELECT live.id, w.xmin::text FROM ({LIVE_WORKERS}) live (id)
    LEFT JOIN aiorescue.worker w ON w.id = live.id""".encode()
#: Identities that have rows and that no worker holds.
_DEAD: Final = (
    f"SELECT DISTINCT owner FROM aiorescue.request WHERE owner IS NOT NULL EXCEPT {HELD_IDENTITIES}"
).encode()
_WORK: Final = b"""
WITH open AS MATERIALIZED (SELECT j.id, j.name FROM aiorescue.job j WHERE EXISTS (SELECT FROM aiorescue.request r
    WHERE r.job = j.id AND r.state = 0 AND r.owner IS NULL AND r.ended IS NULL AND r.position IS NOT NULL))
SELECT open.id, open.name, i.id, i.name FROM open
JOIN aiorescue.lane l ON l.job = open.id JOIN aiorescue.identity i ON i.id = l.identity WHERE i.name = ANY(%s)"""
_OPEN: Final = b"""
SELECT EXISTS (SELECT FROM aiorescue.request r WHERE r.state IN (0, 1) AND r.position IS NOT NULL AND r.job IN (
    SELECT l.job FROM aiorescue.lane l JOIN aiorescue.identity i ON i.id = l.identity WHERE i.name = ANY(%s)))"""
_LOCK: Final = f"SELECT id FROM unnest(%s::int[]) id WHERE pg_try_advisory_lock({IDENTITY_LOCK}, id)".encode()
_UNLOCK: Final = f"SELECT pg_advisory_unlock({IDENTITY_LOCK}, id) FROM unnest(%s::int[]) id".encode()
#: In the order of their numbers, so that two workers do not wait for each other.
_RAISE: Final = b"""
WITH mine AS MATERIALIZED (SELECT id FROM aiorescue.identity WHERE id = ANY(%s) ORDER BY id FOR NO KEY UPDATE)
UPDATE aiorescue.identity i SET epoch = epoch + 1 FROM mine WHERE i.id = mine.id RETURNING i.id, i.epoch"""
_REOPEN: Final = b"""
UPDATE aiorescue.request SET orphans = orphans + (state = 1)::int, state = 0, owner = NULL, epoch = NULL, attempt = NULL
WHERE owner = ANY(%s) AND state IN (0, 1)"""
_COUNT_RUNS: Final = b"""UPDATE aiorescue.job SET runs = runs + begun.count
    FROM unnest(%s::int[], %s::int[]) begun (job, count) WHERE id = begun.job"""


@frozen
class Work:
    """A lane that has rows to send: names and ids of its job and its identity."""

    job: int
    job_name: str
    identity: int
    identity_name: str


class WorkerWatch:
    """A worker's view of the other workers, and the identities that it holds by locks.

    Its methods are called one after the other: they share a connection.

    Args:
        connection: holds the locks; they are free when it ends.
        names: the identities whose credentials this worker has.
        number: id of the worker on an earlier connection; 0 on the first.
    """

    def __init__(self, connection: AsyncConnection[Any], names: Iterable[str], number: int = 0) -> None:
        self._connection = connection
        self._names = list(names)
        self._known: dict[int, frozenset[str]] = {}
        self._live: dict[int, str | None] = {}
        self._mine: dict[str, bool] = {}  # as long as the same workers live, with the same names
        self.id = number

    async def register(self) -> None:
        """Enter this worker among those that live."""
        if not self.id:
            self.id = (await self._row(b"SELECT nextval('aiorescue.worker_id')::int"))[0]
        await self._row(b"SELECT pg_advisory_lock(%s, %s)", WORKER_LOCK, self.id)
        await self._connection.execute(
            "INSERT INTO aiorescue.worker VALUES (%s, %s) ON CONFLICT DO NOTHING", (self.id, self._names)
        )

    async def leave_out(self, refused: Collection[str]) -> None:
        """Leave identities to other workers, as the service refuses the credentials that this one has."""
        if not any(name in refused for name in self._names):
            return
        self._names = [name for name in self._names if name not in refused]
        await self._connection.execute("UPDATE aiorescue.worker SET names = %s WHERE id = %s", (self._names, self.id))

    async def look(self) -> list[Work]:
        """Notice which workers live, free the rows that dead ones held, and return the lanes with rows to send."""
        live = dict(await (await self._connection.execute(_LIVE)).fetchall())
        if live != self._live:
            self._live = live
            self._mine.clear()
            await self._learn_names()
        dead = await self._numbers(_DEAD)
        if dead:
            await self.release(await self._numbers(_LOCK, dead))
        work = await self._connection.execute(_WORK, (self._names,))
        return [Work(*row) for row in await work.fetchall()]

    async def _learn_names(self) -> None:
        found = await self._connection.execute("SELECT id, names FROM aiorescue.worker")
        rows = await found.fetchall()
        self._known = {number: frozenset(names) for number, names in rows}
        dead = list(self._known.keys() - self._live.keys() - {self.id})
        # Entered a moment after its lock was taken: only rows below the newest living worker are surely old.
        await self._connection.execute(
            "DELETE FROM aiorescue.worker WHERE id = ANY(%s) AND id < %s", (dead, max(self._live, default=0))
        )

    def is_mine(self, identity: str) -> bool:
        """Whether this worker is to hold an identity; all living workers with its credentials agree on one of them."""
        found = self._mine.get(identity)
        if found is None:
            able = [one for one in self._live if identity in self._known.get(one, ())]
            found = not able or max(able, key=lambda one: _weight(one, identity)) == self.id
            self._mine[identity] = found
        return found

    async def is_open(self, *names: str) -> bool:
        """Whether any job of some identities, or of all that this worker can hold, has a row without a result."""
        return bool((await self._row(_OPEN, list(names) or self._names))[0])

    async def hold(self, identities: Collection[int]) -> dict[int, int]:
        """Take identities and raise their epochs, which fences earlier lanes.

        Returns:
            The epoch of each identity that was taken; those that another worker holds are not in it.
        """
        return await self._fence(await self._numbers(_LOCK, list(identities)))

    async def hold_again(self, epochs: Mapping[int, int]) -> set[int]:
        """Take the locks of identities again; returns those that no other worker has held since their epoch."""
        taken = await self._numbers(_LOCK, list(epochs))
        found = await self._connection.execute("SELECT id, epoch FROM aiorescue.identity WHERE id = ANY(%s)", (taken,))
        same = {number for number, epoch in await found.fetchall() if epochs[number] == epoch}
        await self._numbers(_UNLOCK, [number for number in taken if number not in same])
        return same

    async def release(self, identities: Collection[int]) -> None:
        """Free the rows of held identities, and the identities."""
        if identities:
            await self._fence(identities)
            await self._numbers(_UNLOCK, list(identities))

    async def _fence(self, identities: Collection[int]) -> dict[int, int]:
        if not identities:
            return {}
        numbers = list(identities)

        async def once() -> dict[int, int]:
            async with self._connection.transaction():
                raised = await (await self._connection.execute(_RAISE, (numbers,))).fetchall()
                await self._connection.execute(_REOPEN, (numbers,))
            return dict(raised)

        return await beyond_deadlocks()(once)  # a worker that lost an identity unnoticed may still write

    async def check(self) -> None:
        """Notice whether the connection still stands, as the locks are gone with it. Raises `psycopg.Error`."""
        await self._row(b"SELECT 1")

    async def count_runs(self, jobs: Iterable[int]) -> None:
        """Count lanes that begin, by the jobs that they are of."""
        begun = Counter(jobs)
        if begun:
            await self._connection.execute(_COUNT_RUNS, (list(begun), list(begun.values())))

    async def _row(self, statement: bytes, *values: Any) -> Any:
        return await (await self._connection.execute(statement, values)).fetchone()

    async def _numbers(self, statement: bytes, *values: Any) -> list[int]:
        found = await self._connection.execute(statement, values)
        return [number for (number,) in await found.fetchall()]


def _weight(worker: int, identity: str) -> bytes:
    return blake2b(f"{worker} {identity}".encode(), digest_size=8).digest()
