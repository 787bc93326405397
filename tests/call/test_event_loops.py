"""A client goes over from one event loop to the next, as a script with two `asyncio.run` does."""

import asyncio
import gc
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from typing import Any

import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, Pace, RescueClient, RetryPolicy, errors
from aiorescue.emulator import Emulator
from aiorescue.rescue import Report, ReportArea
from tests.support import IMPATIENT

CODE, TECH = AuthCode("fixedtech0000"), Login("tech@example.com", "secret")

# A program that does not close its client leaves its connections to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """An emulator in a thread and a loop of its own."""
    service, loop, ready = Emulator(pin_rate=None), asyncio.new_event_loop(), threading.Event()

    def serve() -> None:
        loop.run_until_complete(service.start())
        ready.set()
        loop.run_forever()
        loop.run_until_complete(service.stop())
        loop.close()

    thread = threading.Thread(target=serve)
    thread.start()
    ready.wait()
    yield service
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    gc.collect()  # here, where its warnings are expected


CLIENTS: dict[str, Callable[[str], Any]] = {
    "auth code": lambda url: RescueClient(CODE, base_url=url, pace=None),
    "login": lambda url: RescueClient(TECH, base_url=url, pace=None, sessions=2),
    "both": lambda url: RescueClient([CODE, TECH], base_url=url, max_connections=2),
    "paced": lambda url: RescueClient(CODE, base_url=url, pace="auto"),
    "infoRouter": lambda url: InfoRouterClient(TECH, base_url=url, max_connections=2),
}


def test_what_one_client_does_one_at_a_time_is_free_in_the_next_event_loop(emulator: Emulator):
    rescue = RescueClient(TECH, base_url=emulator.url, pace=None, retry=RetryPolicy(attempts=1, total=1.0))
    docs = InfoRouterClient(TECH, base_url=emulator.url)

    async def reports() -> None:
        day = date(2026, 11, 1)
        every = (rescue.report(ReportArea.SESSION, day, day, node=337366) for _ in range(3))
        ends = await asyncio.gather(*every, return_exceptions=True)
        # One report a minute is allowed; another one is answered with an ERROR.
        assert {type(end) for end in ends} <= {Report, errors.ServiceError}, ends

    async def searches() -> None:
        async def first_page() -> None:
            with suppress(errors.PreconditionFailed):  # another one has replaced the result
                async for _ in docs.search("<search/>"):
                    break

        await asyncio.gather(*(first_page() for _ in range(3)))

    async def broken_off() -> None:
        await asyncio.wait([asyncio.ensure_future(reports()), asyncio.ensure_future(searches())], timeout=0.01)

    for work in (broken_off, reports, searches, broken_off, searches, reports):
        asyncio.run(asyncio.wait_for(work(), 20))


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_a_client_works_in_one_event_loop_after_the_other(emulator: Emulator, make: Callable[[str], Any]):
    client = make(emulator.url)
    operation = client.is_valid_ticket if isinstance(client, InfoRouterClient) else client.request_pin_code

    async def several() -> list[object]:
        return await asyncio.gather(*(operation() for _ in range(4)))

    for _ in range(3):
        assert len(asyncio.run(several())) == 4
    asyncio.run(client.aclose())


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_a_client_leaves_no_task_in_an_event_loop_that_stays_open(emulator: Emulator, make: Callable[[str], Any]):
    client = make(emulator.url)
    operation = client.is_valid_ticket if isinstance(client, InfoRouterClient) else client.request_pin_code
    first, second = asyncio.new_event_loop(), asyncio.new_event_loop()
    first.run_until_complete(operation())
    second.run_until_complete(operation())
    asyncio.run(client.aclose())
    left = [*asyncio.all_tasks(first), *asyncio.all_tasks(second)]
    for loop in (first, second):
        loop.run_until_complete(asyncio.sleep(0))  # what is left may end
        loop.close()
    assert not left


def test_a_session_outlives_the_event_loop_that_it_was_logged_in_on(emulator: Emulator):
    client = RescueClient(TECH, base_url=emulator.url, pace=None, sessions=1)
    for _ in range(3):
        asyncio.run(client.request_pin_code())
    asyncio.run(client.aclose())
    assert emulator.requests.by_operation["login"] == emulator.requests.by_operation["logout"] == 1


def test_calls_that_an_ended_loop_left_behind_hold_nothing(emulator: Emulator):
    client = RescueClient(TECH, base_url=emulator.url, pace=None, sessions=1, max_connections=1)

    async def leave() -> None:
        emulator.latency = 1000.0
        tasks = [asyncio.ensure_future(client.request_pin_code()) for _ in range(3)]
        await asyncio.wait(tasks, timeout=0.05)

    asyncio.run(leave())
    emulator.latency = 0.0
    assert asyncio.run(client.request_pin_code()).code
    asyncio.run(client.aclose())


