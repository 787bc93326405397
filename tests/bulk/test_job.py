"""Bulk jobs: results as they come, several identities, resuming, and what ends a job."""

import asyncio
import gc
import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from aiorescue import AuthCode, Login, Pace, RescueClient, errors
from aiorescue.bulk import Issued, issue
from aiorescue.emulator import Emulator
from aiorescue.rescue import CloseSession, GetAccount, RequestLensPinCodeV2, RequestPinCode
from tests.soak.leftovers import tasks_left
from tests.support import IMPATIENT

CODE = AuthCode("fixedtech0000")


def requests(count: int, first: int = 0) -> list[RequestPinCode]:
    return [RequestPinCode(tracking=f"CASE-{number}") for number in range(first, first + count)]


def client_of(service: Emulator, credentials=CODE, **options) -> RescueClient:
    return RescueClient(credentials, base_url=service.url, **{"retry": IMPATIENT, "pace": None, **options})


async def results_of(client: RescueClient, work, **options) -> list[Issued]:
    return [issued async for issued in issue(client, work, **options)]


async def test_each_request_gets_one_pin(service: Emulator):
    async with client_of(service) as client:
        results = await results_of(client, requests(300))
    assert sorted(issued.position for issued in results) == list(range(300))
    by_tracking = {entry.tracking: entry.pin for entry in service.ledger}
    assert len(service.ledger) == 300
    for issued in results:
        assert issued.error is None
        assert issued.attempts == 1
        assert issued.pin.code == by_tracking[issued.request.tracking]
        assert issued.key == issued.request.tracking


@pytest.mark.parametrize(("level", "lines"), [(logging.WARNING, 0), (logging.INFO, 2), (logging.DEBUG, 12)])
async def test_the_log_tells_milestones_at_info_and_each_result_at_debug(
    service: Emulator, caplog: pytest.LogCaptureFixture, level: int, lines: int
):
    with caplog.at_level(level, "aiorescue.job"):
        async with client_of(service) as client:
            await results_of(client, requests(12))
    told = [record.getMessage() for record in caplog.records if record.name == "aiorescue.job"]
    assert len(told) == lines
    if lines:
        assert told[0].endswith(": 1 issued, 0 from the journal, 0 failed, 0 possibly orphaned")


async def test_requests_may_come_from_an_async_iterable(service: Emulator):
    closed = asyncio.Event()

    async def source() -> AsyncIterator[RequestLensPinCodeV2]:
        try:
            for number in range(10):
                await asyncio.sleep(0)
                yield RequestLensPinCodeV2(custom_fields=[str(number)])
        finally:
            closed.set()

    async with client_of(service) as client:
        results = await results_of(client, source())
    assert sorted(issued.key for issued in results) == sorted(f"#{number}" for number in range(10))
    assert closed.is_set()


async def test_a_request_is_asked_for_as_soon_as_it_comes(service: Emulator):
    """An async source is not kept waiting until more have come."""
    queue: asyncio.Queue[RequestPinCode | None] = asyncio.Queue()

    async def source() -> AsyncIterator[RequestPinCode]:
        while (request := await queue.get()) is not None:
            yield request

    async with client_of(service) as client, issue(client, source()) as job:
        for number in range(3):
            queue.put_nowait(RequestPinCode(tracking=f"CASE-{number}"))
            issued = await anext(job)
            assert issued.request.tracking == f"CASE-{number}"
        queue.put_nowait(None)
        with pytest.raises(StopAsyncIteration):
            await anext(job)


async def test_requests_are_taken_as_they_are_needed(service: Emulator):
    taken = 0

    def source() -> Iterator[RequestPinCode]:
        nonlocal taken
        for request in requests(100_000):
            taken += 1
            yield request

    async with client_of(service) as client, issue(client, source(), in_flight=4) as job:
        for _ in range(20):
            await anext(job)
        assert taken < 60


async def test_identities_work_side_by_side(service: Emulator):
    service.limits.pin_rate = 25.0
    people = [CODE, Login("second@example.com", "secret")]
    async with client_of(service, people, pace=Pace(pins=25.0)) as client:
        await results_of(client, requests(20))
    users = [entry.user for entry in service.ledger]
    assert users.count("tech@example.com") == pytest.approx(10, abs=3)


async def test_a_bad_request_fails_alone(service: Emulator):
    service.fault("fault_client", times=1)
    async with client_of(service) as client:
        results = await results_of(client, requests(20))
    failed = [issued for issued in results if issued.error]
    assert [type(issued.error) for issued in failed] == [errors.ServiceFault]
    assert failed[0].pin is None
    assert len(service.ledger) == 19


async def test_a_tracking_field_twice_in_one_job_is_refused_by_name(service: Emulator):
    async with client_of(service) as client:
        results = await results_of(client, [*requests(3), RequestPinCode(tracking="CASE-1")])
    failed = [issued for issued in results if issued.error]
    assert [issued.position for issued in failed] == [3]
    assert isinstance(failed[0].error, errors.DuplicateTracking)
    assert failed[0].error.tracking == "CASE-1"
    assert "CASE-1" in str(failed[0].error)
    assert len(service.ledger) == 3


