"""Server sessions that end at any moment heal or tell; logins are few, and calls do not wait for them in vain."""

import asyncio
import random
from contextlib import suppress
from datetime import date

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, Pace, RescueClient, errors, rescue
from aiorescue.emulator import Emulator
from aiorescue.operation import Operation
from tests.lab.clocks import QuickClock
from tests.support import IMPATIENT

TECH, SECOND = Login("tech@example.com", "secret"), Login("second@example.com", "secret")
PIN, CLOSE = rescue.RequestPinCode(), rescue.CloseSession(12345678)
ACCOUNT, HIERARCHY = rescue.GetAccount(), rescue.GetHierarchy()


def count(service: Emulator, operation: str) -> int:
    return service.requests.by_operation[operation]


def failures(results: list[object]) -> list[BaseException]:
    return [one for one in results if isinstance(one, BaseException)]


# --- between the login and the first call ---------------------------------------------------------


@pytest.mark.parametrize("operation", [PIN, CLOSE, ACCOUNT, HIERARCHY, rescue.StartSession(12345678, 337366)], ids=repr)
async def test_a_session_that_ends_before_its_first_call_tells_and_the_next_call_logs_in(
    service: Emulator, operation: Operation
):
    service.fault("expire", operation.spec.name)
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        with pytest.raises(errors.NotLoggedIn):
            await client.call(operation)
        assert count(service, operation.spec.name) == 1
        await client.call(operation)
        await client.request_pin_code()
    assert count(service, "login") == 2


@pytest.mark.parametrize("operation", [PIN, CLOSE, ACCOUNT, HIERARCHY, rescue.StartSession(12345678, 337366)], ids=repr)
async def test_a_session_that_ends_before_its_first_call_heals_with_relogin(service: Emulator, operation: Operation):
    service.fault("expire", operation.spec.name)
    async with RescueClient(TECH, base_url=service.url, pace=None, relogin=True) as client:
        await client.call(operation)
    assert (count(service, "login"), count(service, operation.spec.name)) == (2, 2)


@pytest.mark.parametrize("relogin", [True, False])
async def test_a_user_who_is_no_administrator_needs_one_login(service: Emulator, *, relogin: bool):
    service.state.users["second@example.com"].administrator = False
    async with RescueClient(SECOND, base_url=service.url, pace=None, relogin=relogin) as client:
        for operation in (PIN, CLOSE, PIN, CLOSE, CLOSE, PIN, CLOSE):
            if operation is PIN:
                await client.call(operation)
            else:
                with pytest.raises(errors.NotLoggedIn):
                    await client.call(operation)
    assert (count(service, "login"), count(service, "getAccount")) == (1, 1)


async def test_a_user_who_becomes_an_administrator_and_is_one_no_more(service: Emulator):
    user = service.state.users["second@example.com"]
    async with RescueClient(SECOND, base_url=service.url, pace=None) as client:
        for administrator, works in [(False, False), (True, True), (False, False), (False, False), (True, True)]:
            user.administrator = administrator
            try:
                await client.hold_session(12345678)
                worked = True
            except errors.ActionFailed:
                worked = True
            except errors.NotLoggedIn:
                worked = False
            assert worked == works
    assert count(service, "login") <= 2


# --- at any moment --------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("relogin", [True, False])
async def test_sessions_killed_at_any_moment_heal_or_tell(service: Emulator, seed: int, *, relogin: bool):
    chance = random.Random(seed)
    service.latency = 0.002
    calls, kills = 120, 3

    async def kill() -> None:
        for _ in range(kills):
            before = len(service.ledger)
            while len(service.ledger) < before + 10:
                await asyncio.sleep(chance.random() / 500)
            service.state.expire()

    async with RescueClient(TECH, base_url=service.url, pace=None, relogin=relogin) as client:
        results, _ = await asyncio.gather(
            asyncio.gather(
                *(client.call(chance.choice([PIN, PIN, PIN, ACCOUNT])) for _ in range(calls)), return_exceptions=True
            ),
            kill(),
        )
        failed = failures(results)
        assert {type(problem) for problem in failed} <= {errors.NotLoggedIn}
        # At most the calls under way at each kill fail, and each of them was one request.
        assert len(failed) <= kills * 4
        if not relogin:
            assert count(service, "requestPINCode") + count(service, "getAccount") == calls
        await client.request_pin_code()
    assert count(service, "login") <= 10
    assert not [request for request in service.requests if request.operation == "login" and request.word != "OK"]


