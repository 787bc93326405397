"""Statements of many lanes on few connections: committed together, refused alone, repeated after a cut."""

import asyncio

import psycopg
import pytest

from aiorescue.bulk.distributed.database import Statements

ADD = b"INSERT INTO noted VALUES (%(number)s) RETURNING number, pg_current_xact_id()::text"


@pytest.fixture
def table(database):
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE noted (number int PRIMARY KEY)")
        yield connection


async def add(statements, *numbers):
    return await asyncio.gather(*[statements.rows(ADD, {"number": one}) for one in numbers], return_exceptions=True)


async def test_statements_that_come_at_one_time_share_few_transactions(database, table):
    async with Statements(database) as statements:
        found = await add(statements, *range(100))
    assert [rows[0][0] for rows in found] == list(range(100))
    assert len({rows[0][1] for rows in found}) <= 3
    assert table.execute("SELECT count(*) FROM noted").fetchone() == (100,)


async def test_a_statement_that_cannot_be_carried_out_is_refused_alone(database, table):
    table.execute("INSERT INTO noted VALUES (7)")
    async with Statements(database) as statements:
        found = await add(statements, 5, 6, 7, 8, 9)
    assert [type(one) for one in found] == [list, list, psycopg.errors.UniqueViolation, list, list]
    assert table.execute("SELECT count(*) FROM noted").fetchone() == (5,)


async def test_a_result_is_given_only_when_the_whole_group_is_committed(database, table):
    async with Statements(database) as statements:
        await add(statements, 0)  # the connection is there
        for number in range(1, 11):
            first = asyncio.ensure_future(statements.rows(b"SELECT pg_sleep(0.02)", {}))
            others = [asyncio.ensure_future(add(statements, 100 * number + one)) for one in range(8)]
            await asyncio.wait([first, *others], return_when=asyncio.FIRST_COMPLETED)
            await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)
            found = table.execute("SELECT count(*) FROM noted WHERE number >= %s", (100 * number,)).fetchone()
            assert found == (8,)
            await asyncio.gather(first, *others)


async def test_a_statement_that_waits_for_a_lock_does_not_hold_up_the_others(database, table):
    table.execute("INSERT INTO noted VALUES (1)")
    async with Statements(database) as statements:
        with psycopg.connect(database) as other:
            other.execute("DELETE FROM noted")
            waiting = asyncio.ensure_future(
                statements.rows(b"UPDATE noted SET number = 2 WHERE number = 1 RETURNING 1", {})
            )
            await asyncio.sleep(0.05)
            async with asyncio.timeout(20):
                await add(statements, 3)
            assert not waiting.done()
        assert await waiting == []


async def test_a_statement_is_repeated_when_its_connection_was_cut(database, table):
    async with Statements(database) as statements:
        await add(statements, 1)
        table.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        assert [rows[0][0] for rows in await add(statements, 2, 3)] == [2, 3]