@pytest.mark.parametrize("bad", [AuthCode("fixeddisabled0000"), AuthCode("nonsense"), Login("tech@example.com", "no")])
async def test_a_refused_identity_stops_and_the_others_take_over(service: Emulator, bad: AuthCode | Login):
    async with client_of(service, [bad, CODE]) as client:
        results = await results_of(client, requests(50), in_flight=1)
    assert sorted(issued.position for issued in results) == list(range(50))
    assert all(issued.pin for issued in results)
    refused = [request for request in service.requests if request.word not in ("OK", "NotLoggedIn")]
    assert len(refused) == 1


async def test_a_request_on_its_way_in_is_not_lost_to_a_refused_identity(service: Emulator):
    async def source() -> AsyncIterator[RequestPinCode]:
        for request in requests(600):
            await asyncio.sleep(0)
            yield request

    async with client_of(service, [AuthCode("nonsense"), CODE]) as client:
        results = await results_of(client, source())
    assert sorted(issued.position for issued in results) == list(range(600))


async def test_when_no_identity_is_left_the_job_raises_and_the_rest_is_kept(service: Emulator, tmp_path: Path):
    journal = tmp_path / "pins.journal"
    service.limits.pins_left = 10
    first = []
    async with client_of(service) as client:
        with pytest.raises(errors.OutOfPinCodes):
            async for issued in issue(client, requests(30), journal=journal, in_flight=4):
                first.append(issued)
    assert len(first) == 10
    assert len(service.ledger) == 10
    service.limits.pins_left = None
    async with client_of(service) as client:
        results = await results_of(client, requests(30), journal=journal)
    assert sum(issued.resumed for issued in results) == 10
    assert len(service.ledger) == 30
    assert all(issued.pin.possibly_orphaned == 0 for issued in results)


async def test_requests_that_wait_for_their_slot_are_not_sent_as_a_refused_identity(service: Emulator):
    async with client_of(service, AuthCode("nonsense"), pace=Pace(pins=1.0)) as client:
        with pytest.raises(errors.AuthenticationError):
            await results_of(client, requests(200), in_flight=16)
    assert service.requests.count == 1


async def test_the_same_job_again_asks_for_nothing_twice(service: Emulator, tmp_path: Path):
    journal = tmp_path / "pins.journal"
    work = [*requests(20), *(RequestPinCode(custom_fields=[str(n)]) for n in range(5))]
    async with client_of(service) as client:
        first = await results_of(client, work, journal=journal)
        second = await results_of(client, work, journal=journal)
    assert len(service.ledger) == 25
    assert all(issued.resumed and issued.attempts == 0 for issued in second)
    assert {issued.position: issued.pin for issued in first} == {issued.position: issued.pin for issued in second}


async def test_a_generator_that_raises_while_it_is_closed_early_leaves_no_error_behind(service: Emulator):
    async def source() -> AsyncIterator[RequestPinCode]:
        try:
            yield RequestPinCode(tracking="CASE-1")
            await asyncio.sleep(60)
        finally:
            raise RuntimeError("of the program")

    told: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context["message"]))
    async with client_of(service) as client:
        async with issue(client, source()) as job:
            await anext(job)
        del job
        await asyncio.sleep(0)
        gc.collect()
    assert told == []


async def test_failed_requests_are_asked_for_again(service: Emulator, tmp_path: Path):
    journal = tmp_path / "pins.journal"
    service.fault("word", word="NoTechConsoleRunning", times=3)
    async with client_of(service) as client:
        first = await results_of(client, requests(10), journal=journal)
        assert sum(issued.error is not None for issued in first) == 3
        second = await results_of(client, requests(10), journal=journal)
    assert all(issued.pin for issued in second)
    assert len(service.ledger) == 10


async def test_an_unknown_outcome_is_asked_for_again_and_counted(service: Emulator, tmp_path: Path):
    journal = tmp_path / "pins.journal"
    service.latency = 30.0
    client = client_of(service)
    job = issue(client, requests(3), journal=journal)
    waiting = asyncio.ensure_future(anext(job))
    while service.requests.count < 3:  # all have left
        await asyncio.sleep(0.01)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    await job.aclose()
    await client.aclose()
    service.latency = 0.0
    async with client_of(service) as client:
        results = await results_of(client, requests(3), journal=journal)
    assert [issued.pin.possibly_orphaned for issued in results] == [1, 1, 1]


async def test_a_call_that_the_program_cancels_ends_the_job_with_that_and_not_with_fewer_results(service: Emulator):
    service.latency = 30.0
    async with client_of(service) as client, issue(client, requests(3)) as job:
        waiting = asyncio.ensure_future(anext(job))
        while service.requests.count < 3:  # all have left
            await asyncio.sleep(0.01)
        for attempt in job._dispatcher._attempts:
            assert attempt.task is not None
            attempt.task.cancel()
        with pytest.raises(asyncio.CancelledError, match="a call of the job was cancelled"):
            await waiting


