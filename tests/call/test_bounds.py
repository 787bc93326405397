"""Bounds of a call: how long it may stand in the queue of the pace, how long a request may take; views of a client."""

import asyncio
import inspect
import pickle
import weakref
from datetime import date
from unittest.mock import AsyncMock, create_autospec

import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, Pace, RescueClient, RetryPolicy, errors
from aiorescue.bulk import issue
from aiorescue.emulator import Emulator
from aiorescue.operation import Family
from aiorescue.pace.pace import local_pacer
from aiorescue.pace.patience import Patience, QueuedTooLongError
from aiorescue.pace.turns import Priority
from aiorescue.rescue import CloseSession, GetAccount, RequestPinCode, StartSession
from tests.lab.virtual_time import LoopClock, run

CODE = AuthCode("fixedtech0000")
ONCE = RetryPolicy(attempts=1, total=1)


# --- the queue of the pace --------------------------------------------------------------------------


async def test_of_fifty_calls_those_that_cannot_be_sent_in_time_are_refused_at_once():
    async with (
        Emulator(pin_rate=10) as service,
        RescueClient(CODE, base_url=service.url, pace=Pace(pins=10), timeout=1, retry=ONCE) as rescue,
    ):
        calls = [rescue.call(RequestPinCode(), max_wait=1) for _ in range(50)]
        ends = await asyncio.gather(*calls, return_exceptions=True)
        assert len(service.ledger) == sum(not isinstance(end, Exception) for end in ends)
    refused = [end for end in ends if isinstance(end, Exception)]
    sent = 50 - len(refused)
    assert 9 <= sent <= 11
    assert {type(end) for end in refused} == {errors.QueueTimeout}
    first = refused[0]
    assert (first.operation, first.attempts, first.possibly_orphaned) == ("requestPINCode", 0, 0)
    assert first.position in (sent, sent + 1)
    assert 0.9 <= first.expected_wait <= 1.3
    assert "max_wait=1 s" in str(first)
    assert pickle.loads(pickle.dumps(first)).expected_wait == first.expected_wait


async def test_a_call_that_would_wait_for_its_login_for_longer_is_refused_at_once():
    async with (
        Emulator() as service,
        RescueClient(Login("tech@example.com", "secret"), base_url=service.url, pace=Pace(logins=1)) as rescue,
    ):
        await rescue.get_account()
        await rescue.logout()
        with pytest.raises(errors.QueueTimeout, match="a login that it needs came as number 1") as caught:
            await rescue.call(GetAccount(), max_wait=5)
        assert caught.value.attempts == 0
        assert 100 < caught.value.expected_wait < 190


def test_a_call_leaves_the_queue_when_its_time_is_over_and_the_next_one_gets_its_place():
    async def scenario() -> None:
        clock = LoopClock()
        pacer = local_pacer(Pace(pins=1.0), Family.PINS, clock)
        first = await pacer.turn().__aenter__()
        pacer.limit.gap = 3.0  # slower than it may become, so that no wait is certain
        waiting = asyncio.ensure_future(_sent_within(pacer, 2.5))
        await asyncio.sleep(0)
        behind = asyncio.ensure_future(_sent_within(pacer, 10))
        with pytest.raises(QueuedTooLongError) as caught:
            await waiting
        assert clock.time() == pytest.approx(2.5, abs=0.01)
        assert not caught.value.at_once
        assert caught.value.position == 1
        assert caught.value.expected_wait == pytest.approx(3.0, abs=0.1)
        assert await behind == pytest.approx(3.0, abs=0.1)
        first.answered(accepted=True)
        assert asyncio.all_tasks() == {asyncio.current_task()}

    run(scenario())


@pytest.mark.parametrize("at", [0.0, 0.5, 1.0, 1.0152, 1.5])
def test_a_bounded_call_that_is_cancelled_leaves_neither_task_nor_place(at: float):
    async def scenario() -> None:
        clock = LoopClock()
        pacer = local_pacer(Pace(pins=1.0), Family.PINS, clock)
        (await pacer.turn().__aenter__()).answered(accepted=True)
        waiting = asyncio.ensure_future(_sent_within(pacer, 1.0152))
        await asyncio.sleep(at)
        waiting.cancel()
        await asyncio.wait([waiting])
        await asyncio.sleep(0)
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert await _sent_within(pacer, 10) < 2.1

    run(scenario())


async def _sent_within(pacer, seconds: float) -> float:
    async with Patience(seconds, LoopClock()).turn(pacer, Priority.CALL, rejections=0) as turn:
        turn.answered(accepted=True)
    return turn.sent


def test_the_bound_holds_over_all_turns_of_a_call():
    async def scenario() -> None:
        pacer = local_pacer(Pace(pins=1.0), Family.PINS, LoopClock())
        (await pacer.turn().__aenter__()).answered(accepted=True)
        patience = Patience(2.5, LoopClock())
        for _ in range(2):
            async with patience.turn(pacer, Priority.CALL, rejections=0) as turn:
                turn.answered(accepted=True)
        with pytest.raises(QueuedTooLongError):
            await patience.turn(pacer, Priority.CALL, rejections=0).__aenter__()

    run(scenario())


