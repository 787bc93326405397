"""`Watch`: which workers live, which identities have work and which worker holds them, by locks of one connection."""

from collections.abc import Iterable
from hashlib import blake2b
from typing import Any, Final

import attrs
from psycopg import AsyncConnection

from aiorescue.bulk.distributed.schema import IDENTITY_LOCK, WORKER_LOCK

_LOCKS: Final = """SELECT classid::bigint, objid::int FROM pg_locks WHERE locktype = 'advisory' AND granted
    AND classid = ANY(%s) AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
_WORK: Final = """
SELECT j.id, j.name, i.id, i.name FROM aiorescue.job j
JOIN aiorescue.lane l ON l.job = j.id JOIN aiorescue.identity i ON i.id = l.identity
WHERE EXISTS (SELECT FROM aiorescue.request r
    WHERE r.job = j.id AND r.state = 0 AND r.owner IS NULL AND r.position IS NOT NULL)
    AND i.name = ANY(%s)"""
_OPEN: Final = """
SELECT EXISTS (SELECT FROM aiorescue.request r WHERE r.state IN (0, 1) AND r.position IS NOT NULL AND r.job IN (
    SELECT l.job FROM aiorescue.lane l JOIN aiorescue.identity i ON i.id = l.identity WHERE i.name = ANY(%s)))"""
_REOPEN: Final = """
UPDATE aiorescue.request SET orphans = orphans + (state = 1)::int, state = 0, owner = NULL, epoch = NULL, attempt = NULL
WHERE owner = %s AND state IN (0, 1)"""


@attrs.frozen
class Work:
    """A lane that has rows to send: names and ids of its job and its identity."""

    job: int
    job_name: str
    identity: int
    identity_name: str


class Watch:
    """A worker's view of the other workers, and the identities that it holds by locks.

    Args:
        connection: holds the locks; they are free when it ends.
        names: the identities whose credentials this worker has.
        number: id of the worker on an earlier connection; 0 on the first.
    """

    def __init__(self, connection: AsyncConnection[Any], names: Iterable[str], number: int = 0) -> None:
        self._connection = connection
        self._names = list(names)
        self._known: dict[int, frozenset[str]] = {}
        self._live: set[int] = set()
        self.id = number

    async def register(self) -> None:
        """Enter this worker among those that live."""
        if not self.id:
            self.id = (await self._row("SELECT nextval('aiorescue.worker_id')::int"))[0]
        await self._row("SELECT pg_advisory_lock(%s, %s)", WORKER_LOCK, self.id)
        await self._connection.execute(
            "INSERT INTO aiorescue.worker VALUES (%s, %s) ON CONFLICT DO NOTHING", (self.id, self._names)
        )

    async def look(self) -> list[Work]:
        """Notice which workers live, free the rows that dead ones held, and return the lanes with rows to send."""
        found = await self._connection.execute(_LOCKS, ([IDENTITY_LOCK, WORKER_LOCK],))
        locks = set(await found.fetchall())
        self._live = {number for group, number in locks if group == WORKER_LOCK}
        await self._learn_names()
        owned = await self._connection.execute("SELECT DISTINCT owner FROM aiorescue.request WHERE owner IS NOT NULL")
        for (identity,) in await owned.fetchall():
            if (IDENTITY_LOCK, identity) not in locks and await self.hold(identity):
                await self.release(identity)
        work = await self._connection.execute(_WORK, (self._names,))
        return [Work(*row) for row in await work.fetchall()]

    async def _learn_names(self) -> None:
        if self._live <= self._known.keys():
            return
        found = await self._connection.execute("SELECT id, names FROM aiorescue.worker")
        rows = await found.fetchall()
        self._known = {number: frozenset(names) for number, names in rows}
        dead = list(self._known.keys() - self._live - {self.id})
        # Entered a moment after its lock was taken: only rows below the newest living worker are surely old.
        await self._connection.execute(
            "DELETE FROM aiorescue.worker WHERE id = ANY(%s) AND id < %s", (dead, max(self._live, default=0))
        )

    def is_mine(self, identity: str) -> bool:
        """Whether this worker is to hold an identity; all living workers with its credentials agree on one of them."""
        able = [one for one in self._live if identity in self._known.get(one, ())]
        return not able or max(able, key=lambda one: _weight(one, identity)) == self.id

    async def is_open(self) -> bool:
        """Whether any job of these identities has a row without a result."""
        return bool((await self._row(_OPEN, self._names))[0])

    async def hold(self, identity: int) -> int | None:
        """Take an identity and return its raised epoch, which fences earlier lanes; None if another worker holds it."""
        if not (await self._row("SELECT pg_try_advisory_lock(%s, %s)", IDENTITY_LOCK, identity))[0]:
            return None
        return await self._fence(identity)

    async def hold_again(self, identity: int, epoch: int) -> bool:
        """Take the lock of an identity again, unless another worker has held it since."""
        if not (await self._row("SELECT pg_try_advisory_lock(%s, %s)", IDENTITY_LOCK, identity))[0]:
            return False
        row = await self._row("SELECT epoch FROM aiorescue.identity WHERE id = %s", identity)
        if row[0] == epoch:
            return True
        await self._row("SELECT pg_advisory_unlock(%s, %s)", IDENTITY_LOCK, identity)
        return False

    async def release(self, identity: int) -> None:
        """Free the rows of a held identity, and the identity."""
        await self._fence(identity)
        await self._row("SELECT pg_advisory_unlock(%s, %s)", IDENTITY_LOCK, identity)

    async def _fence(self, identity: int) -> int:
        async with self._connection.transaction():
            row = await self._row(
                "UPDATE aiorescue.identity SET epoch = epoch + 1 WHERE id = %s RETURNING epoch", identity
            )
            await self._connection.execute(_REOPEN, (identity,))
        return int(row[0])

    async def begin_run(self, job: int) -> None:
        """Count one more lane that has begun."""
        await self._connection.execute("UPDATE aiorescue.job SET runs = runs + 1 WHERE id = %s", (job,))

    async def _row(self, statement: str, *values: Any) -> Any:
        return await (await self._connection.execute(statement.encode(), values)).fetchone()


def _weight(worker: int, identity: str) -> bytes:
    return blake2b(f"{worker} {identity}".encode(), digest_size=8).digest()
