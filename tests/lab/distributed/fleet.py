"""A fleet: workers in processes of their own, the emulator in another, and what became of the PINs."""

import asyncio
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import attrs
import psycopg

from aiorescue.bulk import distributed
from aiorescue.rescue import RequestPinCode
from tests.lab.distributed.postgres_server import PostgresServer
from tests.lab.distributed.processes import cpu_of, cpu_of_tree
from tests.lab.distributed.service import name_of

#: Seconds that a job may take, however busy the machine is.
_PATIENCE = 500.0


@attrs.define(eq=False)
class Worker:
    """A worker process.

    Attributes:
        process: the process.
        cpu: seconds of CPU that it had taken when it ended.
    """

    process: asyncio.subprocess.Process
    cpu: float = 0.0

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it runs."""
        if self.process.returncode is None:
            self.process.send_signal(number)

    async def kill(self) -> None:
        """Kill it, and wait for its end."""
        if self.process.returncode is None:
            self.cpu = cpu_of(self.process.pid)
            self.process.kill()
        await self.process.wait()

    @property
    def cpu_now(self) -> float:
        """Seconds of CPU that it has taken."""
        return self.cpu if self.process.returncode is not None else cpu_of(self.process.pid)


@attrs.define
class Outcome:
    """What became of a job, compared with the ledger of the service.

    Attributes:
        pins: requests that have exactly one recorded PIN.
        orphans: PINs that the service issued and no request has.
        declared: PINs that may be unclaimed, as the job says.
        rejected: requests for a PIN that came too fast, as a share of all.
        silence: the longest time in seconds between two PINs of one identity.
    """

    pins: int
    orphans: int
    declared: int
    rejected: float
    silence: float

    def __str__(self) -> str:
        return (
            f"{self.pins} PINs, {self.orphans} unclaimed of {self.declared} declared, {self.rejected:.1%} rejected,"
            f" longest silence of an identity {self.silence:.1f} s"
        )


@attrs.define(eq=False)
class Fleet:
    """Workers on one database and one service.

    Attributes:
        server: the PostgreSQL.
        database: URL of the database.
        url: base URL of the service.
        names: the identities.
        rate: PINs per second that the service allows each of them.
        http: reads the control plane of the service.
        workers: all that were started.
        chance: chooses which worker is killed, and when.
    """

    server: PostgresServer
    database: str
    url: str
    names: Sequence[str]
    rate: float
    http: aiohttp.ClientSession
    workers: list[Worker] = attrs.field(factory=list)
    chance: random.Random = attrs.field(factory=random.Random)

    async def start(self, *names: str, login: bool = False) -> Worker:
        """Start a worker with the credentials of some identities, or of all."""
        kind = ("--login",) if login else ()
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.lab.distributed.worker", *kind),
            *(self.database, self.url, str(self.rate), *(names or self.names)),
        )
        self.workers.append(Worker(process))
        return self.workers[-1]

    async def submit(self, job: str, rows: int, names: Sequence[str] | None = None) -> None:
        """Enter a job of so many requests."""
        given = (RequestPinCode(tracking=f"{job}-{number}", no_tech_console=True) for number in range(rows))
        await distributed.submit(self.database, job, given, identities=names or self.names)

    async def issued(self) -> int:
        """How many PINs the service has issued."""
        async with self.http.get(f"{self.url}/_emulator/ledger", params={"limit": "0"}) as answer:
            return int(answer.headers["Ledger-Issued"])

    async def until(self, pins: int) -> None:
        """Wait until the service has issued so many PINs."""
        async with asyncio.timeout(_PATIENCE):
            while await self.issued() < pins:
                await asyncio.sleep(0.05)

    async def until_done(self, *jobs: str) -> None:
        """Wait until no row of the jobs is left."""
        async with asyncio.timeout(_PATIENCE):
            for job in jobs:
                while (await distributed.status(self.database, job)).left:
                    await asyncio.sleep(0.3)

    async def ledger(self) -> list[dict[str, Any]]:
        """The PINs that the service has issued."""
        async with self.http.get(f"{self.url}/_emulator/ledger") as answer:
            found: list[dict[str, Any]] = await answer.json(content_type=None)
            return found

    async def rejected(self) -> float:
        """The share of the requests for a PIN that came too fast."""
        async with self.http.get(f"{self.url}/_emulator/requests") as answer:
            asked = (await answer.json(content_type=None))["by_operation"].get("requestPINCode", 0)
        return 1 - await self.issued() / asked if asked else 0.0

    async def outcome(self, jobs: Sequence[str]) -> Outcome:
        """Compare what the jobs have recorded with the ledger.

        Raises:
            AssertionError: a request has no PIN or another one's, or more PINs are unclaimed than were declared.
        """
        kept: dict[str, str] = {}
        rows = declared = 0
        for job in jobs:
            status = await distributed.status(self.database, job)
            assert (status.issued, status.left) == (status.rows, 0), status
            rows, declared = rows + status.rows, declared + status.possibly_orphaned
            async for row in distributed.PostgresReader(self.database, job).rows():
                assert row.request is not None
                assert row.pin is not None
                kept[str(row.request.tracking)] = row.pin
        ours = tuple(f"{job}-" for job in jobs)
        ledger = [entry for entry in await self.ledger() if entry["tracking"].startswith(ours)]
        issued = {entry["pin"]: entry["tracking"] for entry in ledger}
        wrong = [tracking for tracking, pin in kept.items() if issued.get(pin) != tracking]
        assert not wrong, wrong
        assert len(kept) == rows == len(set(kept.values())), "two requests have one PIN"
        orphans = len(ledger) - rows
        assert 0 <= orphans <= declared, (orphans, declared)
        return Outcome(rows, orphans, declared, await self.rejected(), silence_of(ledger))

    def cpu_of_workers(self) -> float:
        """Seconds of CPU of all workers so far."""
        return sum(worker.cpu_now for worker in self.workers)

    def cpu_of_database(self) -> float:
        """Seconds of CPU of PostgreSQL so far."""
        return cpu_of_tree(self.server.pid)

    def connections(self) -> int:
        """Connections to the database that workers have."""
        with psycopg.connect(self.database) as connection:
            row = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ).fetchone()
            return 0 if row is None else int(row[0])


def silence_of(ledger: Iterable[dict[str, Any]]) -> float:
    """The longest time in seconds between two PINs of one identity."""
    last: dict[str, float] = {}
    longest = 0.0
    for entry in ledger:
        user, moment = entry["user"], float(entry["time"])
        longest = max(longest, moment - last.get(user, moment))
        last[user] = moment
    return longest


def share_of(ledger: Iterable[dict[str, Any]], identities: int, rate: float, began: float, seconds: float) -> float:
    """PINs in a span of time, as a share of those that the service permits."""
    count = Counter(began <= float(entry["time"]) < began + seconds for entry in ledger)[True]
    return count / (identities * rate * seconds)


@asynccontextmanager
async def fleet(server: PostgresServer, *, identities: int = 4, rate: float = 20.0) -> AsyncIterator[Fleet]:
    """A service and a database while the context lasts; workers that are left are killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.lab.distributed.service", str(identities), str(rate)),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    names = [name_of(number) for number in range(identities)]
    try:
        url = (await process.stdout.readline()).decode().strip()
        async with aiohttp.ClientSession() as http:
            found = Fleet(server, await asyncio.to_thread(server.new_database), url, names, rate, http)
            try:
                yield found
            finally:
                for worker in found.workers:
                    worker.signal(signal.SIGCONT)
                    await worker.kill()
    finally:
        process.kill()
        await process.wait()


def now() -> float:
    """The moment, on the clock of the emulator's ledger."""
    return time.monotonic()
