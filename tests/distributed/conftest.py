import asyncio
import sys

import pytest

from tests.lab.distributed.postgres_server import postgres_server
from tests.lab.distributed.worker import CODES


@pytest.fixture(scope="session")
def postgres():
    with postgres_server() as server:
        yield server


@pytest.fixture
def database(postgres):
    return postgres.new_database()


@pytest.fixture
async def workers(database, rescue_emulator):
    """Starts worker processes, and kills those that are left."""
    running = []

    async def start(*names, rate=20):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "tests.lab.distributed.worker",
            database,
            rescue_emulator.url,
            str(rate),
            *[f"{name}=fixed{name}0000" for name in names or CODES],
        )
        running.append(process)
        return process

    yield start
    for process in running:
        if process.returncode is None:
            process.kill()
        await process.wait()
