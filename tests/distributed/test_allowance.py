"""Rows that one identity may hold at once, over all its jobs."""

import asyncio
from collections import Counter

from aiorescue import AuthCode, Pace
from aiorescue.bulk import distributed
from aiorescue.bulk.distributed.allowance import Allowance
from aiorescue.rescue import RequestPinCode


async def test_room_is_given_in_the_order_of_asking_and_one_that_stops_asking_gives_back_what_it_had():
    allowance = Allowance(5)
    assert await allowance.take(9) == 5
    first, second, third = (asyncio.create_task(allowance.take(count)) for count in (3, 2, 1))
    await asyncio.sleep(0)
    allowance.give_back(2)
    await asyncio.wait([third], timeout=0.05)
    assert not any(one.done() for one in (first, second, third))
    first.cancel()
    await asyncio.wait([second])
    assert second.result() == 2
    assert not third.done()
    allowance.give_back()
    assert await third == 1


async def test_identities_share_the_rows_of_many_small_jobs(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 5.0
    names = ("tech", "second", "plain")
    for job in range(20):
        given = [RequestPinCode(tracking=f"{job}-{n}", no_tech_console=True) for n in range(3)]
        await distributed.submit(database, str(job), given, identities=names)
    codes = {name: AuthCode(f"fixed{name}0000") for name in names}
    await distributed.work(database, codes, base_url=rescue_emulator.url, pace=Pace(pins=5), until_done=True)
    shares = Counter(entry.user for entry in rescue_emulator.ledger)
    assert sum(shares.values()) == 60
    assert all(count > 10 for count in shares.values()), shares
    assert len(shares) == 3
