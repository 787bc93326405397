"""Redis is killed while processes share a pace through it: each goes on, and together they go no faster."""

import asyncio
import os
import signal
import sys
from pathlib import Path

import redis

from aiorescue.emulator import Emulator
from tests.lab.redis_server import redis_server

ROOT = Path(__file__).parent.parent.parent
PROCESSES, RATE = 3, 30.0


async def issued(service: Emulator, count: int) -> None:
    while len(service.ledger) < count:
        await asyncio.sleep(0.01)


async def test_when_redis_is_killed_under_load_no_process_stands_still_and_none_is_faster_than_its_part():
    workers = []
    async with Emulator(pin_rate=None) as service:
        with redis_server() as url:
            try:
                for _ in range(PROCESSES):
                    command = (sys.executable, "-m", "tests.lab.pace_worker", service.url, url, str(RATE), "0")
                    workers.append(await asyncio.create_subprocess_exec(*command, cwd=ROOT))
                await issued(service, 60)
                with redis.Redis.from_url(url) as client:
                    os.kill(client.info()["process_id"], signal.SIGKILL)
                killed = service.clock()
                before = len(service.ledger)
                await issued(service, before + 90)
                assert [worker.returncode for worker in workers] == [None] * PROCESSES
            finally:
                for worker in workers:
                    worker.kill()
                    await worker.wait()
    after = [entry.time for entry in service.ledger if entry.time >= killed]
    # Each may have one call under way, and one that is above the pace.
    assert len(after) <= RATE * (after[-1] - killed) + 2 * PROCESSES
