"""A job that is submitted again while workers hold its rows: what is sent, what is recorded, and what is declared."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from aiorescue import AuthCode, Pace, errors
from aiorescue.bulk import distributed, records
from aiorescue.bulk.distributed.allowance import Allowance
from aiorescue.bulk.distributed.database import Statements, connected
from aiorescue.bulk.distributed.lane_store import LaneStore
from aiorescue.bulk.distributed.watch import WorkerWatch
from aiorescue.bulk.store import Lane
from aiorescue.rescue import RequestPinCode
from tests.support import digest_of_slots


def requests(count, *, corrected=(), removed=()):
    return [
        RequestPinCode(custom_fields=["Joan" if n in corrected else "Jane"], tracking=f"CASE-{n}", no_tech_console=True)
        for n in range(count)
        if n not in removed
    ]


async def submit(database, given):
    await distributed.submit(database, "spring", given, identities=["north"])


@asynccontextmanager
async def lanes(database):
    """A function that begins the lane of the job anew, as a worker does after an error."""
    async with connected(database) as connection, Statements(database) as statements:
        watch = WorkerWatch(connection, ["north"])

        async def begin():
            epoch = (await watch.hold([1]))[1]
            return LaneStore(
                statements,
                database,
                job=1,
                name="spring",
                owner=1,
                lane=Lane("north", epoch),
                most=3,
                allowance=Allowance(99),
            )

        yield begin


async def stored(database):
    return {row.key: row async for row in distributed.PostgresReader(database, "spring").rows()}


async def test_a_row_that_is_corrected_after_its_claim_is_not_sent_with_its_old_text(database):
    await submit(database, requests(3))
    async with lanes(database) as begin:
        lane = await begin()
        assert len(await lane.claim(3)) == 3
        await submit(database, requests(3, corrected=[1]))
        await lane.sent("=CASE-0")
        with pytest.raises(errors.JournalError, match="was corrected or removed"):
            await lane.claim(3)  # it gets the row again, which it holds already
        with pytest.raises(errors.JournalError, match="was corrected or removed"):
            await lane.sent("=CASE-1")
        texts = {row.key: row.request.custom_fields for row in await (await begin()).claim(3)}
        assert texts == {"=CASE-0": ("Jane",), "=CASE-1": ("Joan",), "=CASE-2": ("Jane",)}


@pytest.mark.parametrize("back", [False, True], ids=["corrected", "corrected and back"])
async def test_a_pin_that_comes_for_the_text_before_a_correction_is_declared(database, back):
    await submit(database, requests(1))
    async with lanes(database) as begin:
        old = await begin()
        await old.claim(1)
        await old.sent("=CASE-0")
        await submit(database, requests(1, corrected=[0]))
        if back:
            await submit(database, requests(1))
        with pytest.raises(errors.JournalError, match="was corrected or removed"):
            await old.claim(1)
        with pytest.raises(errors.JournalError, match="was corrected or removed"):
            await old.issued("=CASE-0", "123456", 0)
        new = await begin()
        (row,) = await new.claim(1)
        assert row.orphans == 1
        await new.sent(row.key)
        await new.issued(row.key, "654321", row.orphans)
    row = (await stored(database))["=CASE-0"]
    assert (row.pin, row.corrected, row.orphans) == ("654321", False, 1)


async def test_attempts_of_one_call_whose_outcome_is_unknown_are_declared_when_its_worker_dies(database):
    await submit(database, requests(1))
    async with lanes(database) as begin:
        lane = await begin()
        await lane.claim(1)
        for _ in range(3):
            await lane.sent("=CASE-0")
        assert [row.orphans for row in await (await begin()).claim(1)] == [3]


async def test_a_row_that_is_removed_from_the_input_after_its_claim_is_not_sent(database):
    await submit(database, requests(3))
    async with lanes(database) as begin:
        lane = await begin()
        await lane.claim(3)
        await submit(database, requests(3, removed=[1]))
        with pytest.raises(errors.JournalError, match="was corrected or removed"):
            await lane.sent("=CASE-1")
        assert [row.key for row in await (await begin()).claim(3)] == ["=CASE-0", "=CASE-2"]


async def test_a_worker_sends_what_was_submitted_last_and_goes_on(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 5.0
    await submit(database, requests(30))
    await distributed.submit(database, "summer", requests(8), identities=["north"])
    codes = {"north": AuthCode("fixedtech0000")}
    working = asyncio.create_task(
        distributed.work(database, codes, base_url=rescue_emulator.url, pace=Pace(pins=5), until_done=True)
    )
    async with asyncio.timeout(60):
        while not rescue_emulator.ledger:
            await asyncio.sleep(0.01)
        await submit(database, requests(30, corrected=[12], removed=[13]))
        await working
    texts = {entry.pin: entry.custom_fields[0] for entry in rescue_emulator.ledger}
    rows = await stored(database)
    assert {key: texts[row.pin] for key, row in rows.items()} == {
        f"=CASE-{n}": "Joan" if n == 12 else "Jane" for n in range(30) if n != 13
    }
    declared = (await distributed.status(database, "spring")).possibly_orphaned
    assert len(rescue_emulator.ledger) - len(rows) - 8 <= declared


async def test_an_identity_that_is_no_longer_named_claims_no_more_rows(database):
    await distributed.submit(database, "spring", requests(5), identities=["north", "south"])
    async with lanes(database) as begin:
        lane = await begin()
        assert len(await lane.claim(2)) == 2
        await distributed.submit(database, "spring", requests(5), identities=["south"])
        assert await lane.claim(2) == []
        await submit(database, requests(5))
        assert len(await lane.claim(2)) == 2


async def test_a_submission_whose_input_is_slow_holds_up_no_worker_and_no_results(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    began, goes_on = asyncio.Event(), asyncio.Event()

    async def slow():
        for one in requests(12):
            yield one
            began.set()
            await goes_on.wait()

    await submit(database, requests(10))
    submitting = asyncio.create_task(submit(database, slow()))
    await began.wait()
    codes = {"north": AuthCode("fixedtech0000")}
    async with asyncio.timeout(30):
        await distributed.work(database, codes, base_url=rescue_emulator.url, pace=Pace(pins=20), until_done=True)
        assert len([one async for one in distributed.results(database, "spring", follow=True)]) == 10
    goes_on.set()
    await submitting
    status = await distributed.status(database, "spring")
    assert (status.rows, status.issued, status.left, status.runs) == (12, 10, 2, 1)


@pytest.mark.parametrize("deletes", [False, True], ids=["submission", "deletion"])
async def test_a_change_of_a_job_that_waits_for_notes_of_a_worker_that_wait_for_it_is_made_all_the_same(
    database, deletes
):
    await submit(database, requests(2))
    change = distributed.delete(database, "spring") if deletes else submit(database, requests(3))
    async with connected(database) as worker:
        await worker.execute("SET deadlock_timeout = '1min'")  # the submission is the one that is ended
        async with worker.transaction():
            await worker.execute("UPDATE aiorescue.request SET orphans = 1 WHERE key = '=CASE-1'")
            changing = asyncio.create_task(change)
            async with asyncio.timeout(30):
                waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
                while await (await worker.execute(waits)).fetchone() == (False,):
                    await asyncio.sleep(0.01)
                await worker.execute("UPDATE aiorescue.request SET orphans = 1 WHERE key = '=CASE-0'")
        await changing
    if deletes:
        with pytest.raises(errors.JournalError, match="there is no job"):
            await distributed.status(database, "spring")
    else:
        status = await distributed.status(database, "spring")
        assert (status.rows, status.possibly_orphaned) == (3, 2)


@pytest.mark.parametrize("tracking", ["", "A"], ids=["by its fields", "by its tracking field"])
async def test_a_request_with_an_empty_field_more_or_less_keeps_its_pin_also_from_an_earlier_version(
    database, monkeypatch, tracking
):
    def given(*texts):
        return [RequestPinCode(custom_fields=texts, tracking=tracking)]

    with monkeypatch.context() as version:
        version.setattr(records, "digest", digest_of_slots)
        await submit(database, given("Jane", ""))
    async with lanes(database) as begin:
        lane = await begin()
        (claimed,) = await lane.claim(1)
        await lane.sent(claimed.key)
        await lane.issued(claimed.key, "000001", 0)
    for texts in (("Jane", ""), ("Jane",), ("Jane", "", "")):
        await submit(database, given(*texts))
        (row,) = (await stored(database)).values()
        assert (row.pin, row.position, row.corrected) == ("000001", 0, False)
    await submit(database, [*given("Jane", "", ""), RequestPinCode(custom_fields=["Jane", "", "Doe"])])
    assert [row.pin for row in (await stored(database)).values()] == ["000001", None]


async def test_failed_rows_are_retried_though_that_and_a_submission_wait_for_each_other(database):
    await submit(database, requests(2))
    async with connected(database) as submission:
        await submission.execute("UPDATE aiorescue.request SET state = 3, error = 'ERROR'")
        await submission.execute("SET deadlock_timeout = '1min'")  # the retry is the one that is ended
        async with submission.transaction():
            await submission.execute("UPDATE aiorescue.request SET line = 1 WHERE key = '=CASE-1'")
            retrying = asyncio.create_task(distributed.retry(database, "spring"))
            async with asyncio.timeout(30):
                waits = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
                while await (await submission.execute(waits)).fetchone() == (False,):
                    await asyncio.sleep(0.01)
                await submission.execute("UPDATE aiorescue.request SET line = 1 WHERE key = '=CASE-0'")
        assert await retrying == 2
