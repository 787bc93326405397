"""The identity that a call goes out as is found in bounded time, whatever the clock does meanwhile."""

import asyncio
import time

from aiorescue import AuthCode, Login, Pace, RescueClient
from aiorescue.clock import SystemClock
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestPinCode

IDENTITIES = [AuthCode("fixedtech0000"), Login("second@example.com", "secret")]


class CountingClock(SystemClock):
    """The system's clock, which refuses to be asked again and again without an end."""

    looks = 0

    def time(self) -> float:
        """Seconds of the monotonic clock; each look shows a later moment."""
        self.looks += 1
        assert self.looks < 10_000, "the clock is asked without an end"
        return super().time()


async def test_a_burst_of_calls_that_comes_when_slots_are_overdue_does_not_hold_the_event_loop(service: Emulator):
    clock = CountingClock()
    async with RescueClient(IDENTITIES, base_url=service.url, pace=Pace(pins=100.0), clock=clock) as rescue:
        first = [asyncio.ensure_future(rescue.request_pin_code()) for _ in range(6)]
        await asyncio.sleep(0.002)  # each identity has calls in line, and one that sleeps until its slot
        time.sleep(0.05)  # noqa: ASYNC251 - as a program does that computes on the loop: the slots are overdue
        clock.looks = 0
        second = [rescue.request_pin_code() for _ in range(6)]
        pins = await asyncio.gather(*first, *second)
        assert rescue.expected_wait(RequestPinCode) < 1
    assert len({pin.code for pin in pins}) == 12


async def test_many_identities_with_overdue_slots_are_not_all_looked_at_for_each_call(service: Emulator):
    clock, codes = CountingClock(), [AuthCode(f"code{number:04}") for number in range(200)]
    async with RescueClient(codes, base_url=service.url, pace=Pace(pins=100.0), clock=clock) as rescue:
        calls = [asyncio.ensure_future(rescue.request_pin_code()) for _ in range(400)]
        await asyncio.sleep(0)
        time.sleep(0.05)  # noqa: ASYNC251 - as a program does that computes on the loop: the slots are overdue
        clock.looks = 0  # of which 10,000 are allowed: 50 for each of the calls that come now
        calls += [asyncio.ensure_future(rescue.request_pin_code()) for _ in range(200)]
        await asyncio.sleep(0)
        failed = [call for call in calls if call.done()]
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
    assert not failed
