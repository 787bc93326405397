"""Logins in a pace that processes share: a call that can go out in a live session waits for no login of its own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import date
from typing import Any

import pytest

from aiorescue import Login, Pace, RescueClient
from aiorescue.clock import SystemClock
from aiorescue.emulator import Emulator
from aiorescue.pace.pace import Pacers
from tests.lab.sharing import Sharing

TECH, DAY = Login("tech@example.com", "secret"), date(2026, 11, 1)


@pytest.fixture
async def sharer(sharing: Sharing, service: Emulator) -> AsyncIterator[RescueClient]:
    """A client with one live session, behind which another process has used the logins of three minutes up."""
    pace = sharing.pace(Pace(logins=4))
    service.limits.report_interval = 0
    async with (
        RescueClient(TECH, base_url=service.url, pace=pace, sessions=4) as client,
        RescueClient(base_url=service.url, pace=pace) as other,
    ):
        await client.get_account()
        for _ in range(3):
            await other.login(TECH.email, TECH.password)
            await other.logout()
        yield client


def report(client: RescueClient) -> Awaitable[Any]:
    return client.report("SESSION", DAY, DAY, node=337366)


@pytest.mark.parametrize("call", [RescueClient.get_account, report])
async def test_a_call_waits_for_a_live_session_rather_than_for_a_login_that_others_have_used_up(
    sharer: RescueClient, service: Emulator, call: Callable[[RescueClient], Awaitable[Any]]
):
    service.fault("delay_before", "getAccount", seconds=0.3, times=1)
    first = asyncio.create_task(sharer.get_account())
    async with asyncio.timeout(20):  # a place for one more login comes free after three minutes
        while service.faults.script:
            await asyncio.sleep(0.01)
        await asyncio.gather(first, call(sharer), sharer.get_account(), sharer.get_account())
    assert sharer.stats().logins == 1


async def test_a_login_that_must_come_first_waits_for_the_others(sharer: RescueClient):
    await sharer.logout()
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.5):
            await sharer.get_account()
    assert sharer.stats().logins == 1


async def test_the_number_of_logins_is_that_of_the_shared_pace(sharing: Sharing):
    pacers = Pacers(sharing.pace(Pace(logins=4)), SystemClock())
    assert pacers.logins == 4
    await pacers.aclose()
