"""How else one could pace: what people write by hand, and libraries, their own classes on the virtual clock."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from itertools import count

from aiolimiter import AsyncLimiter
from botocore.exceptions import CapacityNotAvailableError  # type: ignore[import-untyped]
from botocore.retries.adaptive import ClientRateLimiter, RateClocker  # type: ignore[import-untyped]
from botocore.retries.bucket import TokenBucket  # type: ignore[import-untyped]
from botocore.retries.throttling import CubicCalculator  # type: ignore[import-untyped]

from aiorescue.pace.interval import Interval
from aiorescue.pace.limit import Limit
from tests.lab.hidden_limits import LimitedService
from tests.lab.virtual_time import LoopClock

#: Drives a service for ever, told the rate that it allows, or None.
Peer = Callable[[LimitedService, float | None], Awaitable[None]]
WORKERS = 16


async def aiorescue(service: LimitedService, rate: float | None) -> None:
    """Ours."""
    pacer = Interval(Limit.unknown(1.0) if rate is None else Limit.told(rate), LoopClock())

    async def work() -> None:
        while True:
            sent = await pacer.slot()
            pacer.answered(sent, accepted=await service.call())

    await _crowd(work)


async def every_interval(service: LimitedService, rate: float | None) -> None:
    """Send one in each interval, come what may."""
    await _cadence(service, rate or 1.0)


async def nine_tenths(service: LimitedService, rate: float | None) -> None:
    """The same at 0.9 of the rate."""
    await _cadence(service, 0.9 * (rate or 1.0))


async def _cadence(service: LimitedService, rate: float) -> None:
    start = asyncio.get_running_loop().time()
    async with asyncio.TaskGroup() as group:
        for number in count(1):
            group.create_task(service.call())
            await asyncio.sleep(start + number / rate - asyncio.get_running_loop().time())


async def after_each_answer(service: LimitedService, rate: float | None) -> None:
    """Wait for the answer, then for the interval."""
    while True:
        await service.call()
        await asyncio.sleep(1 / (rate or 1.0))


async def backoff(service: LimitedService, _rate: float | None) -> None:
    """As fast as it goes; after a rejection wait, twice as long each time, at random."""
    chance = random.Random(0)  # noqa: S311 - repeatable on purpose

    async def work() -> None:
        failures = 0
        while True:
            failures = 0 if await service.call() else failures + 1
            if failures:
                await asyncio.sleep(chance.uniform(0, min(20.0, 0.05 * 2**failures)))

    await _crowd(work)


async def aiolimiter(service: LimitedService, rate: float | None) -> None:
    """aiolimiter.AsyncLimiter, told the rate: one in each interval."""
    limiter = AsyncLimiter(1, 1 / (rate or 1.0))

    async def work() -> None:
        while True:
            async with limiter:
                pass
            await service.call()

    await _crowd(work)


class _Clock:
    """The loop's time, for botocore."""

    def current_time(self) -> float:
        """Seconds."""
        return asyncio.get_running_loop().time()


class _Detector:
    """Told what the answer was."""

    def is_throttling_error(self, *, accepted: bool) -> bool:
        """Whether it was a rejection."""
        return not accepted


async def botocore(service: LimitedService, _rate: float | None) -> None:
    """The adaptive retry mode of botocore: its limiter, bucket and calculator; only its waiting is ours."""
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
