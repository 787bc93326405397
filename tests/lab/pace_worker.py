"""A process that requests PINs at a pace shared through Redis, then prints how many it got.

python -m tests.lab.pace_worker URL REDIS RATE SECONDS
"""

import asyncio
import sys

from aiorescue import AuthCode, Pace, RescueClient
from aiorescue.pace.shared.redis import RedisPace


async def work(url: str, redis: str, rate: float, seconds: float) -> int:
    """Request PINs for so many seconds, eight calls at a time; returns how many were issued."""
    pins = 0

    async def ask(rescue: RescueClient) -> None:
        nonlocal pins
        while True:
            await rescue.request_lens_pin_code_v2(no_tech_console=True)
            pins += 1

    pace = RedisPace(redis, pace=Pace(pins=rate))
    async with RescueClient(AuthCode("fixedtech0000"), base_url=url, pace=pace) as rescue:
        askers = [asyncio.create_task(ask(rescue)) for _ in range(8)]
        await asyncio.sleep(seconds)
        for asker in askers:
            asker.cancel()
        ends = await asyncio.gather(*askers, return_exceptions=True)
    failed = [end for end in ends if not isinstance(end, asyncio.CancelledError)]
    assert not failed, failed
    return pins


if __name__ == "__main__":
    print(asyncio.run(work(sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4]))))
