"""Clients of one event loop that share a pace with other processes share its pacers, too."""

import asyncio
import logging
import threading
from pathlib import Path

import pytest

from aiorescue import AuthCode, Login, Pace, RescueClient
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestPinCode
from tests.lab.sharing import CODE, HostSharing, Sharing

RATE = 20.0


def client_of(service: Emulator, sharing: Sharing, code: str = CODE, **pace: float) -> RescueClient:
    return RescueClient(AuthCode(code), base_url=service.url, pace=sharing.pace(Pace(**{"pins": RATE, **pace})))


async def test_a_client_for_each_request_gets_its_pin_as_fast_as_one_client_would(sharing: Sharing):
    """Each of them left the time of opening a connection free behind its call, and all together half of the pace."""

    async def pin() -> None:
        async with client_of(service, sharing) as client:
            await client.request_pin_code()

    async with Emulator(pin_rate=RATE) as service, asyncio.timeout(20):
        await asyncio.gather(*(pin() for _ in range(16)))
        moments = [entry.time for entry in service.ledger]
    assert len(moments) == 16
    assert max(moments) - min(moments) < 15 / RATE * 1.6


async def test_calls_of_another_client_count_in_the_expected_wait(sharing: Sharing):
    async with Emulator() as service:
        client, other = client_of(service, sharing, pins=1.0), client_of(service, sharing, pins=1.0)
        await client.request_pin_code()
        calls = [asyncio.create_task(other.request_pin_code()) for _ in range(5)]
        await asyncio.sleep(0)
        assert client.expected_wait(RequestPinCode) > 4
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        await client.aclose()
        await other.aclose()


async def test_a_client_that_is_closed_leaves_the_pace_to_the_others(
    sharing: Sharing, caplog: pytest.LogCaptureFixture
):
    async with Emulator(pin_rate=RATE) as service, client_of(service, sharing) as stays:
        async with client_of(service, sharing) as first:
            await first.request_pin_code()
            calls = [asyncio.create_task(stays.request_pin_code()) for _ in range(4)]
            await asyncio.sleep(0.02)
        await asyncio.gather(*calls)
        async with client_of(service, sharing) as last:
            await asyncio.gather(last.request_pin_code(), stays.request_pin_code())
        assert stays.stats().rejections <= 2
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_logins_of_several_clients_count_together(sharing: Sharing):
    user, pace = Login("tech@example.com", "secret"), sharing.pace(Pace(logins=1))
    async with Emulator() as service, RescueClient(user, base_url=service.url, pace=pace) as client:
        await client.get_account()
        async with RescueClient(user, base_url=service.url, pace=pace) as other:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.get_account(), 0.1)


def test_a_client_for_each_thread_gets_its_pins(sharing: Sharing):
    pins: list[str] = []

    async def ask(service: Emulator) -> None:
        async with client_of(service, sharing, pins=40.0) as client, asyncio.timeout(20):
            pins.extend(pin.code for pin in await asyncio.gather(*(client.request_pin_code() for _ in range(3))))

    with Emulator(pin_rate=40.0) as service:
        threads = [threading.Thread(target=lambda: asyncio.run(ask(service))) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(pins) == 9


def test_a_client_that_goes_on_in_another_loop_waits_for_no_call_of_the_first_one(tmp_path: Path):
    """The calls there are another client's, and the loop has stopped under them."""
    loop, sharing = asyncio.new_event_loop(), HostSharing(tmp_path)
    with Emulator() as service:
        stopped, moves = client_of(service, sharing), client_of(service, sharing)
        loop.run_until_complete(moves.request_pin_code())
        waiting = [loop.create_task(stopped.request_pin_code()) for _ in range(3)]
        loop.run_until_complete(asyncio.sleep(0))
        service.reset()

        async def go_on() -> None:
            async with moves, asyncio.timeout(10):
                await moves.request_pin_code()

        asyncio.run(go_on())
        for call in waiting:
            call.cancel()
        loop.run_until_complete(asyncio.wait(waiting))
        loop.run_until_complete(stopped.aclose())
        loop.close()
