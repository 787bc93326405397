"""`max_wait` bounds every wait of a call before it is sent: for its turn, for a free server session, for a login."""

import asyncio
from datetime import date

import pytest

from aiorescue import InfoRouterClient, Login, Pace, RescueClient, errors
from aiorescue.emulator import Emulator
from aiorescue.rescue import CloseSession, GetAccount

TECH = Login("tech@example.com", "secret")


async def test_a_call_does_not_wait_for_a_busy_session_for_longer(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, sessions=1) as rescue:
        await rescue.get_account()
        service.fault("delay_before", "closeSession", seconds=1.5, times=1)
        busy = asyncio.ensure_future(rescue.close_session(12345678))
        await asyncio.sleep(0.05)
        with pytest.raises(errors.QueueTimeout, match="no server session was free for it") as caught:
            await rescue.call(GetAccount(), max_wait=0.1)
        assert not busy.done()
        assert (caught.value.attempts, caught.value.operation) == (0, "getAccount")
        assert 0.099 <= caught.value.expected_wait < 1  # uvloop counts in whole milliseconds
        with pytest.raises(errors.QueueTimeout, match="no server session was free"):
            await rescue.with_options(max_wait=0.1).report("SESSION", date(2026, 1, 1), date(2026, 1, 2), node=337366)
        assert not busy.done()
        await busy
        assert await rescue.call(GetAccount(), max_wait=0.1)
    assert service.requests.by_operation["getAccount"] == 2


async def test_a_call_does_not_wait_for_a_login_that_became_needed_while_it_waited():
    async with (
        Emulator(pin_rate=None) as service,
        RescueClient(TECH, base_url=service.url, sessions=1, pace=Pace(logins=1)) as rescue,
    ):
        await rescue.get_account()
        service.fault("delay_before", "closeSession", seconds=0.3, times=1)
        busy = asyncio.ensure_future(rescue.close_session(12345678))
        await asyncio.sleep(0.05)
        service.state.expire()
        with pytest.raises(errors.QueueTimeout) as caught:
            await rescue.call(GetAccount(), max_wait=0.6)  # the session ends while it waits; a login takes 180 s
        assert isinstance((await asyncio.gather(busy, return_exceptions=True))[0], errors.NotLoggedIn)
        assert caught.value.expected_wait > 100


@pytest.mark.parametrize("client", [RescueClient, InfoRouterClient])
async def test_a_login_under_way_is_not_broken_off(service: Emulator, client: type):
    async with client(TECH, base_url=service.url) as opened:
        service.fault("delay_before", seconds=0.4, times=1)
        view = opened.with_options(max_wait=0.1)
        await (view.get_account() if client is RescueClient else view.is_valid_ticket())
    logins = service.requests.by_operation
    assert logins["login"] + logins["AuthenticateUser"] == 1


async def test_calls_that_may_not_wait_at_all_are_sent_if_they_need_not(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, sessions=2) as rescue:
        await rescue.call(GetAccount(), max_wait=0)
        await rescue.call(CloseSession(12345678), max_wait=0)
        again = [rescue.call(GetAccount(), max_wait=0) for _ in range(10)]
        ends = await asyncio.gather(*again, return_exceptions=True)
    assert {type(end) for end in ends} == {type(ends[0]), errors.QueueTimeout}
    assert not isinstance(ends[0], Exception)
