"""The dispatcher: many identities, slots that have passed, outages, heartbeats, sources, closed clients."""

import asyncio
import sys
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest

from aiorescue import AuthCode, Login, Pace, RescueClient, RetryPolicy, errors
from aiorescue.bulk import Issued, Job, issue
from aiorescue.bulk.outage import FAILS_AT, OPENS_AT, Breaker, Setbacks
from aiorescue.emulator import Emulator
from aiorescue.events import Event, JobProgressed, OutageBegan, OutageEnded
from aiorescue.pace.shared.host import HostPace
from aiorescue.rescue import RequestPinCode
from tests.lab.clocks import HandClock, QuickClock
from tests.lab.prepared_server import prepared_server

pytestmark = pytest.mark.every_loop
CODE = AuthCode("fixedtech0000")
ONCE = RetryPolicy(attempts=1)


def requests(count: int) -> list[RequestPinCode]:
    return [RequestPinCode(tracking=f"CASE-{number}") for number in range(count)]


def client_of(service: Emulator, credentials=CODE, **options) -> RescueClient:
    return RescueClient(credentials, base_url=service.url, **{"pace": None, "retry": ONCE, **options})


# --- identities -----------------------------------------------------------------------------------


async def test_hundreds_of_identities_each_send_when_their_pace_is_ready_and_none_has_a_task_that_waits():
    many, clock = 300, HandClock()
    people = [AuthCode(f"code{number:09}") for number in range(many)]
    with prepared_server() as url:
        async with RescueClient(people, base_url=url, pace=Pace(pins=1.0), clock=clock) as client:
            sent = []
            before = len(asyncio.all_tasks())
            reading = asyncio.ensure_future(_read(issue(client, requests(3 * many)), sent))
            for turn in range(1, 4):
                while len(sent) < turn * many and not reading.done():
                    await asyncio.sleep(0)
                for _ in range(50):
                    await asyncio.sleep(0)
                assert len(sent) == turn * many  # one each, and no second one before its time
                assert len(asyncio.all_tasks()) - before < 10  # none of them waits for its slot
                clock.turn(1.5)
            await reading


async def _read(job: Job, into: list[Issued]) -> None:
    async for issued in job:
        into.append(issued)


async def test_a_refused_identity_is_named_and_the_others_go_on(service: Emulator):
    async with client_of(service, [AuthCode("nonsense"), CODE]) as client:
        job = issue(client, requests(30), in_flight=2)
        results = [issued async for issued in job]
    assert all(issued.pin for issued in results)
    assert list(job.refused) == ["auth code 1"]
    assert isinstance(job.refused["auth code 1"], errors.AuthenticationError)


# --- slots that have passed -----------------------------------------------------------------------


@pytest.mark.parametrize(("seconds", "turns"), [(0.0, 1), (0.01, 1), (3.0, 2)])
async def test_a_slot_that_passed_while_the_disk_stalled_is_given_back(service: Emulator, seconds: float, turns: int):
    clock = QuickClock()
    written = 0

    async def before_send() -> None:
        nonlocal written
        written += 1
        clock.skipped += seconds

    async with client_of(service, pace=Pace(pins=10.0), clock=clock) as client:
        pacer = client._pacers.of(client.identities[0].account, RequestPinCode.spec.family)
        taken, wait = [], pacer.wait

        def count(turn):
            taken.append(turn)
            return wait(turn)

        pacer.wait = count
        await client.call_as(client.identities[0], RequestPinCode(), before_send=before_send, bulk=True)
    assert (written, len(taken)) == (1, turns)  # written once: that was no attempt
    assert len(service.ledger) == 1


# --- outages --------------------------------------------------------------------------------------


async def test_an_outage_fails_no_request_and_is_told(service: Emulator, tmp_path: Path):
    events: list[Event] = []
    clock = QuickClock()
    service.fault("http", status=503, times=12)
    service.fault("drop_before", times=5)
    service.fault("word", times=5)
    async with client_of(service, clock=clock) as client:
        job = issue(client, requests(30), journal=tmp_path / "j", in_flight=4, on_event=events.append)
        results = [issued async for issued in job]
    assert sorted(issued.position for issued in results) == list(range(30))
    assert all(issued.pin for issued in results)
    assert len(service.ledger) == 30
    told = [event for event in events if isinstance(event, OutageBegan | OutageEnded)]
    assert [type(event) for event in told] == [OutageBegan, OutageEnded]
    assert told[1].seconds > 1
    assert job.outage is None
    assert sum(isinstance(event, JobProgressed) for event in events) == 30


