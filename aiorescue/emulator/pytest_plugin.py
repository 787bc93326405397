"""The pytest fixture `rescue_emulator`: a started emulator for each test, on a port of its own.

async def test_something(rescue_emulator):
    async with RescueClient(Login("tech@example.com", "secret"), base_url=rescue_emulator.url) as rescue:
        ...
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiorescue.emulator.app import Emulator

# Every pytest run in an environment with aiorescue imports this module: the import must be cheap, and work without
# pytest-asyncio, too.
try:
    import pytest_asyncio
except ImportError:
    pass
else:

    @pytest_asyncio.fixture
    async def rescue_emulator() -> "AsyncIterator[Emulator]":
        """A started `aiorescue.emulator.Emulator` on a free port, with the documented limits."""
        from aiorescue.emulator.app import Emulator  # noqa: PLC0415

        async with Emulator() as service:
            yield service
