"""Closing a client has a limit; what is not done by then ends with an error, and nothing is opened afterwards."""

import asyncio
import math
from contextlib import suppress
from typing import Any

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, Pace, RescueClient, RetryPolicy, errors
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestPinCode
from tests.lab.clocks import HandClock, end_of
from tests.lab.proxy import Proxy
from tests.soak.leftovers import tasks_left
from tests.support import IMPATIENT

pytestmark = pytest.mark.every_loop
CODE, TECH = AuthCode("fixedtech0000"), Login("tech@example.com", "secret")


def hang(service: Emulator) -> None:
    """Let the emulator answer nothing from now on."""
    service.latency = 10_000.0


async def begun(call: Any, turns: float = 0.05) -> asyncio.Future[Any]:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(turns)
    return task


def is_closed(problem: object) -> bool:
    return type(problem) is errors.InvalidRequest and "the client is closed; make a new one" in str(problem)


async def test_calls_in_line_end_when_the_limit_is_over(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=Pace(pins=0.001))
    await client.request_pin_code()
    calls = [asyncio.ensure_future(client.request_pin_code()) for _ in range(1000)]
    await asyncio.sleep(0.05)
    await client.aclose(timeout=0.1)
    assert all(is_closed(problem) for problem in await asyncio.gather(*calls, return_exceptions=True))
    assert len(service.ledger) == 1


async def test_a_call_whose_request_is_under_way_may_have_been_carried_out(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=None, retry=IMPATIENT)
    hang(service)
    call = await begun(client.request_pin_code())
    await client.aclose(timeout=0.1)
    with pytest.raises(errors.ConnectionFailed, match="client was closed before the answer came") as caught:
        await call
    assert (caught.value.attempts, caught.value.possibly_orphaned) == (1, 1)


async def test_a_call_that_waits_to_try_again_tells_what_it_may_have_cost(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=None, retry=RetryPolicy(first=1e3, longest=1e3, total=1e6))
    service.fault("drop_after")
    call = await begun(client.request_pin_code())
    await client.aclose(timeout=0.1)
    with pytest.raises(errors.InvalidRequest, match="closed") as caught:
        await call
    assert caught.value.possibly_orphaned == 1


async def test_calls_that_wait_for_a_connection_or_a_session_end(service: Emulator):
    hang(service)
    for client in (
        RescueClient(CODE, base_url=service.url, pace=None, max_connections=1),
        RescueClient(TECH, base_url=service.url, pace=None, sessions=1),
        InfoRouterClient(TECH, base_url=service.url),
    ):
        operation = client.is_valid_ticket if isinstance(client, InfoRouterClient) else client.request_pin_code
        calls = [asyncio.ensure_future(operation()) for _ in range(5)]
        await asyncio.sleep(0.05)
        await client.aclose(timeout=0.1)
        for problem in await asyncio.gather(*calls, return_exceptions=True):
            assert isinstance(problem, errors.RescueError), problem
            assert "closed" in str(problem)


async def test_a_cancelled_close_ends_all_calls_at_once(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=None, max_connections=2)
    hang(service)
    calls = [asyncio.ensure_future(client.request_pin_code()) for _ in range(10)]
    await asyncio.sleep(0.05)
    close = await begun(client.aclose())
    close.cancel()
    await end_of(close)
    for call in calls:
        await end_of(call)
    found = [type(problem) for problem in await asyncio.gather(*calls, return_exceptions=True)]
    assert found.count(errors.ConnectionFailed) == 2
    assert found.count(errors.InvalidRequest) == 8


async def test_a_call_that_is_cancelled_while_the_client_closes_is_cancelled(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=None, max_connections=1)
    hang(service)
    sent, waiting = [asyncio.ensure_future(client.request_pin_code()) for _ in range(2)]
    await asyncio.sleep(0.05)
    close = await begun(client.aclose())
    close.cancel()
    sent.cancel()
    waiting.cancel()
    await asyncio.wait([sent, waiting, close])
    assert sent.cancelled()
    assert waiting.cancelled()


