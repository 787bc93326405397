"""A call leaves a line in the same time wherever it stands: twice as many calls take 2.3 times as long at most."""

import asyncio
import gc
import time
from collections.abc import Awaitable, Callable

import pytest

from aiorescue.clock import SystemClock
from aiorescue.identity.credentials import Login
from aiorescue.identity.login import LoginIdentity
from aiorescue.pace.turns import Priority, PrioritySemaphore
from aiorescue.rescue import GetAccount, GetHierarchy, Logout
from aiorescue.rescue import Login as LoginOperation
from tests.growth.test_growth import MOST, ROUNDS, SLACK

WAITING = 4_000


def line_of_the_pace() -> Callable[[], Awaitable[object]]:
    places = PrioritySemaphore(0)
    return lambda: places.acquire(Priority.CALL)


def line_for_a_session() -> Callable[[], Awaitable[object]]:
    async def never(*_: object, **__: object):
        await asyncio.get_running_loop().create_future()

    login = LoginIdentity(
        Login("tech@example.com", "secret"),
        login=LoginOperation("tech@example.com", "secret"),
        logout=Logout(),
        probe=GetAccount(),
        base_url="https://example.com",
        sessions=1,
        refused_for=0.0,
        send=never,
        clock=SystemClock(),
    )
    return lambda: login.lease(GetHierarchy())


async def seconds(line: Callable[[], Callable[[], Awaitable[object]]], waiting: int) -> float:
    """CPU seconds in which the calls of a line leave it, the last ones first, behind two that go on."""
    wait = line()
    first = [asyncio.ensure_future(wait()) for _ in range(2)]
    calls = [asyncio.ensure_future(wait()) for _ in range(waiting)]
    await asyncio.sleep(0)
    gc.disable()
    start = time.thread_time()
    for call in reversed(calls):
        call.cancel()
    await asyncio.wait(calls)
    taken = time.thread_time() - start
    gc.enable()
    for call in first:
        call.cancel()
    await asyncio.wait(first)
    return taken


@pytest.mark.parametrize("line", [line_of_the_pace, line_for_a_session])
async def test_calls_that_are_cancelled_leave_their_line_in_linear_time(line):
    once = twice = float("inf")
    for _ in range(ROUNDS):
        once, twice = min(once, await seconds(line, WAITING)), min(twice, await seconds(line, 2 * WAITING))
        if twice <= MOST * once + SLACK:
            return
    pytest.fail(f"{WAITING} take {once:.3f} s, twice as many {twice:.3f} s")
