"""Staging: takes a whole input into the tables of a journal, and compares it with the input that was staged before."""

import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, Final

import attrs

from aiorescue.bulk import records
from aiorescue.bulk.journal import schema, statements
from aiorescue.bulk.store import InputRow, Staging, State
from aiorescue.rescue import PinRequest

#: Lines of corrected rows that a `Staging` names.
_LINES: Final = 100
#: KiB of the file that SQLite keeps in memory while an input is staged, and otherwise (SQLite's default). The keys of a
#: large input come in any order: with a small cache, pages of their index would be read and written again and again.
_CACHE, _USUAL_CACHE = 16_384, 2_000
#: Rows that are taken in at once.
_AT_ONCE: Final = 500
#: Rows that one statement adds; fewer are added one by one, as preparing a statement of a new size costs as much.
_INSERTED_AT_ONCE: Final = 32
#: Places of the key and of the state in what `statements.known` finds.
_KEY, _STATE = 3, 5
#: Place of the cells in `statements.INPUT`.
_CELLS: Final = 3


@attrs.define(eq=False)
class _Row:
    """A good row of the input on its way into the journal.

    Attributes:
        position: place in the input, from 0.
        row: the row.
        request: its request.
        key: key of the request.
        digest: digest of the request's fields.
        given: columns that come from the input, in the order of `statements.INPUT`.
    """

    position: int
    row: InputRow
    request: PinRequest
    key: str
    digest: bytes
    given: tuple[Any, ...]