async def test_logging_out_has_what_is_left_of_the_limit(service: Emulator):
    client = RescueClient(TECH, base_url=service.url, pace=None)
    await client.request_pin_code()
    hang(service)
    await client.aclose(timeout=0.2)
    assert tasks_left(set()) == []


async def test_sessions_are_logged_out_of_though_a_call_hangs(service: Emulator):
    client = RescueClient(TECH, base_url=service.url, pace=None, sessions=2)
    service.latency = 0.05
    await asyncio.gather(*(client.request_pin_code() for _ in range(2)))
    service.latency = 0.0
    service.fault("delay_after", "requestPINCode", seconds=1000)
    call = await begun(client.request_pin_code())
    await client.aclose(timeout=1.0)
    with pytest.raises(errors.ConnectionFailed):
        await call
    assert service.requests.by_operation["login"] == service.requests.by_operation["logout"] == 2


async def test_a_call_that_swallowed_its_end_opens_nothing(service: Emulator):
    async with Proxy(service.url, share=0.0) as proxy:
        client = RescueClient(CODE, base_url=proxy.url, pace=None)
        resumed = asyncio.Event()

        async def stubborn() -> None:
            with suppress(asyncio.CancelledError):
                await asyncio.sleep(1000)
            await resumed.wait()

        call = await begun(client.call_as(client.identities[0], RequestPinCode(), before_send=stubborn))
        await client.aclose(timeout=0.1)
        resumed.set()
        with pytest.raises(errors.InvalidRequest, match="the client is closed"):
            await call
        assert asyncio.current_task().cancelling() == call.cancelling() == 0
        assert proxy.connections == 0


async def test_a_second_close_does_nothing(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=None)
    service.latency = 0.2
    call = await begun(client.request_pin_code())
    first = await begun(client.aclose())
    await client.aclose(timeout=0)
    assert not first.done()
    await first
    assert (await call).code
    await client.aclose()


async def test_no_limit_at_all_waits_for_everything(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=None)
    service.latency = 0.2
    call = await begun(client.request_pin_code())
    await client.aclose(timeout=math.inf)
    assert call.result().code


async def test_a_clock_that_stands_still_does_not_stop_the_limit(service: Emulator):
    client = RescueClient(CODE, base_url=service.url, pace=Pace(pins=1.0), clock=HandClock())
    await client.request_pin_code()
    call = await begun(client.request_pin_code())
    await client.aclose(timeout=0.1)
    assert is_closed((await asyncio.gather(call, return_exceptions=True))[0])


async def test_a_client_that_is_closed_in_its_own_conversation_waits_for_no_one(service: Emulator):
    client = RescueClient(TECH, base_url=service.url, pace=None)
    with pytest.raises(errors.InvalidRequest, match="closed"):
        async with client._together(client.identities[0], "report") as calls:
            await client.aclose(timeout=0.1)
            await calls.call(RequestPinCode())


@pytest.mark.parametrize("limit", [-1, math.nan, None, "30", True])
async def test_a_limit_that_is_no_time_is_refused(service: Emulator, limit: Any):
    async with RescueClient(CODE, base_url=service.url) as client:
        with pytest.raises(errors.InvalidRequest, match="timeout must be a number of seconds from 0 on"):
            await client.aclose(timeout=limit)
        await client.close_session(12345678)


async def test_a_call_with_a_timeout_of_its_own_is_told_as_possibly_orphaned_whatever_their_number():
    async with Emulator(pin_rate=None) as service:
        client = RescueClient(CODE, base_url=service.url, pace=None)
        service.fault("delay_after", "requestPINCode", seconds=10_000, times=100)
        calls = [await begun(client.call(RequestPinCode(), timeout=100 + number), 0) for number in range(50)]
        async with asyncio.timeout(20):
            while service.ledger.issued < len(calls):
                await asyncio.sleep(0.01)
        await client.aclose(timeout=0.1)
        problems = await asyncio.gather(*calls, return_exceptions=True)
    told = [(type(one), getattr(one, "possibly_orphaned", None)) for one in problems]
    assert told == [(errors.ConnectionFailed, 1)] * len(calls)