async def test_sessions_killed_while_calls_wait_in_line_bring_no_call_down_with_relogin(service: Emulator):
    service.latency = 0.005
    async with RescueClient(TECH, base_url=service.url, pace=None, relogin=True, sessions=2) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(4)))
        calls = asyncio.gather(*(client.request_pin_code() for _ in range(40)))
        await asyncio.sleep(0.012)
        service.state.expire()
        await calls
    assert count(service, "login") <= 4


@pytest.mark.parametrize("relogin", [False, True])
async def test_a_conversation_is_not_carried_on_in_another_session(service: Emulator, relogin: bool):
    service.fault("expire", "setReportDate_v2")
    clock = QuickClock()
    async with RescueClient(TECH, base_url=service.url, relogin=relogin, clock=clock) as client:
        if not relogin:  # which repeats all of it
            with pytest.raises(errors.NotLoggedIn):
                await client.report("SESSION", date(2026, 1, 1), date(2026, 1, 2), node=337366)
        await client.report("SESSION", date(2026, 1, 1), date(2026, 1, 2), node=337366)
    assert count(service, "login") == count(service, "setDateFormat") == 2


async def test_cancelled_calls_leave_no_session_taken_and_no_line(service: Emulator):
    chance = random.Random(1)
    service.latency = 0.003
    async with RescueClient(TECH, base_url=service.url, pace=None, sessions=2, retry=IMPATIENT) as client:
        calls = [asyncio.create_task(client.request_pin_code()) for _ in range(60)]
        for call in chance.sample(calls, 45):
            await asyncio.sleep(chance.random() / 300)
            call.cancel()
        results = await asyncio.gather(*calls, return_exceptions=True)
        assert {type(problem) for problem in failures(results)} <= {asyncio.CancelledError}
        await asyncio.wait_for(asyncio.gather(*(client.request_pin_code() for _ in range(10))), 10)
        assert "calls wait" not in repr(client.identities)
    assert count(service, "login") <= 10


# --- few logins -----------------------------------------------------------------------------------


async def test_one_login_brings_two_hundred_calls_back(service: Emulator):
    service.latency = 0.002
    async with RescueClient(TECH, base_url=service.url, pace=None, relogin=True) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(20)))
        assert count(service, "login") == 4
        service.state.expire()
        await asyncio.gather(*(client.request_pin_code() for _ in range(200)))
    assert 5 <= count(service, "login") <= 6


@pytest.mark.parametrize("deaths", [3, 5])
async def test_many_deaths_within_three_minutes_leave_no_call_waiting_for_a_login(service: Emulator, deaths: int):
    clock = QuickClock()
    async with RescueClient(TECH, base_url=service.url, relogin=True, clock=clock) as client:
        for _ in range(deaths):
            results = await asyncio.gather(*(client.get_account() for _ in range(50)), return_exceptions=True)
            assert failures(results) == []
            service.state.expire()
        await asyncio.gather(*(client.get_account() for _ in range(50)))
        assert clock.skipped == 0
    assert count(service, "login") <= 10


async def test_calls_wait_for_a_live_session_rather_than_for_a_login_that_the_limit_forbids(service: Emulator):
    service.latency = 0.005
    async with RescueClient(TECH, base_url=service.url, pace=None, sessions=16) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(40)))
        await asyncio.gather(*(client.request_pin_code() for _ in range(40)))
    assert count(service, "login") <= 10
    assert not [request for request in service.requests if request.word != "OK"]


@pytest.mark.parametrize("logins", [1, 2, 5])
async def test_a_smaller_limit_of_logins_costs_sessions_and_no_time(service: Emulator, logins: int):
    clock = QuickClock()
    service.latency = 0.005
    async with RescueClient(TECH, base_url=service.url, pace=Pace(pins=None, logins=logins), clock=clock) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(20)))
        assert clock.skipped == 0
    assert count(service, "login") <= logins


async def test_explicit_logins_leave_no_call_waiting_while_a_session_lives(service: Emulator):
    clock = QuickClock()
    service.latency = 0.005
    async with RescueClient(TECH, base_url=service.url, clock=clock) as client:
        await client.get_account()
        for _ in range(9):
            await client.login()
        await asyncio.gather(*(client.get_account() for _ in range(20)))
        assert clock.skipped == 0
    assert count(service, "login") == 10


