"""A distributed job: four workers, 20 identities at a PIN a second, one kill; and workers that have nothing to do.

PostgreSQL, the service and the workers are processes of this machine. CPU is that of the workers and of PostgreSQL.
"""

import asyncio
import random

from benchmarks.report import grid
from tests.lab.distributed.fleet import Fleet, Worker, fleet, now, share_of
from tests.lab.distributed.postgres_server import PostgresServer, postgres_server

_IDENTITIES, _WORKERS = 20, 4
#: Identities of a worker that has nothing to do.
_MANY = 1_000


async def _four_workers(server: PostgresServer, seconds: float) -> list[list[str]]:
    async with fleet(server, identities=_IDENTITIES, rate=1.0) as found:
        rows = int(_IDENTITIES * seconds)
        await found.submit("spring", rows)
        before = found.cpu_of_database()
        workers = [await found.start() for _ in range(_WORKERS)]
        await found.until(1)
        began, start = now(), found.cpu_of_workers()
        await asyncio.sleep(seconds / 2)
        await workers[random.Random(1).randrange(_WORKERS)].kill()  # noqa: S311 - which one does not matter
        await asyncio.sleep(seconds / 2)
        share = share_of(await found.ledger(), _IDENTITIES, 1.0, began, seconds)
        await found.until_done("spring")
        workers_cpu, database_cpu = found.cpu_of_workers(), found.cpu_of_database() - before
        outcome = await found.outcome(["spring"])
        each = 1000 / rows
        what = f"four workers, {_IDENTITIES} identities, one kill"
        return [
            [f"{what}: share of the permitted rate over {seconds:.0f} s", f"{share:.1%}", "≥ 93 %"],
            [f"{what}: rejected", f"{outcome.rejected:.1%}", "≤ 1 %"],
            [f"{what}: longest time between two PINs of an identity", f"{outcome.silence:.1f} s", "≤ 6 s"],
            [f"{what}: PINs unclaimed, of those declared", f"{outcome.orphans} of {outcome.declared}", ""],
            [
                f"{what}: CPU a PIN, workers + PostgreSQL",
                f"{(workers_cpu - start) * each:.1f} + {database_cpu * each:.1f} ms",
                "≤ 6 ms",
            ],
            ["the start of a worker: CPU", f"{start / _WORKERS:.2f} s", ""],
        ]


async def _idle(server: PostgresServer, identities: int, seconds: float) -> list[list[str]]:
    async with fleet(server, identities=identities, rate=1.0) as found:
        await found.submit("spring", 3 * identities)
        workers: list[Worker] = [await found.start() for _ in range(2)]
        await found.until_done("spring")
        await asyncio.sleep(5)
        cpu = await _cpu_of(found, seconds)
        each = found.connections() / len(workers)
        what = f"a worker with {identities:,} identities and nothing to do"
        return [
            [f"{what}: CPU a second, with its share of PostgreSQL's", f"{cpu / len(workers) * 1000:.1f} ms", "≤ 25 ms"],
            [f"{what}: connections", f"{each:.0f}", "≤ 8"],
        ]


async def _cpu_of(found: Fleet, seconds: float) -> float:
    """Seconds of CPU a second of workers and PostgreSQL together."""
    before, began = found.cpu_of_workers() + found.cpu_of_database(), now()
    await asyncio.sleep(seconds)
    return (found.cpu_of_workers() + found.cpu_of_database() - before) / (now() - began)


def report(*, quick: bool) -> str:
    """Measure a job and an idle worker; returns Markdown."""
    with postgres_server() as server:
        rows = asyncio.run(_four_workers(server, 20 if quick else 120))
        rows += asyncio.run(_idle(server, 50 if quick else _MANY, 5 if quick else 20))
    return grid([["", "", "goal"], *rows])
