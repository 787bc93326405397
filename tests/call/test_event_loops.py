"""A client goes over from one event loop to the next, as a script with two `asyncio.run` does."""

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, RescueClient, errors
from aiorescue.emulator import Emulator

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


@pytest.mark.parametrize("make", CLIENTS.values(), ids=CLIENTS)
def test_a_client_works_in_one_event_loop_after_the_other(emulator: Emulator, make: Callable[[str], Any]):
    client = make(emulator.url)
    operation = client.is_valid_ticket if isinstance(client, InfoRouterClient) else client.request_pin_code

    async def several() -> list[object]:
        return await asyncio.gather(*(operation() for _ in range(4)))

    for _ in range(3):
        assert len(asyncio.run(several())) == 4
    asyncio.run(client.aclose())


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