@pytest.mark.parametrize("is_shared", [False, True])
async def test_a_job_says_for_how_long_it_waits_for_a_login_that_all_its_identities_need(
    service: Emulator, tmp_path: Path, is_shared: bool
):
    pace = Pace(pins=None, logins=1)
    tech = Login("tech@example.com", "secret")
    options = {"pace": HostPace(pace=pace, directory=tmp_path) if is_shared else pace, "relogin": True, "sessions": 1}
    async with (
        client_of(service, tech, **options) as client,
        client_of(service, [tech, CODE], **options) as several,
        issue(client, requests(9)) as job,
        issue(several, requests(9), in_flight=2) as other,
    ):
        await anext(job)
        assert job.login_wait is None
        service.state.expire()
        async with asyncio.timeout(10):
            while job.login_wait is None:
                await asyncio.sleep(0.01)
        assert 170 < job.login_wait <= 185
        for _ in range(5):
            await anext(other)
            assert other.login_wait is None


async def test_a_service_that_began_anew_and_repeats_its_pins_is_asked_until_they_are_new():
    """Repeated PINs are refused one by one, without a pause between them and without a row that fails."""
    found: list[Issued[RequestPinCode]] = []
    first = Emulator(pin_rate=None)
    async with first:
        port = int(first.url.rpartition(":")[2])
        client = client_of(first)
        job = issue(client, requests(60), in_flight=4, patience=10.0)
        async for issued in job:
            found.append(issued)
            if len(found) == 30:
                break
    async with Emulator(port, pin_rate=None) as second, client, job:
        found += [issued async for issued in job]
    assert sorted(issued.position for issued in found) == list(range(60))
    assert len({issued.pin.code for issued in found if issued.pin}) == 60
    assert len(second.ledger) >= 60


def test_the_pause_between_probes_ends_at_ten_seconds_and_a_repeated_answer_has_none():
    breaker, setbacks = Breaker(600.0), Setbacks()
    gone, repeated = errors.ConnectionFailed("refused"), errors.ProtocolError("twice", repeated=True)
    pauses = []
    for _ in range(OPENS_AT + 6):
        breaker.failed(object(), setbacks, gone, 100.0)
        pauses.append(breaker.probe_at - 100.0)
    assert pauses[OPENS_AT - 1 :] == [1.0, 2.0, 4.0, 8.0, 10.0, 10.0, 10.0]
    breaker.failed(object(), setbacks, repeated, 105.0)
    assert breaker.probe_at == 105.0


async def test_one_probe_at_a_time_is_sent_while_the_service_is_away(service: Emulator):
    service.fault("http", status=503, times=1_000)
    clock = HandClock()
    async with client_of(service, clock=clock) as client, issue(client, requests(50), in_flight=8) as job:
        reading = asyncio.ensure_future(anext(job))
        while job.outage is None:
            await asyncio.sleep(0)
        while client.stats().under_way:  # calls that had left before the outage was noticed
            await asyncio.sleep(0)
        before = service.requests.count
        assert before < 8 + OPENS_AT
        for probes in range(1, 4):
            clock.turn(30.0)
            while service.requests.count < before + probes:
                await asyncio.sleep(0)
            while client.stats().under_way:
                await asyncio.sleep(0)
            assert service.requests.count == before + probes
        service.faults.clear()
        clock.turn(30.0)
        assert (await reading).pin
        assert job.outage is None


async def test_when_patience_ends_the_job_raises_and_all_rows_are_left(service: Emulator, tmp_path: Path):
    service.fault("http", status=503, retry_after=1, times=10_000)  # turned away: no PIN was issued
    clock = QuickClock()
    began = clock.time()
    async with client_of(service, clock=clock) as client:
        with pytest.raises(errors.ServiceError, match="503"):
            async for _ in issue(client, requests(9), journal=tmp_path / "j", patience=100.0):
                raise AssertionError("no request has a result")
        assert clock.time() - began >= 100
        service.faults.clear()
        results = [issued async for issued in issue(client, requests(9), journal=tmp_path / "j")]
    assert [issued.pin.possibly_orphaned for issued in results] == [0] * 9
    assert len(service.ledger) == 9


async def test_without_patience_each_request_fails_by_itself(service: Emulator):
    service.fault("http", status=503, times=5)
    async with client_of(service) as client:
        results = [issued async for issued in issue(client, requests(9), patience=0)]
    assert sum(issued.pin is None for issued in results) == 5


def test_a_request_that_fails_while_others_are_answered_fails_by_itself():
    breaker, setbacks, problem = Breaker(600.0), Setbacks(), errors.RequestTimeout("no answer")
    for _ in range(FAILS_AT - 1):
        assert not breaker.failed("poison", setbacks, problem, 0.0)
        assert not breaker.is_open
        breaker.answered()
    assert breaker.failed("poison", setbacks, problem, 0.0)


def test_the_last_request_fails_by_itself_where_the_service_answers_with_its_own_error():
    breaker, setbacks = Breaker(600.0), Setbacks()
    breaker.answered()
    problem = errors.ServiceError("requestPINCode: refused", status="requestPINCode_Error")
    assert [breaker.failed("poison", setbacks, problem, 0.0) for _ in range(OPENS_AT)] == [False, False, True]
    assert not breaker.is_open


# --- the iteration --------------------------------------------------------------------------------


