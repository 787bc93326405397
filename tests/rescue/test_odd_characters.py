"""Characters that XML does not allow, and markup within a field: the rows come, and all of their text."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiorescue import errors
from aiorescue.operation import Binding, OutcomeClass
from aiorescue.rescue import Report
from aiorescue.rescue.answers.values import Unclear
from aiorescue.wire.characters import Replacing, replaced
from tests.rescue.decoding import SAMPLES, decode, read_table

ODD = ["&#xB;", "&#x1B;", "\x1f", "\x00", "&#0;", "&#xD83D;", "\ufffe", "&#x00000b;", "&#31;", "&#x110000;"]


def report(*cells):
    rows = "".join(f"<row><field id='0'>{cell}</field></row>" for cell in cells)
    return f"<r><header><field id='0'>Name</field></header><data>{rows}</data></r>"


@pytest.mark.parametrize("odd", ODD)
def test_a_character_that_xml_does_not_allow_costs_no_row(odd):
    found = Report.parse(report("a", f"b{odd}c", "d"))
    assert found.column("Name") == ["a", "b\ufffdc", "d"]
    assert found.mended == (1,)


def test_a_pair_of_references_is_two_characters_that_are_none():
    assert Report.parse(report("&#xD83D;&#xDE00;x")).column("Name") == ["\ufffd\ufffdx"]


@pytest.mark.parametrize(
    "text", ["&#x9;", "&#10;", "&#x1F600;", f"&#x{'0' * 40}41;", "&amp;#xB;", "<![CDATA[&#xB;]]>", "\U0001f600"]
)
def test_what_xml_allows_stays(text):
    found = Report.parse(report(text))
    assert found.mended == ()
    assert "\ufffd" not in str(found.rows)


def whole(text: str) -> str:
    return "".join(replaced([text]) or [text])


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_cut_anywhere_the_characters_are_the_same(data):
    parts = [*ODD, "a", "<![CDATA[", "]]>", "&#x1F600;", "&", "]", "<", "&#", "&#x"]
    text = "".join(data.draw(st.lists(st.sampled_from(parts), max_size=8)))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5)))
    replacing = Replacing()
    pieces = [text[start:end] for start, end in zip([0, *cuts], [*cuts, len(text)], strict=True)]
    assert "".join(map(replacing.feed, pieces)) + replacing.end() == whole(text)


@pytest.mark.parametrize(
    "text", ["<![CDATA[a]]>&#xB;b", "<![CDATA[]]]>&#xB;", "a&#xB;<![CDATA[&#xB;]]>&#11;", "]]&#xB;]"]
)
def test_cut_in_two_at_any_place_the_characters_are_the_same(text):
    for cut in range(len(text)):
        replacing = Replacing()
        assert replacing.feed(text[:cut]) + replacing.feed(text[cut:]) + replacing.end() == whole(text), cut


@pytest.mark.parametrize("odd", ODD)
def test_a_list_over_soap_tells_which_record_lacks_a_character(odd):
    body = (SAMPLES / "getSession_V3.soap11.OK.txt").read_text().replace("John Doe", f"John{odd}Doe", 1)
    sessions = decode("getSession_V3", Binding.SOAP11, body).value
    assert [one.mended for one in sessions].count(True) == 1
    assert any("John\ufffdDoe" in str(one) for one in sessions if one.mended)


@pytest.mark.parametrize("body", ["<r><a></r>", "<r>a & b</r>", "<r>&#xB;<a></r>", "<r>&nbsp;</r>"])
def test_what_is_no_xml_is_asked_for_once_and_names_the_other_form(body):
    outcome = decode("getReport_v2", Binding.TEXT_POST, f"OK\n\n{body}")
    assert (outcome.error, outcome.outcome_class) == (errors.ProtocolError, OutcomeClass.FINAL)
    assert "TEXT" in outcome.detail


@pytest.mark.parametrize(
    ("cell", "text"), [("a<br/>b", "ab"), ("see <b>this</b> now", "see this now"), ("<i><b>x</b>y</i>", "xy")]
)
def test_a_field_is_all_the_text_in_it(cell, text):
    assert Report.parse(report(cell, "z")).column("Name") == [text, "z"]


@pytest.mark.parametrize(
    "row",
    [
        "<row><field id='0'>a</field><field id='0'>b</field></row>",
        "<row><row/></row>",
        "<row>a<field id='0'>b</field></row>",
        "<row><field id='0'>b</field> a </row>",
        "<row><cell id='0'>a</cell></row>",
        "<row><field id='0'>a<field id='1'>b</field></field></row>",
        "<Record><field id='0'>a</field></Record>",
    ],
)
def test_a_row_that_says_two_things_or_in_two_places_is_no_row(row):
    with pytest.raises(Unclear):
        Report.parse(f"<r><header><field id='0'>Name</field></header><data>{row}</data></r>")


@pytest.mark.parametrize(
    "table",
    [
        "<data><row/></data><header><field id='0'>Name</field></header>",
        "<header><row><field id='0'>Name</field></row></header><data><row><field id='0'>a</field></row></data>",
    ],
)
def test_a_row_before_the_end_of_the_header_is_an_error_and_no_empty_row(table):
    with pytest.raises(Unclear):
        Report.parse(f"<r>{table}</r>")


def test_what_says_nothing_between_fields_costs_nothing():
    row = "<row>\n  <field id='0'>a</field>\r\n<!-- b --><c/>\t</row>"
    body = f"<r><title>A report</title><header> <field id='0'>Name</field> </header><data> {row} </data></r>"
    assert Report.parse(body).column("Name") == ["a"]


def test_markup_in_an_answer_over_soap_is_an_error_and_no_half_text():
    body = (SAMPLES / "getUser.soap11.OK.txt").read_text().replace("John Doe", "John <b>Doe</b> jr.")
    assert decode("getUser", Binding.SOAP11, body).error is errors.ProtocolError


def test_empty_rows_never_become_a_large_table():
    header = "".join(f"<field id='{index}'>a</field>" for index in range(5_000))
    with pytest.raises(Unclear):
        read_table(f"<r><header>{header}</header><data>{'<row/>' * 20_000}</data></r>", lambda _: None)


def test_a_node_of_a_text_page_tells_that_a_character_could_not_be_read():
    blocks = "".join(
        f"NodeID:{number}\nParentID:1\nName:{name}\nEmail:\nDescription:\nStatus:Online\nType:Technician\n\n"
        for number, name in enumerate(["Zoë", "Zoe", "René"])
    )
    nodes = decode("getHierarchy", Binding.TEXT_POST, f"OK\n\n{blocks}".encode("cp1252")).value
    assert [(node.name, node.mended) for node in nodes] == [("Zo\ufffd", True), ("Zoe", False), ("Ren\ufffd", True)]