def test_two_event_loops_at_a_time_are_refused(emulator: Emulator):
    client = RescueClient(CODE, base_url=emulator.url, pace=None)

    async def both() -> None:
        await client.request_pin_code()
        with pytest.raises(errors.InvalidRequest, match=r"in use in another event loop, .* a client for each loop"):
            await asyncio.to_thread(asyncio.run, client.request_pin_code())
        await client.aclose()

    asyncio.run(both())


def test_a_call_does_not_wait_for_what_comes_free_in_another_event_loop(emulator: Emulator):
    client = RescueClient(TECH, base_url=emulator.url, pace=None, sessions=1)

    async def both() -> None:
        await client.request_pin_code()
        emulator.latency = 1000.0
        call = asyncio.ensure_future(client.request_pin_code())
        await asyncio.sleep(0)
        with pytest.raises(errors.InvalidRequest, match=r"requestPINCode: .* in another event loop") as caught:
            await asyncio.to_thread(asyncio.run, asyncio.wait_for(client.request_pin_code(), 5))
        assert caught.value.operation == "requestPINCode"
        call.cancel()
        await client.aclose(timeout=0.1)

    asyncio.run(both())


@pytest.mark.parametrize("latency", [0.0, 1000.0], ids=["waiting for a turn", "sent"])
@pytest.mark.parametrize("closed", [False, True])
def test_a_client_whose_calls_were_left_in_an_event_loop_says_so_and_closes(
    emulator: Emulator, closed: bool, latency: float
):
    client = RescueClient(CODE, base_url=emulator.url, pace=Pace(pins=0.1))
    emulator.latency = latency
    loop = asyncio.new_event_loop()
    calls = [loop.create_task(client.request_pin_code()) for _ in range(3)]
    loop.run_until_complete(asyncio.sleep(0.05))
    if closed:
        loop.close()

    async def again() -> None:
        with pytest.raises(errors.InvalidRequest, match="left under way in an event loop that does not run any more"):
            await client.request_pin_code()
        await client.aclose(timeout=5)
        assert client.closed

    asyncio.run(asyncio.wait_for(again(), 2))
    assert any(not call.done() for call in calls)
    loop.close()


def test_a_client_that_is_in_use_is_not_closed_from_another_event_loop(emulator: Emulator):
    client = RescueClient(CODE, base_url=emulator.url, pace=None)

    async def both() -> None:
        await client.request_pin_code()
        with pytest.raises(errors.InvalidRequest, match="aclose: the client is in use in another event loop"):
            await asyncio.to_thread(asyncio.run, client.aclose())
        assert await client.request_pin_code()
        await client.aclose()

    asyncio.run(both())


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_one_warning_tells_of_a_client_that_was_not_closed(emulator: Emulator, make: Callable[[str], Any]):
    told = []

    async def forget() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
        client = make(emulator.url)
        await (client.is_valid_ticket if isinstance(client, InfoRouterClient) else client.request_pin_code)()
        del client
        gc.collect()
        await asyncio.sleep(0)  # its connections close

    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        asyncio.run(forget())
        gc.collect()
    told += [str(one.message) for one in warned]
    assert told == [f"a client of {emulator.url} was not closed: use `async with`, or await its aclose()"]


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.TEXT_POST, Binding.HTTP_GET])
@pytest.mark.parametrize("sent", [False, True], ids=["before it was sent", "after it was sent"])
def test_an_answer_that_came_while_the_loop_was_blocked_is_taken(emulator: Emulator, binding: Binding, sent: bool):
    # Few calls: after the block they share one limit, which twenty on a busy machine used up.
    many = 8

    async def blocked() -> list[Any]:
        async with RescueClient(
            CODE, base_url=emulator.url, pace=None, timeout=0.6, binding=binding, retry=IMPATIENT
        ) as client:
            await client.request_pin_code()
            emulator.latency = 0.2
            calls = [asyncio.ensure_future(client.request_pin_code()) for _ in range(many)]
            await asyncio.sleep(0)
            while sent and len(emulator.ledger) <= many:
                # A connection that is still being made when the loop is blocked is given up, and made again.
                await asyncio.sleep(0.005)
            time.sleep(0.9)  # noqa: ASYNC251 - as a program does that computes on the loop
            return await asyncio.gather(*calls)

    pins = asyncio.run(blocked())
    assert not any(pin.possibly_orphaned for pin in pins)
    assert len(emulator.ledger) == 1 + many


def test_a_long_answer_that_came_while_the_loop_was_blocked_is_taken(emulator: Emulator):
    async def blocked() -> None:
        async with RescueClient(
            CODE, base_url=emulator.url, pace=None, timeout=0.3, retry=RetryPolicy(attempts=1)
        ) as client:
            emulator.fault("huge", bytes=100_000)
            emulator.latency = 0.1
            call = asyncio.ensure_future(client.close_session(1))
            await asyncio.sleep(0.05)
            time.sleep(0.6)  # noqa: ASYNC251 - as above
            await call

    with pytest.raises(errors.ProtocolError):
        asyncio.run(blocked())
