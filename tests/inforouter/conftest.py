"""Fixtures of infoRouter's tests: a small server, and a client that logs in to it."""

from collections.abc import AsyncIterator

import pytest

from aiorescue import InfoRouterClient, Login
from aiorescue.inforouter import METHODS
from tests.inforouter.library_server import Library, serve

METHODS.load()


@pytest.fixture
async def library() -> AsyncIterator[Library]:
    """A small infoRouter on a free port; its address is `url`."""
    async with serve() as served:
        yield served


@pytest.fixture
async def docs(library: Library) -> AsyncIterator[InfoRouterClient]:
    """A client of the small infoRouter, with a user name and a password."""
    async with InfoRouterClient(Login("ann", "secret"), base_url=library.url) as client:
        yield client
