"""The emulator's life: with and without an event loop, twice, on a taken port; one clock for client and server."""

import asyncio
import threading
import urllib.request
from concurrent.futures import ThreadPoolExecutor

import pytest

from aiorescue import AuthCode, InfoRouterClient, Login, Pace, RescueClient
from aiorescue.emulator import Emulator
from aiorescue.emulator.clock import TurnableClock
from tests.emulator.sockets import page, until

CODE = "authcode=fixedtech0000"


def ask(service, name="requestPINCode", query=CODE):
    """What a text page answers to a client that blocks."""
    with urllib.request.urlopen(f"{service.url}/API/{name}.aspx?{query}") as answer:
        return answer.read().decode()


def test_with_serves_while_the_test_blocks():
    before = threading.active_count()
    with Emulator(pin_rate=None) as service:
        assert ask(service) == "OK\n\nPINCODE:012345"
        service.fault("word", "requestPINCode", word="OutOfPINCodes")
        assert ask(service) == "OUTOFPINCODES"
        service.limits.pins_left = 0
        assert ask(service) == "OUTOFPINCODES"
        assert [entry.user for entry in service.ledger] == ["tech@example.com"]
        service.reset()
        assert (ask(service), service.requests.count) == ("OK\n\nPINCODE:020264", 1)
    assert threading.active_count() == before
    with pytest.raises(OSError, match="refused"):
        ask(service)


def test_with_serves_clients_of_asyncio_run():
    async def pin(url):
        async with RescueClient(AuthCode("fixedtech0000"), base_url=url) as rescue:
            return (await rescue.request_pin_code_v3()).code

    with Emulator() as service:
        assert asyncio.run(pin(service.url)) == "012345"


@pytest.fixture
def unlimited():
    """An emulator in a thread, begun before the test's loop runs: to begin one blocks."""
    with Emulator(pin_rate=None) as service:
        yield service


async def test_with_serves_a_test_that_has_a_loop(unlimited):
    assert await page(unlimited, "requestPINCode", CODE) == "OK\n\nPINCODE:012345"
    assert ask(unlimited, "logout", "") == "NOTLOGGEDIN"  # the loop is blocked


def test_it_begins_again_on_its_port_with_what_it_knew():
    service = Emulator(pin_rate=None)
    with service:
        ask(service)
        port = service.port
    with service:
        assert (service.port, ask(service)) == (port, "OK\n\nPINCODE:020264")


def test_what_runs_cannot_be_started_again():
    with Emulator() as service:
        with pytest.raises(RuntimeError, match=f"runs already, at {service.url}"):
            service.__enter__()
        for call in (service.start, service.stop):
            with pytest.raises(RuntimeError, match=r"its `with` block runs it in a thread"):
                asyncio.run(call())
        assert ask(service, "logout", "") == "NOTLOGGEDIN"


async def test_what_runs_on_a_loop_is_not_started_in_a_thread():
    async with Emulator() as service:
        with pytest.raises(RuntimeError, match="runs already"):
            service.__enter__()
        service.__exit__(None, None, None)
        assert await page(service, "logout") == "NOTLOGGEDIN"


def test_stopping_twice_does_nothing():
    service = Emulator()
    service.__enter__()
    for _ in range(2):
        service.__exit__(None, None, None)


def test_a_taken_port_is_an_error_that_says_what_to_do():
    before = threading.active_count()
    with Emulator() as service:
        running = threading.active_count()
        with pytest.raises(OSError, match=f"port {service.port} of 127.0.0.1 is taken: .*port=0"):
            Emulator(service.port).__enter__()
        assert threading.active_count() == running, "it has ended"
        with pytest.raises(OSError, match=f"port {service.port} of 127.0.0.1 is taken: .*port=0"):
            asyncio.run(Emulator(service.port).start())
    assert threading.active_count() == before


def test_a_host_of_another_machine_is_an_error_that_names_it():
    with pytest.raises(OSError, match=r"cannot listen on port 0 of 192\.0\.2\.1"):
        Emulator(host="192.0.2.1").__enter__()


def test_many_threads_may_use_it_at_once():
    with Emulator(pin_rate=None) as service, ThreadPoolExecutor(8) as pool:

        def use(number):
            service.fault("word", "logout", word="Error")
            service.clock.advance(0.001)
            assert ask(service, "logout", "") == "ERROR"
            assert len(list(service.requests)) >= 1
            assert service.state.sessions[12345678] == "waiting"
            return ask(service, query=f"{CODE}&tracking0={number}"), len(list(service.ledger))

        answers = list(pool.map(use, range(100)))
    assert len({pin for pin, _ in answers}) == len(service.ledger) == 100
    assert service.faults.script == []