async def test_stopped_it_finishes_what_was_sent_and_sends_nothing_more(service: Emulator, tmp_path: Path):
    journal = tmp_path / "pins.journal"
    results = []
    async with client_of(service, pace=Pace(pins=50.0)) as client:
        job = issue(client, requests(100), journal=journal)
        async for issued in job:
            results.append(issued)
            if len(results) == 3:
                job.stop()
    assert 3 <= len(results) <= 6
    assert len(service.ledger) == len(results)
    async with client_of(service) as client:
        again = await results_of(client, requests(100), journal=journal)
    assert len(service.ledger) == len(again) == 100
    assert all(issued.pin.possibly_orphaned == 0 for issued in again)


async def test_a_dropped_job_leaves_no_task_behind(service: Emulator):
    before = asyncio.all_tasks()
    async with client_of(service) as client:
        async for _ in issue(client, requests(1000)):
            break
        gc.collect()
        # The timeout of the test is the limit.
        while tasks_left(before, "bulk"):
            await asyncio.sleep(0.01)


async def test_a_source_that_breaks_breaks_the_job_after_what_it_gave(service: Emulator):
    def source() -> Iterator[RequestPinCode]:
        yield from requests(5)
        raise ZeroDivisionError("in the program's own code")

    service.latency = 0.02
    results = []
    async with client_of(service) as client:
        with pytest.raises(ZeroDivisionError):
            async for issued in issue(client, source()):
                results.append(issued)
    assert len(results) == len(service.ledger) == 5


async def test_a_row_that_changed_takes_no_pin_of_the_others_along(service: Emulator, tmp_path: Path):
    journal = tmp_path / "pins.journal"
    service.latency = 0.02
    results = []
    changed = RequestPinCode(tracking="X", custom_fields=["changed"])
    async with client_of(service) as client:
        await results_of(client, [RequestPinCode(tracking="X")], journal=journal)
        with pytest.raises(errors.JournalError, match="'X'"):
            async for issued in issue(client, [*requests(20), changed], journal=journal, in_flight=8):
                results.append(issued)
    assert len(results) == len(service.ledger) - 1


@pytest.mark.parametrize("credentials", [[AuthCode("nonsense")], [AuthCode("nonsense"), CODE]])
async def test_a_refusal_does_not_wait_for_a_source_that_has_nothing_yet(service: Emulator, credentials: list):
    async def source() -> AsyncIterator[RequestPinCode]:
        yield RequestPinCode(tracking="CASE-1")
        await asyncio.Event().wait()

    async with client_of(service, credentials) as client, issue(client, source(), in_flight=1) as job:
        if len(credentials) == 1:
            with pytest.raises(errors.AuthenticationError):
                await anext(job)
        else:
            issued = await anext(job)
            assert issued.pin is not None


async def test_a_job_may_be_ended_while_a_task_waits_for_its_next_result(service: Emulator):
    service.latency = 30.0
    async with client_of(service) as client:
        job = issue(client, requests(3))
        waiting = asyncio.ensure_future(anext(job))
        while service.requests.count < 3:
            await asyncio.sleep(0.01)
        await job.aclose()
        with pytest.raises(StopAsyncIteration):
            await waiting


async def test_a_job_that_is_being_ended_has_no_next_result(service: Emulator):
    async with client_of(service) as client:
        job = issue(client, requests(3))
        await anext(job)
        closing = asyncio.ensure_future(job.aclose())
        await asyncio.sleep(0)
        with pytest.raises(StopAsyncIteration):
            await anext(job)
        await closing


async def test_attempts_that_broke_before_a_crash_are_counted(service: Emulator, tmp_path: Path):
    journal = tmp_path / "pins.journal"
    service.fault("drop_after", times=2)
    service.fault("delay_after", seconds=30.0)
    async with client_of(service) as client:
        job = issue(client, requests(1), journal=journal)
        waiting = asyncio.ensure_future(anext(job))
        while len(service.ledger) < 3:
            await asyncio.sleep(0.01)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        await job.aclose()
    async with client_of(service) as client:
        results = await results_of(client, requests(1), journal=journal)
    assert len(service.ledger) == 4
    assert [issued.pin.possibly_orphaned for issued in results] == [3]


async def test_what_is_no_pin_request_is_refused(service: Emulator):
    async with client_of(service) as client:
        with pytest.raises(errors.InvalidRequest, match="takes PIN requests"):
            await results_of(client, [CloseSession(1)])


async def test_a_slow_consumer_slows_the_job_down(service: Emulator):
    async with client_of(service) as client, issue(client, requests(1000), in_flight=8) as job:
        await anext(job)
        dispatcher = job._dispatcher
        while len(dispatcher.results) < dispatcher._room:
            await asyncio.sleep(0)
        for _ in range(50):  # a job that is not slowed down would issue more between these round trips
            await client.call(GetAccount())
        assert len(service.ledger) <= 8 * 3
