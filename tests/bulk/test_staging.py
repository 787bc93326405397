"""Staged input: rows in their order, corrected, new and vanished rows, and what may be asked of a store."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from aiorescue import AuthCode, RescueClient, errors
from aiorescue.bulk import InputRow, Journal, State, StoredRow, issue_staged, records
from aiorescue.bulk.store import Claimed
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestLensPinCodeV3, RequestPinCode, RequestPinCodeV3
from tests.support import digest_of_slots

CODE = AuthCode("fixedtech0000")


def row(number: int, name: str, tracking: str | None = None, problem: str = "") -> InputRow:
    tracking = f"CASE-{number}" if tracking is None else tracking
    request = None if problem else RequestPinCode(custom_fields=[name], tracking=tracking)
    return InputRow(number + 2, (name, tracking), request, problem)


def rows(*names: str) -> list[InputRow]:
    return [row(number, name) for number, name in enumerate(names)]


async def stored(store: Journal) -> list[StoredRow]:
    return [found async for found in store.rows()]


async def issue_all(store: Journal, *pins: str) -> list[Claimed]:
    claimed = list(await store.claim(len(pins)))
    for one, pin in zip(claimed, pins, strict=True):
        await store.sent(one.key)
        await store.issued(one.key, pin, 0)
    return claimed


async def test_rows_come_back_in_the_order_of_the_input_with_their_cells(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        staging = await store.stage([*rows("Jane", "John"), row(2, "", problem="line 4: empty")], columns=["a", "b"])
        await issue_all(store, "000001")
        found = await stored(store)
        assert await store.columns() == ("a", "b")
    assert (staging.rows, staging.new, staging.bad) == (3, 2, 1)
    assert [one.cells for one in found] == [("Jane", "CASE-0"), ("John", "CASE-1"), ("", "CASE-2")]
    assert [one.status for one in found] == ["issued", "left", "bad"]
    assert [one.line for one in found] == [2, 3, 4]
    assert [one.pin for one in found] == ["000001", None, None]
    assert found[2].error == "line 4: empty"
    assert found[1].request == RequestPinCode(custom_fields=["John"], tracking="CASE-1")


async def test_a_sorted_input_keeps_the_pins_of_its_rows(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(rows("Zoe", "Adam", "Mia"))
        await issue_all(store, "000001", "000002")
    async with Journal(tmp_path / "j", "job") as store:
        staging = await store.stage(sorted(rows("Zoe", "Adam", "Mia"), key=lambda one: one.cells))
        assert (staging.new, staging.corrected, staging.vanished) == (0, 0, 0)
        assert [(one.cells[0], one.pin) for one in await stored(store)] == [
            ("Adam", "000002"),
            ("Mia", None),
            ("Zoe", "000001"),
        ]


async def test_a_row_that_was_corrected_keeps_its_pin_and_is_named_by_its_line(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(rows("Jane", "Jon", "Mia"))
        await issue_all(store, "000001", "000002")
    async with Journal(tmp_path / "j", "job") as store:
        staging = await store.stage(rows("Jane", "John", "Maya"))
        assert (staging.corrected, staging.corrected_lines) == (1, (3,))
        found = await stored(store)
        assert [(one.cells[0], one.pin, one.corrected) for one in found] == [
            ("Jane", "000001", False),
            ("John", "000002", True),
            ("Maya", None, False),
        ]
        claimed = await store.claim(9)
        assert [one.request.custom_fields for one in claimed] == [("Maya",)]
        assert (await store.status()).corrected == 1
        staging = await store.stage(rows("Jane", "Jon", "Maya"))
        assert staging.corrected == 0


async def test_a_row_that_was_sent_and_corrected_is_asked_for_anew_and_counts_an_orphan(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(rows("Jon"))
        (claimed,) = await store.claim(1)
        await store.sent(claimed.key)
        await store.stage(rows("John"))
        (claimed,) = await store.claim(1)
    assert claimed.request.custom_fields == ("John",)
    assert claimed.orphans == 1


async def test_vanished_rows_with_a_pin_come_last_and_the_others_are_gone(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(rows("Jane", "John", "Mia"))
        await issue_all(store, "000001")
        staging = await store.stage([row(2, "Mia"), row(3, "New")])
        assert (staging.new, staging.vanished, staging.vanished_issued) == (1, 2, 1)
        found = await stored(store)
        assert [(one.cells[0], one.position, one.pin) for one in found] == [
            ("Mia", 0, None),
            ("New", 1, None),
            ("Jane", None, "000001"),
        ]
        status = await store.status()
        assert (status.rows, status.vanished) == (2, 2)
        assert [one.request.custom_fields for one in await store.claim(9)] == [("Mia",), ("New",)]


async def test_a_row_that_vanished_and_came_back_has_its_pin(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(rows("Jane", "John"))
        await issue_all(store, "000001")
        await store.stage([row(1, "John")])
        await store.stage(rows("Jane", "John"))
        assert [one.pin for one in await stored(store)] == ["000001", None]


async def test_a_tracking_field_that_occurs_twice_is_a_bad_row_that_names_the_line_of_the_first(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        for _ in range(2):
            staging = await store.stage([row(0, "Jane", "X"), row(1, "John", "X")])
            assert staging.bad == 1
            found = await stored(store)
            assert [one.status for one in found] == ["left", "bad"]
            assert found[1].error == (
                "tracking 'X' occurs twice in this job, first on line 2; each request needs its own"
            )
            assert found[1].cells == ("John", "X")


async def test_of_a_long_input_each_row_whose_tracking_field_occurred_before_is_bad_wherever_the_first_was(
    tmp_path: Path,
):
    # Rows are taken in some hundreds at a time: both the near and the far ones are to be found, in the first staging
    # and in the ones behind it, which look rows up in another way.
    names = [row(number, "Jane") for number in range(1_300)]
    near, far = row(1_300, "Near", "CASE-1299"), row(1_301, "Far", "CASE-3")
    async with Journal(tmp_path / "j", "job") as store:
        for expected_new in (1_300, 0):
            staging = await store.stage(
                [*names, near, far, row(1_302, "", problem="empty"), row(1_303, "Far", "CASE-3")]
            )
            assert (staging.rows, staging.new, staging.bad, staging.vanished) == (1_304, expected_new, 4, 0)
            bad = [one async for one in store.rows(State.BAD)]
            assert [one.position for one in bad] == [1_300, 1_301, 1_302, 1_303]
            assert [one.error.partition("line ")[2][:4] for one in bad] == ["1301", "5; e", "", "5; e"]
        assert (await store.stage([*reversed(names), row(1_300, "New")])).new == 1
        assert [one.request.tracking for one in await store.claim(2)] == ["CASE-1299", "CASE-1298"]


async def test_rows_without_a_tracking_field_are_told_apart_by_how_many_were_before(tmp_path: Path):
    blank = [row(number, "Jane", "") for number in range(3)]
    async with Journal(tmp_path / "j", "job") as store:
        assert (await store.stage(blank)).new == 3
        await issue_all(store, "000001", "000002")
        assert (await store.stage([*blank, row(3, "Jane", "")])).new == 1
        assert [one.pin for one in await stored(store)] == ["000001", "000002", None, None]


async def test_an_input_that_breaks_off_stages_nothing(tmp_path: Path):
    def breaks_off() -> Iterator[InputRow]:
        yield from rows("Mia", "Joe")
        raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")

    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(rows("Jane"), columns=["name", "tracking"])
        with pytest.raises(UnicodeDecodeError):
            await store.stage(breaks_off(), columns=["other"])
        assert [one.cells[0] for one in await stored(store)] == ["Jane"]
        assert await store.columns() == ("name", "tracking")
        assert (await store.stage(rows("Jane"))).new == 0


async def test_a_kill_while_a_large_input_is_staged_costs_no_pin_of_the_job(tmp_path: Path, monkeypatch):
    monkeypatch.setattr("aiorescue.bulk.journal.staging._CACHE", 50)  # KiB, so that few rows are many

    def killed() -> Iterator[InputRow]:
        for number in range(2000):
            yield row(number, "Jane", f"CASE-{number * 7919 % 2003}")
        for ending in ("", "-wal"):
            shutil.copy(tmp_path / f"j{ending}", tmp_path / f"killed{ending}")

    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(rows("Jane"))
        await issue_all(store, "000001")
        await store.stage(killed())
    status = await Journal.reading(tmp_path / "killed").status()
    assert (status.rows, status.issued) == (1, 1)
    async with Journal(tmp_path / "killed", "job") as store:
        assert (await store.stage(rows("Jane", "Joe"))).new == 1
        assert [one.pin for one in await stored(store)] == ["000001", None]


@pytest.mark.parametrize(
    "request_",
    [
        RequestPinCode(custom_fields=["Łukasz 山田"], no_tech_console=True),
        RequestPinCodeV3(node=5, tracking="="),
        RequestLensPinCodeV3(phone_number="+4912345", language="de"),
        RequestPinCode(custom_fields=['"\\\t\n\x7f', "\u2028", "", "{}"], tracking="'\\u0041"),
    ],
)
async def test_each_type_of_request_comes_back_as_it_was_staged(tmp_path: Path, request_: RequestPinCode):
    async with Journal(tmp_path / "j", "job") as store:
        await store.stage([InputRow(2, ("Łukasz\udcff", "\0"), request_)])
        (found,) = await stored(store)
        (claimed,) = await store.claim(1)
    assert found.request == claimed.request == request_
    assert found.cells == ("Łukasz\udcff", "\0")


async def test_staged_rows_are_issued_and_each_only_once(service: Emulator, tmp_path: Path):
    names = [f"Customer {number}" for number in range(40)]
    async with RescueClient(CODE, base_url=service.url, pace=None) as client:
        for _ in range(2):
            async with Journal(tmp_path / "j", "job") as store:
                await store.stage(rows(*names))
                async with issue_staged(client, store) as job:
                    async for issued in job:
                        assert issued.request.custom_fields == (names[issued.position],)
                found = await stored(store)
    by_tracking = {entry.tracking: entry.pin for entry in service.ledger}
    assert [one.pin for one in found] == [by_tracking[f"CASE-{number}"] for number in range(40)]
    assert len(service.ledger) == 40


async def test_failed_rows_are_asked_for_again_by_the_next_run_or_after_retry(service: Emulator, tmp_path: Path):
    service.fault("word", word="NoTechConsoleRunning", times=2)
    async with RescueClient(CODE, base_url=service.url, pace=None) as client:
        async with Journal(tmp_path / "j", "job") as store:
            await store.stage(rows("Jane", "John", "Mia"))
            results = [issued async for issued in issue_staged(client, store)]
            assert sum(issued.pin is None for issued in results) == 2
            failed = [one async for one in store.rows(State.FAILED)]
            assert [one.status for one in failed] == ["failed", "failed"]
            assert all("NoTechConsoleRunning" in one.error for one in failed)
            assert await store.retry() == 2
            assert (await store.status()).left == 2
        async with Journal(tmp_path / "j", "job") as store:
            results = [issued async for issued in issue_staged(client, store)]
    assert len(results) == 2
    assert all(issued.pin for issued in results)


async def test_a_job_is_read_while_it_is_written_and_after_it(tmp_path: Path):
    reader = Journal.reading(tmp_path / "j")
    with pytest.raises(errors.JournalError, match="there is no such file"):
        await reader.status()
    async with Journal(tmp_path / "j", "job", now=lambda: 1000.0) as store:
        await store.stage([*rows("Jane", "John", "Mia"), row(3, "", problem="bad")])
        await issue_all(store, "000001")
        (second,) = await store.claim(1)
        await store.sent(second.key)
        status = await reader.status()
        assert status.running
        assert (status.rows, status.issued, status.bad, status.left, status.in_flight) == (4, 1, 1, 2, 1)
        assert status.possibly_orphaned == 0
        assert not status.complete
        assert [one.pin async for one in reader.rows(State.ISSUED)] == ["000001"]
    status = await reader.status()
    assert not status.running
    assert status.possibly_orphaned == 1
    assert [one.key async for one in reader.orphans()] == ["=CASE-1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["j"]


async def test_the_rate_is_that_of_the_last_minute(tmp_path: Path):
    moment = 1000.0
    async with Journal(tmp_path / "j", "job", now=lambda: moment) as store:
        await store.stage(rows(*(str(number) for number in range(30))))
        await issue_all(store, "000000")
        for number in range(1, 21):
            moment += 10
            await issue_all(store, f"{number:06d}")
        status = await store.status()
    assert status.rate == pytest.approx(0.1, rel=0.25)
    assert status.seconds_left == pytest.approx(9 / status.rate)
    assert (await Journal.reading(tmp_path / "j", now=lambda: moment + 1000).status()).rate == 0


async def test_reading_may_be_left_early(tmp_path: Path):
    async with Journal(tmp_path / "j", "job") as store:
        await store.stage(row(number, "x") for number in range(2_000))
        async for _ in store.rows():
            break
        assert (await store.status()).rows == 2_000


@pytest.mark.parametrize("tracking", ["", "A"], ids=["by its fields", "by its tracking field"])
@pytest.mark.parametrize("way", ["staged", "admitted"])
async def test_a_row_keeps_its_pin_that_an_earlier_version_issued_with_empty_fields(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tracking: str, way: str
):
    before = RequestPinCode(custom_fields=["Jane", ""], tracking=tracking)
    after = RequestPinCode(custom_fields=["Jane", "", ""], tracking=tracking)

    async def enter(store: Journal, request: RequestPinCode) -> str:
        if way == "admitted":
            return (await store.admit([request]))[0].key
        staging = await store.stage([InputRow(2, (), request)])
        assert (staging.corrected, staging.vanished) == (0, 0)
        return "".join([one.key for one in await store.claim(1)])

    with monkeypatch.context() as version:
        version.setattr(records, "digest", digest_of_slots)
        async with Journal(tmp_path / "j", "job") as store:
            key = await enter(store, before)
            await store.sent(key)
            await store.issued(key, "000001", 0)
    for request in (before, after, RequestPinCode(custom_fields=["Jane"], tracking=tracking)):
        async with Journal(tmp_path / "j", "job") as store:
            assert await enter(store, request) in ("", key)
            assert [(one.pin, one.corrected) for one in await stored(store)] == [("000001", False)]
    async with Journal(tmp_path / "j", "job") as store:
        other = RequestPinCode(custom_fields=["Jane", "", "Doe"], tracking="B" if tracking else "")
        entered = await store.admit([after, other])
        assert [one.pin for one in entered] == ["000001", None]
