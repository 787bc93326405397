"""Jobs that are killed at hundreds of PINs a second, of a Python program and of `aiorescue pins` in turn."""

import asyncio
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import attrs

from aiorescue.bulk import Journal, State

#: PINs per second of each of the three identities.
RATE = 150
CODES = ("fixedtech0000", "fixedsecond0000", "fixedplain0000")
ROWS = 600
#: Calls that a job of three identities has under way at most.
IN_FLIGHT = 24
COMMAND = Path(sys.executable).with_name("aiorescue")

WORKER = f"""
import asyncio, csv, json, sys
from aiorescue import AuthCode, Pace, RescueClient
from aiorescue.bulk import issue
from aiorescue.rescue import RequestPinCode

async def main(url, folder):
    codes = [AuthCode(code) for code in {CODES!r}]
    async with RescueClient(codes, base_url=url, pace=Pace(pins={RATE}.0)) as client:
        work = (RequestPinCode(tracking=f"CASE-{{number}}") for number in range({ROWS}))
        async for issued in issue(client, work, journal=folder + "/worker.journal", in_flight={IN_FLIGHT // 3}):
            print(json.dumps([issued.request.tracking, issued.pin.code]), flush=True)

asyncio.run(main(*sys.argv[1:]))
"""

EMULATOR = f"""
import asyncio
from aiorescue.emulator import Emulator

async def main():
    async with Emulator(pin_rate={RATE}.0, latency=0.01) as service:
        print(service.url, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


@attrs.define
class Tally:
    """What came of the kills.

    Attributes:
        kills: processes that were killed while they worked.
        terminated: processes that were asked to end by SIGTERM.
        jobs: jobs that were brought to their end.
        yielded: PINs that programs saw.
        issued: PINs that the service issued.
        lost: PINs that the service issued and no journal has.
        told: PINs that the journals said may be unclaimed.
    """

    kills: int = 0
    terminated: int = 0
    jobs: int = 0
    yielded: int = 0
    issued: int = 0
    lost: int = 0
    told: int = 0

    def __str__(self) -> str:
        return (
            f"{self.kills} kills, {self.terminated} SIGTERMs, {self.jobs} jobs ended; {self.issued} PINs issued,"
            f" {self.yielded} seen by programs, {self.lost} unclaimed of {self.told} told"
        )


@attrs.define
class Service:
    """An emulator in a process of its own, and what its control plane says of the PINs."""

    url: str
    http: aiohttp.ClientSession

    async def issued(self) -> int:
        async with self.http.get(f"{self.url}/_emulator/ledger", params={"limit": "0"}) as answer:
            return int(answer.headers["Ledger-Issued"])

    async def ledger(self, start: int) -> dict[str, str]:
        """The tracking field of each PIN that was issued after so many."""
        async with self.http.get(f"{self.url}/_emulator/ledger", params={"offset": str(start)}) as answer:
            return {entry["pin"]: entry["tracking"] for entry in await answer.json(content_type=None)}


@asynccontextmanager
async def _served() -> AsyncIterator[Service]:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", EMULATOR, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as http:
            yield Service(url, http)
    finally:
        process.kill()
        await process.wait()


@attrs.define
class Job:
    """A job of one program, which goes on where the run before was killed.

    Attributes:
        service: the service.
        folder: where its files are.
        by_command: it is `aiorescue pins`, and not a program in Python.
        begun: PINs that the service had issued before.
        yielded: the PINs that the program saw, by their tracking fields.
        kills: how often a run was killed.
    """

    service: Service
    folder: Path
    by_command: bool
    begun: int
    yielded: dict[str, str] = attrs.field(factory=dict)
    kills: int = 0

    @property
    def journal(self) -> Path:
        return self.folder / ("pins.csv.journal" if self.by_command else "worker.journal")

    async def start(self) -> asyncio.subprocess.Process:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RESCUE_")}
        if not self.by_command:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-c", WORKER, self.service.url, str(self.folder)), stdout=asyncio.subprocess.PIPE
            )
        environment |= {"RESCUE_BASE_URL": self.service.url, "RESCUE_AUTH_CODE": " ".join(CODES)}
        text = "tracking\n" + "".join(f"CASE-{number}\n" for number in range(ROWS))
        (self.folder / "rows.csv").write_text(text)
        return await asyncio.create_subprocess_exec(
            *(COMMAND, "pins", "rows.csv", "--output", "pins.csv", "--pin-rate", str(RATE), "--quiet"),
            cwd=self.folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )

    async def run(self, after: int, number: int) -> bool:
        """Run it, and send a signal when the service has issued so many more PINs. Returns whether it ended before."""
        start = await self.service.issued()
        process = await self.start()
        assert process.stdout is not None
        output = asyncio.ensure_future(process.stdout.read())
        ended = asyncio.ensure_future(process.wait())
        while not ended.done() and await self.service.issued() < start + after:
            await asyncio.sleep(0.002)
        killed = not ended.done()
        if killed:
            process.send_signal(number)
        await ended
        self._read(await output)
        if killed and number == signal.SIGKILL:
            self.kills += 1
        assert killed or process.returncode == 0, process.returncode
        return not killed

    def _read(self, output: bytes) -> None:
        for line in output.decode().splitlines(keepends=True):
            if line.endswith("\n"):  # the last one may have been cut by the kill
                tracking, pin = json.loads(line)
                assert self.yielded.setdefault(tracking, pin) == pin, f"two PINs for {tracking}"

    async def check(self, *, ended: bool) -> tuple[int, int]:
        """Compare journal, ledger and what the program saw. Returns how many PINs were lost, and how many told."""
        reader = Journal.reading(self.journal)
        status = await reader.status()
        kept = {row.key.removeprefix("="): row.pin async for row in reader.rows(State.ISSUED)}
        ledger = await self.service.ledger(self.begun)
        assert not status.running
        assert self.yielded.items() <= kept.items(), "a PIN that the program saw is not in the journal"
        assert len(set(kept.values())) == len(kept), "two requests have one PIN"
        foreign = [tracking for tracking, pin in kept.items() if ledger.get(pin or "") != tracking]
        assert not foreign, foreign
        lost = len(ledger) - len(kept)
        assert 0 <= lost <= status.possibly_orphaned, (lost, status.possibly_orphaned)
        assert lost <= self.kills * IN_FLIGHT
        assert not ended or len(kept) == ROWS
        return lost, status.possibly_orphaned


async def run(kills: int, seed: int, folder: Path, progress: Any = lambda _: None) -> Tally:
    """Kill jobs so often. Raises AssertionError if a PIN was lost.

    Args:
        kills: how often.
        seed: seed of the moments.
        folder: an empty folder for the jobs.
        progress: takes a line after each job.
    """
    chance, tally = random.Random(seed), Tally()
    async with _served() as service:
        while tally.kills < kills:
            place = folder / str(tally.jobs)
            place.mkdir()
            job = Job(service, place, tally.jobs % 2 == 1, await service.issued())
            ended = False
            while not ended:
                enough = tally.kills + job.kills >= kills
                number = signal.SIGTERM if job.by_command and chance.random() < 0.2 else signal.SIGKILL
                ended = await job.run(10**9 if enough else chance.randrange(1, ROWS // 4), number)
                tally.terminated += not ended and number == signal.SIGTERM
                lost, told = await job.check(ended=ended)
            tally.kills += job.kills
            tally.jobs += 1
            tally.yielded += len(job.yielded)
            tally.issued += await service.issued() - job.begun
            tally.lost, tally.told = tally.lost + lost, tally.told + told
            progress(str(tally))
    return tally
