"""Clients of one process that call as one identity share its pace, without being told to."""

import asyncio
import gc
import threading

import pytest

from aiorescue import AuthCode, Login, Pace, RescueClient
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestPinCode

CODE, RATE = AuthCode("fixedtech0000"), 40.0


async def pin_of_a_client_of_its_own(url: str) -> int:
    """Ask for a PIN by a new client; returns how often that was rejected."""
    async with RescueClient(CODE, base_url=url, pace=Pace(pins=RATE)) as client:
        await client.request_pin_code()
        return client.stats().rejections


@pytest.mark.every_loop
async def test_a_client_for_each_request_gets_its_pin_as_fast_as_one_client_would():
    async with Emulator(pin_rate=RATE) as service, asyncio.timeout(20):
        rejections = await asyncio.gather(*(pin_of_a_client_of_its_own(service.url) for _ in range(20)))
    assert sum(rejections) <= 4


def test_a_client_for_each_thread_gets_its_pins():
    rejections: list[int] = []

    async def pins(url: str) -> None:
        async with RescueClient(CODE, base_url=url, pace=Pace(pins=RATE)) as client, asyncio.timeout(20):
            await asyncio.gather(*(client.request_pin_code() for _ in range(5)))
            rejections.append(client.stats().rejections)

    with Emulator(pin_rate=RATE) as service:
        threads = [threading.Thread(target=lambda: asyncio.run(pins(service.url))) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(rejections) == 4
    assert sum(rejections) <= 8


async def test_a_call_of_another_client_counts_in_the_expected_wait():
    async with (
        Emulator() as service,
        RescueClient(CODE, base_url=service.url) as client,
        RescueClient(CODE, base_url=service.url) as other,
    ):
        await other.request_pin_code()
        assert 0.5 < client.expected_wait(RequestPinCode) < 1.5


async def test_logins_of_several_clients_count_together():
    user = Login("tech@example.com", "secret")
    async with Emulator() as service, RescueClient(user, base_url=service.url, pace=Pace(logins=1)) as client:
        await client.get_account()
        async with RescueClient(user, base_url=service.url, pace=Pace(logins=1)) as other:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(other.get_account(), 0.1)
            assert client.stats().logins == 1


async def test_any_whole_number_of_logins_is_a_limit():
    user, pace = Login("tech@example.com", "secret"), Pace(logins=10**30)
    async with Emulator() as service, RescueClient(user, base_url=service.url, pace=pace) as client:
        await client.get_account()
        assert client.stats().logins == 1


@pytest.mark.parametrize(
    ("code", "rate", "path"), [("fixedsecond0000", 1.0, ""), ("fixedtech0000", 2.0, ""), ("fixedtech0000", 1.0, "/x")]
)
async def test_another_identity_rate_or_service_has_a_pace_of_its_own(code: str, rate: float, path: str):
    async with Emulator() as service, RescueClient(CODE, base_url=service.url) as client:
        await client.request_pin_code()
        async with RescueClient(AuthCode(code), base_url=service.url + path, pace=Pace(pins=rate)) as other:
            assert other.expected_wait(RequestPinCode) == 0


async def test_a_pace_ends_with_the_last_client_that_has_it():
    async with Emulator() as service:
        for _ in range(2):
            async with RescueClient(CODE, base_url=service.url) as client:
                assert client.expected_wait(RequestPinCode) == 0
                service.reset()
                await client.request_pin_code()
            gc.collect()
