"""Distributed jobs while workers are killed, frozen and added, and while PostgreSQL restarts or is away.

Each scenario has a service, a database and worker processes of its own. In each of them every request ends with exactly
one recorded PIN, and no more PINs are unclaimed than the job declares: both are compared with the service's ledger.
"""

import asyncio
import random
import signal
from collections.abc import Awaitable, Callable, Iterable
from typing import Any, Final

import attrs
import psycopg

from aiorescue import errors
from aiorescue.bulk import distributed
from tests.lab.distributed.fleet import Fleet, Outcome, fleet, now, share_of
from tests.lab.distributed.postgres_server import PostgresServer, postgres_server

#: Seconds between two PINs of one identity, beyond its interval, that a worker's end may cost.
TAKEOVER: Final = 5.0
#: The least share of the permitted rate, and the greatest share of rejected requests, over two minutes with a kill.
SHARE, REJECTED = 0.93, 0.01
#: The most milliseconds of CPU a second, and connections, of an idle worker with a thousand identities.
IDLE_CPU, CONNECTIONS = 25.0, 8


@attrs.frozen
class Scenario:
    """What is done to a fleet.

    Attributes:
        run: does it, with a scale of 1.0 or less of its rows and seconds; returns a line for people.
        identities: how many identities call.
        rate: PINs per second of each.
    """

    run: Callable[[Fleet, float], Awaitable[str]]
    identities: int = 6
    rate: float = 10.0


async def _end(fleet: Fleet, *jobs: str, note: str = "") -> str:
    """Wait for the end of jobs, and check them."""
    await fleet.until_done(*jobs)
    return f"{await fleet.outcome(jobs)}{note}"


