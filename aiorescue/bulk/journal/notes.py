"""Notes of what became of rows: what each note changes, and how those of one commit are written in one statement.

The thread of the journal shares Python's interpreter with the event loop, and has to wait for it whenever SQLite comes
back from a statement or calls a function of Python. A statement for all rows, with checksums that were computed before,
does so once, where a statement a row and checksums within SQL did so three times a row. Therefore rows are remembered
from their admission to their end; there are never more of them than the job holds at that moment.
"""

import sqlite3
from collections.abc import Callable, Sequence
from typing import Final

from aiorescue.bulk import records
from aiorescue.bulk.journal import schema, statements
from aiorescue.bulk.journal.schema import RowOutcome
from aiorescue.bulk.journal.staging import damaged, known_rows
from aiorescue.bulk.store import State

#: The key of a row, and what makes its new outcome of the one that it has.
Note = tuple[str, Callable[[RowOutcome], RowOutcome]]

#: Rows that one statement writes. Fewer are filled up to a power of two, as preparing a statement of a new size costs
#: more than writing the rows.
_AT_ONCE: Final = 32
#: In place of a row: no row has this key.
_NO_ROW: Final = (None,) * 9
_ADMITTED, _SENT, _ISSUED, _FAILED = map(int, (State.ADMITTED, State.SENT, State.ISSUED, State.FAILED))


class RowsUnderWay:
    """The rows that were admitted or claimed in this run and have no end yet, by their keys."""

    def __init__(self) -> None:
        self._rows: dict[str, RowOutcome] = {}

    def add(self, row: RowOutcome) -> None:
        """Remember a row as it stands in the file."""
        self._rows[row.key] = row

    def forget(self) -> None:
        """Forget all rows, because the file may hold others; those that are needed again are read."""
        self._rows.clear()

    def write(self, connection: sqlite3.Connection, notes: Sequence[Note]) -> None:
        """Write notes in their order, within a transaction.

        Raises:
            ValueError: a row is damaged or gone; the message names it.
        """
        rows, changed = self._rows, dict[str, RowOutcome]()
        self._read(connection, [key for key, _ in notes if key not in rows])
        for key, change in notes:
            if key not in rows:
                raise ValueError(_gone(key))
            rows[key] = changed[key] = change(rows[key])
        for row in changed.values():
            if row.state in (_ISSUED, _FAILED):
                del rows[row.key]
        after = list(changed.values())
        for start in range(0, len(after), _AT_ONCE):
            _write(connection, after[start : start + _AT_ONCE])

    def _read(self, connection: sqlite3.Connection, keys: Sequence[str]) -> None:
        for key, (_, _, _, _, *found, check) in known_rows(connection, keys).items():
            if schema.outcome_check(*found) != check:
                raise ValueError(damaged(key))
            self._rows[key] = RowOutcome(*found)


def _write(connection: sqlite3.Connection, rows: Sequence[RowOutcome]) -> None:
    values: list[object] = []
    for row in rows:
        values += row
        values.append(schema.outcome_check(*row))
    places = 1 << (len(rows) - 1).bit_length()
    values += _NO_ROW * (places - len(rows))
    if connection.execute(statements.note(places), values).rowcount != len(rows):
        raise ValueError(_gone(*(row.key for row in rows)))


def _gone(*keys: str) -> str:
    names = " or ".join(map(records.name_of, keys))
    return f"the row of the request {names} is gone, though this run has it"[:400]


def sent(row: RowOutcome) -> RowOutcome:
    """Note that an attempt is about to leave; one before it whose answer is unknown may have left a PIN."""
    key, digest, state, pin, orphans, error, corrected, issued_at = row
    return RowOutcome(key, digest, _SENT, pin, orphans + (state == _SENT), error, corrected, issued_at)


def issued(pin: str, orphans: int, moment: float) -> Callable[[RowOutcome], RowOutcome]:
    """Note a PIN, the number of possible orphans, and the time of day."""
    return lambda row: RowOutcome(row[0], row[1], _ISSUED, pin, orphans, None, row[6], moment)


def failed(error: str, orphans: int) -> Callable[[RowOutcome], RowOutcome]:
    """Note why a request failed by itself."""
    return lambda row: row._replace(state=_FAILED, error=error, orphans=orphans)


def given_back(orphans: int) -> Callable[[RowOutcome], RowOutcome]:
    """Note that a request has no result for a reason that lies outside it."""
    return lambda row: row._replace(state=_ADMITTED, orphans=orphans)