async def test_a_wait_that_times_out_does_not_end_the_job(service: Emulator):
    service.latency = 0.05
    results, timeouts = [], 0
    async with client_of(service) as client:
        job = issue(client, requests(20), in_flight=1)
        while True:
            try:
                results.append(await asyncio.wait_for(anext(job), 0.01))
            except TimeoutError:
                timeouts += 1
            except StopAsyncIteration:
                break
    assert timeouts
    assert sorted(issued.position for issued in results) == list(range(20))
    assert len(service.ledger) == 20


async def test_the_first_wait_may_time_out_while_the_journal_opens(service: Emulator, tmp_path: Path):
    async with client_of(service) as client:
        job = issue(client, requests(3), journal=tmp_path / "j")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(anext(job), 0)
        results = [issued async for issued in job]
    assert len(results) == 3


async def test_a_job_ends_whether_tasks_begin_at_once_or_later(service: Emulator, tmp_path: Path):
    def eager(loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **options: Any) -> Any:
        options.pop("eager_start", None)  # uvloop passes it, which Python 3.13 does not take
        return asyncio.eager_task_factory(loop, coroutine, **options)

    loop = asyncio.get_running_loop()
    usual = loop.get_task_factory()
    async with client_of(service) as client:
        for factory in (None, eager) if sys.version_info >= (3, 12) else (None,):
            loop.set_task_factory(factory)
            try:
                for _ in range(2):
                    results = [issued async for issued in issue(client, requests(20), journal=tmp_path / "j")]
            finally:
                loop.set_task_factory(usual)  # a loop that can make no tasks cannot be closed: the run would hang
            assert len(results) == 20


# --- sources --------------------------------------------------------------------------------------


class Odd(BaseException):
    pass


@pytest.mark.parametrize(
    "problem", [asyncio.CancelledError, GeneratorExit, Odd, KeyError, KeyboardInterrupt, SystemExit, StopAsyncIteration]
)
@pytest.mark.parametrize("before", [0, 5])
@pytest.mark.parametrize("is_async", [False, True])
async def test_whatever_a_source_raises_ends_the_job(
    service: Emulator, problem: type[BaseException], before: int, is_async: bool
):
    class Source:
        def __init__(self) -> None:
            self.left = requests(before)

        def __iter__(self) -> Iterator[RequestPinCode]:
            return self

        def __next__(self) -> RequestPinCode:
            if self.left:
                return self.left.pop()
            raise problem("of the source")

    class AsyncSource(Source):
        __iter__ = None

        def __aiter__(self) -> AsyncIterator[RequestPinCode]:
            return self

        async def __anext__(self) -> RequestPinCode:
            return self.__next__()

    results = []
    expected = RuntimeError if problem is StopAsyncIteration else problem
    async with client_of(service) as client:
        job = issue(client, AsyncSource() if is_async else Source())
        if is_async and problem is StopAsyncIteration:
            results = [issued async for issued in job]  # how an async source ends
        else:
            with pytest.raises(expected):
                async for issued in job:
                    results.append(issued)
    assert len(results) == before


async def test_an_async_source_is_admitted_many_at_a_time(service: Emulator, tmp_path: Path):
    async def source() -> AsyncIterator[RequestPinCode]:
        for request in requests(600):
            await asyncio.sleep(0)
            yield request

    admissions = []
    async with client_of(service) as client:
        for _ in range(2):
            job = issue(client, source(), journal=tmp_path / "j")
            admit = job._journal.admit
            job._journal.admit = lambda some, admit=admit: (admissions.append(len(some)), admit(some))[1]
            assert len([issued async for issued in job]) == 600
    assert sum(admissions) == 1_200
    assert len(admissions) < 120


# --- the client, and PINs that come twice ---------------------------------------------------------


async def test_a_client_that_is_closed_under_a_job_ends_it_with_one_error(service: Emulator, tmp_path: Path):
    results = []
    client = client_of(service, pace=Pace(pins=200.0))
    job = issue(client, requests(50), journal=tmp_path / "j", in_flight=4)
    with pytest.raises(errors.InvalidRequest, match="closed"):
        async for issued in job:
            results.append(issued)
            if len(results) == 5:
                closing = asyncio.ensure_future(client.aclose())
    await closing
    assert all(issued.pin for issued in results)
    async with client_of(service) as client:
        again = [issued async for issued in issue(client, requests(50), journal=tmp_path / "j")]
    assert len(again) == len(service.ledger) == 50
    assert sum(issued.resumed for issued in again) == len(results)


async def test_a_pin_that_another_request_has_is_asked_for_again(tmp_path: Path):
    first, second = requests(6)[:3], requests(6)[3:]
    pins = set()
    for work in (first, second):
        async with Emulator(pin_rate=None) as service, client_of(service) as client:  # each gives the same PINs
            results = [issued async for issued in issue(client, work, journal=tmp_path / "j", job="one", in_flight=1)]
        pins |= {issued.pin.code for issued in results}
    assert len(pins) == 6
    assert [issued.pin.possibly_orphaned for issued in results] == [3, 0, 0]
