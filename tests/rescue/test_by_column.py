"""Rows and lines that are kept by column are what tuples of them would be."""

import copy
import pickle
from datetime import datetime, time

import pytest

from aiorescue.rescue import Chat, ChatLine, Report
from aiorescue.rescue.answers.by_column import ByColumn

REPORT = "Start Time|Session ID|Name|\n2/16/2012 9:00:00 AM|1|Jane|\n|2|Joe|\n"
ROWS = (
    {"Start Time": datetime(2012, 2, 16, 9), "Session ID": 1, "Name": "Jane"},
    {"Start Time": None, "Session ID": 2, "Name": "Joe"},
)


def test_rows_of_a_report_are_read_as_from_a_tuple():
    report = Report.parse(REPORT)
    assert report.rows == ROWS
    assert report.rows == ROWS
    assert report.rows != ROWS[:1]
    assert report.rows != list(ROWS)
    assert (report[0], report[-1], len(report), list(report)) == (ROWS[0], ROWS[1], 2, list(ROWS))
    assert (report.rows[1:], report.rows[::-1]) == (ROWS[1:], ROWS[::-1])
    assert report.rows.index(ROWS[1]) == 1
    assert ROWS[0] in report
    assert report.column("Name") == ["Jane", "Joe"]
    assert repr(report.rows) == repr(ROWS)
    assert isinstance(report[0], dict)
    with pytest.raises(IndexError):
        report[2]
    with pytest.raises(KeyError):
        report.column("Nothing")


def test_a_report_is_equal_to_its_copies_and_to_one_made_by_hand():
    report = Report.parse(REPORT)
    by_hand = Report(("Start Time", "Session ID", "Name"), ROWS)
    for other in (pickle.loads(pickle.dumps(report)), copy.deepcopy(report), Report.parse(REPORT), by_hand):
        assert other == report
    assert by_hand.column("Session ID") == report.column("Session ID")
    report.column("Name").clear()
    assert len(report.column("Name")) == 2


@pytest.mark.parametrize("body", ["<report><header/><data><row/><row/></data></report>"])
def test_rows_without_columns_are_counted(body: str):
    report = Report.parse(body)
    assert report.rows == ({}, {})


@pytest.mark.parametrize("count", [3, 70_000])
def test_a_chat_of_any_length_has_the_same_lines(count: int):
    chat = Chat.parse("9:03 PM Jane: a\nb\n9:04 PM started\n" * count)
    expected = (ChatLine(time(21, 3), "Jane", "a\nb"), ChatLine(time(21, 4), "", "started")) * count
    assert chat.lines[:4] == expected[:4]
    assert chat.lines[-2] == expected[0]
    assert len(chat.lines) == 2 * count
    assert isinstance(chat.lines, ByColumn if count > 3 else tuple)


def test_lines_kept_by_column_are_hashed_as_a_tuple():
    lines = ByColumn(ChatLine, 3).extend([(time(9), "", "a")])
    assert hash(lines) == hash((ChatLine(time(9), "", "a"),))


@pytest.mark.parametrize("count", [0, 1, 4_095, 4_096, 4_097, 10_000])
def test_a_report_of_any_number_of_rows_has_them_all(count: int):
    report = Report.parse("Session ID|Name|\n" + "".join(f"{number}|n{number}|\n" for number in range(count)))
    expected = tuple({"Session ID": number, "Name": f"n{number}"} for number in range(count))
    assert report.rows == expected
    assert [report[place] for place in range(count)] == list(expected)
    assert report.column("Name") == [f"n{number}" for number in range(count)]
    assert report.rows[-5:] == expected[-5:]


@pytest.mark.parametrize("odd", [0, 5_000, 9_999])
def test_a_column_with_a_cell_that_is_not_what_its_title_says_is_left_as_texts(odd: int):
    cells = ["x" if number == odd else str(number) for number in range(10_000)]
    report = Report.parse("Name|Session ID|\n" + "".join(f"a|{cell}|\n" for cell in cells))
    assert report.column("Session ID") == cells
    assert report[odd]["Session ID"] == "x"


def test_rows_of_a_wide_report_wait_in_small_numbers_to_be_kept_by_column():
    """The garbage collector would look at millions of cells each time that it looks at new objects alone."""
    width, kept = 1_500, ByColumn(tuple_of, 1_500)
    for number in range(1_000):
        kept.extend([(number,) * width])
        assert len(kept._waiting) * width <= 2**18
    assert [row[-1] for row in kept] == list(range(1_000))
    assert (kept[173], kept[174], kept[-1]) == ((173,) * width, (174,) * width, (999,) * width)


def tuple_of(*parts):
    return parts