class Stager:
    """One staging of an input, within a transaction.

    Rows are taken in a few hundred at a time, so that SQLite is asked once for all of them.

    Args:
        connection: the journal's connection, in which the transaction has begun.
        staging: number of this staging in the job.
    """

    def __init__(self, connection: sqlite3.Connection, staging: int) -> None:
        self._connection = connection
        self._staging = staging
        self._is_first = True  # no row was there before
        self._new = self._bad = self._corrected = 0
        self._corrected_lines: list[int] = []

    def stage(self, rows: Iterable[InputRow]) -> Staging:
        """Take in all rows; returns what was found.

        Raises:
            ValueError: a row of the journal is damaged; the message names it.
        """
        execute = self._connection.execute
        execute(f"PRAGMA cache_size = -{_CACHE}")
        try:
            return self._stage(rows)
        finally:
            execute(f"PRAGMA cache_size = -{_USUAL_CACHE}")

    def _stage(self, rows: Iterable[InputRow]) -> Staging:
        execute = self._connection.execute
        execute("DELETE FROM request WHERE state = ?", (State.BAD,))
        execute("DELETE FROM temp.alike")
        self._is_first = execute("SELECT NOT EXISTS (SELECT 1 FROM request)").fetchone()[0] == 1
        count, rows = 0, iter(rows)
        while some := list(islice(rows, _AT_ONCE)):
            self._take(count, some)
            count += len(some)
        vanished, vanished_issued = execute(statements.COUNT_VANISHED, (self._staging,)).fetchone()
        return Staging(
            rows=count,
            new=self._new,
            bad=self._bad,
            corrected=self._corrected,
            corrected_lines=tuple(self._corrected_lines),
            vanished=vanished,
            vanished_issued=vanished_issued,
        )

    def _take(self, first: int, some: Sequence[InputRow]) -> None:
        """Take in the next rows; `first` is the position of the first of them."""
        rows: dict[str, _Row] = {}
        repeated: list[_Row] = []
        for position, row in enumerate(some, first):
            if row.request is None:
                self._add_bad(position, row, row.problem)
                continue
            one = self._prepared(position, row, row.request)
            if rows.setdefault(one.key, one) is not one:
                repeated.append(one)
        # If the journal was empty, only an earlier row of the input can have one of these keys. That is rare, and the
        # insertion finds it.
        known = (
            {} if self._is_first else known_requests(self._connection, {one.key: one.request for one in rows.values()})
        )
        self._update((one, known[one.key]) for one in rows.values() if one.key in known)
        self._insert([one for one in rows.values() if one.key not in known])
        self._refuse(repeated)

    def _prepared(self, position: int, row: InputRow, request: PinRequest) -> _Row:
        digest = records.digest(request)
        cells = records.texts_to_json(row.cells)
        given = (self._staging, position, row.line, cells, *records.encode(request))
        return _Row(position, row, request, key_of(self._connection, request, digest), digest, given)

    def _update(self, rows: Iterable[tuple[_Row, Any]]) -> None:
        """Bring rows that the journal knows up to date with the input."""
        unchanged, repeated = [], []
        for one, (number, staging, _, *found, check) in rows:
            if schema.outcome_check(*found) != check:
                raise ValueError(damaged(one.key))
            if staging == self._staging:
                repeated.append(one)
                continue
            known = schema.RowOutcome(*found)
            outcome = self._merge(one, known)
            if outcome == known:  # the rule when an input is staged again; its key's index need not be written
                unchanged.append((*one.given, schema.input_check(*one.given), number))
            else:
                update(self._connection, number, one.given, outcome)
        self._connection.executemany(statements.UPDATE_INPUT, unchanged)
        self._refuse(repeated)

    def _insert(self, rows: Sequence[_Row]) -> None:
        """Add rows; one whose key an earlier row of the input has is bad."""
        execute = self._connection.execute
        values: list[Any] = []
        for one in rows:
            check = schema.check_of_new(schema.name_check(one.key, one.digest))
            values += (*one.given, schema.input_check(*one.given), one.key, bytearray(one.digest), check)
        count = insert_new(self._connection, statements.STAGED, values)
        self._new += count
        if count < len(rows):
            self._refuse(one for one in rows if execute(statements.IS_AT, (one.key, one.position)).fetchone() is None)

    def _merge(self, one: _Row, known: schema.RowOutcome) -> schema.RowOutcome:
        """What became of a request that the job knows, marked if its row was corrected after the PIN was issued."""
        if records.is_digest_of(known.digest, one.request, one.digest):
            return known._replace(corrected=0) if known.corrected else known
        if known.state == State.ISSUED:
            self._corrected += 1
            if len(self._corrected_lines) < _LINES:
                self._corrected_lines.append(one.row.line)
            return known._replace(corrected=1)
        # A request that was sent with other fields may have left a PIN for them.
        return schema.RowOutcome(known.key, one.digest, orphans=known.orphans + (known.state == State.SENT))

    def _refuse(self, repeated: Iterable[_Row]) -> None:
        """Add rows, whose keys earlier rows of the input have, as bad ones."""
        for one in repeated:
            line = self._connection.execute(statements.LINE, (one.key,)).fetchone()[0]
            self._add_bad(one.position, one.row, _occurs_twice(one.request.tracking, line))

    def _add_bad(self, position: int, row: InputRow, problem: str) -> None:
        self._bad += 1
        given = (self._staging, position, row.line, records.texts_to_json(row.cells), None, None)
        insert(self._connection, given, schema.RowOutcome(f"!{position}", b"", State.BAD.value, error=utf8(problem)))


def known_rows(connection: sqlite3.Connection, keys: Sequence[str]) -> dict[str, Any]:
    """What the journal knows of requests: by their keys, what `statements.known` finds."""
    found: dict[str, Any] = {}
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        found.update((row[_KEY], row) for row in connection.execute(statements.known(len(some)), some))
    return found


def known_requests(connection: sqlite3.Connection, requests: Mapping[str, PinRequest]) -> dict[str, Any]:
    """What the journal knows of requests, as `known_rows` finds it, by the keys that they have now.

    Args:
        connection: the journal's.
        requests: the requests by their keys.
    """
    found = known_rows(connection, tuple(requests))
    keys = {
        earlier: key
        for key, request in requests.items()
        if key not in found
        for earlier in records.earlier_keys(key, request)
    }
    earlier_rows = known_rows(connection, tuple(keys))
    # One with a PIN counts for more than one that was never sent.
    for earlier, row in sorted(earlier_rows.items(), key=lambda item: bool(item[1][_STATE] == State.ISSUED)):
        found[keys[earlier]] = row
    return found


