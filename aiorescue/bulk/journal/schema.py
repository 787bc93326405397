"""The tables of a journal, version 2; the checksums of their rows; and how a journal of version 1 becomes one.

Two checksums stand in each row of ``request``: ``input_check`` over what came from the input, and ``outcome_check``
over what became of it, with the key and the digest. They are CRC-32, which notices every change of a single bit. SQL
computes the second one through the function `outcome_check`, which `connect` gives to a connection.
"""

import sqlite3
from typing import Any, Final, NamedTuple
from zlib import crc32

from aiorescue.bulk.journal import statements

#: Marks the file as ours ("RESQ").
APPLICATION: Final = 0x52455351
VERSION: Final = 2
#: The first SQLite with ``RETURNING``; ``UPDATE … FROM`` came shortly before.
_OLDEST_SQLITE: Final = (3, 35)

#: How the values of a new `RowOutcome` end, as `outcome_check` takes them.
_REST_OF_NEW: Final = b"0, None, 0, None, 0, None)"

#: Seconds to wait for a lock of another process.
PATIENCE: Final = 1.0

JOB: Final = """CREATE TABLE job (
    name TEXT NOT NULL,
    runs INTEGER NOT NULL,
    open INTEGER NOT NULL,
    staging INTEGER NOT NULL,
    columns TEXT NOT NULL,
    job_check INTEGER NOT NULL
)"""
REQUEST: Final = """CREATE TABLE request (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    digest BLOB NOT NULL,
    staging INTEGER NOT NULL,
    position INTEGER,
    line INTEGER,
    cells TEXT,
    operation TEXT,
    fields TEXT,
    input_check INTEGER NOT NULL,
    state INTEGER NOT NULL,
    pin TEXT,
    orphans INTEGER NOT NULL,
    error TEXT,
    corrected INTEGER NOT NULL,
    issued_at REAL,
    outcome_check INTEGER NOT NULL
)"""
#: What a run notes for itself, in a temporary database that goes with the connection.
TEMPORARY: Final = (
    "CREATE TEMP TABLE seen (key TEXT PRIMARY KEY) WITHOUT ROWID",
    "CREATE TEMP TABLE alike (digest BLOB PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TEMP TABLE todo (place INTEGER PRIMARY KEY, id INTEGER NOT NULL)",
)


class RowOutcome(NamedTuple):
    """What became of a row: the columns that `outcome_check` covers.

    Attributes:
        key: names the request.
        digest: digest of the fields that were sent, or are to be.
        state: a `aiorescue.bulk.store.State`, as a plain number.
        pin: PIN of the row, if it is issued.
        orphans: attempts that may have left an unclaimed PIN.
        error: why the row failed or is bad.
        corrected: 1 if the PIN was issued for other fields than the row has now.
        issued_at: time of day in seconds at which the PIN was recorded.
    """

    key: str
    digest: bytes
    state: int = 0
    pin: str | None = None
    orphans: int = 0
    error: str | None = None
    corrected: int = 0
    issued_at: float | None = None


def outcome_check(*values: Any) -> int:
    """The checksum of what became of a row: of a `RowOutcome`."""
    return crc32(repr(values).encode("utf-8", "surrogatepass"))


def name_check(key: str, digest: bytes) -> int:
    """The part of `outcome_check` that stays as long as a row is worked on: the checksum of its key and digest."""
    return crc32(f"({key!r}, {digest!r}, ".encode("utf-8", "surrogatepass"))


def check_behind(name: int, rest: tuple[Any, ...]) -> int:
    """The `outcome_check` of a row by its `name_check` and the values behind its key and digest."""
    return crc32(repr(rest)[1:].encode("utf-8", "surrogatepass"), name)


def check_of_new(name: int) -> int:
    """The `outcome_check` of a row that is yet to be sent for the first time, by its `name_check`."""
    return crc32(_REST_OF_NEW, name)


def input_check(*values: Any) -> int:
    """The checksum of what came from the input of a row: of the columns `statements.INPUT`."""
    return crc32(repr(values).encode("utf-8", "surrogatepass"))


def job_check(*values: Any) -> int:
    """The checksum of the row of `job`: of its other columns."""
    return crc32(repr(values).encode("utf-8", "surrogatepass"))


def connect(uri: str) -> sqlite3.Connection:
    """Connect to a journal and give the connection the function `outcome_check`.

    Raises:
        sqlite3.NotSupportedError: this Python's SQLite lacks statements that the journal uses; nothing was opened.
    """
    if sqlite3.sqlite_version_info < _OLDEST_SQLITE:
        raise sqlite3.NotSupportedError(
            f"it needs SQLite {'.'.join(map(str, _OLDEST_SQLITE))} or newer, and this Python has"
            f" {sqlite3.sqlite_version}; use a Python with a newer one"
        )
    connection = sqlite3.connect(uri, isolation_level=None, timeout=PATIENCE, check_same_thread=False, uri=True)
    connection.create_function("outcome_check", 8, outcome_check, deterministic=True)
    return connection


def create(connection: sqlite3.Connection, name: str) -> None:
    """Make the tables of a new journal, within a transaction."""
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute(JOB)
    connection.execute(REQUEST)
    write_job(connection, name, 0, 0, 0, "[]")


def write_job(connection: sqlite3.Connection, *values: Any) -> None:
    """Replace the row of `job`: name, runs, open, staging, columns."""
    connection.execute("DELETE FROM job")
    connection.execute("INSERT INTO job VALUES (?, ?, ?, ?, ?, ?)", (*values, job_check(*values)))


def read_job(connection: sqlite3.Connection) -> tuple[str, int, int, int, str]:
    """The row of `job`: name, runs, open, staging, columns. Raises ValueError if it is damaged."""
    rows = connection.execute("SELECT name, runs, open, staging, columns, job_check FROM job").fetchall()
    if len(rows) != 1 or job_check(*rows[0][:-1]) != rows[0][-1]:
        raise ValueError("the row of the job is damaged: its checksum is wrong")
    name, runs, is_open, staging, columns, _ = rows[0]
    return name, runs, is_open, staging, columns


def take_over(connection: sqlite3.Connection) -> None:
    """Turn the tables of version 1, which kept no fields of requests, into those of version 2, within a transaction."""
    name, runs = connection.execute("SELECT name, run FROM job").fetchone()
    connection.execute("ALTER TABLE request RENAME TO request_1")
    connection.execute("DROP TABLE main.job")
    connection.execute("DROP TABLE main.alike")
    connection.execute(JOB)
    connection.execute(REQUEST)
    write_job(connection, name, runs, 0, 0, "[]")
    connection.execute(statements.TAKE_OVER, (input_check(0, None, None, None, None, None),))
    connection.execute("DROP TABLE request_1")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def version_of(connection: sqlite3.Connection) -> int:
    """The version of the tables that a database names; 0 if it names none."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def check_structure(connection: sqlite3.Connection) -> None:
    """Check SQLite's own structures and indexes. Raises ValueError if one is damaged."""
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise ValueError(f"damaged: {' '.join(found.split())[:200]}")


def is_whole(connection: sqlite3.Connection) -> bool:
    """Whether the schema is that of version 2, to the letter."""
    found = connection.execute("SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name").fetchall()
    return found == [
        ("index", "sqlite_autoindex_request_1", "request", None),
        ("table", "job", "job", JOB),
        ("table", "request", "request", REQUEST),
    ]