async def test_a_queue_that_is_too_long_for_a_second_attempt_tells_what_may_have_happened():
    async with (
        Emulator(pin_rate=2) as service,
        RescueClient(CODE, base_url=service.url, pace=Pace(pins=2), retry=RetryPolicy(first=0)) as rescue,
    ):
        service.fault("drop_after")
        with pytest.raises(errors.QueueTimeout) as caught:
            await rescue.call(RequestPinCode(), max_wait=0.2)
    assert (caught.value.attempts, caught.value.possibly_orphaned) == (1, 1)
    assert "may have been carried out" in str(caught.value)


async def test_expected_wait_is_that_of_the_queue_and_of_the_identity_that_is_free_soonest():
    async with Emulator(pin_rate=1) as service:
        async with RescueClient(CODE, base_url=service.url) as rescue:
            assert rescue.expected_wait(RequestPinCode) == 0
            waiting = [asyncio.ensure_future(rescue.request_pin_code()) for _ in range(5)]
            await asyncio.sleep(0.2)
            assert 4 <= rescue.expected_wait(RequestPinCode) <= 6
            assert 4 <= rescue.with_options(timeout=1).expected_wait(RequestPinCode()) <= 6
            assert rescue.expected_wait(CloseSession) == 0
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        async with RescueClient([CODE, AuthCode("other")], base_url=service.url) as rescue:
            await rescue.request_pin_code()
            assert rescue.expected_wait(RequestPinCode) == 0


def test_the_wait_for_a_login_counts_the_calls_before_it():
    async def scenario() -> None:
        clock = LoopClock()
        pacer = local_pacer(Pace(logins=2), Family.LOGINS, clock)
        assert pacer.ready_at() == clock.time()
        for _ in range(2):
            (await pacer.turn().__aenter__()).answered(accepted=True)
        waiting = [asyncio.ensure_future(pacer.turn().__aenter__()) for _ in range(3)]
        await asyncio.sleep(0)
        assert pacer.ready_at() == pytest.approx(360, abs=1)
        assert pacer.ahead() == 3
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)

    run(scenario())


# --- the request ------------------------------------------------------------------------------------


async def test_a_timeout_of_a_call_bounds_its_request_and_no_other(service: Emulator):
    async with RescueClient(CODE, base_url=service.url, retry=ONCE) as rescue:
        service.fault("delay_before", seconds=5, times=1)
        with pytest.raises(errors.RequestTimeout, match=r"no answer within 0\.3 s"):
            await rescue.call(CloseSession(12345678), timeout=0.3)
        service.fault("delay_before", seconds=0.5, times=1)
        await rescue.call(CloseSession(12345678))


async def test_computed_timeouts_do_not_fill_the_memory(service: Emulator):
    async with RescueClient(CODE, base_url=service.url, retry=ONCE, pace=None) as rescue:
        service.fault("delay_before", seconds=5, times=1)
        slow = asyncio.ensure_future(rescue.call(RequestPinCode(), timeout=0.6))
        await asyncio.sleep(0.1)
        for number in range(100):
            await rescue.call(RequestPinCode(), timeout=5 + number / 7)
        assert len(rescue._transport._other_times) < 50
        with pytest.raises(errors.RequestTimeout):  # its limit was forgotten, and holds
            await slow


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"timeout": -1}, {"max_wait": -0.1}, {"max_wait": float("nan")}, {"timeout": "5"}]
)
async def test_what_is_no_time_is_refused(service: Emulator, options: dict[str, float]):
    async with RescueClient(CODE, base_url=service.url) as rescue:
        with pytest.raises(errors.InvalidRequest, match=next(iter(options))):
            rescue.with_options(**options)
        with pytest.raises(errors.InvalidRequest, match=next(iter(options))):
            await rescue.call(CloseSession(1), **options)
        assert not service.requests


# --- views ------------------------------------------------------------------------------------------


async def test_a_view_shares_pace_pool_sessions_and_the_end_of_its_client():
    async with Emulator(pin_rate=2) as service:
        async with RescueClient(Login("tech@example.com", "secret"), base_url=service.url, pace=Pace(pins=2)) as rescue:
            view = rescue.with_options(max_wait=0.1)
            assert type(view) is RescueClient
            assert view.identities == rescue.identities
            await rescue.request_pin_code()
            with pytest.raises(errors.QueueTimeout):
                await view.request_pin_code()
            with pytest.raises(errors.QueueTimeout):
                await view.with_options(timeout=1).request_pin_code()
            assert await view.with_options(max_wait=5).request_pin_code()
            assert service.requests.by_operation["login"] == 1
        with pytest.raises(errors.InvalidRequest, match="closed"):
            await view.close_session(1)


