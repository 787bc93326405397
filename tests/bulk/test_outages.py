"""Outages that a bulk job waits out, beside requests that fail by themselves."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping

from aiorescue import AuthCode, Binding, RescueClient, RetryPolicy
from aiorescue.bulk import Issued, issue
from aiorescue.emulator import Emulator
from aiorescue.events import Event, OutageBegan, OutageEnded
from aiorescue.rescue import PinRequest, RequestLensPinCodeV2, RequestPinCode
from tests.lab.clocks import QuickClock
from tests.lab.rescue_pages import pages

CODE, ONCE = AuthCode("fixedtech0000"), RetryPolicy(attempts=1)


def requests(count: int) -> list[RequestPinCode]:
    return [RequestPinCode(tracking=f"CASE-{number}") for number in range(count)]


async def test_a_request_that_failed_twice_before_an_outage_does_not_fail_in_it():
    numbers, answered, failures = itertools.count(100_000), 0, Counter[str]()

    def answer(form: Mapping[str, str]) -> str:
        nonlocal answered
        what = "weak" if "weak" in form.values() and failures["weak"] < 2 else "down" if answered >= 5 else ""
        if what and failures[what] < 12:
            failures[what] += 1
            return "ERROR"
        answered += 1
        return f"OK PINCODE:{next(numbers)}"

    async with pages(requestpincode=answer) as service:
        client = RescueClient(
            CODE, base_url=service.url, binding=Binding.TEXT_POST, pace=None, retry=ONCE, clock=QuickClock()
        )
        async with client, issue(client, [RequestPinCode(tracking="weak"), *requests(20)], in_flight=1) as job:
            results = [issued async for issued in job]
    assert failures == {"weak": 2, "down": 12}
    assert [issued.error for issued in results] == [None] * 21


async def test_an_outage_that_was_one_requests_alone_ends_with_it_and_the_next_is_told(service: Emulator):
    told: list[Event] = []
    service.fault("drop_before", "requestLensPINCodeV2", times=100)

    async def source() -> AsyncIterator[PinRequest]:
        for request in (*requests(3), RequestLensPinCodeV2(tracking="poison")):
            yield request
        while len(results) < 4:
            await asyncio.sleep(0.001)
        service.fault("http", "requestPINCode", status=503, times=4)
        for number in range(3, 9):
            yield RequestPinCode(tracking=f"CASE-{number}")

    results: list[Issued] = []
    async with RescueClient(CODE, base_url=service.url, pace=None, retry=ONCE, clock=QuickClock()) as client:
        async for issued in issue(client, source(), in_flight=1, on_event=told.append):
            results.append(issued)
    assert [issued.key for issued in results if issued.error] == ["poison"]
    ends = [type(event) for event in told if isinstance(event, OutageBegan | OutageEnded)]
    assert ends == [OutageBegan, OutageEnded] * 2
