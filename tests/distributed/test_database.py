"""What is set for the database itself: commits that do not wait for the disk, and transactions of other programs."""

import psycopg
import pytest

from aiorescue.bulk.distributed.database import Statements, connected


@pytest.mark.parametrize(("found", "used"), [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")])
async def test_a_note_is_on_the_disk_when_it_is_answered_though_the_server_would_not_wait(database, found, used):
    with psycopg.connect(database, autocommit=True) as connection:
        name = connection.execute("SELECT current_database()").fetchone()[0]
        connection.execute(f"ALTER DATABASE {name} SET synchronous_commit = {found}".encode())
    question = "SELECT current_setting('synchronous_commit')"
    async with connected(database, prepare=True) as connection, Statements(database) as statements:
        assert await (await connection.execute(question)).fetchone() == (used,)
        assert await statements.rows(question.encode(), {}) == [(used,)]
