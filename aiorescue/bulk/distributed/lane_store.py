"""`LaneStore`: the rows of one job for one lane. Every write names the lane's epoch and the claim of its row."""

import itertools
from collections.abc import Iterable, Sequence
from typing import Any, Final

import attrs
import psycopg

from aiorescue import errors
from aiorescue.bulk import records
from aiorescue.bulk.distributed.allowance import Allowance
from aiorescue.bulk.distributed.database import REPEATED, Rows, Statements
from aiorescue.bulk.distributed.reader import PostgresReader
from aiorescue.bulk.distributed.results import retry
from aiorescue.bulk.store import Claimed, Entry, InputRow, Lane, Staging
from aiorescue.errors import JournalReason
from aiorescue.rescue import PinRequest

#: Numbers of the claims of this process: with its owner and epoch, a number that no other claim of a row has.
_numbers: Final = itertools.count(1)
#: The share lock waits for a worker that raises the epoch; the statement then finds no lane with the old one, nor one
#: that the last submission does not name. A claim that is repeated returns the rows that it claimed before its answer
#: was lost, and not others, if there are any.
_CLAIM: Final = b"""
WITH lane AS MATERIALIZED (SELECT i.id FROM aiorescue.identity i WHERE i.id = %(owner)s AND i.epoch = %(epoch)s
    AND EXISTS (SELECT FROM aiorescue.lane l WHERE l.job = %(job)s AND l.identity = i.id) FOR SHARE),
before AS MATERIALIZED (
    SELECT r.id FROM aiorescue.request r
    WHERE %(repeated)s AND r.job = %(job)s AND r.owner = %(owner)s AND r.epoch = %(epoch)s AND r.state = 0
        AND r.attempt = %(claim)s
),
next AS MATERIALIZED (
    SELECT r.id FROM aiorescue.request r
    WHERE r.job = %(job)s AND r.state = 0 AND r.owner IS NULL AND r.ended IS NULL AND r.position IS NOT NULL
        AND EXISTS (SELECT FROM lane) AND NOT EXISTS (SELECT FROM before)
    ORDER BY r.position LIMIT %(most)s FOR UPDATE SKIP LOCKED
)
UPDATE aiorescue.request r SET owner = %(owner)s, epoch = %(epoch)s, attempt = %(claim)s
FROM (SELECT id FROM next UNION ALL SELECT id FROM before) claimed WHERE r.id = claimed.id
RETURNING r.key, r.position, r.operation, r.fields::text, r.orphans"""
#: A row that was corrected since has lost its owner, and another claim when the lane claimed it again.
_MINE: Final = "owner = %(owner)s AND epoch = %(epoch)s AND attempt = %(claim)s AND state IN (0, 1)"


def _row(changes: str, condition: str) -> bytes:
    row = f"job = %(job)s AND key = %(key)s AND ({condition})"
    return f"UPDATE aiorescue.request SET {changes} WHERE {row} RETURNING 1".encode()


#: Not for a row that is no longer in the input.
_SENT: Final = _row("orphans = %(orphans)s, state = 1", f"{_MINE} AND position IS NOT NULL")
_END: Final = "ended = pg_current_xact_id(), owner = NULL, epoch = NULL, orphans = %(orphans)s"
_ISSUED: Final = _row(
    f"state = 2, pin = %(pin)s, error = NULL, issued_at = coalesce(issued_at, now()), {_END}",
    f"{_MINE} OR state = 2 AND pin = %(pin)s",
)
_FAILED: Final = _row(
    f"state = 3, error = %(error)s, {_END}", f"{_MINE} OR state = 3 AND error = %(error)s AND owner IS NULL"
)
_GIVEN_BACK: Final = _row("state = 0, orphans = %(orphans)s", _MINE)


@attrs.define(eq=False)
class _Held:
    """A row that the lane has claimed and not ended.

    Attributes:
        claim: number of the claim.
        orphans: earlier attempts that may have left an unclaimed PIN.
        is_sent: True if an attempt has left whose outcome is not known.
    """

    claim: int
    orphans: int
    is_sent: bool = False


