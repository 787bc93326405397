"""Logins in an outage: some are left for sessions that the service has forgotten when it is back."""

import asyncio

from aiorescue import Login, RescueClient
from aiorescue.emulator import Emulator
from tests.lab.clocks import QuickClock
from tests.support import IMPATIENT


async def test_a_service_that_forgot_its_sessions_in_an_outage_is_logged_in_to_at_once_when_it_is_back():
    clock = QuickClock()
    async with Emulator(pin_rate=None) as service:
        login = Login("tech@example.com", "secret")
        async with RescueClient(login, base_url=service.url, retry=IMPATIENT, relogin=True, clock=clock) as client:
            await client.get_account()
            service.fault("http", times=1000, status=503)
            await asyncio.gather(*(client.get_account() for _ in range(40)), return_exceptions=True)
            service.faults.clear()
            service.fault("expire", "getAccount", times=1)
            before = clock.skipped
            await client.get_account()
            assert clock.skipped - before < 60
