"""The rows of a distributed job: staging, claims, epochs."""

import asyncio

import psycopg
import pytest

from aiorescue import AuthCode, errors
from aiorescue.bulk import InputRow, State, distributed
from aiorescue.bulk.distributed.allowance import Allowance
from aiorescue.bulk.distributed.database import Statements, connected
from aiorescue.bulk.distributed.lane_store import LaneStore
from aiorescue.bulk.distributed.watch import WorkerWatch
from aiorescue.bulk.store import Lane
from aiorescue.rescue import RequestPinCode
from tests.lab.distributed.relay import relayed


def requests(count):
    return [RequestPinCode(custom_fields=[f"Jane {n}"], tracking=f"CASE-{n}") for n in range(count)]


def store(database, statements, epoch, owner=1):
    return LaneStore(
        statements,
        database,
        job=1,
        name="spring",
        owner=owner,
        lane=Lane("north", epoch),
        most=3,
        allowance=Allowance(99),
    )


async def test_a_submitted_job_is_read_in_the_order_of_its_input(database):
    staging = await distributed.submit(database, "spring", requests(250), identities=["north"])
    assert (staging.rows, staging.new, staging.bad) == (250, 250, 0)
    rows = [row async for row in distributed.PostgresReader(database, "spring").rows()]
    assert [row.request for row in rows] == requests(250)


async def test_a_tracking_field_that_occurs_twice_is_bad_and_equal_rows_without_one_are_all_sent(database):
    given = [*requests(1), *requests(1), RequestPinCode(), RequestPinCode()]
    await distributed.submit(database, "spring", given, identities=["north"])
    status = await distributed.status(database, "spring")
    assert (status.rows, status.bad, status.left) == (4, 1, 3)


@pytest.mark.parametrize(
    ("job", "identities"),
    [("", ["north"]), (5, ["north"]), ("spring", []), ("spring", ""), ("spring", [""]), ("spring", [5])],
)
async def test_a_name_that_is_empty_or_no_text_is_refused_before_the_database_is_looked_for(job, identities):
    with pytest.raises(errors.InvalidRequest, match="a job needs a name and at least one identity"):
        await distributed.submit("postgresql://localhost:1/none", job, requests(1), identities=identities)


@pytest.mark.parametrize("wrong", ["pin", InputRow(7, (), "pin")])  # type: ignore[arg-type]
async def test_nothing_of_an_input_is_entered_if_one_row_is_no_request(database, wrong):
    with pytest.raises(errors.InvalidRequest, match=r"takes PIN requests .* not str"):
        await distributed.submit(database, "spring", [*requests(5), wrong], identities=["north"])
    with pytest.raises(errors.JournalError, match="there is no job 'spring'"):
        await distributed.status(database, "spring")


async def test_a_raised_epoch_refuses_claims_sent_and_issued_of_the_former_lane(database):
    await distributed.submit(database, "spring", requests(5), identities=["north"])
    async with connected(database) as one, connected(database) as other, Statements(database) as statements:
        first, second = WorkerWatch(one, ["north"]), WorkerWatch(other, ["north"])
        old = store(database, statements, (await first.hold([1]))[1])
        claimed = await old.claim(64)
        assert [row.position for row in claimed] == [0, 1, 2]
        await old.sent("=CASE-0")
        assert await second.hold([1]) == {}
        await one.close()
        while not (held := await second.hold([1])):
            await asyncio.sleep(0.01)  # PostgreSQL releases the lock when it has noticed the end of the connection
        new = store(database, statements, held[1])
        for refused in (old.sent("=CASE-1"), old.issued("=CASE-0", "123456", 0), old.failed("=CASE-2", "no", 0)):
            with pytest.raises(errors.JournalError, match="has begun elsewhere"):
                await refused
        assert await old.claim(64) == []
        again = await new.claim(64)
        assert [(row.key, row.orphans) for row in again] == [("=CASE-0", 1), ("=CASE-1", 0), ("=CASE-2", 0)]


async def test_rows_whose_claim_had_no_answer_are_claimed_when_it_is_repeated(database, postgres):
    await distributed.submit(database, "spring", requests(9), identities=["north"])
    async with connected(database) as one, relayed(postgres.socket) as (relay, port):
        url = psycopg.conninfo.make_conninfo(database, host="127.0.0.1", port=port)
        epoch = (await WorkerWatch(one, ["north"]).hold([1]))[1]
        async with Statements(url) as statements:
            lane = store(database, statements, epoch)
            assert [row.position for row in await lane.claim(3)] == [0, 1, 2]
            relay.loses_answers = True
            claiming = asyncio.ensure_future(lane.claim(3))
            count = b"SELECT count(*) FROM aiorescue.request WHERE owner IS NOT NULL"
            while await (await one.execute(count)).fetchone() == (3,):
                await asyncio.sleep(0.01)
            relay.loses_answers = False
            relay.cut()
            assert [row.position for row in await claiming] == [3, 4, 5]
            assert [row.position for row in await lane.claim(3)] == [6, 7, 8]