async def test_a_login_on_a_view_is_a_login_of_its_client(service: Emulator):
    async with RescueClient(base_url=service.url) as rescue:
        await rescue.with_options(timeout=5).login("tech@example.com", "secret")
        assert await rescue.request_pin_code()


async def test_the_binding_of_a_view_is_a_preference(service: Emulator):
    async with RescueClient(CODE, base_url=service.url) as rescue:
        view = rescue.with_options(binding=Binding.TEXT_POST)
        await view.close_session(12345678)
        await view.raw("closeSession", {"session": 12345679})
        await rescue.close_session(12345680)
        assert [request.binding for request in service.requests] == ["text-post", "text-post", "soap11"]


async def test_the_options_of_a_view_hold_for_reports(service: Emulator):
    async with RescueClient(CODE, base_url=service.url, retry=ONCE) as rescue:
        service.fault("delay_before", seconds=5)
        with pytest.raises(errors.RequestTimeout, match=r"within 0\.2 s"):
            await rescue.with_options(timeout=0.2).report("SESSION", date(2026, 1, 1), date(2026, 1, 2), node=337366)


async def test_a_bulk_job_over_a_view_has_no_bound_on_its_wait():
    async with (
        Emulator(pin_rate=10) as service,
        RescueClient(CODE, base_url=service.url, pace=Pace(pins=10)) as rescue,
    ):
        view = rescue.with_options(max_wait=0.05)
        issued = [one async for one in issue(view, [RequestPinCode() for _ in range(8)])]
    assert all(one.pin for one in issued)


async def test_the_wait_for_a_connection_is_bounded_too(service: Emulator):
    async with RescueClient(CODE, base_url=service.url, max_connections=1, retry=ONCE) as rescue:
        await rescue.get_account()
        service.fault("delay_before", seconds=0.6)
        slow = asyncio.ensure_future(rescue.get_account())
        await asyncio.sleep(0.1)
        waiting = [asyncio.ensure_future(rescue.call(GetAccount(), max_wait=seconds)) for seconds in (0, 0.2, 20)]
        ends = await asyncio.gather(*waiting, return_exceptions=True)
        assert [type(end) for end in ends[:2]] == [errors.QueueTimeout] * 2
        assert [(end.position, end.attempts) for end in ends[:2]] == [(1, 0), (2, 0)]
        assert ends[1].expected_wait == pytest.approx(0.2, abs=0.01)
        assert "max_wait=0.2 s: all connections (max_connections) are in use, and it waits as number 2" in str(ends[1])
        assert ends[2] == await slow
        assert rescue.stats().attempts == 3
        assert service.ledger == []


async def test_infoRouter_has_views_too(service: Emulator):  # noqa: N802 - the product's name
    async with InfoRouterClient(Login("tech@example.com", "secret"), base_url=service.url, retry=ONCE) as docs:
        view = docs.with_options(timeout=0.2, binding=Binding.HTTP_POST)
        await view.authenticate_user()
        service.fault("delay_before", seconds=5, times=3)
        with pytest.raises(errors.RequestTimeout):
            await view.server_info()
        with pytest.raises(errors.RequestTimeout):
            await docs.call("ServerInfo", timeout=0.2)
        with pytest.raises(errors.RequestTimeout):
            await docs.call("DownloadDocument", timeout=0.2, Path="/Public/a.txt")


def test_views_can_be_mocked():
    for mocked in (AsyncMock(spec=RescueClient), create_autospec(RescueClient, instance=True)):
        assert mocked.with_options
    assert weakref.ref(RescueClient())


def test_views_have_coroutine_functions():
    assert inspect.iscoroutinefunction(RescueClient.call)
    assert {"timeout", "max_wait"} <= inspect.signature(RescueClient.call).parameters.keys()


# --- the hint ---------------------------------------------------------------------------------------


async def test_rejected_many_times_in_a_row_a_call_says_that_another_process_may_share_its_identity(service: Emulator):
    service.fault("word", word="PollRateExceeded", times=1000)
    policy = RetryPolicy(total=3)
    async with RescueClient(CODE, base_url=service.url, pace=Pace(pins=10), retry=policy) as rescue:
        with pytest.raises(errors.RateLimited, match=r"HostPace\(\).*RedisPace") as caught:
            await rescue.request_pin_code()
        assert caught.value.attempts >= 3
    async with RescueClient(CODE, base_url=service.url, pace=None, retry=RetryPolicy(total=0)) as rescue:
        with pytest.raises(errors.RateLimited) as caught:
            await rescue.request_pin_code()
    assert "HostPace" not in str(caught.value)


async def test_of_start_session_only_the_request_is_bounded(service: Emulator):
    async with RescueClient(CODE, base_url=service.url) as rescue:
        await rescue.call(StartSession(12345678, 1), max_wait=0)
