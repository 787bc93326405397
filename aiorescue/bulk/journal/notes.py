"""Notes of what became of rows: what each note changes, and how those of one commit are written in one statement.

The thread of the journal shares Python's interpreter with the event loop, and has to wait for it whenever SQLite comes
back from a statement or calls a function of Python. One statement for all rows, with checksums computed before it,
waits once; a statement for each row, with checksums computed in SQL, would wait three times a row. To compute checksums
beforehand, rows are remembered from their admission to their end: those that the job holds at that moment, and no more.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

import attrs

from aiorescue.bulk import records
from aiorescue.bulk.journal import schema, statements
from aiorescue.bulk.journal.staging import damaged, known_rows
from aiorescue.bulk.store import State

#: Rows that one statement writes. Fewer are filled up to a power of two, as preparing a statement of a new size costs
#: more than writing the rows.
_AT_ONCE: Final = 32
_ADMITTED, _SENT, _ISSUED, _FAILED = map(int, (State.ADMITTED, State.SENT, State.ISSUED, State.FAILED))


@attrs.define(eq=False)
class RowUnderWay:
    """A row that this run has: its place in the file, and what became of it. Only its end gives it a PIN or an error.

    Attributes:
        id: names the row in the file.
        name_check: `schema.name_check` of its key and digest.
        state: a `aiorescue.bulk.store.State`, as a plain number.
        pin: PIN of the row, if it is issued.
        orphans: attempts that may have left an unclaimed PIN.
        error: why the row failed.
        corrected: 1 if the PIN was issued for other fields than the row has now.
        issued_at: time of day in seconds at which the PIN was recorded.
    """

    id: int
    name_check: int
    state: int = _ADMITTED
    pin: str | None = None
    orphans: int = 0
    error: str | None = None
    corrected: int = 0
    issued_at: float | None = None

    def become(
        self,
        state: int,
        orphans: int,
        *,
        pin: str | None = None,
        error: str | None = None,
        issued_at: float | None = None,
    ) -> None:
        """Change what became of the row, all of it: what is left out is gone."""
        self.state, self.orphans, self.pin, self.error, self.issued_at = state, orphans, pin, error, issued_at


#: The key of a row, and what changes the row as it was remembered.
Note = tuple[str, Callable[[RowUnderWay], None]]


class RowsUnderWay:
    """The rows that were admitted or claimed in this run and have no end yet, by their keys."""

    def __init__(self) -> None:
        self._rows: dict[str, RowUnderWay] = {}

    def add(self, number: int, outcome: schema.RowOutcome) -> None:
        """Remember a row as it stands in the file, by its id there."""
        key, digest, state, pin, orphans, error, corrected, issued_at = outcome
        check = schema.name_check(key, digest)
        self._rows[key] = RowUnderWay(number, check, state, pin, orphans, error, corrected, issued_at)

    def add_new(self, key: str, number: int, name_check: int) -> None:
        """Remember a row that was entered just now."""
        self._rows[key] = RowUnderWay(number, name_check)

    def forget(self) -> None:
        """Forget all rows, because the file may hold others; those that are needed again are read."""
        self._rows.clear()

    def write(self, connection: sqlite3.Connection, notes: Sequence[Note]) -> None:
        """Write notes in their order, within a transaction.

        Raises:
            ValueError: a row is damaged or gone; the message names it. The rows are to be forgotten then.
        """
        rows, changed = self._rows, dict[str, RowUnderWay]()
        self._read(connection, [key for key, _ in notes if key not in rows])
        for key, change in notes:
            row = rows.get(key)
            if row is None:
                raise ValueError(_gone(key))
            change(row)
            changed[key] = row
        under_way, issued, failed = list[object](), list[object](), list[object]()
        for key, row in changed.items():
            outcome = row.state, row.pin, row.orphans, row.error, row.corrected, row.issued_at
            check = schema.check_behind(row.name_check, outcome)
            if row.state == _ISSUED:
                issued += (row.id, row.pin, row.orphans, row.issued_at, check)
            elif row.state == _FAILED:
                failed += (row.id, row.orphans, row.error, check)
            else:
                under_way += (row.id, row.state, row.orphans, check)
                continue
            del rows[key]
        written = _write(connection, statements.ARE_UNDER_WAY, under_way)
        written += _write(connection, statements.ARE_ISSUED, issued)
        written += _write(connection, statements.HAVE_FAILED, failed)
        if written != len(changed):
            raise ValueError(_gone(*changed))

    def _read(self, connection: sqlite3.Connection, keys: Sequence[str]) -> None:
        for key, (number, _, _, *found, check) in known_rows(connection, keys).items():
            if schema.outcome_check(*found) != check:
                raise ValueError(damaged(key))
            self.add(number, schema.RowOutcome(*found))


def _write(connection: sqlite3.Connection, changes: str, values: list[object]) -> int:
    """Make changes of many rows, which take these values; returns how many of the rows the file has."""
    written, width = 0, statements.width_of(changes)
    for start in range(0, len(values), width * _AT_ONCE):
        some = values[start : start + width * _AT_ONCE]
        places = 1 << (len(some) // width - 1).bit_length()
        some += (0,) * (width * places - len(some))  # no row has the id 0
        written += connection.execute(statements.note(changes, places), some).rowcount
    return written


def _gone(*keys: str) -> str:
    names = " or ".join(map(records.name_of, keys))
    return f"the row of the request {names} is gone, though this run has it"[:400]


def sent(row: RowUnderWay) -> None:
    """Note that an attempt is about to leave; one before it whose answer is unknown may have left a PIN."""
    row.become(_SENT, row.orphans + (row.state == _SENT))


def issued(pin: str, orphans: int, moment: float) -> Callable[[RowUnderWay], None]:
    """Note a PIN, the number of possible orphans, and the time of day."""
    return lambda row: row.become(_ISSUED, orphans, pin=pin, issued_at=moment)


def failed(error: str, orphans: int) -> Callable[[RowUnderWay], None]:
    """Note why a request failed by itself."""
    return lambda row: row.become(_FAILED, orphans, error=error)


def given_back(orphans: int) -> Callable[[RowUnderWay], None]:
    """Note that a request has no result for a reason that lies outside it."""
    return lambda row: row.become(_ADMITTED, orphans)
