"""What is set for the database itself: commits that do not wait for the disk, and transactions of other programs."""

import asyncio

import psycopg
import pytest

from aiorescue import AuthCode, Pace
from aiorescue.bulk import distributed
from aiorescue.bulk.distributed.database import Statements, connected
from aiorescue.rescue import RequestPinCode


@pytest.mark.parametrize(("found", "used"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")])
async def test_a_note_is_on_the_disk_when_it_is_answered_though_the_server_would_not_wait(database, found, used):
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.execute("SELECT current_database()").fetchone()[0]
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = {found}".encode())
    question = "SELECT current_setting('synchronous_commit')"
    async with connected(database, prepare=True) as connection, Statements(database) as statements:
        assert await (await connection.execute(question)).fetchone() == (used,)
        assert await statements.rows(question.encode(), {}) == [(used,)]


async def test_the_server_looks_for_hosts_that_vanished_on_each_connection_of_a_worker(database):
    question = "SELECT name FROM pg_settings WHERE source = 'session' AND starts_with(name, 'tcp_') ORDER BY name"
    async with connected(database, prepare=True) as connection, Statements(database) as statements:
        found = await (await connection.execute(question)).fetchall()
        assert found == await statements.rows(question.encode(), {})
    # On a socket of the machine they have no value. Over TCP locks of a host that was cut off were free after 26 s.
    ours = ("tcp_keepalives_count", "tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_user_timeout")
    assert [name for (name,) in found] == list(ours)


async def collected(database, *, follow):
    async with asyncio.timeout(20):
        return [one.pin.code async for one in distributed.results(database, "spring", follow=follow)]


@pytest.fixture
async def done(database, rescue_emulator):
    """A job with five PINs."""
    rescue_emulator.limits.pin_rate = 50.0
    given = [RequestPinCode(tracking=f"CASE-{n}", no_tech_console=True) for n in range(5)]
    await distributed.submit(database, "spring", given, identities=["north"])
    await distributed.work(
        database,
        {"north": AuthCode("fixedtech0000")},
        base_url=rescue_emulator.url,
        pace=Pace(pins=50),
        until_done=True,
    )
    return [entry.pin for entry in rescue_emulator.ledger]


@pytest.mark.parametrize("follow", [False, True])
async def test_the_results_of_a_job_that_is_done_do_not_wait_for_transactions_of_other_programs(
    database, postgres, done, follow
):
    with psycopg.connect(postgres.new_database()) as other:
        other.execute("CREATE TABLE open ()")  # its transaction is older than what comes
        with psycopg.connect(database) as connection:
            connection.execute("UPDATE aiorescue.request SET ended = pg_current_xact_id() WHERE ended IS NOT NULL")
        assert sorted(await collected(database, follow=follow)) == sorted(done)


@pytest.mark.parametrize("follow", [False, True])
async def test_the_results_of_a_job_that_was_moved_to_another_server_are_read(database, done, follow):
    with psycopg.connect(database) as connection:  # as numbers of transactions come from where the job was
        connection.execute("UPDATE aiorescue.request SET ended = '9000000000'::xid8 WHERE ended IS NOT NULL")
    assert sorted(await collected(database, follow=follow)) == sorted(done)
