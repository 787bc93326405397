"""Tables that arrive in pieces: the rows do not depend on the cuts, and a broken table ends in an error soon."""

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiorescue.rescue.answers import tables
from aiorescue.rescue.answers.cells import check
from aiorescue.rescue.answers.report import Report
from tests.rescue.decoding import read_table

ROWS = [
    ["1", "Jörg & Söhne", "9:00 AM a: b", "00:00:01"],
    ["2", "", "c|d\r\n\r\ne", ""],
    ["3", "x", "f|\n7 g", "90"],
    ["4", "|", "h", "0:00:00"],
    ["", " ", "\u00a0\r", "0:01:00"],
]
TITLES = ["Session ID", "Name", "Chatlog", "Total Time"]


def lines(rows, end="\r\n"):
    return "".join("|".join(cells) + "|" + end for cells in [TITLES, *rows])


def document(rows):
    def fields(cells):
        escaped = (cell.replace("&", "&amp;").replace("<", "&lt;") for cell in cells)
        return "".join(f"<field id='{index}'>{cell}</field>" for index, cell in enumerate(escaped))

    body = "".join(f"<row>{fields(cells)}</row>\r\n" for cells in rows)
    return f" \r\n<?xml version='1.0'?><r><header>{fields(TITLES)}</header><data>{body}</data></r>\r\n"


def outcome(pieces):
    try:
        return read_table(pieces, check)
    except ValueError as problem:
        return str(problem).partition("(")[0]  # without the line and column


bodies = st.builds(
    lambda rows, form, more: form(rows) + more,
    st.lists(st.sampled_from(ROWS), max_size=6),
    st.sampled_from([lines, document]),
    st.sampled_from(["", "\n\n", "\r", " \n\t\n", "7|"]),
)


@given(bodies, st.data())
@settings(max_examples=300, deadline=None)
def test_cut_anywhere_a_table_is_the_same(body, data):
    body = body[: data.draw(st.integers(0, len(body)) | st.just(len(body)), "its end")]
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=30), "the cuts"))
    pieces = [body[start:end] for start, end in zip([0, *cuts], [*cuts, len(body)], strict=True)]
    assert outcome(pieces) == outcome(body) == outcome(list(body))


@given(st.lists(st.sampled_from(ROWS[:3]), min_size=1, max_size=250))
@settings(max_examples=30, deadline=None)
def test_the_xml_form_gives_back_what_went_in(rows):
    table = read_table(document(rows), check)
    assert table.rows == [tuple(cell.replace("\r\n", "\n") for cell in row) for row in rows]


def test_rows_are_put_together_by_what_follows_them():
    table = read_table(list(lines(ROWS[:3] * 60)), check)
    assert table.rows[:3] == [tuple(cell.replace("\r\n", "\n") for cell in row) for row in ROWS[:3]]
    assert table.mended == tuple(index for index in range(180) if index % 3)


@pytest.mark.parametrize("form", [lines, document])
def test_a_table_that_stops_in_a_row_is_never_a_shorter_one(form):
    body = form(ROWS[:1] * 4).rstrip()
    row = len("|".join(ROWS[0]))
    for end in range(1, row):
        assert isinstance(outcome(body[:-end]), str)


HOSTILE = {
    "a line without an end": ["Name|Session ID|\n", *(["x" * 2**16] * 100)],
    "a row of too many lines": ["Name|Session ID|\n", "x\n" * 10_001],
    "a row of too many characters": ["Name|Session ID|\n", *((("x" * 1_000) + "\n") * 100 for _ in range(100))],
    "blank lines and then a row": ["Name|Session ID|\n", *(["\n" * 2**16] * 10), "x|1|\n"],
    "long blank lines and then a row": ["Name|Session ID|\n", *([" " * 2**16 + "\n"] * 100), "x|1|\n"],
    "rows that nearly fit": ["Name|Session ID|Name|\n", "1|1|1|\n" * 200, "a|b|\n", *(["b|c|d|\n"] * 9_000)],
    "a header without an end": [*(["x" * 2**16] * 100)],
    "no end of blanks": [*([" " * 2**16] * 100)],
    "a cell without an end": ["<r><header><field id='1'>a</field></header><row><field id='1'>", *(["x" * 2**16] * 100)],
    "a tag without an end": ["<r><header><field id='1'>a</field></header><", *(["x" * 2**16] * 100)],
    "two headers": ["<r><header><field id='1'>a</field></header><header><field id='2'>a</field></header></r>"],
    "entities": ["<!DOCTYPE r [<!ENTITY a 'b'>]>", "<r><header><field id='1'>&a;</field></header></r>"],
}


@pytest.mark.parametrize("pieces", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.timeout(30)
def test_a_hostile_table_ends_soon(pieces):
    with pytest.raises(ValueError, match=r"the answer is OK but|DOCTYPE|holds a tag that is too long"):
        read_table(pieces, check)


def test_work_on_one_row_is_bounded_long_before_its_lines_are():
    reader = tables.Reader(check)
    reader.feed("Name|Session ID|Name|\n" + "1|1|1|\n" * 200 + "a|b|\n")
    with pytest.raises(ValueError, match="does not fit"):
        for _ in range(2_000):
            reader.feed("b|c|d|\n")


def test_blank_lines_at_the_end_are_no_row_however_many():
    assert len(read_table(["Name|\nx|\n", *(["\n \r\n"] * 20_000)], check).rows) == 1


# Since 2023, Windows and .NET may write a narrow space before AM and PM.
FORMS = (
    "%m/%d/%Y %I:%M:%S %p",
    "%m/%d/%Y %I:%M:%S\u202f%p",
    "%m/%d/%Y %I:%M %p",
    "%m/%d/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y",
)


@given(
    when=st.datetimes(datetime(1000, 1, 1)).map(lambda when: when.replace(microsecond=0)), form=st.sampled_from(FORMS)
)
def test_a_moment_is_read_in_each_form(when: datetime, form: str):
    written = when.strftime(form)
    assert Report.parse(f"Date|\n {written.replace(' ', '  ')}|\n")[0]["Date"] == datetime.strptime(written, form)  # noqa: DTZ007 - as above


@pytest.mark.parametrize("moment", ["2/30/2012 1:00:00 AM", "2/16/2012 13:00:00 PM", "2/16/2012 0:00:00 AM"])
def test_a_moment_that_is_none_is_a_text(moment):
    assert Report.parse(f"Date|\n{moment}|\n")[0]["Date"] == moment


@pytest.mark.parametrize(
    ("titles", "columns"),
    [
        ("Name|Name (2)|Name|", ("Name", "Name (2)", "Name (3)")),
        ("Name|Name|Name (2)|", ("Name", "Name (3)", "Name (2)")),
        ("a|a|a|a (2)|a (2)|", ("a", "a (3)", "a (4)", "a (2)", "a (2) (2)")),
    ],
)
def test_a_title_that_occurs_twice_gets_a_number_that_no_other_has(titles, columns):
    cells = [str(number) for number in range(len(columns))]
    found = Report.parse(f"{titles}\n{'|'.join(cells)}|\n", "|")
    assert (found.columns, list(found)) == (columns, [dict(zip(columns, cells, strict=True))])
