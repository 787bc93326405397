"""A process that requests PINs at a pace it shares with others, then prints how many it got.

python -m tests.lab.pace_worker URL PACE RATE SECONDS [UNTIL]

PACE is the URL of a Redis, or a folder for `HostPace`. Seconds of 0 are for ever. With UNTIL, a moment of the monotonic
clock, only PINs that come in the last SECONDS before it are counted.
"""

import asyncio
import sys
import time

from aiorescue import AuthCode, HostPace, Pace, RedisPace, RescueClient

#: Seconds that no test takes.
_FOR_EVER = 3600.0


async def work(url: str, shared: str, rate: float, seconds: float, until: float | None = None) -> int:
    """Request PINs for so many seconds, eight calls at a time; returns how many were issued."""
    pins = 0

    async def ask(rescue: RescueClient) -> None:
        nonlocal pins
        while True:
            await rescue.request_lens_pin_code_v2(no_tech_console=True)
            if until is None or until - seconds <= time.monotonic() < until:
                pins += 1

    known = Pace(pins=rate)
    pace = RedisPace(shared, pace=known) if "://" in shared else HostPace(directory=shared, pace=known)
    async with RescueClient(AuthCode("fixedtech0000"), base_url=url, pace=pace) as rescue:
        askers = [asyncio.create_task(ask(rescue)) for _ in range(8)]
        await asyncio.sleep((seconds if until is None else until - time.monotonic()) or _FOR_EVER)
        for asker in askers:
            asker.cancel()
        ends = await asyncio.gather(*askers, return_exceptions=True)
    failed = [end for end in ends if not isinstance(end, asyncio.CancelledError)]
    assert not failed, failed
    return pins


if __name__ == "__main__":
    print(asyncio.run(work(sys.argv[1], sys.argv[2], *(float(one) for one in sys.argv[3:]))))
