"""The pytest fixtures `rescue_emulator` and `rescue_emulator_session`: emulators for tests, sync and async.

def test_something(rescue_emulator):
    app = make_app(base_url=rescue_emulator.url)

@pytest.mark.rescue_emulator(pin_rate=None, pins=3)
async def test_something_else(rescue_emulator):
    async with RescueClient(Login("tech@example.com", "secret"), base_url=rescue_emulator.url) as rescue:
        ...

The emulators run in threads of their own, so that they answer whatever the test does, and whichever plugin runs it.
"""

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import pytest

# Every pytest run in an environment with aiorescue imports this module, so that the import must be cheap.
if TYPE_CHECKING:
    from aiorescue.emulator.app import Emulator

_MARKER = "rescue_emulator"
_OPTIONS = ("port", "pin_rate", "host", "latency", "jitter", "clock", "pins", "seed", "ledger_size")
#: What can be set for one test of an emulator that serves many.
_SESSION_OPTIONS = ("pin_rate", "pins", "latency", "jitter")
_RUNNING, _LIMITS = pytest.StashKey["Emulator"](), pytest.StashKey[dict[str, Any]]()


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker ``rescue_emulator``, so that pytest knows it."""
    config.addinivalue_line(
        "markers",
        f"{_MARKER}(pin_rate=1.0, pins=None, …): arguments of aiorescue's Emulator for the fixture rescue_emulator",
    )


def _marked(node: pytest.Item, known: Collection[str], fixture: str) -> dict[str, Any]:
    """Arguments of the markers of a test, of its class and of its module; the closest to the test counts."""
    options: dict[str, Any] = {}
    for marker in node.iter_markers(_MARKER):
        unknown = sorted(marker.kwargs.keys() - set(known))
        if marker.args or unknown:
            what = ", ".join(unknown) or "arguments without a name"
            raise pytest.UsageError(
                f"{node.nodeid}: @pytest.mark.{_MARKER} takes no {what} for {fixture}; it takes {', '.join(known)}"
            )
        options = {**marker.kwargs, **options}
    return options


@pytest.fixture
def rescue_emulator(request: pytest.FixtureRequest) -> "Iterator[Emulator]":
    """A started `aiorescue.emulator.Emulator` on a free port; the marker `rescue_emulator` sets its arguments."""
    from aiorescue.emulator.app import Emulator  # noqa: PLC0415

    with Emulator(**_marked(request.node, _OPTIONS, "rescue_emulator")) as service:
        yield service


@pytest.fixture(scope="session")
def rescue_emulator_session(request: pytest.FixtureRequest) -> "Iterator[Emulator]":
    """A started `aiorescue.emulator.Emulator` for the whole run, which is reset before each test that uses it."""
    from aiorescue.emulator.app import Emulator  # noqa: PLC0415

    stash = request.config.stash
    with Emulator() as service:
        stash[_RUNNING] = service
        _begin(service, stash[_LIMITS])
        yield service
    del stash[_RUNNING]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Reset the emulator of the run for a test that uses it, before the test's own fixtures do.

    A marker that makes no sense is an error here, of this test: in the fixture it would be one of all later tests.
    """
    if "rescue_emulator_session" in getattr(item, "fixturenames", ()):
        from aiorescue.emulator.app import Emulator  # noqa: PLC0415

        stash = item.config.stash
        stash[_LIMITS] = _marked(item, _SESSION_OPTIONS, "rescue_emulator_session")
        Emulator(**stash[_LIMITS])  # looks at the values
        if _RUNNING in stash:
            _begin(stash[_RUNNING], stash[_LIMITS])


def _begin(service: "Emulator", options: dict[str, Any]) -> None:
    """Put an emulator back as it was at the start, with the limits of a test's marker."""
    service.reset()
    service.limits.pin_rate = options.get("pin_rate", service.limits.pin_rate)
    service.limits.pins_left = options.get("pins", service.limits.pins_left)
    service.latency = options.get("latency", service.latency)
    service.jitter = options.get("jitter", service.jitter)
