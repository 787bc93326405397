"""Pacers to compare: ours, what people write by hand, and libraries, each driving a service in virtual time."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import count

from aiolimiter import AsyncLimiter
from botocore.exceptions import CapacityNotAvailableError  # type: ignore[import-untyped]
from botocore.retries.adaptive import ClientRateLimiter, RateClocker  # type: ignore[import-untyped]
from botocore.retries.bucket import TokenBucket  # type: ignore[import-untyped]
from botocore.retries.throttling import CubicCalculator  # type: ignore[import-untyped]

from aiorescue.pace.interval import IntervalPacer
from aiorescue.pace.limit import Limit
from tests.lab.hidden_limits import LimitedService
from tests.lab.virtual_time import LoopClock

#: Calls a service for ever. Gets the rate that the service allows, or None if the pacer must find it out.
Peer = Callable[[LimitedService, float | None], Awaitable[None]]
WORKERS = 16


async def aiorescue(service: LimitedService, rate: float | None) -> None:
    """The pacer of aiorescue."""
    pacer = IntervalPacer(Limit.discover(1.0) if rate is None else Limit.known(rate), LoopClock())

    async def work() -> None:
        while True:
            async with pacer.turn() as turn:
                turn.answered(accepted=await service.call())

    await _crowd(work)


async def every_interval(service: LimitedService, rate: float | None) -> None:
    """Send one call in each interval, whatever the answers are."""
    await _cadence(service, rate or 1.0)


async def nine_tenths(service: LimitedService, rate: float | None) -> None:
    """Send calls at 0.9 of the rate, whatever the answers are."""
    await _cadence(service, 0.9 * (rate or 1.0))


async def _cadence(service: LimitedService, rate: float) -> None:
    start = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        for number in count(1):
            group.create_task(service.call())
            await asyncio.sleep(start + number / rate - asyncio.get_running_loop().time())


async def after_each_answer(service: LimitedService, rate: float | None) -> None:
    """Make one call at a time, and wait for an interval after each answer."""
    while True:
        await service.call()
        await asyncio.sleep(1 / (rate or 1.0))


async def backoff(service: LimitedService, _rate: float | None) -> None:
    """Call as fast as possible, and after each rejection wait a random time, up to twice as long as before."""
    chance = random.Random(0)  # noqa: S311 - repeatable on purpose

    async def work() -> None:
        failures = 0
        while True:
            failures = 0 if await service.call() else failures + 1
            if failures:
                await asyncio.sleep(chance.uniform(0, min(20.0, 0.05 * 2**failures)))

    await _crowd(work)


async def aiolimiter(service: LimitedService, rate: float | None) -> None:
    """Pace by `aiolimiter.AsyncLimiter` at the given rate, one call in each interval."""
    limiter = AsyncLimiter(1, 1 / (rate or 1.0))

    async def work() -> None:
        while True:
            async with limiter:
                pass
            await service.call()

    await _crowd(work)


class _Clock:
    """The event loop's clock, in the shape that botocore expects."""

    def current_time(self) -> float:
        """Seconds on the clock of the running loop."""
        return asyncio.get_running_loop().time()


class _Detector:
    """Botocore's detector of throttling, which gets the answer as a bool."""

    def is_throttling_error(self, *, accepted: bool) -> bool:
        """Whether the call was rejected."""
        return not accepted


async def botocore(service: LimitedService, _rate: float | None) -> None:
    """Pace by botocore's adaptive retry mode: its own limiter, bucket and calculator, with waits on the event loop."""
    clock = _Clock()
    bucket = TokenBucket(max_rate=1, clock=clock)
    limiter = ClientRateLimiter(
        rate_adjustor=CubicCalculator(starting_max_rate=0, start_time=clock.current_time()),
        rate_clocker=RateClocker(clock),
        token_bucket=bucket,
        throttling_detector=_Detector(),
        clock=clock,
    )
    turn = asyncio.Lock()

    async def token() -> None:
        async with turn:
            while limiter._enabled:  # noqa: SLF001 - `on_sending_request` would block the loop
                try:
                    bucket.acquire(block=False)
                except CapacityNotAvailableError:
                    await asyncio.sleep(max(0.001, (1 - bucket.available_capacity) / bucket.max_rate))
                else:
                    return

    async def work() -> None:
        while True:
            await token()
            limiter.on_receiving_response(accepted=await service.call())

    await _crowd(work)


async def _crowd(work: Callable[[], Awaitable[None]]) -> None:
    await asyncio.gather(*(work() for _ in range(WORKERS)))


PEERS: dict[str, Peer] = {
    "every interval": every_interval,
    "0.9 of the rate": nine_tenths,
    "after each answer": after_each_answer,
    "backoff": backoff,
    "aiolimiter": aiolimiter,
    "botocore adaptive": botocore,
}
