"""The pytest fixture `rescue_emulator`: a started emulator with its own port, per test.

async def test_something(rescue_emulator):
    async with RescueClient(Login("tech@example.com", "secret"), base_url=rescue_emulator.url) as rescue:
        ...
"""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiorescue.emulator.app import Emulator

# This module is imported by every pytest run on the machine where aiorescue is installed: it must cost nothing
# and break nothing, with pytest-asyncio or without.
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
