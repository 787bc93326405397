"""Fixtures of all tests: an emulator on a real socket, and a watch for calls that block the event loop."""

from collections.abc import AsyncIterator, Iterator

import pytest
from blockbuster import blockbuster_ctx

from aiorescue.emulator import Emulator


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop() -> Iterator[None]:
    with blockbuster_ctx("aiorescue"):
        yield


@pytest.fixture
async def service() -> AsyncIterator[Emulator]:
    """An emulator without a rate limit."""
    async with Emulator(pin_rate=None) as emulator:
        yield emulator
