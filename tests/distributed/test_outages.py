"""Distributed jobs while the database is away, may not be written, or vanishes: what was asked for is recorded."""

import asyncio
import logging
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
import pytest

from aiorescue import AuthCode, Pace
from aiorescue.bulk import distributed
from aiorescue.bulk.distributed.database import connected
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestPinCode
from tests.lab.distributed.postgres_server import PostgresServer
from tests.lab.distributed.relay import relayed
from tests.lab.distributed.worker import CODES

pytestmark = pytest.mark.timeout(120)


@pytest.fixture
async def service():
    """A service whose answers take a second, so that PINs are on their way at any moment."""
    async with Emulator(pin_rate=5, latency=1.0) as found:
        yield found


@pytest.fixture
async def stop():
    return asyncio.Event()


@pytest.fixture
async def working(database: str, service: Emulator, stop: asyncio.Event):
    """A worker that has sent some requests of the job "spring"."""
    rows = (RequestPinCode(tracking=f"CASE-{number}", no_tech_console=True) for number in range(60))
    await distributed.submit(database, "spring", rows, identities=CODES[:2])
    codes = {name: AuthCode(f"fixed{name}0000") for name in CODES[:2]}
    task = asyncio.create_task(
        distributed.work(database, codes, base_url=service.url, pace=Pace(pins=5.0), patience=60, stop=stop)
    )
    async with asyncio.timeout(30):
        while len(service.ledger) < 5:
            await asyncio.sleep(0.02)
    yield task
    task.cancel()
    await asyncio.wait([task])


@asynccontextmanager
async def stopped(postgres: PostgresServer, stop: asyncio.Event, *, before: bool) -> AsyncIterator[None]:
    """Take the database away from a worker that was told to stop before that, or is told so now."""
    if before:
        stop.set()
        await asyncio.sleep(0.1)
    await asyncio.to_thread(postgres.stop)
    try:
        stop.set()
        yield
    finally:
        await asyncio.to_thread(postgres.start)


@pytest.mark.parametrize("before", [True, False], ids=["stopped_before", "stopped_after"])
async def test_a_worker_that_is_to_stop_while_the_database_is_away_records_what_was_under_way(
    postgres: PostgresServer,
    database: str,
    service: Emulator,
    stop: asyncio.Event,
    working: "asyncio.Task[None]",
    *,
    before: bool,
):
    async with stopped(postgres, stop, before=before):
        await asyncio.sleep(2)
    await working
    status = await distributed.status(database, "spring")
    assert (status.issued, status.possibly_orphaned) == (len(service.ledger), 0)


@pytest.mark.parametrize("before", [True, False], ids=["stopped_before", "stopped_after"])
async def test_a_worker_that_is_to_stop_ends_when_the_database_does_not_come_back(
    postgres: PostgresServer,
    stop: asyncio.Event,
    working: "asyncio.Task[None]",
    monkeypatch: pytest.MonkeyPatch,
    *,
    before: bool,
):
    monkeypatch.setattr("aiorescue.bulk.distributed.worker._RECORDING", 2.0)
    async with stopped(postgres, stop, before=before), asyncio.timeout(20):
        await working


async def test_a_pin_that_comes_while_the_database_is_read_only_is_recorded_when_that_is_over(
    database: str, service: Emulator, stop: asyncio.Event, working: "asyncio.Task[None]", caplog
):
    """A database in a failover, or one whose provider protects a disk that is nearly full."""

    def command(text: str) -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute(b"SET default_transaction_read_only = off")
            connection.execute(text.encode())
            connection.execute(b"SELECT pg_reload_conf()")

    await asyncio.to_thread(command, "ALTER SYSTEM SET default_transaction_read_only = on")
    try:
        with caplog.at_level(logging.WARNING, "aiorescue"):
            await asyncio.sleep(2.5)
    finally:
        await asyncio.to_thread(command, "ALTER SYSTEM RESET default_transaction_read_only")
    assert "read-only" in caplog.text
    stop.set()
    await working
    status = await distributed.status(database, "spring")
    assert (status.issued, status.possibly_orphaned) == (len(service.ledger), 0)


async def test_a_database_that_vanishes_with_a_note_on_its_way_is_noticed_within_half_a_minute(
    postgres: PostgresServer, database: str
):
    """Keepalives are sent only where all data was acknowledged; TCP repeats other data for a quarter of an hour."""
    parts = psycopg.conninfo.conninfo_to_dict(database)
    async with relayed(postgres.socket) as (_, port):
        url = f"postgresql://{parts['user']}@127.0.0.1:{port}/{parts['dbname']}"
        async with connected(url, prepare=True) as connection:
            with socket.socket(fileno=os.dup(connection.fileno())) as ours:
                assert 0 < ours.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) <= 30_000
