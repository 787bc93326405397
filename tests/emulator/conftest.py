"""What the tests of the emulator share."""

import pytest
from aiohttp.http_exceptions import HttpProcessingError

from aiorescue.emulator import Emulator


class Hands:
    """A clock that stands still until it is moved."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture(autouse=True)
def _the_server_has_no_trouble_of_its_own(caplog):
    yield
    records = caplog.get_records("call")  # `caplog.records` would be those of the teardown
    causes = [record.exc_info[1] for record in records if record.name.startswith("aiohttp") and record.exc_info]
    # What is not HTTP, aiohttp answers and logs by itself.
    assert [cause for cause in causes if not isinstance(cause, HttpProcessingError)] == []


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
async def service(hands):
    """An emulator that does not throttle, on a clock that stands still."""
    async with Emulator(pin_rate=None, clock=hands) as emulator:
        yield emulator
