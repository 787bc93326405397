"""Fixtures of the tests about secrets."""

from collections.abc import AsyncIterator

import pytest

from tests.lab.echo_server import EchoServer, echo_server


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    async with echo_server() as server:
        yield server
