"""Server sessions that must not be used: of a call that was cancelled, or for the login of another user."""

import asyncio
import random
from contextlib import suppress
from datetime import date
from functools import partial

import pytest

from aiorescue import AuthCode, Binding, Login, Pace, RescueClient, errors
from aiorescue.emulator import Emulator
from aiorescue.emulator.rules.rescue import access
from aiorescue.rescue import RequestPinCode

TECH, DAY = Login("tech@example.com", "secret"), date(2026, 11, 1)


@pytest.mark.parametrize("operation", ["getAccount", "getReport_v2"])
async def test_the_session_of_a_cancelled_call_is_not_the_first_to_be_used_again(operation: str):
    async with Emulator(pin_rate=None) as service, RescueClient(TECH, base_url=service.url, sessions=3) as rescue:
        await rescue.get_account()
        service.fault("delay_before", operation, seconds=3, times=1)
        wanted = rescue.get_account() if operation == "getAccount" else rescue.report("SESSION", DAY, DAY, node=337366)
        call = asyncio.ensure_future(wanted)
        async with asyncio.timeout(20):
            while service.faults.script:
                await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.wait({call})
        async with asyncio.timeout(2):  # the server holds the first session for longer
            await rescue.get_account()
        assert rescue.stats().logins == 2


async def test_a_raw_login_goes_out_without_the_session_of_the_client():
    async with Emulator(pin_rate=None) as service, RescueClient(TECH, base_url=service.url) as rescue:
        await rescue.request_pin_code(tracking="before")
        await rescue.raw("login", {"sEmail": "second@example.com", "sPassword": "secret"})
        await rescue.request_pin_code(tracking="after")
        assert {row.user for row in service.ledger} == {"tech@example.com"}


async def test_a_wrong_password_of_a_raw_login_says_nothing_of_the_client():
    async with Emulator() as service, RescueClient(AuthCode("fixedtech0000"), base_url=service.url) as rescue:
        with pytest.raises(errors.AuthenticationError):
            await rescue.raw("login", {"sEmail": "tech@example.com", "sPassword": "wrong"})
        assert (await rescue.request_pin_code()).code


async def test_a_raw_call_of_a_page_in_other_letters_is_one_of_the_declared_operation():
    async with Emulator(pin_rate=None) as service, RescueClient(TECH, base_url=service.url, pace=None) as rescue:
        other = {"email": "second@example.com", "pwd": "secret"}
        await rescue.raw("logIn", other, binding=Binding.TEXT_POST)  # as the vendor's guide writes it
        with pytest.raises(errors.AuthenticationError):
            await rescue.raw("logIn", {**other, "pwd": "wrong"}, binding=Binding.TEXT_POST)
        await rescue.request_pin_code()
        await rescue.raw("requestPINCode_v3", {"notechconsole": True}, binding=Binding.TEXT_POST)
        assert [row.user for row in service.ledger] == ["tech@example.com"] * 2


@pytest.mark.parametrize("page", ["requestpincode", "requestPINCode_v3"])
async def test_a_raw_call_of_a_page_keeps_the_pace_of_its_operation(page: str):
    async with Emulator() as service, RescueClient(AuthCode("fixedtech0000"), base_url=service.url) as rescue:
        await rescue.raw(page, {"notechconsole": True}, binding=Binding.TEXT_POST)
        assert rescue.expected_wait(RequestPinCode()) > 0.5


async def test_a_raw_logout_ends_the_session_of_the_client():
    async with Emulator(pin_rate=None) as service, RescueClient(TECH, base_url=service.url) as rescue:
        await rescue.get_account()
        await rescue.raw("logout")
        await rescue.get_account()
        assert rescue.stats().logins == 2


async def test_a_logout_leaves_out_a_session_that_a_call_has_taken_meanwhile():
    async with Emulator(pin_rate=None) as service, RescueClient(TECH, base_url=service.url, sessions=4) as rescue:
        service.limits.report_interval = 0
        service.fault("delay_before", "getAccount", seconds=0.2, times=3)
        await asyncio.gather(*(rescue.get_account() for _ in range(3)))
        assert rescue.stats().sessions == 3
        service.fault("delay_before", "logout", seconds=0.3, times=1)
        out = asyncio.create_task(rescue.logout())
        async with asyncio.timeout(20):
            while service.faults.script:
                await asyncio.sleep(0.01)
            service.fault("delay_before", "getReport_v2", seconds=0.5, times=1)
            await asyncio.gather(rescue.report("SESSION", DAY, DAY, node=337366), rescue.get_account(), out)


async def test_a_logout_waits_for_the_call_whose_session_it_ends_and_stands_in_no_other_calls_way():
    async with Emulator(pin_rate=None) as service, RescueClient(TECH, base_url=service.url, sessions=4) as rescue:
        await rescue.get_account()
        service.fault("delay_before", "getHierarchy", seconds=0.5, times=1)
        slow = asyncio.create_task(rescue.get_hierarchy())
        async with asyncio.timeout(20):
            while service.faults.script:
                await asyncio.sleep(0.01)
            out = asyncio.create_task(rescue.logout())
            await asyncio.sleep(0)
            await rescue.get_account()  # in a session of its own, which is free again and which the logout gets
            await out
            assert not slow.done()
            await slow
        assert rescue.stats().logins == 2


@pytest.mark.every_loop
@pytest.mark.parametrize("seed", range(3))
async def test_calls_reports_logins_logouts_and_cancellations_in_any_order_all_end_well(
    seed: int, monkeypatch: pytest.MonkeyPatch
):
    chance = random.Random(seed)
    monkeypatch.setattr(access, "LOGINS", 10**6)
    unlimited = Pace(pins=None, reports=None, logins=10**6)

    async def cancelled() -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(chance.random() * 0.01):
                await rescue.get_account()

    async def one() -> None:
        await asyncio.sleep(chance.random() * 0.3)
        kinds = {
            rescue.get_account: 5,
            cancelled: 2,
            rescue.login: 1,
            rescue.logout: 1,
            partial(rescue.raw, "logout"): 1,
            partial(rescue.report, "SESSION", DAY, DAY, node=337366): 2,
        }
        await chance.choices(list(kinds), list(kinds.values()))[0]()

    async with (
        Emulator(pin_rate=None, latency=0.002) as service,
        RescueClient(
            TECH, base_url=service.url, pace=unlimited, sessions=1 + seed, max_connections=2 + 2 * seed, relogin=True
        ) as rescue,
        asyncio.timeout(60),
    ):
        service.limits.report_interval = 0
        await asyncio.gather(*(one() for _ in range(120)))
        assert await rescue.get_account()
        assert rescue.stats().under_way == 0
