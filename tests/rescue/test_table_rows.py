"""Rows of text tables: none is lost or merged in silence; what cannot be told apart is an error."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiorescue import errors
from aiorescue.operation import Binding, OutcomeClass
from aiorescue.rescue import Report
from aiorescue.rescue.answers import table_rows, tables
from aiorescue.rescue.answers.cells import check
from aiorescue.rescue.answers.values import Unclear
from tests.rescue.decoding import decode, read_table

TITLES = ("Start Time", "Session ID", "Name", "Status")
FULL = [("2/16/2012 9:00:00 AM", "1", "J D", "Closed"), ("2/16/2012 9:05:00 AM", "3", "L F", "Active")]
ODD = [("", "2", "K E", "Waiting"), ("Total", "1", "", ""), ("", "", "", "")]


def table(rows, titles=TITLES):
    return "".join("|".join(cells) + "|\r\n" for cells in (titles, *rows))


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_line_with_the_right_number_of_cells_is_a_row(odd, place):
    rows = [*FULL[:place], odd, *FULL[place:]]
    found = read_table(table(rows), check)
    assert (found.rows, found.mended) == (rows, ())


def test_a_complete_line_is_a_row_even_behind_one_that_was_put_together():
    body = table([(*FULL[0][:2], "a|b", "c\nd"), ODD[1], (*FULL[1][:2], "e\nf", "g"), ODD[1]])
    found = read_table(body, check)
    assert [row[0] for row in found.rows] == [FULL[0][0], "Total", FULL[1][0], "Total"]
    assert found.mended == (0, 2)


def test_a_last_cell_may_hold_the_delimiter_and_a_line_break():
    titles = ("Session ID", "Name", "Chatlog")
    rows = [("1", "a", "9:00 hi|\n9:01 ho"), ("2", "b", "x"), ("3", "c", "|\n\ny"), ("4", "d", "")]
    found = read_table("".join("|".join(cells) + "|\n" for cells in (titles, *rows)), check)
    assert (found.rows, found.mended) == (rows, (0, 2))


@pytest.mark.parametrize("stray", ["Total|2|", "Total|", "Total|0:05:00|"])
@pytest.mark.parametrize("titles", [TITLES, ("Start Time", "Name", "Session ID"), ("Start Time", "Name", "Total Time")])
@pytest.mark.parametrize("behind", [0, 1])
def test_a_stray_line_behind_a_complete_row_changes_no_value_of_it(titles, stray, behind):
    cells = {"Start Time": FULL[0][0], "Session ID": "5", "Name": "J D", "Status": "Closed", "Total Time": "0:04:00"}
    row = tuple(cells[title] for title in titles)
    with pytest.raises(Unclear):
        read_table(table([row], titles) + stray + "\n" + table([row] * behind, titles).partition("\n")[2], check)


def test_what_is_typed_below_a_complete_row_belongs_to_its_last_cell_and_to_no_other_one():
    titles = ("Session ID", "Custom field 1", "Chatlog")
    rows = [("1", "a", "9:00 hi|\n9:01 ho"), ("2", "b|c", "x\ny"), ("3", "c", "d|\ne|\nf")]
    assert read_table(table(rows, titles).replace("\r\n", "\n"), check).rows == rows


@pytest.mark.parametrize("titles", [TITLES, ("Start Time", "Name", "Chatlog")])
def test_a_table_that_was_cut_in_the_first_cell_of_a_row_is_asked_for_again(titles):
    rows = [tuple(FULL[0][: len(titles)]), ("2/16",)]
    outcome = decode("getReport_v2", Binding.TEXT_POST, f"OK\n\n{table(rows, titles)[:-3]}")
    assert outcome.outcome_class is OutcomeClass.TRANSIENT


def test_blank_lines_between_rows_cost_none():
    found = read_table("Session ID|Name|\n1|a|\n\n2|b|\n\n \n3|c\nd|\n", check)
    assert [(int(number), name) for number, name in found.rows] == [(1, "a"), (2, "b"), (3, "c\nd")]
    assert found.mended == (1, 2)


texts = st.text("ab 7", max_size=3)
cells = st.builds(lambda one, end, other: f"{one}{end}{other}", texts, st.sampled_from(["", "", "\n"]), texts)


@given(st.lists(st.tuples(cells, cells, cells), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_line_breaks_in_cells_never_make_other_rows(rows):
    try:
        found = read_table("Name|Comment|Place|\n" + "".join("|".join(row) + "|\n" for row in rows), check)
    except ValueError:
        return
    while rows and not "".join(rows[-1]).strip() and "\n" in "".join(rows[-1]) and len(found.rows) < len(rows):
        rows.pop()
    assert found.rows == rows


@given(st.lists(st.tuples(st.integers(1, 99).map(str), cells, cells), min_size=1, max_size=6))
@settings(max_examples=300, deadline=None)
def test_a_column_of_numbers_tells_rows_apart(rows):
    body = "Session ID|Name|Comment|\n" + "".join("|".join(row) + "|\n" for row in rows)
    assert read_table(body, check).rows == rows


@pytest.mark.parametrize(
    "lines",
    [
        ["x", "y|1|", "a|2|"],  # a first cell of two lines, or a stray line?
        ["a|b|c|", "d", "e|2|"],
        ["a|1|", "b", "c|2|"],
        ["a", "b|1|"],
    ],
)
def test_what_cannot_be_told_apart_is_asked_for_once(lines):
    body = "Name|Comment|\n" + "".join(f"{line}\n" for line in lines)
    with pytest.raises(Unclear):
        read_table(body, check)
    outcome = decode("getReport_v2", Binding.TEXT_POST, f"OK\n\n{body}")
    assert (outcome.error, outcome.outcome_class) == (errors.ProtocolError, OutcomeClass.FINAL)


def test_a_table_that_may_have_been_cut_short_is_asked_for_again():
    outcome = decode("getReport_v2", Binding.TEXT_POST, "OK\n\nName|Session ID|\nJane|7|\nJoe|")
    assert outcome.outcome_class is OutcomeClass.TRANSIENT


@pytest.mark.parametrize("label", ["", "#", "?", ":", "5", "~", "a|b"])
@pytest.mark.parametrize("delimiter", ["|", ";", "::", "~|~"])
def test_the_delimiter_that_was_set_splits_any_label(label, delimiter):
    if delimiter in label or delimiter[0] == label:
        return  # the text form cannot carry it
    titles = ("Start Time", "Your Name" if ":" in delimiter else "Your Name:", label, "Custom field 5")
    body = "".join(delimiter.join(cells) + delimiter + "\n" for cells in (titles, (FULL[0][0], "a", "b", "c")))
    for some in (body, body.partition("\n")[0] + "\n"):
        reader = tables.Reader(check, delimiter)
        rows = [row for part in reader.read(some) for row in part]
        assert reader.titles == titles
    assert rows == []


@pytest.mark.parametrize("labels", [["#", "?"], ["", "x"], ["Q1?", "Q2?"], [":", ":"]])
@pytest.mark.parametrize("rows", ["", "1|a|b|\n"])
def test_a_delimiter_that_is_not_known_is_the_services_own_where_labels_mislead(labels, rows):
    assert Report.parse(f"Session ID|{'|'.join(labels)}|\n{rows}").columns[0] == "Session ID"


def test_the_work_on_a_table_stays_in_proportion_to_its_size(monkeypatch):
    calls = []
    seen = lambda title: (lambda cell: calls.append(1) or cell.isdigit()) if title == "n" else None  # noqa: E731
    monkeypatch.setattr(table_rows, "_MORE_WORK", 4)
    work = []
    for size in (200, 400, 800):
        calls.clear()
        body = "t|" + "n|" * size + "\n" + ("a|" + "1|" * (size + 1) + "\n") * size
        assert len(read_table(body, seen).rows) == size
        work.append(len(calls))
    assert work[1] < work[0] * 4.4  # twice the columns and twice the rows
    assert work[2] < work[1] * 4.4