def insert_new(connection: sqlite3.Connection, row: str, values: Sequence[Any]) -> int:
    """Add rows that are yet to be sent, but for those whose keys are there; returns how many were added.

    Args:
        connection: the journal's.
        row: what is added for each row: `statements.STAGED` or `statements.ADMITTED`.
        values: its values, row after row.
    """
    width, start, count = row.count("?"), 0, 0
    while start < len(values):
        rows = _INSERTED_AT_ONCE if len(values) - start >= width * _INSERTED_AT_ONCE else 1
        end = start + width * rows
        count += connection.execute(statements.insert_new(row, rows), values[start:end]).rowcount
        start = end
    return count


def insert(connection: sqlite3.Connection, given: tuple[Any, ...], outcome: schema.RowOutcome) -> bool:
    """Add a row, unless its key is there already; returns whether it was added.

    Args:
        connection: connection to the journal.
        given: columns that come from the input, in the order of `statements.INPUT`.
        outcome: columns that say what became of the row.
    """
    values = (*given, schema.input_check(*given), *outcome, schema.outcome_check(*outcome))
    return bool(connection.execute(statements.INSERT, values).rowcount)


def update(connection: sqlite3.Connection, number: int, given: tuple[Any, ...], outcome: schema.RowOutcome) -> None:
    """Replace the row with an id; `insert` describes the other arguments."""
    values = (*given, schema.input_check(*given), *outcome, schema.outcome_check(*outcome))
    connection.execute(statements.UPDATE, (*values, number))


def move_cells(connection: sqlite3.Connection, staging: int, before: Sequence[str], after: Sequence[str]) -> None:
    """Put the cells of rows that are not in the last input under its columns, by the names of both.

    Args:
        connection: the journal's, in the transaction of the staging.
        staging: number of the last input.
        before: names of the columns of the input before.
        after: names of the columns of the last input.
    """
    last = 0
    while rows := connection.execute(statements.VANISHED, (staging, last, _AT_ONCE)).fetchall():
        for number, *given, check in rows:
            last = number
            cells = records.cells_of(given[_CELLS])
            if not cells or schema.input_check(*given) != check:  # damage stays to be seen
                continue
            given[_CELLS] = records.moved_cells(cells, before, after)
            connection.execute(statements.UPDATE_INPUT, (*given, schema.input_check(*given), number))


class Watched:
    """The rows of an input; remembers an error of theirs, so that it is not taken for one of the journal.

    Args:
        rows: the rows.
    """

    def __init__(self, rows: Iterable[InputRow]) -> None:
        self._rows = rows
        self._stopped = False
        self.problem: Exception | None = None

    def stop(self) -> None:
        """Let the iteration fail at its next row."""
        self._stopped = True

    def __iter__(self) -> Iterator[InputRow]:
        rows = iter(self._rows)
        while not self._stopped:
            try:
                row = next(rows)
            except StopIteration:
                return
            except Exception as problem:  # noqa: BLE001 - `Journal.stage` raises it
                self.problem = problem
                raise StagingStopped from None
            yield row
        raise StagingStopped


class StagingStopped(Exception):
    """The input cannot be iterated to its end."""


def key_of(connection: sqlite3.Connection, request: PinRequest, digest: bytes) -> str:
    """The key of a request; those without a tracking field are counted by their digests."""
    if request.tracking:
        return records.named_key(request.tracking)
    before = connection.execute(statements.COUNT_ALIKE, (digest,)).fetchone()
    return records.unnamed_key(digest, before[0])


def damaged(key: object) -> str:
    """The message for a row whose checksum is wrong."""
    return f"the row of the request {records.name_of(str(key))} is damaged: its checksum is wrong"


def utf8(text: str) -> str:
    """A text without the characters that UTF-8 lacks, which SQLite would not take."""
    return text.encode("utf-8", "replace").decode()


def _occurs_twice(tracking: str, line: int | None) -> str:
    first = "" if line is None else f", first on line {line}"
    return f"tracking {tracking!r} occurs twice in this job{first}; each request needs its own"


def seen_before(connection: sqlite3.Connection, keys: Sequence[str]) -> set[str]:
    """Note keys as seen in this run. Returns those that were seen before."""
    found = set(keys)
    for start in range(0, len(keys), _AT_ONCE):
        some = keys[start : start + _AT_ONCE]
        found.difference_update(key for (key,) in connection.execute(statements.see(len(some)), some))
    return found
