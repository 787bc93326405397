"""The tables of distributed jobs, in a schema of their own, and the classes of the advisory locks beside them."""

from typing import Any, Final

from psycopg import AsyncConnection

from aiorescue import errors
from aiorescue.errors import JournalReason

VERSION: Final = 1
#: First number of the advisory locks of identities, of workers, of the making of the tables, and of submissions.
IDENTITY_LOCK, WORKER_LOCK, SCHEMA_LOCK, SUBMISSION_LOCK = 1380275025, 1380275026, 1380275027, 1380275028
_HELD: Final = """SELECT objid::int FROM pg_locks WHERE locktype = 'advisory' AND granted AND classid = {}
    AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"""
#: The ids of the identities and of the workers whose locks are held.
HELD_IDENTITIES, LIVE_WORKERS = _HELD.format(IDENTITY_LOCK), _HELD.format(WORKER_LOCK)

#: No index has the state of a request, so that the note that it was sent writes to none.
_TABLES: Final = """
CREATE SCHEMA IF NOT EXISTS aiorescue;
CREATE TABLE aiorescue.version (version int PRIMARY KEY);
CREATE TABLE aiorescue.job (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    columns text NOT NULL DEFAULT '[]',
    staging int NOT NULL DEFAULT 0,
    runs int NOT NULL DEFAULT 0
);
CREATE TABLE aiorescue.identity (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    epoch bigint NOT NULL DEFAULT 0
);
CREATE TABLE aiorescue.lane (
    job int NOT NULL REFERENCES aiorescue.job ON DELETE CASCADE,
    identity int NOT NULL REFERENCES aiorescue.identity,
    PRIMARY KEY (job, identity)
);
CREATE SEQUENCE aiorescue.worker_id AS int;
CREATE TABLE aiorescue.worker (id int PRIMARY KEY, names text[] NOT NULL);
CREATE TABLE aiorescue.request (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    job int NOT NULL REFERENCES aiorescue.job ON DELETE CASCADE,
    key text NOT NULL,
    digest bytea NOT NULL,
    staging int NOT NULL,
    position bigint,
    line bigint,
    cells text,
    operation text,
    fields jsonb,
    state smallint NOT NULL DEFAULT 0,
    pin text,
    orphans int NOT NULL DEFAULT 0,
    error text,
    corrected boolean NOT NULL DEFAULT false,
    issued_at timestamptz,
    ended xid8,
    owner int,
    epoch bigint,
    attempt bigint,
    UNIQUE (job, key)
) WITH (fillfactor = 80);
CREATE UNIQUE INDEX request_pin ON aiorescue.request (job, pin) WHERE pin IS NOT NULL;
CREATE INDEX request_claimable ON aiorescue.request (job, position)
    WHERE owner IS NULL AND ended IS NULL AND position IS NOT NULL;
CREATE INDEX request_owned ON aiorescue.request (owner) WHERE owner IS NOT NULL;
CREATE INDEX request_ended ON aiorescue.request (job, ended) WHERE ended IS NOT NULL;
"""


async def prepare(connection: AsyncConnection[Any]) -> None:
    """Make the tables if they are missing. Raises `errors.JournalError` if they are those of another version."""
    async with connection.transaction():
        await connection.execute("SELECT pg_advisory_xact_lock(%s, 0)", (SCHEMA_LOCK,))
        found = await (await connection.execute("SELECT to_regclass('aiorescue.version')")).fetchone()
        if found is None or found[0] is None:
            await connection.execute(_TABLES)
            await connection.execute("INSERT INTO aiorescue.version VALUES (%s)", (VERSION,))
    await check_version(connection)


async def check_version(connection: AsyncConnection[Any]) -> None:
    """Raise `errors.JournalError` if the tables are missing, or those of another version."""
    found = await (await connection.execute("SELECT to_regclass('aiorescue.version')")).fetchone()
    if found is None or found[0] is None:
        raise errors.JournalError("the database holds no jobs: submit one first", reason=JournalReason.FAILED)
    row = await (await connection.execute("SELECT version FROM aiorescue.version")).fetchone()
    if row is None or row[0] != VERSION:
        raise errors.JournalError(
            f"the database holds jobs of version {row and row[0]}, and this aiorescue works with version {VERSION};"
            " use one version of aiorescue on all machines",
            reason=JournalReason.NEWER_VERSION,
        )
