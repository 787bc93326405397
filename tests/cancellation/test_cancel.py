"""A call cancelled at any point ends at once and leaves nothing behind: no task, connection, lease or slot."""

import asyncio

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, Pace, RescueClient
from aiorescue.emulator import Emulator
from tests.lab.clocks import HandClock, end_of
from tests.soak.leftovers import tasks_left

pytestmark = pytest.mark.every_loop
CODE, TECH = AuthCode("fixedtech0000"), Login("tech@example.com", "secret")


async def cancelled_after(seconds: float, call) -> None:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(seconds)
    task.cancel()
    await end_of(task)
    assert task.cancelled()


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.005, 0.02, 0.05, 0.07])
@pytest.mark.parametrize("credentials", [CODE, TECH], ids=["auth code", "login"])
@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
async def test_a_cancelled_call_leaves_nothing_behind(
    service: Emulator, credentials: AuthCode | Login, moment: float, warm: bool
):
    before = asyncio.all_tasks()
    async with RescueClient(credentials, base_url=service.url, pace=None, max_connections=2, sessions=2) as client:
        if warm:  # connected and logged in
            await asyncio.gather(*(client.request_pin_code() for _ in range(2)))
        service.latency = 0.25  # so that the moments fall into the login or the call
        for _ in range(6):  # more than there are connections and sessions: a leak would be noticed below
            await cancelled_after(moment, client.request_pin_code())
        service.latency = 0.0
        pins = await asyncio.gather(*(client.request_pin_code() for _ in range(4)))
        assert len(pins) == 4
    assert tasks_left(before) == []


async def test_a_cancelled_wait_gives_its_slot_back(service: Emulator):
    clock = HandClock()
    async with RescueClient(CODE, base_url=service.url, pace=Pace(pins=5.0), clock=clock) as client:
        await client.request_pin_code()
        waiting = [asyncio.ensure_future(client.request_pin_code()) for _ in range(20)]
        await asyncio.sleep(0.01)
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        following = asyncio.ensure_future(client.request_pin_code())
        await asyncio.sleep(0.01)
        assert not following.done()
        clock.turn(0.3)  # one interval of the pace, and a margin
        await following
    assert len(service.ledger) == 2


async def test_a_timeout_of_the_programs_own_ends_a_call_that_is_being_retried(service: Emulator):
    service.fault("word", times=1000, word="Error")
    async with RescueClient(CODE, base_url=service.url) as client:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.request_pin_code()
        sent = service.requests.count
        await asyncio.sleep(0)
        assert service.requests.count == sent


async def test_a_cancelled_close_closes_the_connections_at_once(service: Emulator):
    service.latency = 10.0
    client = RescueClient(CODE, base_url=service.url, pace=None)
    call = asyncio.ensure_future(client.request_pin_code())
    await asyncio.sleep(0.05)
    await cancelled_after(0.05, client.aclose())
    call.cancel()
    await asyncio.gather(call, return_exceptions=True)


async def test_a_cancelled_ticket_login_is_done_by_the_next(service: Emulator):
    service.latency = 0.05
    async with InfoRouterClient(TECH, base_url=service.url) as docs:
        first, second = (asyncio.ensure_future(docs.is_valid_ticket()) for _ in range(2))
        await asyncio.sleep(0.01)
        first.cancel()
        assert await second
