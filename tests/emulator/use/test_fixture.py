"""The pytest fixtures of the package, in runs of their own: sync and async tests, plugins, markers, one for all."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent.parent
PLUGIN = ("-p", "aiorescue.emulator.pytest_plugin")
ASYNCIO = ("-p", "pytest_asyncio.plugin", "-o", "asyncio_default_fixture_loop_scope=function")

SYNC = """
import asyncio, urllib.request
from aiorescue import AuthCode, RescueClient

def ask(service, tracking=""):
    url = f"{service.url}/API/requestPINCode.aspx?authcode=fixedtech0000&tracking0={tracking}"
    return urllib.request.urlopen(url).read().decode()

async def pin(url):
    async with RescueClient(AuthCode("fixedtech0000"), base_url=url) as rescue:
        return (await rescue.request_pin_code_v3()).code

def test_blocking(rescue_emulator):
    assert ask(rescue_emulator) == "OK\\n\\nPINCODE:012345"
    assert ask(rescue_emulator) == "POLLRATEEXCEEDED"

def test_asyncio_run(rescue_emulator):
    assert asyncio.run(pin(rescue_emulator.url)) == "012345"
    rescue_emulator.fault("word", word="Error")
    assert ask(rescue_emulator) == "ERROR"
"""
ASYNC = """
import pytest
from aiorescue import AuthCode, RescueClient

{mark}
async def test_async(rescue_emulator):
    rescue_emulator.fault("word", word="PollRateExceeded")
    async with RescueClient(AuthCode("fixedtech0000"), base_url=rescue_emulator.url) as rescue:
        assert (await rescue.request_pin_code_v3()).code == "012345"
    assert len(rescue_emulator.ledger) == 1
    assert rescue_emulator.requests.count == 2
"""
MARKED = """
import pytest
from test_sync import ask

pytestmark = pytest.mark.rescue_emulator(pins=2)

@pytest.mark.rescue_emulator(pin_rate=None, latency=0.001)
class TestMarked:
    def test_of_the_module_and_the_class(self, {fixture}):
        assert [ask({fixture}).partition("\\n")[0] for _ in range(3)] == ["OK", "OK", "OUTOFPINCODES"]

    @pytest.mark.rescue_emulator(pins=0)
    def test_the_closest_counts(self, {fixture}):
        assert ask({fixture}) == "OUTOFPINCODES"

def test_of_the_module_alone(request, {fixture}):
    assert ({fixture}.limits.pin_rate, {fixture}.limits.pins_left, {fixture}.latency) == (1.0, 2, 0.0)
    assert len({fixture}.ledger) == 0
"""
SESSION = """
import pytest
from test_sync import ask

urls = set()

@pytest.fixture(scope="session")
def app(rescue_emulator_session):
    return rescue_emulator_session.url

@pytest.fixture
def customer(rescue_emulator_session):
    return rescue_emulator_session.state.cases.arrive()

@pytest.mark.parametrize("number", range(3))
def test_each_begins_anew(app, rescue_emulator_session, customer, number):
    service = rescue_emulator_session
    urls.add(app)
    assert (urls, customer.id, len(service.ledger), service.limits.pins_left) == ({service.url}, 12345688, 0, None)
    assert ask(service) == f"OK\\n\\nPINCODE:{service.ledger[0].pin}"
    service.limits.pins_left = 0
    service.fault("html")

def test_of_another_kind():
    pass
"""


def run(folder, *options, **files):
    """The output of a pytest run of its own over these files, and its status."""
    for name, text in {"test_sync": SYNC, **files}.items():
        (folder / f"{name}.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "--strict-markers", "-p", "no:cacheprovider"]
    known = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""}
    done = subprocess.run(
        [*command, "-c", os.devnull, "--rootdir", folder, *PLUGIN, *options, folder],
        check=False,
        cwd=folder,
        env=known,
        capture_output=True,
        text=True,
    )
    return done.stdout + done.stderr, done.returncode


#: A plugin that runs coroutines and knows nothing of anybody's fixtures.
OTHER = """
import asyncio

def pytest_pyfunc_call(pyfuncitem):
    if asyncio.iscoroutinefunction(pyfuncitem.obj):
        asyncio.run(pyfuncitem.obj(rescue_emulator=pyfuncitem.funcargs["rescue_emulator"]))
        return True
"""


@pytest.mark.parametrize(
    ("mark", "options", "conftest"),
    [
        ("@pytest.mark.asyncio", ASYNCIO, ""),
        ("", (*ASYNCIO, "-o", "asyncio_mode=auto"), ""),
        ("", (), OTHER),
    ],
    ids=["strict", "auto", "other"],
)
def test_the_fixture_works_with_every_plugin(tmp_path, mark, options, conftest):
    output, status = run(tmp_path, *options, test_async=ASYNC.format(mark=mark), conftest=conftest)
    assert (status, "3 passed" in output) == (0, True), output


@pytest.mark.parametrize("fixture", ["rescue_emulator", "rescue_emulator_session"])
def test_without_a_plugin_and_with_markers(tmp_path, fixture):
    output, status = run(tmp_path, test_marked=MARKED.format(fixture=fixture), test_session=SESSION)
    assert (status, "9 passed" in output) == (0, True), output


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ("pin_rte=1", "takes no pin_rte for rescue_emulator; it takes port, pin_rate"),
        ("2.0", "takes no arguments without a name"),
        ("pin_rate=0", "pin_rate is 0"),
    ],
)
def test_a_marker_that_makes_no_sense_is_an_error_that_says_so(tmp_path, arguments, told):
    text = f"import pytest\n\n@pytest.mark.rescue_emulator({arguments})\ndef test_it(rescue_emulator):\n    pass\n"
    output, status = run(tmp_path, test_wrong=text)
    assert (status, told in output) == (1, True), output


@pytest.mark.parametrize("arguments", ["seed=7", "pin_rate=0"])
def test_a_marker_that_makes_no_sense_is_an_error_of_its_own_test_alone(tmp_path, arguments):
    text = (
        f"import pytest\n\n@pytest.mark.rescue_emulator({arguments})\n"
        "def test_wrong(rescue_emulator_session):\n    pass\n\n"
        "def test_right(rescue_emulator_session):\n    assert rescue_emulator_session.limits.pin_rate == 1.0\n"
    )
    output, status = run(tmp_path, test_wrong=text)
    assert (status, "3 passed, 1 error" in output) == (1, True), output  # two tests are always there


def test_the_marker_is_registered(tmp_path):
    output, status = run(tmp_path, "--markers")
    assert (status, "@pytest.mark.rescue_emulator(pin_rate=1.0" in output) == (0, True), output


def test_the_plugin_imports_nothing_heavy():
    code = (
        "import sys, aiorescue.emulator.pytest_plugin\n"
        "heavy = {'aiohttp', 'aiorescue.emulator.app', 'pytest_asyncio', 'xmltodict', 'tenacity'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_fixture_comes_with_the_package(pytestconfig):
    (own,) = pytestconfig.pluginmanager.get_plugins() & {sys.modules.get("aiorescue.emulator.pytest_plugin")}
    assert own.rescue_emulator
