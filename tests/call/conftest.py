"""What the tests of the pace share."""

import time
from collections.abc import Iterator

import pytest


@pytest.fixture
def in_no_time() -> Iterator[None]:
    """Nothing takes real time, however long it waits."""
    began = time.monotonic()
    yield
    assert time.monotonic() - began < 20