async def test_a_login_limit_that_another_program_used_up_stops_no_call_while_a_session_lives(service: Emulator):
    service.latency = 0.005
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        await client.request_pin_code()
        service.fault("word", "login", word="LimitReached", times=100)
        await asyncio.gather(*(client.request_pin_code() for _ in range(40)))
    assert count(service, "login") == 2


async def test_a_password_that_was_changed_stops_no_call_while_a_session_lives(service: Emulator):
    service.latency = 0.005
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        await client.request_pin_code()
        service.state.users["tech@example.com"].password = "changed"
        await asyncio.gather(*(client.request_pin_code() for _ in range(40)))
        assert client.identities[0].state == "ready"
        service.state.expire()
        for _ in range(3):
            with pytest.raises(errors.AuthenticationError):
                await client.request_pin_code()
        assert client.identities[0].state == "refused"
    assert count(service, "login") == 2


async def test_a_call_that_waits_for_a_session_can_be_seen(service: Emulator):
    service.latency = 0.05
    async with RescueClient(TECH, base_url=service.url, pace=None, sessions=1) as client:
        calls = [asyncio.create_task(client.request_pin_code()) for _ in range(3)]
        await asyncio.sleep(0.01)
        assert "2 calls wait for one" in repr(client.identities)
        await asyncio.gather(*calls)


# --- logging out ----------------------------------------------------------------------------------


async def test_a_logout_logs_nothing_in(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, pace=None) as client:
        await client.logout()
        assert service.requests.count == 0
        await client.request_pin_code()
        for _ in range(3):
            await client.logout()
        assert (count(service, "login"), count(service, "logout")) == (1, 1)
        await client.request_pin_code()
    assert (count(service, "login"), count(service, "logout")) == (2, 2)


async def test_a_logout_of_a_dead_session_logs_nothing_in(service: Emulator):
    async with RescueClient(TECH, base_url=service.url, pace=None, relogin=True) as client:
        await client.request_pin_code()
        service.state.expire()
        with suppress(errors.NotLoggedIn):
            await client.logout()
        await client.logout()
        assert (count(service, "login"), count(service, "logout")) == (1, 1)


@pytest.mark.parametrize("relogin", [True, False])
async def test_a_logout_of_inforouter_logs_nothing_in(service: Emulator, *, relogin: bool):
    async with InfoRouterClient(TECH, base_url=service.url, relogin=relogin) as docs:
        await docs.log_out()
        assert service.requests.count == 0
        await docs.get_current_user()
        for _ in range(3):
            await docs.log_out()
        await docs.call("LogOut")
        assert (count(service, "AuthenticateUser"), count(service, "LogOut")) == (1, 1)
        await docs.get_current_user()
    assert (count(service, "AuthenticateUser"), count(service, "LogOut")) == (2, 2)


@pytest.mark.parametrize("relogin", [True, False])
async def test_a_logout_of_a_dead_ticket_logs_nothing_in(service: Emulator, *, relogin: bool):
    async with InfoRouterClient(TECH, base_url=service.url, relogin=relogin) as docs:
        await docs.get_current_user()
        service.state.expire()
        with suppress(errors.NotLoggedIn):
            await docs.log_out()
        await docs.log_out()
        assert (count(service, "AuthenticateUser"), count(service, "LogOut")) == (1, 1)


async def test_a_logout_of_an_auth_code_is_left_to_the_service(service: Emulator):
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url, pace=None) as client:
        with pytest.raises(errors.NotLoggedIn):
            await client.logout()
    assert service.requests.count == 1


# --- infoRouter's tickets -------------------------------------------------------------------------


@pytest.mark.parametrize("relogin", [True, False])
async def test_tickets_killed_at_any_moment_heal_or_tell(service: Emulator, *, relogin: bool):
    service.latency = 0.002
    async with InfoRouterClient(TECH, base_url=service.url, relogin=relogin) as docs:
        for _ in range(4):
            calls = asyncio.gather(*(docs.get_current_user() for _ in range(30)), return_exceptions=True)
            await asyncio.sleep(0.003)
            service.state.expire()
            failed = failures(await calls)
            assert {type(problem) for problem in failed} <= (set() if relogin else {errors.NotLoggedIn})
            await docs.authenticate_user()
            assert failures([await docs.get_current_user()]) == []
    assert count(service, "AuthenticateUser") <= 4 * 2 + 1