async def _kills(fleet: Fleet, scale: float, *, kills: int) -> str:
    rows = int((250 + 250 * kills) * scale)
    await fleet.submit("spring", rows)
    running = [await fleet.start() for _ in range(3)]
    for number in range(kills):
        await fleet.until(rows * (number + 1) // (kills + 2) + fleet.chance.randrange(20))
        await running.pop(fleet.chance.randrange(3)).kill()
        running.append(await fleet.start())
    return await _end(fleet, "spring", note=f"; {kills} kills")


async def three_kills(fleet: Fleet, scale: float) -> str:
    """Kill three workers of three, one after the other, under load."""
    return await _kills(fleet, scale, kills=3)


async def eight_kills(fleet: Fleet, scale: float) -> str:
    """Kill eight workers under load."""
    return await _kills(fleet, scale, kills=8)


async def frozen(fleet: Fleet, scale: float) -> str:
    """Stop a worker for twelve seconds, and let it go on."""
    await fleet.submit("spring", int(1200 * scale))
    first = await fleet.start()
    await fleet.start()
    await fleet.until(int(300 * scale))
    first.signal(signal.SIGSTOP)
    await asyncio.sleep(12 * scale)
    first.signal(signal.SIGCONT)
    return await _end(fleet, "spring")


async def restarts(fleet: Fleet, scale: float) -> str:
    """Restart PostgreSQL twice."""
    rows = int(1000 * scale)
    await fleet.submit("spring", rows)
    for _ in range(3):
        await fleet.start()
    for part in (1, 2):
        await fleet.until(rows * part // 4)
        await asyncio.to_thread(fleet.server.restart)
    return await _end(fleet, "spring")


async def away_then_killed(fleet: Fleet, scale: float) -> str:
    """Take PostgreSQL away for eight seconds, and kill a worker as soon as it is back."""
    rows = int(1000 * scale)
    await fleet.submit("spring", rows)
    running = [await fleet.start() for _ in range(3)]
    await fleet.until(rows // 4)
    await asyncio.to_thread(fleet.server.stop)
    await asyncio.sleep(8 * scale)
    await asyncio.to_thread(fleet.server.start)
    await running[0].kill()
    return await _end(fleet, "spring")


async def one_joins(fleet: Fleet, scale: float) -> str:
    """Start a worker while others work; it takes over some of their identities."""
    rows = int(900 * scale)
    await fleet.submit("spring", rows)
    await fleet.start()
    await fleet.until(rows // 3)
    await fleet.start()
    await fleet.until(rows * 2 // 3)
    await fleet.start()
    return await _end(fleet, "spring")


async def two_jobs(fleet: Fleet, scale: float) -> str:
    """Work on two jobs over the same identities: each identity has one pace."""
    rows = int(400 * scale)
    await fleet.submit("spring", rows)
    await fleet.submit("summer", rows)
    for _ in range(2):
        await fleet.start()
    return await _end(fleet, "spring", "summer")


async def one_refused(fleet: Fleet, scale: float) -> str:
    """Name an identity that the service does not know: its rows go to others."""
    names = [*fleet.names, "stranger"]
    await fleet.submit("spring", int(400 * scale), names)
    for _ in range(2):
        await fleet.start(*names)
    return await _end(fleet, "spring")


async def one_deleted(fleet: Fleet, scale: float) -> str:
    """Delete a job while workers send its requests; another one goes on."""
    await fleet.submit("winter", int(2000 * scale))
    await fleet.submit("spring", int(400 * scale))
    for _ in range(2):
        await fleet.start()
    await fleet.until(int(200 * scale))
    await distributed.delete(fleet.database, "winter")
    sent = _of_job(await fleet.ledger(), "winter")
    line = await _end(fleet, "spring")
    late = _of_job(await fleet.ledger(), "winter") - sent
    assert late <= 64 * len(fleet.names), late
    return f"{line}; {late} of the deleted job were on their way"


async def other_version(fleet: Fleet, scale: float) -> str:
    """Start a worker on tables of another version: it ends at once, and says why."""
    await fleet.submit("spring", int(100 * scale))
    with psycopg.connect(fleet.database, autocommit=True) as connection:
        connection.execute("UPDATE aiorescue.version SET version = version + 1")
        worker = await fleet.start()
        async with asyncio.timeout(60):
            assert await worker.process.wait() != 0
        try:
            await distributed.status(fleet.database, "spring")
        except errors.JournalError as problem:
            assert "use one version of aiorescue on all machines" in str(problem)
        else:
            raise AssertionError("the tables were read")
        connection.execute("UPDATE aiorescue.version SET version = version - 1")
    await fleet.start()
    return await _end(fleet, "spring")


async def logins(fleet: Fleet, scale: float) -> str:
    """Kill workers that log in by password, so often that the service's limit of ten logins is near."""
    rows = int(1000 * scale)
    await fleet.submit("spring", rows)
    running = [await fleet.start(login=True) for _ in range(2)]
    for part in (1, 2, 3):
        await fleet.until(rows * part // 5)
        await running.pop(0).kill()
        running.append(await fleet.start(login=True))
    return await _end(fleet, "spring")


async def some_credentials(fleet: Fleet, scale: float) -> str:
    """Kill a worker when each has credentials of its own, and one more that others have, too."""
    rows = int(600 * scale)
    await fleet.submit("spring", rows)
    half = len(fleet.names) // 2
    first = await fleet.start(*fleet.names[: half + 1])
    await fleet.start(*fleet.names[half:])
    await fleet.until(rows // 3)
    await first.kill()
    line = await _end(fleet, "spring")
    late = {entry["user"].partition("@")[0] for entry in (await fleet.ledger())[rows // 2 :]}
    assert late <= set(fleet.names[half:]), late
    return line


async def rate(fleet: Fleet, scale: float) -> str:
    """Four workers and one kill, over two minutes: the permitted rate, and silence after the kill."""
    seconds = 120 * scale
    await fleet.submit("spring", int(len(fleet.names) * fleet.rate * seconds))
    running = [await fleet.start() for _ in range(4)]
    await fleet.until(1)
    began = now()
    await asyncio.sleep(seconds / 2)
    await running[0].kill()
    await asyncio.sleep(seconds / 2)
    share = share_of(await fleet.ledger(), len(fleet.names), fleet.rate, began, seconds)
    await fleet.until_done("spring")
    found = await fleet.outcome(["spring"])
    line = f"{share:.1%} of the permitted rate over {seconds:.0f} s; {found}"
    _judge(found, share, 1 / fleet.rate, line)
    return line


def _judge(found: Outcome, share: float, interval: float, line: str) -> None:
    assert found.silence <= TAKEOVER + interval, line
    assert share >= SHARE, line
    assert found.rejected <= REJECTED, line


async def idle(fleet: Fleet, scale: float) -> str:
    """Let workers hold a thousand identities that have nothing to do."""
    await fleet.submit("spring", 3 * len(fleet.names))
    workers = [await fleet.start() for _ in range(2)]
    await fleet.until_done("spring")
    await asyncio.sleep(3)
    began, cpu, ours = now(), fleet.cpu_of_workers(), fleet.cpu_of_database()
    await asyncio.sleep(20 * scale)
    each = 1000 / (now() - began) / len(workers)
    cpu, ours = (fleet.cpu_of_workers() - cpu) * each, (fleet.cpu_of_database() - ours) * each
    connections = fleet.connections() / len(workers)
    found = await fleet.outcome(["spring"])
    line = f"a worker took {cpu:.1f} ms a second, PostgreSQL {ours:.1f} for it, over {connections} connections; {found}"
    assert cpu <= IDLE_CPU, line
    assert connections <= CONNECTIONS, line
    return line


def _of_job(ledger: Iterable[dict[str, Any]], job: str) -> int:
    return sum(entry["tracking"].startswith(f"{job}-") for entry in ledger)


#: Each scenario by its name.
SCENARIOS: Final[dict[str, Scenario]] = {
    "three-kills": Scenario(three_kills),
    "eight-kills": Scenario(eight_kills),
    "frozen": Scenario(frozen),
    "restarts": Scenario(restarts),
    "away-then-killed": Scenario(away_then_killed),
    "one-joins": Scenario(one_joins),
    "two-jobs": Scenario(two_jobs),
    "one-refused": Scenario(one_refused),
    "one-deleted": Scenario(one_deleted),
    "other-version": Scenario(other_version),
    "logins": Scenario(logins),
    "some-credentials": Scenario(some_credentials),
    "rate": Scenario(rate, 20, 1.0),
    "idle": Scenario(idle, 1000, 1.0),
}


async def play(server: PostgresServer, name: str, seed: int, scale: float = 1.0) -> str:
    """Play one scenario; returns a line for people. Raises AssertionError if a promise was broken."""
    scenario = SCENARIOS[name]
    async with fleet(server, identities=scenario.identities, rate=scenario.rate) as found:
        found.chance = random.Random(seed)
        return await scenario.run(found, scale)


async def run(names: Iterable[str], seed: int, progress: Callable[[str], None]) -> None:
    """Play scenarios, one after the other, on one PostgreSQL."""
    with postgres_server() as server:
        for name in names:
            progress(f"{name}: {await play(server, name, seed)}")
