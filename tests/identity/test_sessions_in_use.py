"""Server sessions that the server still uses for a call that was cancelled."""

import asyncio
from datetime import date

import pytest

from aiorescue import Login, RescueClient
from aiorescue.emulator import Emulator

TECH, DAY = Login("tech@example.com", "secret"), date(2026, 11, 1)


@pytest.mark.parametrize("operation", ["getAccount", "getReport_v2"])
async def test_the_session_of_a_cancelled_call_is_not_the_first_to_be_used_again(operation: str):
    async with Emulator(pin_rate=None) as service, RescueClient(TECH, base_url=service.url, sessions=3) as rescue:
        await rescue.get_account()
        service.fault("delay_before", operation, seconds=20, times=1)
        wanted = rescue.get_account() if operation == "getAccount" else rescue.report("SESSION", DAY, DAY, node=337366)
        call = asyncio.ensure_future(wanted)
        async with asyncio.timeout(20):
            while service.faults.script:
                await asyncio.sleep(0.01)
        call.cancel()
        await asyncio.wait({call})
        async with asyncio.timeout(10):  # the server holds the first session for longer
            await rescue.get_account()
        assert rescue.stats().logins == 2