class LaneStore(PostgresReader):
    """The store of one lane; `claim` and the notes of what became of rows are fenced by its epoch.

    A row that is corrected or removed while the lane holds it is no longer the lane's: the next note of it, or its next
    claim, raises `errors.JournalError`, and the lane is to begin anew.

    Args:
        statements: runs the statements.
        database: URL of the database, for the questions of a `StoreReader`.
        job: id of the job.
        name: name of the job.
        owner: id of the identity.
        lane: the lane, with the epoch of its identity.
        most: the most rows to claim at once.
        allowance: the rows that all lanes of the identity may hold.
    """

    def __init__(
        self,
        statements: Statements,
        database: str,
        *,
        job: int,
        name: str,
        owner: int,
        lane: Lane,
        most: int,
        allowance: Allowance,
    ) -> None:
        super().__init__(database, name)
        self._statements = statements
        self._lane, self._most, self._allowance = lane, most, allowance
        self._values: dict[str, Any] = {"job": job, "owner": owner, "epoch": lane.epoch}
        self._held: dict[str, _Held] = {}

    async def claim(self, most: int, lane: Lane | None = None) -> Sequence[Claimed]:
        """Hand out the next rows to be sent; empty when no row is free at this moment, or the lane is fenced.

        Waits while the lanes of the identity hold as many rows as they may.
        """
        room = await self._allowance.take(min(most, self._most))
        found: Rows = []
        try:
            with self._statements.explained():
                claim = next(_numbers)
                values = {"most": room, "claim": claim, REPEATED: False}
                found = await self._statements.rows(_CLAIM, self._values | values)
        finally:
            self._allowance.give_back(room - len(found))
        if any(row[0] in self._held for row in found):
            raise self._lost()
        self._held |= {key: _Held(claim, orphans) for key, *_, orphans in found}
        claimed = []
        for key, position, operation, fields, orphans in sorted(found, key=lambda row: row[1]):
            try:
                request = records.decode(operation, fields)
            except ValueError:
                request = None
            if request is None:
                text = "the row in the database is no PIN request"
                await self.failed(key, text, orphans)
            else:
                claimed.append(Claimed(key, position, request, orphans))
        return claimed

    async def sent(self, key: str, lane: Lane | None = None) -> None:
        """Record that an attempt is about to leave. Raises `errors.JournalError` if the lane is fenced."""
        held = self._held.get(key)
        if held is None:
            raise self._lost()
        held.orphans += held.is_sent
        held.is_sent = True
        await self._note(_SENT, key, orphans=held.orphans)

    async def issued(self, key: str, pin: str, orphans: int, lane: Lane | None = None) -> None:
        """Record a PIN; see `Store.issued`. Raises `errors.JournalError` if the lane is fenced."""
        try:
            await self._note(_ISSUED, key, pin=pin, orphans=orphans)
        except psycopg.errors.UniqueViolation:
            text = "the answer is OK, but its PIN is that of another request of this job"
            raise errors.ProtocolError(text) from None
        self._ended(key)

    async def failed(self, key: str, error: str, orphans: int, lane: Lane | None = None) -> None:
        """Record that a request failed by itself; see `Store.failed`. Raises `errors.JournalError` if fenced."""
        text = error.replace("\0", "\\0").encode("utf-8", "replace").decode()
        await self._note(_FAILED, key, error=text, orphans=orphans)
        self._ended(key)

    async def given_back(self, key: str, orphans: int, lane: Lane | None = None) -> None:
        """Record that the request has no result for a reason that lies outside it; the lane keeps it."""
        await self._note(_GIVEN_BACK, key, orphans=orphans)
        held = self._held[key]
        held.orphans, held.is_sent = orphans, False

    async def stage(self, rows: Iterable[InputRow], *, columns: Sequence[str] = ()) -> Staging:
        """Raise `errors.InvalidRequest`: rows come in by `submit`."""
        raise errors.InvalidRequest("a lane takes no rows in; use aiorescue.bulk.distributed.submit")

    async def admit(self, requests: Sequence[PinRequest]) -> list[Entry]:
        """Raise `errors.InvalidRequest`: rows come in by `submit`."""
        raise errors.InvalidRequest("a lane takes no rows in; use aiorescue.bulk.distributed.submit")

    async def retry(self) -> int:
        """Make the failed rows of the job ready to be sent again; returns how many."""
        return await retry(self._database, self._name)

    def _ended(self, key: str) -> None:
        if self._held.pop(key, None) is not None:
            self._allowance.give_back()

    async def _note(self, statement: bytes, key: str, **values: Any) -> None:
        try:
            claim = self._held[key].claim if key in self._held else None
            found = await self._statements.rows(statement, self._values | {"key": key, "claim": claim} | values)
        except psycopg.errors.UniqueViolation:
            raise
        except psycopg.Error:
            with self._statements.explained():
                raise
        if not found:
            raise self._lost()

    def _lost(self) -> errors.JournalError:
        return errors.JournalError(
            f"the lane of {self._lane.identity!r} has begun elsewhere, or the job was deleted, or a row that the lane"
            " held was corrected or removed",
            reason=JournalReason.IN_USE,
        )