async def test_a_pin_that_another_request_has_is_not_recorded(database):
    await distributed.submit(database, "spring", requests(2), identities=["north"])
    async with connected(database) as one, Statements(database) as statements:
        lane = store(database, statements, (await WorkerWatch(one, ["north"]).hold([1]))[1])
        await lane.claim(2)
        await lane.issued("=CASE-0", "123456", 0)
        await lane.issued("=CASE-0", "123456", 0)  # a statement that is repeated
        with pytest.raises(errors.ProtocolError):
            await lane.issued("=CASE-1", "123456", 0)
    assert [one.pin.code async for one in distributed.results(database, "spring")] == ["123456"]


async def test_a_corrected_row_keeps_its_pin_and_a_vanished_one_is_not_sent(database):
    await distributed.submit(database, "spring", requests(3), identities=["north"])
    async with connected(database) as one, Statements(database) as statements:
        lane = store(database, statements, (await WorkerWatch(one, ["north"]).hold([1]))[1])
        await lane.claim(1)
        await lane.issued("=CASE-0", "123456", 0)
    rows = [
        InputRow(2, ("J",), RequestPinCode(custom_fields=["Joan"], tracking="CASE-0")),
        InputRow(3, (), None, "bad"),
    ]
    staging = await distributed.submit(database, "spring", rows, identities=["north"], columns=["name"])
    assert (staging.corrected, staging.corrected_lines, staging.bad, staging.vanished) == (1, (2,), 1, 2)
    found = [row async for row in distributed.PostgresReader(database, "spring").rows()]
    assert [(row.state, row.pin) for row in found] == [(State.ISSUED, "123456"), (State.BAD, None)]


async def test_a_failed_row_that_vanished_is_not_retried(database):
    await distributed.submit(database, "spring", requests(2), identities=["north"])
    async with connected(database) as one, Statements(database) as statements:
        lane = store(database, statements, (await WorkerWatch(one, ["north"]).hold([1]))[1])
        for row in await lane.claim(2):
            await lane.failed(row.key, "no", 0)
    await distributed.submit(database, "spring", requests(1), identities=["north"])
    assert await distributed.retry(database, "spring") == 1


async def test_a_row_that_vanished_stays_under_its_own_columns_when_their_order_changes(database):
    def rows(*cells):
        return [InputRow(2 + n, each, RequestPinCode(tracking=f"CASE-{n}")) for n, each in enumerate(cells)]

    before, after = rows(("Jane", "1"), ('J\0im, "Ü"', "2")), rows(("1", "new", "Jane"))
    await distributed.submit(database, "spring", before, identities=["north"], columns=["name", "phone"])
    async with connected(database) as one, Statements(database) as statements:
        lane = store(database, statements, (await WorkerWatch(one, ["north"]).hold([1]))[1])
        await lane.claim(2)
        await lane.issued("=CASE-1", "123456", 0)
    await distributed.submit(database, "spring", after, identities=["north"], columns=["phone", "note", "name"])
    found = [row.cells async for row in distributed.PostgresReader(database, "spring").rows()]
    assert found == [("1", "new", "Jane"), ("2", "", 'J\0im, "Ü"')]


async def test_tables_of_another_version_are_refused_by_a_message_that_says_so(database):
    await distributed.submit(database, "spring", requests(1), identities=["north"])
    async with connected(database) as connection:
        await connection.execute("UPDATE aiorescue.version SET version = 99")
    with pytest.raises(errors.JournalError, match="jobs of version 99, and this aiorescue works with version 1"):
        await distributed.work(database, {"north": AuthCode("fixednorth0000")})


async def test_tables_that_lack_a_column_end_a_worker_that_has_begun_by_a_message_that_says_so(database):
    await distributed.submit(database, "spring", requests(1), identities=["north"])
    async with connected(database) as connection:
        await connection.execute("ALTER TABLE aiorescue.request DROP COLUMN attempt")
    async with asyncio.timeout(20):
        with pytest.raises(errors.JournalError, match=r"not those of this version of aiorescue .*attempt"):
            await distributed.work(database, {"north": AuthCode("fixednorth0000")}, base_url="http://127.0.0.1:1")
