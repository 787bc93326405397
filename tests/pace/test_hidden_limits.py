"""The pace against limits that nobody shows it, in virtual time: what it gets of what they permit."""

import asyncio
import random
from collections.abc import Callable

import pytest

from aiorescue.pace.interval import IntervalPacer
from aiorescue.pace.limit import Limit
from aiorescue.pace.shared.interval import SharedIntervalPacer
from aiorescue.pace.turns import Pacer
from tests.lab.hidden_limits import LimitedService, MinimumInterval, Network, TokenBucket
from tests.lab.sharing import MemoryBooks
from tests.lab.virtual_time import LoopClock, run

NETWORK = Network(latency=0.015, jitter=0.002)


class BusyClock(LoopClock):
    """A clock on a busy machine: one wait in twelve ends 5 to 10 ms late."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    async def sleep(self, seconds: float) -> None:
        late = self._chance.uniform(0.005, 0.010) if self._chance.random() < 1 / 12 else 0.0
        await super().sleep(seconds + late)


def serve(service: LimitedService, rate: float | None, seconds: float) -> None:
    drive(service, lambda: [IntervalPacer(Limit.known(rate) if rate else Limit.discover(1.0), LoopClock())], seconds)


def drive(service: LimitedService, make: Callable[[], list[Pacer]], seconds: float) -> None:
    async def work(pacer: Pacer) -> None:
        while True:
            async with pacer.turn() as turn:
                turn.answered(accepted=await service.call())

    async def drive() -> None:
        tasks = [asyncio.ensure_future(work(pacer)) for pacer in make() for _ in range(16)]
        await asyncio.sleep(seconds)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run(drive())


def share(service: LimitedService, start: float, end: float, rate: float) -> tuple[float, float]:
    accepted, rejected = service.count(start, end)
    return accepted / ((end - start) * rate), rejected / (accepted + rejected)


def test_an_hour_passes_in_a_moment_and_rejections_settle_at_the_wanted_share():
    service = LimitedService(MinimumInterval(lambda _: 1.0), Network(latency=0.15, jitter=0.01), seed=1)
    serve(service, 1.0, 3600)
    got, rejected = share(service, 0, 3600, 1)
    assert got >= 0.97
    assert rejected < 0.01


@pytest.mark.parametrize("count_rejected", [False, True])
def test_a_limit_that_falls_is_followed(count_rejected: bool):
    rule = MinimumInterval(lambda now: 0.1 if now < 60 else 0.25, count_rejected=count_rejected)
    service = LimitedService(rule, NETWORK, seed=1)
    serve(service, 10, 120)
    for start, end, rate in ((0, 60, 10), (60, 120, 4)):
        got, rejected = share(service, start, end, rate)
        assert got >= 0.93
        assert rejected <= 0.015


@pytest.mark.parametrize("count_rejected", [False, True])
@pytest.mark.parametrize("fallen", [7, 5, 3, 2])
def test_a_fallen_limit_is_found_with_few_rejections(fallen: float, count_rejected: bool):
    for seed in range(3):
        rule = MinimumInterval(lambda now: 0.1 if now < 60 else 1 / fallen, count_rejected=count_rejected)
        service = LimitedService(rule, NETWORK, seed)
        serve(service, 10, 120)
        assert service.count(60, 120)[0] >= 0.91 * fallen * 60
        assert service.count(60, 120)[1] <= 9


def test_a_limit_that_falls_while_many_calls_are_under_way_is_followed():
    # They were all sent before the first rejection came back: they widen nothing any more, but they raise the alarm.
    count = 0
    for seed in range(8):
        rule = MinimumInterval(lambda now: 0.05 if now < 60 else 0.5)
        service = LimitedService(rule, Network(latency=1.0, jitter=0.02), seed=seed)
        serve(service, 20, 120)
        count += service.count(60, 120)[1]
    assert count / 8 <= 45


def test_a_limit_that_rises_again_is_followed():
    service = LimitedService(MinimumInterval(lambda now: 0.25 if now < 60 else 0.1), NETWORK, seed=1)
    serve(service, 10, 480)
    got, rejected = share(service, 240, 480, 10)
    assert got >= 0.95
    assert rejected <= 0.02


def test_auto_finds_a_faster_limit_within_half_a_minute():
    service = LimitedService(TokenBucket(50, 10), NETWORK, seed=1)
    serve(service, None, 30)
    got, rejected = share(service, 0, 30, 50)
    assert got >= 0.92
    assert rejected <= 0.03


def test_auto_stays_at_the_documented_rate_where_that_is_the_limit():
    service = LimitedService(MinimumInterval(lambda _: 1.0), NETWORK, seed=1)
    serve(service, None, 600)
    got, rejected = share(service, 60, 600, 1)
    assert got >= 0.95
    assert rejected <= 0.02


def test_processes_that_a_busy_machine_wakes_up_late_use_their_slots():
    # A slot that is given up costs a whole gap, and the guard, which has grown, makes room for a call that is late.
    shares = []
    for seed in range(6):
        books, clock = MemoryBooks(), BusyClock(seed)
        service = LimitedService(MinimumInterval(lambda _: 0.1), Network(latency=0.03, jitter=0.012), seed)
        drive(
            service,
            lambda: [SharedIntervalPacer(Limit.known(10), books, "key", clock) for _ in range(4)],  # noqa: B023 - at once
            120,
        )
        shares.append(share(service, 4, 120, 10))
    assert sum(got for got, _ in shares) / 6 >= 0.845
    assert max(rejected for _, rejected in shares) <= 0.02
