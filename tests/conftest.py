"""Fixtures of all tests: an emulator on a real socket, and a watch for calls that block the event loop.

``pytest --loop uvloop`` and, from Python 3.12 on, ``pytest --loop eager`` run asynchronous tests on another event loop.
Tests that are marked ``every_loop`` run on all that this Python has.
"""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Generator, Iterator, Mapping

import pytest
import uvloop
from blockbuster import blockbuster_ctx

from aiorescue.emulator import Emulator


def _eager() -> asyncio.AbstractEventLoop:
    """An event loop whose tasks begin at once, in the statement that makes them."""
    loop = asyncio.new_event_loop()
    loop.set_task_factory(asyncio.eager_task_factory)
    return loop


LOOPS: dict[str, Callable[[], asyncio.AbstractEventLoop]] = {
    "asyncio": asyncio.new_event_loop,
    "uvloop": uvloop.new_event_loop,
}
if sys.version_info >= (3, 12):
    LOOPS["eager"] = _eager


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--loop", choices=LOOPS, default="asyncio", help="event loop of asynchronous tests")


@pytest.hookimpl(optionalhook=True, wrapper=True)
def pytest_xdist_auto_num_workers() -> Generator[None, int, int]:
    """Three workers on two cores: about half of the time a test waits for processes, sockets and clocks."""
    cores = yield
    return cores + (cores + 1) // 2


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "every_loop: run on each kind of event loop that this Python has")


@pytest.hookimpl(optionalhook=True)
def pytest_asyncio_loop_factories(
    config: pytest.Config, item: pytest.Item
) -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    if item.get_closest_marker("every_loop"):
        return LOOPS
    chosen = config.getoption("loop")
    return {chosen: LOOPS[chosen]}


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop() -> Iterator[None]:
    with blockbuster_ctx("aiorescue"):
        yield


@pytest.fixture
async def service() -> AsyncIterator[Emulator]:
    """An emulator without a rate limit."""
    async with Emulator(pin_rate=None) as emulator:
        yield emulator
