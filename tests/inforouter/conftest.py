"""Fixtures of infoRouter's tests: a small server, and a client that logs in to it."""

from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from aiorescue import InfoRouterClient, Login
from aiorescue.inforouter import METHODS
from tests.inforouter.library_server import Library

METHODS.load()


@pytest.fixture
async def library() -> AsyncIterator[Library]:
    """A small infoRouter on a free port; its address is `url`."""
    served = Library()
    app = web.Application(client_max_size=2**26)
    app.router.add_route("*", "/{path:.*}", served.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"
    yield served
    await runner.cleanup()


@pytest.fixture
async def docs(library: Library) -> AsyncIterator[InfoRouterClient]:
    """A client of the small infoRouter, with a user name and a password."""
    async with InfoRouterClient(Login("ann", "secret"), base_url=library.url) as client:
        yield client
