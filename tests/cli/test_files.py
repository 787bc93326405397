"""The input and the output as files: what goes in comes out."""

import asyncio
import csv
import errno
import os
import signal
from contextlib import closing

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aiorescue import files
from aiorescue.cli import signals
from aiorescue.cli.bulk.customers import COLUMNS, Customers
from aiorescue.cli.sheet import CsvLines, Sheet, check_writable
from aiorescue.rescue import RequestPinCode

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.lists(st.tuples(texts, texts), min_size=1, max_size=20))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_cells_round_trip(tmp_path, cells):
    path = tmp_path / "out.csv"

    async def write() -> None:
        sheet = Sheet(path, ("a", "b"), "utf-8")
        for row in cells:
            sheet.add(*row)
        await sheet.close()

    asyncio.run(write())
    with path.open(encoding="utf-8", newline="") as file:
        assert [tuple(row) for row in csv.reader(file, strict=True)] == [("a", "b"), *cells]


def test_columns_are_those_that_a_pin_request_takes():
    assert list(COLUMNS) == [*(f"custom_field_{i}" for i in range(6)), "tracking"]


def test_a_column_fills_its_own_field_wherever_it_stands(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("tracking,custom_field_2,custom_field_0\nCASE-1,two,zero\n")
    with closing(Customers.check(path)) as customers:
        [row] = customers.read(RequestPinCode, no_tech_console=True)
    assert row.request == RequestPinCode(custom_fields=["zero", "", "two"], tracking="CASE-1", no_tech_console=True)


def test_rows_that_were_not_read_to_their_end_say_nothing_after_their_input_was_closed(tmp_path):
    path = tmp_path / "customers.csv"
    path.write_text("tracking\nCASE-1\nCASE-2\n")
    with closing(Customers.check(path)) as customers:
        rows = customers.read(RequestPinCode, no_tech_console=True)
        next(rows)
    rows.close()


async def test_a_sheet_without_rows_leaves_the_old_file(tmp_path):
    path = tmp_path / "pins.csv"
    path.write_text("old")
    assert not await Sheet(path, ("a",), "utf-8").close()
    assert path.read_text() == "old"


async def test_a_file_is_replaced_where_the_file_system_keeps_no_modes(tmp_path, monkeypatch):
    path = tmp_path / "pins.csv"
    path.write_text("old")

    def chmod(*_, **__):
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "chmod", chmod)
    await asyncio.to_thread(check_writable, path, 100)
    sheet = Sheet(path, ("a",), "utf-8")
    sheet.add("new")
    await sheet.close()
    assert (path.read_text(), list(tmp_path.iterdir())) == ("a\nnew\n", [path])


async def test_the_old_file_is_whole_until_the_new_one_is(tmp_path, monkeypatch):
    monkeypatch.setattr("aiorescue.cli.sheet.FLUSH_ROWS", 1)
    path = tmp_path / "pins.csv"
    path.write_text("old")
    path.chmod(0o640)
    sheet = Sheet(path, ("a",), "utf-8")
    sheet.add("1")
    await sheet.flush_if_due()
    assert path.read_text() == "old"
    (part,) = tmp_path.glob("pins.csv.*.part")
    assert part.read_text() == "a\n1\n", "what has come is on the disk"
    await sheet.close()
    assert path.read_text() == "a\n1\n"
    assert path.stat().st_mode & 0o777 == 0o640, "open to whom it was open before"
    assert [one.name for one in tmp_path.iterdir()] == ["pins.csv"]


async def test_two_that_write_one_file_at_once_do_not_mix_their_rows(tmp_path):
    path = tmp_path / "pins.csv"
    first, second = Sheet(path, ("a",), "utf-8"), Sheet(path, ("a",), "utf-8")
    first.add("1")
    await first.begin()
    second.add("2")
    await second.begin()
    await asyncio.to_thread(check_writable, path, 100)
    await first.close()
    assert path.read_text() == "a\n1\n"
    await second.close()
    assert path.read_text() == "a\n2\n"
    assert [one.name for one in tmp_path.iterdir()] == ["pins.csv"]


async def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "real.csv").write_text("old")
    link = tmp_path / "pins.csv"
    link.symlink_to("real.csv")
    sheet = Sheet(link, ("a",), "utf-8")
    sheet.add("1")
    await sheet.close()
    assert link.is_symlink()
    assert (tmp_path / "real.csv").read_text() == "a\n1\n"


def test_nothing_of_a_run_blocks_the_event_loop(here):
    # In this process, under the watch of blockbuster.
    (here.folder / "customers.csv").write_text(
        "custom_field_0,tracking\n" + "".join(f"Jane,C-{n}\n" for n in range(1200))
    )
    done = here("pins", "customers.csv", "--emulator", "--pin-rate", "100000", "--json")
    assert (done.status, done.json["issued"]) == (0, 1200)


async def test_rows_that_are_being_written_are_left_alone_by_another_process_that_looks_at_the_place(tmp_path):
    path = tmp_path / "pins.csv"
    sheet = Sheet(path, ["a"], "utf-8")
    sheet.add("1")
    await sheet.begin()
    await asyncio.to_thread(check_writable, path, 100)
    await sheet.close()
    assert path.read_text() == "a\n1\n"
    assert [file.name for file in tmp_path.iterdir()] == ["pins.csv"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_the_place_of_an_output_is_tried_leaves_nothing_there(tmp_path, monkeypatch, number):
    make_part = files.make_part

    def interrupted(*args):
        made = make_part(*args)
        signal.raise_signal(number)
        return made

    monkeypatch.setattr(files, "make_part", interrupted)
    with pytest.raises(signals.Interrupted), signals.raised():
        check_writable(tmp_path / "pins.csv", 10)
    assert not list(tmp_path.iterdir())


def test_a_safe_cell_begins_with_no_line_end_before_a_formula(tmp_path):
    with (tmp_path / "out.csv").open("w", newline="") as file:
        CsvLines(file, safe=True).write(["\n=1+1", "a\n=b", "x"])
    assert (tmp_path / "out.csv").read_text() == '"\'\n=1+1","a\n=b",x\n'