# --- the clock ------------------------------------------------------------------------------------


async def test_sleep_ends_when_the_clock_is_turned():
    clock = TurnableClock(lambda: 0.0)
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    clock.advance(3599)
    await asyncio.sleep(0.01)
    assert not sleeper.done()
    clock.advance(1)
    await sleeper
    assert clock.time() == clock() == 3600


async def test_sleep_ends_by_itself_too():
    clock = TurnableClock(asyncio.get_running_loop().time)
    before = clock.time()
    await clock.sleep(0.02)
    assert clock.time() - before >= 0.02
    await clock.sleep(0)
    await clock.sleep(-1)


async def test_sleep_ends_when_another_thread_turns_the_clock():
    clock = TurnableClock(lambda: 0.0)
    sleepers = [asyncio.create_task(clock.sleep(3600)) for _ in range(100)]
    await asyncio.sleep(0)
    await asyncio.to_thread(clock.advance, 3600)
    await asyncio.gather(*sleepers)
    assert not clock._sleepers


async def test_a_cancelled_sleep_leaves_nothing_behind():
    clock = TurnableClock(lambda: 0.0)
    sleeper = asyncio.create_task(clock.sleep(3600))
    await asyncio.sleep(0)
    sleeper.cancel()
    with pytest.raises(asyncio.CancelledError):
        await sleeper
    assert not clock._sleepers
    clock.advance(1)


@pytest.mark.parametrize("seconds", [-1, float("nan"), float("inf")])
def test_the_clock_runs_forward_only(seconds):
    with pytest.raises(ValueError, match="forward only"):
        TurnableClock(lambda: 0.0).advance(seconds)


@pytest.mark.parametrize("hours", [1, 24])
async def test_one_clock_turns_the_session_of_client_and_emulator(unlimited, hours):
    login = Login("tech@example.com", "secret")
    async with RescueClient(login, base_url=unlimited.url, clock=unlimited.clock) as rescue:
        await rescue.request_pin_code_v3()
        unlimited.clock.advance(hours * 3600)
        assert (await rescue.request_pin_code_v3()).code == "020264"
    assert unlimited.requests.by_operation["login"] == 2


@pytest.fixture
def hourly():
    """An emulator in a thread that issues a PIN an hour, on a clock that stands still."""
    with Emulator(pin_rate=1 / 3600, clock=lambda: 1000.0) as service:
        yield service


async def test_a_call_that_waits_for_its_pace_goes_on_when_the_clock_is_turned(hourly):
    code, pace = AuthCode("fixedtech0000"), Pace(pins=1 / 3600)
    async with RescueClient(code, base_url=hourly.url, clock=hourly.clock, pace=pace) as rescue:
        await rescue.request_pin_code_v3()
        second = asyncio.create_task(rescue.request_pin_code_v3())
        await until(lambda: hourly.clock._sleepers)
        assert len(hourly.ledger) == 1
        hourly.clock.advance(4000)
        assert (await second).code == "020264"


def test_a_reset_does_not_turn_the_clock_back():
    service = Emulator()
    service.clock.advance(3600)
    before = service.clock.time()
    service.reset()
    assert service.clock.time() >= before


async def test_a_client_that_outlives_a_reset_gets_codes_that_it_has_not_seen():
    """A client takes a PIN that comes twice for a repeated answer, and asks again."""
    async with (
        Emulator(pin_rate=None) as service,
        RescueClient(AuthCode("fixedtech0000"), base_url=service.url, pace=None) as rescue,
        InfoRouterClient(Login("tech@example.com", "secret"), base_url=service.url) as docs,
    ):
        seen = set()
        for _ in range(3):
            pins = [await rescue.request_pin_code_v3() for _ in range(3)]
            assert [entry.pin for entry in service.ledger] == [pin.code for pin in pins]
            assert [entry.number for entry in service.ledger] == [1, 2, 3]
            assert {pin.possibly_orphaned for pin in pins} == {0}
            assert service.ledger.of_pin(pins[1].code) == service.ledger[1]
            seen |= {pin.code for pin in pins} | {(await docs.authenticate_user()).ticket}
            seen.add(await rescue.request_auth_code("tech@example.com", "secret"))
            service.reset()
        assert len(seen) == 15
        assert service.ledger.of_pin(pins[1].code) is None, "a reset forgets the PINs from before"


def test_the_address_of_an_emulator_that_was_not_started_is_an_error_that_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"not started, .* async with Emulator\(\) as service"):
        _ = Emulator().url
    assert Emulator(port=8765).url == "http://127.0.0.1:8765"
