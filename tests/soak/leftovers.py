"""What a client must not have left behind when no call is under way: places, turns, leases, waiting calls, tasks."""

import asyncio
from pathlib import Path
from typing import Any

import aiorescue
from aiorescue import InfoRouterClient, RescueClient
from aiorescue.identity.pool import SessionPool
from aiorescue.pace.loop_lock import LoopLock
from aiorescue.pace.turns import PrioritySemaphore

Client = RescueClient | InfoRouterClient


def leftovers(client: Client) -> list[str]:
    """Everything that calls hold although none is under way, in words; empty if all is well."""
    found = [f"{len(client._under_way)} calls are under way"] if client._under_way else []
    found += _of_line("the transport's places", client._transport._places)
    for times in (client._transport._times, *client._transport._other_times.values()):
        if times.deadlines._under_way or times.deadlines._unlimited or times.deadlines._over:
            found.append("requests with a time limit are under way")
    for pacer in (*client._pacers._pacers.values(),):
        found += _of_pacer(pacer)
    for identity in client.identities:
        pool = getattr(identity, "_pool", None)
        if isinstance(pool, SessionPool):
            found += _of_pool(pool)
    return found


def tasks_left(besides: set[asyncio.Task[Any]], room: str = "") -> list[str]:
    """Tasks of this event loop that run the package's code, but not the emulator's, and have not ended.

    Args:
        besides: tasks that may be there.
        room: a folder of the package, to look at its tasks only.
    """
    package = Path(aiorescue.__file__).parent
    # Only the representation of a task, not that of its coroutine, names the file of what it runs.
    shown = [repr(task) for task in asyncio.all_tasks() - besides]
    return [task for task in shown if f"{package / room}/" in task and f"{package / 'emulator'}/" not in task]


def _of_line(name: str, line: PrioritySemaphore) -> list[str]:
    waiting = sum(not given.done() for some in line._waiting for given in some)
    return [f"{name}: {line.taken} taken, {waiting} wait"] if line.taken or waiting else []


def _of_pacer(pacer: Any) -> list[str]:
    line = getattr(pacer, "_line", None)
    if isinstance(line, LoopLock):
        line = line.here()
    found = [] if line is None else _of_line(f"the line of a {type(pacer).__name__}", line)
    if getattr(pacer, "_under_way", None):
        found.append(f"{len(pacer._under_way)} turns of a {type(pacer).__name__} are not settled")
    return found


def _of_pool(pool: SessionPool) -> list[str]:
    found = []
    if leased := len(pool._sessions) - len(pool._free):
        found.append(f"{leased} server sessions are leased")
    if pool._line or pool._logging_in or pool._flight.busy:
        found.append(f"the pool of sessions is busy: {pool}")
    return found
