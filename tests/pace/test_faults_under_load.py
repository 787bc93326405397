"""Processes that share a pace while what they share is damaged, stands still, dies or vanishes.

Each sends one call too many at most for each fault, and none stands still.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import attrs
import redis

from aiorescue.emulator import Emulator
from tests.lab.redis_server import restartable_redis

ROOT = Path(__file__).parent.parent.parent
RATE, PROCESSES = 40.0, 3


def damage_file(file: Path, chance: random.Random) -> None:
    """Cut the file, change some of its bytes, or remove it."""
    content = bytearray(file.read_bytes())
    match chance.randrange(3):
        case 0:
            os.truncate(file, chance.randrange(len(content) or 1))
        case 1 if content:
            for _ in range(8):
                content[chance.randrange(len(content))] = chance.randrange(256)
            with file.open("r+b") as opened:
                opened.write(content)
        case _:
            file.unlink()


def damage_key(client: "redis.Redis", number: int) -> None:
    """Spoil the only key of the pace, in another way for each number."""
    key = client.keys("*:slots")[0]
    seconds, _ = client.time()
    match number % 8:
        case 0:
            client.delete(key)
        case 1:
            client.set(key, b"rubbish \xff\xfe")
        case 2:
            client.hset(key, mapping={"limit": '{"gap": 0.05, "of_the_future": 1}', "of_the_future": "1"})
        case 3:
            client.hset(key, mapping=dict.fromkeys(("version", "limit", "slots", "hold"), b"\xff\xfe"))
        case 4:  # as if Redis' clock had been set back by an hour
            client.hset(
                key, mapping={"slots": f"one {seconds + 3600} two {seconds + 3601}", "hold": f"{seconds + 3600}"}
            )
        case 5:
            client.hset(key, "version", "999999999999")
        case 6:
            client.hset(key, "hold", "inf")
        case _:
            # In one transaction, between whose commands no process writes.
            client.pipeline().delete(key).rpush(key, "another", "type").execute()


async def mended(client: "redis.Redis") -> None:
    """Wait until the pace has its key again: on a busy machine calls may come from processes that gave Redis up."""
    while not any(client.type(key) == b"hash" for key in client.keys("*:slots")):
        await asyncio.sleep(0.01)


@attrs.define
class Load:
    """What processes do that share a pace.

    Attributes:
        service: the service that they call.
        began: the moment from which their calls are counted.
        before: the calls before that.
        faults: what has gone wrong since.
        stall: the longest time in seconds for which a busy machine has stopped the service: it may count the calls of
            that time after the moment from which they are counted.
    """

    service: Emulator
    began: float = 0.0
    before: int = 0
    faults: int = 0
    stall: float = 0.0

    async def issued(self, count: int) -> None:
        """Wait for so many calls."""
        aim = self.service.ledger.issued + count
        while self.service.ledger.issued < aim:
            slept = self.service.clock()
            await asyncio.sleep(0.005)
            self.stall = max(self.stall, self.service.clock() - slept - 0.005)

    def begin(self) -> None:
        """Count from now on."""
        self.began, self.before, self.faults = self.service.clock(), self.service.ledger.issued, 0

    def check(self) -> None:
        """Raise AssertionError if the processes were faster than their pace, by more than a call each for a fault."""
        issued, seconds = self.service.ledger.issued - self.before, self.service.clock() - self.began
        # And one: a span of time may both begin and end with a call. And two each that a busy machine held up until the
        # span had begun: one that was on its way, and one whose slot had come.
        assert issued <= RATE * (seconds + self.stall) + 1 + PROCESSES * (self.faults + 2), self
        self.begin()


@asynccontextmanager
async def load(place: str) -> AsyncIterator[Load]:
    """Processes that call for as long as the context lasts. None of them may end by itself."""
    workers = []
    async with Emulator(pin_rate=None) as service:
        command = "-m", "tests.lab.pace_worker", service.url, place, str(RATE), "0"
        try:
            for _ in range(PROCESSES):
                workers.append(await asyncio.create_subprocess_exec(sys.executable, *command, cwd=ROOT))
            found = Load(service)
            await found.issued(20)
            found.begin()
            async with asyncio.timeout(60):
                yield found
            found.check()
            assert [worker.returncode for worker in workers] == [None] * PROCESSES
        finally:
            for worker in workers:
                worker.kill()
                await worker.wait()


async def test_redis_that_is_stopped_killed_started_again_and_spoilt_under_load():
    with restartable_redis() as server:
        async with load(server.url) as calling:
            server.send(signal.SIGSTOP)
            # Each process has a slot ahead. One more call comes from the first that gave Redis up; the others have not.
            await calling.issued(PROCESSES + 1)
            server.send(signal.SIGCONT)
            calling.begin()
            calling.faults += 1
            await calling.issued(80)
            calling.check()

            server.send(signal.SIGKILL)
            await calling.issued(6)
            server.start()
            calling.faults += 1
            await calling.issued(40)
            calling.check()

            with redis.Redis.from_url(server.url) as client:
                for number in range(8):
                    damage_key(client, number)
                    calling.faults += 1
                    await calling.issued(6)
                    await mended(client)


def vanish(folder: Path) -> None:
    """Move a folder away, as if it had been removed; the next process makes it again."""
    folder.rename(folder.with_name(f"moved {len(list(folder.parent.iterdir()))}"))


def block(folder: Path) -> None:
    """Put a file in the place of a folder, so that nothing in it can be read, written or made."""
    vanish(folder)
    folder.touch()


async def test_files_that_are_damaged_and_whose_folder_is_lost_under_load(tmp_path: Path):
    folder, chance = tmp_path / "pace", random.Random(5)
    async with load(str(folder)) as calling:
        for _ in range(8):
            for file in folder.iterdir():
                damage_file(file, chance)
                calling.faults += 1
            await calling.issued(6)
        calling.check()

        vanish(folder)
        calling.faults += 1
        await calling.issued(20)
        assert folder.is_dir()
        calling.check()

        block(folder)
        calling.faults += 1
        await calling.issued(12)
        folder.unlink()
        calling.faults += 1
        await calling.issued(40)
        assert folder.is_dir()
