"""What is wrong with a file stops everything before anything is sent; what is wrong with a row stops nothing."""

import gzip

import pytest

from aiorescue.cli.status import Status
from tests.cli.customer_rows import FAST

HEADER = "custom_field_0,tracking\n"


@pytest.mark.parametrize(
    ("row", "told"),
    [
        ("x" * 65 + ",CASE-9", "line 3: custom_field_0 has 65 characters, but the service takes 64"),
        ("Jane," + "x" * 65, "line 3: tracking has 65 characters, but the service takes 64"),
        ("Ja\x01ne,CASE-9", "line 3: custom_field_0 has a character that XML cannot carry (U+0001 at position 2)"),
        ("Doe, Jane,CASE-9", "line 3: the row has 3 cells, but the header names 2 columns"),
        ("Jane", "line 3: the row has 1 cell, but the header names 2 columns"),
        (",", "line 3: all cells are empty"),
        ('"Jane" Doe,CASE-9', "line 3: a quoted cell goes on after its closing quote"),
        ("Jane,CASE-1", "line 3: tracking 'CASE-1' occurs twice"),
        ("x" * 200_000 + ",CASE-9", "line 3: a cell is longer than 131,072 characters"),
    ],
    ids=[
        "long",
        "long-tracking",
        "control",
        "too-many-cells",
        "too-few-cells",
        "empty",
        "stray-quote",
        "twice",
        "huge",
    ],
)
async def test_a_bad_row_is_told_with_its_line_and_stops_nothing(command, service, row, told):
    command.write(f"{HEADER}Jane,CASE-1\n{row}\nJohn,CASE-2\n")
    done = await command("pins", "customers.csv", *FAST, "--json")
    assert done.status == Status.SOME_FAILED
    assert (done.json["issued"], done.json["bad_rows"], done.json["rows"]) == (2, 1, 3)
    assert done.err.startswith(f"aiorescue: customers.csv: {told}")
    assert done.err.count("\n") == 1
    assert {entry.tracking for entry in service.ledger} == {"CASE-1", "CASE-2"}
    bad = [row for row in command.rows() if row["status"] == "bad"]
    assert len(bad) == 1
    assert bad[0]["error"].startswith(told)
    assert not bad[0]["pin"]
    assert len(command.rows()) == 3


async def test_lines_are_counted_as_an_editor_counts_them(command):
    command.write(f'{HEADER}"two\nlines",CASE-1\n\n{"x" * 65},CASE-2\n')
    done = await command("pins", "customers.csv", *FAST)
    assert "line 5: custom_field_0 has 65 characters" in done.err


async def test_many_bad_rows_do_not_flood_the_terminal_and_are_all_in_the_output(command):
    command.write(HEADER + "too,many,cells\n" * 5_000 + "Jane,CASE-1\n")
    done = await command("pins", "customers.csv", *FAST)
    assert done.err.count("\n") < 30
    assert "5000 bad rows" in done.out
    assert len(command.rows()) == 5_001


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "the file is empty; its first line names the columns"),
        (b"\n\n", "the file is empty"),
        (HEADER.encode(), "there is a header, but no row below it"),
        (b"name,town\nJane,1\n", "line 1: unknown column 'name'; the columns are any of custom_field_0"),
        (b"custom_field_6\nJane\n", "line 1: unknown column 'custom_field_6'; did you mean custom_field_"),
        (b"Tracking\n1\n", "line 1: unknown column 'Tracking'; did you mean tracking?"),
        (b"Custom Field 1,trackin\nJane,1\n", "unknown column 'Custom Field 1'; did you mean custom_field_1?"),
        (b"custom_field_0,\nJane,1\n", "line 1: column 2 has no name"),
        (b"tracking,tracking\n1,1\n", "line 1: there are two columns tracking"),
        (b"custom_field_0;tracking\nJane;1\n", "the columns seem to be separated by semicolons"),
        (HEADER.encode() + b"Jane,1\nJ\xfcrgen,2\n", "line 3: byte 32 (0xFC) is not UTF-8; save the file as UTF-8"),
        (b'"custom_field_0"\t"tracking"\n"Jane"\t"1"\n', "the columns seem to be separated by tabs"),
        (b'{"custom_field_0": "Jane", "tracking": "1"}\n', "the file is JSON; save it as CSV in UTF-8"),
        (b'\xef\xbb\xbf[\r\n  {"tracking": "1"}\r\n]', "the file is JSON; save it as CSV in UTF-8"),
        (b"PK\x03\x04\x14\0\x06\0", "the file is an Excel workbook, or another ZIP archive; save it as CSV in UTF-8"),
        (gzip.compress(HEADER.encode(), mtime=0), "the file is compressed by gzip; save it as CSV in UTF-8"),
        (HEADER.encode("utf-16"), "the file is text in UTF-16; save it as CSV in UTF-8"),
        (HEADER.encode("utf-16-le"), "line 1: it has NUL characters, as UTF-16 has; save the file as UTF-8"),
        (HEADER.encode() + b'Jane,1\n"John,2\nJim,3\n', "line 3: a quote is opened and never closed"),
        (HEADER.encode() + b'"John,2\n' + b"Jim,3\n" * 40_000, "line 2: a quote is opened and never closed"),
        (
            HEADER.encode() + b'"' + b"John\n" * 40_000 + b'",2\n',
            "line 2: a quote is opened and never closed, or a cell is longer than 131,072 characters",
        ),
    ],
)
def test_a_bad_file_is_one_line_that_names_the_place_before_anything_is_sent(here, content, told):
    here.folder.joinpath("customers.csv").write_bytes(content)
    done = here("pins", "customers.csv")
    # There are no credentials: with any other status it would have got further than to the file.
    assert done.status == Status.BAD_INPUT
    assert done.err.startswith("aiorescue: customers.csv: ")
    assert told in done.err
    assert done.err.count("\n") == 1
    assert [path.name for path in here.folder.iterdir()] == ["customers.csv"]
