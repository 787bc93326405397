"""The SQL of a journal: its columns and statements, put together from constants; every value is a parameter."""

from functools import cache
from typing import Final

#: Columns of what became of a row, in the order of `aiorescue.bulk.journal.schema.RowOutcome`.
OUTCOME: Final = "key, digest, state, pin, orphans, error, corrected, issued_at"
#: Columns that come from the input of a row, in the order of `schema.input_check`.
INPUT: Final = "staging, position, line, cells, operation, fields"

_CHECKED: Final = "outcome_check = outcome_check(key, digest,"
_PLACES: Final = ", ".join("?" * 16)

# --- changes of many rows ---

_REOPENED: Final = (
    f"UPDATE request SET orphans = orphans + (state = 1), state = 0, error = NULL, {_CHECKED}"
    " 0, pin, orphans + (state = 1), NULL, corrected, issued_at)"
)
#: Failed rows are ready to be sent again.
RETRY: Final = f"{_REOPENED} WHERE state = 3"
#: In a new run, failed rows are ready to be sent again, and rows that an earlier run sent without an answer.
REOPEN: Final = f"{_REOPENED} WHERE state IN (1, 3)"
#: Each row without a PIN may have been sent by a run whose log is lost.
COUNT_LOST: Final = (
    f"UPDATE request SET orphans = orphans + 1, state = 0, {_CHECKED}"
    " 0, pin, orphans + 1, error, corrected, issued_at) WHERE state IN (0, 1, 3)"
)

# --- changes of some rows: what `note` sets, by the values of each row, of which the first is its id ---
# No value of theirs is None or bytes: Python's sqlite3 looks for an adapter of these, which costs more than all else.

ARE_UNDER_WAY: Final = (
    "state = column2, pin = NULL, orphans = column3, error = NULL, issued_at = NULL, outcome_check = column4"
)
ARE_ISSUED: Final = (
    "state = 2, pin = column2, orphans = column3, error = NULL, issued_at = column4, outcome_check = column5"
)
HAVE_FAILED: Final = (
    "state = 3, pin = NULL, orphans = column2, error = column3, issued_at = NULL, outcome_check = column4"
)

# --- rows in ---

INSERT: Final = (
    f"INSERT INTO request ({INPUT}, input_check, {OUTCOME}, outcome_check) VALUES ({_PLACES})"
    " ON CONFLICT (key) DO NOTHING"
)
_NEW_OUTCOME: Final = "?, ?, 0, NULL, 0, NULL, 0, NULL, ?"
#: New rows of an input, as `insert_new` adds them: the values of `INPUT`, their checksum, key, digest and the checksum
#: of what became of the row.
STAGED: Final = f"(NULL, ?, ?, ?, ?, ?, ?, ?, {_NEW_OUTCOME})"
#: New rows that are in no input: the id, staging, operation and fields, and the same from the checksum on.
ADMITTED: Final = f"(?, ?, NULL, NULL, NULL, ?, ?, ?, {_NEW_OUTCOME})"
LAST_ID: Final = "SELECT coalesce(max(id), 0) FROM request"
LINE: Final = "SELECT line FROM request WHERE key = ?"
IS_AT: Final = "SELECT 1 FROM request WHERE key = ? AND position = ?"
UPDATE: Final = f"UPDATE request SET ({INPUT}, input_check, {OUTCOME}, outcome_check) = ({_PLACES}) WHERE id = ?"
UPDATE_INPUT: Final = f"UPDATE request SET ({INPUT}, input_check) = (?, ?, ?, ?, ?, ?, ?) WHERE id = ?"
COUNT_ALIKE: Final = (
    "INSERT INTO temp.alike VALUES (?, 0) ON CONFLICT (digest) DO UPDATE SET count = count + 1 RETURNING count"
)
#: Takes the staging, an id and how many: rows that are not in the last input, behind that id.
VANISHED: Final = f"SELECT id, {INPUT}, input_check FROM request WHERE staging <> ? AND id > ? ORDER BY id LIMIT ?"
COUNT_VANISHED: Final = "SELECT count(*), coalesce(sum(state = 2), 0) FROM request WHERE staging <> ?"

# --- rows out ---

LIST_WHAT_IS_LEFT: Final = (
    "INSERT INTO temp.todo (id) SELECT id FROM request WHERE state = 0 AND staging = ? AND operation IS NOT NULL"
    " ORDER BY position IS NULL, position, id"
)
CLAIM: Final = (
    f"SELECT place, id, {INPUT}, input_check, {OUTCOME}, outcome_check FROM temp.todo"
    " JOIN request USING (id) WHERE place > ? ORDER BY place LIMIT ?"
)
OUTCOMES: Final = f"SELECT {OUTCOME}, outcome_check FROM request"
WRONG: Final = f"SELECT key FROM request WHERE outcome_check <> outcome_check({OUTCOME}) LIMIT 1"
#: Figures by state and by whether the rows are in the last input: two moments and a staging are its parameters.
FIGURES: Final = (
    "SELECT state, staging = ?, count(*), total(orphans), total(corrected), total(issued_at > ?),"
    f" min(CASE WHEN issued_at > ? THEN issued_at END), total(outcome_check <> outcome_check({OUTCOME}))"
    " FROM request GROUP BY 1, 2"
)


def known(count: int) -> str:
    """The statement for what is known of a number of keys."""
    places = ", ".join("?" * count)
    return f"SELECT id, staging, operation, {OUTCOME}, outcome_check FROM request WHERE key IN ({places})"


def see(count: int) -> str:
    """The statement that notes a number of keys as seen in this run, and returns those that were not seen before."""
    return f"INSERT OR IGNORE INTO temp.seen VALUES {', '.join(['(?)'] * count)} RETURNING key"


@cache
def insert_new(row: str, count: int) -> str:
    """The statement that adds a number of rows, `STAGED` or `ADMITTED`, but for those whose keys are there."""
    return (
        f"INSERT INTO request (id, {INPUT}, input_check, {OUTCOME}, outcome_check)"
        f" VALUES {', '.join([row] * count)} ON CONFLICT (key) DO NOTHING"
    )


@cache
def note(changes: str, count: int) -> str:
    """The statement that makes changes, such as `ARE_ISSUED`, of a number of rows; each has `width_of` values."""
    row = f"({', '.join('?' * width_of(changes))})"
    return f"UPDATE request SET {changes} FROM (VALUES {', '.join([row] * count)}) WHERE id = column1"


@cache
def width_of(changes: str) -> int:
    """The number of values that changes take for each row: the id, and one for each ``column``."""
    return 1 + changes.count("column")


def rows(condition: str) -> str:
    """The statement for all rows that a condition holds for, in the order of the input; it takes the staging twice."""
    return (
        f"SELECT {INPUT}, input_check, {OUTCOME}, outcome_check FROM request"
        f" WHERE ({condition}) AND (staging = ? OR state IN (1, 2) OR orphans > 0)"
        " ORDER BY staging <> ?, position IS NULL, position, id"
    )


#: Takes over the rows of version 1, which have no input; the checksum of an empty input is its parameter.
TAKE_OVER: Final = (
    f"INSERT INTO request ({INPUT}, input_check, {OUTCOME}, outcome_check)"
    " SELECT 0, NULL, NULL, NULL, NULL, NULL, ?, key, digest, state, pin, unseen, error, 0, NULL,"
    " outcome_check(key, digest, state, pin, unseen, error, 0, NULL) FROM request_1 ORDER BY key"
)
