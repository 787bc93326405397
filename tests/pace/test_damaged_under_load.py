"""Processes whose shared file is damaged while they call: each sends one call too many at most, and none stops."""

import asyncio
import os
import random
import sys
from pathlib import Path

from aiorescue.emulator import Emulator

RATE, PROCESSES, SECONDS = 20.0, 3, 3.0


def damage(file: Path, chance: random.Random) -> None:
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


async def test_files_that_are_damaged_under_load_cost_one_call_a_process_and_stop_none(tmp_path: Path):
    chance, damages, loop = random.Random(5), 0, asyncio.get_running_loop()
    async with Emulator(pin_rate=None) as service:
        command = "-m", "tests.lab.pace_worker", service.url, str(tmp_path), str(RATE), str(SECONDS)
        workers = [
            await asyncio.create_subprocess_exec(sys.executable, *command, stdout=asyncio.subprocess.PIPE)
            for _ in range(PROCESSES)
        ]
        outputs = asyncio.gather(*(worker.communicate() for worker in workers))
        while not service.ledger.issued:
            await asyncio.sleep(0.01)
        began = loop.time()
        while not outputs.done():
            await asyncio.wait([outputs], timeout=0.3)
            for file in [path for path in tmp_path.rglob("*") if path.is_file()]:
                damage(file, chance)
                damages += 1
        issued, seconds = service.ledger.issued, loop.time() - began
    each = [int(output) for output, _ in await outputs]
    assert damages > 5
    assert issued <= RATE * seconds + PROCESSES * (damages + 1)
    assert min(each) > RATE * SECONDS / PROCESSES / 3  # none stands still, and none takes all
