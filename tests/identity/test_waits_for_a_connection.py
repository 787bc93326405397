"""A call that waits for a connection goes out with what its identity has when one is free, not when the wait began."""

import asyncio
from collections.abc import Awaitable

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, RescueClient, Ticket, errors
from aiorescue.emulator import Emulator

TECH = Login("tech@example.com", "secret")
CALLS, CONNECTIONS = 40, 2


def folders_exist(docs: InfoRouterClient) -> Awaitable[list[object]]:
    """Calls that all need the ticket of the client, at once; returns what became of each."""
    return asyncio.gather(*(docs.call("FolderExists", Path="/Public") for _ in range(CALLS)), return_exceptions=True)


@pytest.mark.parametrize("relogin", [True, False])
async def test_a_ticket_that_has_ended_is_met_by_the_calls_under_way_only(service: Emulator, *, relogin: bool):
    async with InfoRouterClient(TECH, base_url=service.url, max_connections=CONNECTIONS, relogin=relogin) as docs:
        await docs.call("FolderExists", Path="/Public")
        service.state.expire()
        results = await folders_exist(docs)
        failed = [one for one in results if isinstance(one, errors.NotLoggedIn)]
        assert len([one for one in results if isinstance(one, Exception)]) == len(failed)
        assert len(failed) <= (0 if relogin else CONNECTIONS)
        assert service.requests.by_operation["FolderExists"] <= 1 + CALLS + CONNECTIONS
        assert service.requests.by_operation["AuthenticateUser"] == 2
        assert docs.stats().attempts == service.requests.by_operation["FolderExists"]


async def test_a_given_ticket_that_has_ended_is_sent_by_the_calls_under_way_only(service: Emulator):
    async with InfoRouterClient(TECH, base_url=service.url) as docs:
        ticket = (await docs.authenticate_user()).ticket
        async with InfoRouterClient(Ticket(ticket), base_url=service.url, max_connections=CONNECTIONS) as given:
            service.state.expire()
            assert all(isinstance(one, errors.NotLoggedIn) for one in await folders_exist(given))
            assert service.requests.by_operation["FolderExists"] <= CONNECTIONS


async def test_a_wrong_auth_code_is_sent_by_the_calls_under_way_only(service: Emulator):
    wrong = AuthCode("planted-wrong-code")
    async with RescueClient(wrong, base_url=service.url, pace=None, max_connections=CONNECTIONS) as client:
        results = await asyncio.gather(*(client.request_pin_code() for _ in range(CALLS)), return_exceptions=True)
        assert all(isinstance(one, errors.AuthenticationError) for one in results)
        assert len(service.requests) <= CONNECTIONS
        assert sum(one.attempts for one in results if isinstance(one, errors.AuthenticationError)) <= CONNECTIONS
