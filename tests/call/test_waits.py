"""`max_wait` bounds every wait of a call before it is sent: for its turn, for a free server session, for a login."""

import asyncio
from datetime import date

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, Pace, RescueClient, errors, events
from aiorescue.emulator import Emulator
from aiorescue.rescue import CloseSession, GetAccount, RequestPinCode

CODE, TECH = AuthCode("fixedtech0000"), Login("tech@example.com", "secret")


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


async def test_calls_whose_turns_passed_while_they_waited_for_a_login_are_no_burst():
    async with (
        Emulator(pin_rate=20) as service,
        RescueClient(TECH, base_url=service.url, pace=Pace(pins=20, logins=1), clock=service.clock) as rescue,
    ):
        await rescue.get_account()
        await rescue.logout()
        waiting = [asyncio.ensure_future(rescue.request_pin_code()) for _ in range(15)]
        await asyncio.sleep(0)
        while rescue.expected_wait(RequestPinCode):  # until each of them has had its turn
            await asyncio.sleep(0.01)
        assert not any(call.done() for call in waiting)
        service.clock.advance(180)  # longer than a call is repeated
        pins = await asyncio.gather(*waiting)
        assert len({pin.code for pin in pins}) == 15
        assert rescue.stats().rejections < 5


@pytest.mark.parametrize(
    ("credentials", "options"),
    [(CODE, {"max_connections": 2}), (TECH, {"sessions": 1})],
    ids=["for a connection", "for a server session"],
)
async def test_calls_whose_turns_passed_while_they_waited_on_a_server_that_hung_are_no_burst(
    credentials, options: dict
):
    async with (
        Emulator(pin_rate=20) as service,
        RescueClient(credentials, base_url=service.url, pace=Pace(pins=20), **options) as rescue,
    ):
        await rescue.request_pin_code()
        service.fault("delay_before", seconds=2, times=sum(options.values()))
        waiting = [asyncio.ensure_future(rescue.request_pin_code()) for _ in range(15)]
        await asyncio.sleep(0)
        while rescue.expected_wait(RequestPinCode):  # until each of them has had its turn
            await asyncio.sleep(0.01)
        assert len(service.ledger) == 1  # the server hangs still
        pins = await asyncio.gather(*waiting)
        assert len({pin.code for pin in pins}) == 15
        assert rescue.stats().rejections < 5


async def test_the_turn_in_place_of_one_that_passed_comes_in_time_or_not_at_all(service: Emulator):
    service.fault("delay_before", "login", seconds=0.5, times=1)  # does not count
    async with RescueClient(TECH, base_url=service.url, pace=Pace(pins=1)) as rescue:
        with pytest.raises(errors.QueueTimeout, match="came as number 1 in the queue of the pace") as caught:
            await rescue.call(RequestPinCode(), max_wait=0.2)
        assert caught.value.attempts == 0
        assert not service.ledger
        await rescue.request_pin_code()


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


async def test_the_expected_wait_is_that_of_an_identity_which_is_not_refused():
    async with (
        Emulator(pin_rate=1.0) as service,
        RescueClient([AuthCode("mistyped"), CODE], base_url=service.url) as rescue,
    ):
        with pytest.raises(errors.AuthenticationError):
            await rescue.request_pin_code()
        calls = [asyncio.ensure_future(rescue.request_pin_code()) for _ in range(20)]
        await asyncio.sleep(0.1)
        assert rescue.expected_wait(RequestPinCode) > 15
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


def report(client: RescueClient) -> "asyncio.Task[object]":
    return asyncio.create_task(client.report("SESSION", date(2026, 1, 1), date(2026, 1, 2), node=337366))


async def under_way(service: Emulator) -> None:
    """Wait until the only fault has met its request."""
    async with asyncio.timeout(20):
        while service.faults.script:
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("credentials", [CODE, TECH])
async def test_a_report_waits_no_longer_for_another_one_than_it_may(service: Emulator, credentials: AuthCode | Login):
    async with RescueClient(credentials, base_url=service.url, pace=None) as rescue:
        service.fault("delay_before", "getReport_v2", seconds=1, times=1)
        first = report(rescue)
        await under_way(service)
        with pytest.raises(errors.QueueTimeout, match=r"another report of .* is under way, and it waits as number 1"):
            await report(rescue.with_options(max_wait=0.1))
        assert not first.done()
        await first


async def test_two_reports_go_out_as_two_identities(service: Emulator):
    service.fault("delay_before", "getReport_v2", seconds=0.3, times=2)
    credentials = [CODE, AuthCode("fixedsecond0000")]
    async with RescueClient(credentials, base_url=service.url) as rescue, asyncio.timeout(20):  # one a minute for each
        await asyncio.gather(report(rescue), report(rescue))
        assert {name: did.calls for name, did in rescue.stats().by_identity.items()} == {
            "auth code 1": 8,
            "auth code 2": 8,
        }


async def test_closing_waits_for_a_report_that_waits_for_another_one(service: Emulator):
    service.limits.report_interval = 0
    service.fault("delay_before", "getReport_v2", seconds=0.3, times=1)
    async with RescueClient(CODE, base_url=service.url, pace=None) as rescue:
        reports = report(rescue), report(rescue)
        await under_way(service)
    assert all(one.done() for one in reports)
    await asyncio.gather(*reports)


async def test_a_call_that_waits_for_a_connection_is_no_attempt_yet(service: Emulator):
    seen: list[events.Event] = []
    async with RescueClient(CODE, base_url=service.url, pace=None, max_connections=1, on_event=seen.append) as rescue:
        service.fault("delay_before", "getAccount", seconds=0.5, times=1)
        first = asyncio.create_task(rescue.get_account())
        await under_way(service)
        second = asyncio.create_task(rescue.get_account())
        await asyncio.sleep(0.05)
        assert rescue.stats().attempts == 1
        second.cancel()
        await asyncio.wait({second})
        await first
        assert rescue.stats().attempts == 1
    attempts = [type(event) for event in seen if isinstance(event, events.AttemptBegan | events.AttemptEnded)]
    assert attempts == [events.AttemptBegan, events.AttemptEnded]
    assert [event.attempts for event in seen if isinstance(event, events.CallEnded)] == [0, 1]
