"""Answers that are long, or hold what no answer has so many of: read piece by piece, or refused with a reason."""

import base64
import json
from random import Random
from xml.parsers.expat import ExpatError

import pytest

from aiorescue import Binding, errors, inforouter
from aiorescue.operation import OutcomeClass
from aiorescue.rescue.answers import pages
from aiorescue.wire import Authorization, Response, binary, bounded, charset, codec, numbers, read, xml
from tests.rescue.decoding import decode
from tests.support import EXAMPLES

NOTE = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
    '<getNoteResponse xmlns="https://secure.logmeinrescue.com/API/API.asmx"><getNoteResult>getNote_OK</getNoteResult>'
    "<sNote>a</sNote>{}</getNoteResponse></soap:Body></soap:Envelope>"
)
MIB = 2**20
PIECE = bounded.PIECE


def note(inside):
    return decode("getNote", Binding.SOAP11, NOTE.format(inside))


def documents(body):
    operation = inforouter.GetDocument("/a")
    return read(codec(type(operation), Binding.HTTP_POST), operation, Authorization(), Response(200, body.encode()))


def many(count):
    return " ".join(f"a{number}='b'" for number in range(count))


BEYOND = {
    "names": ("".join(f"<a{number}/>" for number in range(10_001)), "more than 10,000 names"),
    "attributes": (f"<a {many(20_000)}/>", "a tag that is too long"),
    "a long attribute": (f"<a b='{'c' * 5 * MIB}'/>", "a tag that is too long"),
    "a long comment": (f"<!--{'c' * 5 * MIB}-->", "a tag that is too long"),
    "depth": ("<a>" * 201 + "</a>" * 201, "nested too deeply"),
}


@pytest.mark.parametrize(("inside", "why"), BEYOND.values(), ids=BEYOND)
def test_what_no_answer_has_so_many_of_is_refused(inside: str, why: str):
    for outcome in (note(inside), documents(f'<response success="true">{inside}</response>')):
        assert (outcome.outcome_class, outcome.error) == (OutcomeClass.FINAL, errors.ProtocolError)
        assert why in outcome.detail


@pytest.mark.parametrize(
    "inside",
    [
        "".join(f"<a{number}/>" for number in range(9_000)),
        f"<a {many(4_900)}/>",
        f"<a b='{'c' * 3 * MIB}'/>",
        f"<!--{'c' * 3 * MIB}--><![CDATA[{'=' * 5 * MIB}]]>",
        "<a>" * 190 + "</a>" * 190,
    ],
)
def test_what_is_long_but_within_the_limits_is_read(inside: str):
    assert note(inside).value == "a"


def test_a_document_of_too_many_elements_is_refused():
    parser = bounded.BoundedParser(most_elements=10)
    parser.StartElementHandler = parser.EndElementHandler = lambda *_: None
    parser.Parse(b"<a>" + b"<a/>" * 9)
    with pytest.raises(ValueError, match="more than 10 elements"):
        parser.Parse(b"<a/>")


def test_a_tag_that_comes_in_many_pieces_is_parsed_a_few_times():
    parser = bounded.BoundedParser()
    found = []
    parser.StartElementHandler = lambda name, attributes: found.append((name, attributes))
    parser.EndElementHandler = lambda *_: None
    given = []
    inner = parser._parser

    class Counting:
        def __getattr__(self, name):
            return getattr(inner, name)

        def Parse(self, data, last):  # noqa: N802 - expat's own
            given.append(len(data))
            inner.Parse(data, last)

    parser._parser = Counting()
    for piece in (b"<a b='", *[b"c" * PIECE] * 48, b"'/>"):
        parser.Parse(piece)
    parser.Parse(b"", True)
    assert found == [("a", {"b": "c" * PIECE * 48})]
    assert len(given) < 12


@pytest.mark.parametrize(("count", "is_read"), [(9_999, True), (20_000, False)])
def test_a_group_of_absurdly_many_permissions_is_refused(count: int, is_read: bool):
    outcome = decode(
        "getGroup", Binding.TEXT_POST, f"OK\n\nNODEID:1\nNAME:a\nTYPE:TechnicianGroup\nPERMISSIONS:{'a,' * count}\n"
    )
    assert (outcome.outcome_class is OutcomeClass.OK) is is_read
    assert is_read or "its permissions cannot be read" in outcome.detail.lower()


@pytest.mark.parametrize(("length", "error"), [(1_000, errors.ServiceError), (1_001, errors.ProtocolError)])
def test_a_page_of_one_word_is_looked_at_no_further_than_a_word_can_be_long(length: int, error: type[Exception]):
    outcome = decode("closeSession", Binding.TEXT_POST, "K" * length)
    assert (outcome.outcome_class, outcome.error) == (OutcomeClass.FINAL, error)


@pytest.mark.parametrize("length", [0, 1, 2, 3, 100, PIECE * 3 // 4 - 1, PIECE * 3 // 4, PIECE * 3 // 4 + 1, 200_000])
def test_base64_is_the_same_in_pieces(length: int):
    data = Random(length).randbytes(length)
    text = base64.b64encode(data).decode()
    lines = "\r\n".join(text[start : start + 76] for start in range(0, len(text), 76))
    escaped = "".join(f"\\u{ord(sign):04x}" for sign in text)
    assert binary.from_base64(text) == binary.from_base64(f"\n {lines}\n") == data
    for written in (json.dumps(text), json.dumps(text).replace("/", "\\/"), f'"{escaped}"', json.dumps(lines)):
        assert binary.from_json(written) == data


@pytest.mark.parametrize("text", ["A", "QQ", "QUFB" * 40_000 + "A", "QQ==QUFB", "QQ==" * 40_000, "QUFBé"])
def test_base64_that_is_cut_or_goes_on_behind_its_end_is_refused(text: str):
    for read_it, written in ((binary.from_base64, text), (binary.from_json, json.dumps(text, ensure_ascii=False))):
        with pytest.raises(ValueError, match="the answer's base64"):
            read_it(written)


@pytest.mark.parametrize("text", ['"', '"QUFB', '"\\"', '"\\u00"', '"\\u004"', '"Q"FB"', "1", "[]", '"\\q"', '"\n"'])
def test_what_is_no_json_string_is_refused(text: str):
    with pytest.raises(ValueError, match="no JSON string"):
        binary.from_json(text)


TEXTS = ["Zoë 漢字\n", "OK\n\nPINCODE:012345\n", "", "a", "\ufeffb"]


@pytest.mark.parametrize("encoding", sorted(charset._TEXT))
def test_a_text_in_pieces_is_decoded_as_a_whole_one(encoding: str):
    random = Random(encoding)
    datas = [text.encode(encoding, "replace") for text in TEXTS]
    for data in (*datas, *(random.randbytes(length) for length in (1, 2, 3, 4, 5, 50))):
        whole = charset.decoded(data, encoding)
        for length in range(1, 8):
            decoder = charset.Decoder(encoding)
            pieces = [data[start : start + length] for start in range(0, len(data), length)]
            found = "".join([decoder.decode(piece, final=False) for piece in pieces]) + decoder.decode(b"", final=True)
            assert found == whole


@pytest.mark.parametrize("name", ["utf-16", "utf-32", "utf-16-le"])
def test_a_long_answer_without_a_mark_of_its_order_of_bytes_is_read(name: str):
    """Python's decoders of pieces refuse a text in UTF-16 without a mark, which those of whole texts take."""
    note = f"OK\n\nNOTE:{'a' * PIECE}"
    response = Response(200, note.encode(f"{name[:6]}-le"), {"Content-Type": f"text/plain; charset={name}"})
    operation = EXAMPLES["getNote"]
    outcome = read(codec(type(operation), Binding.TEXT_POST), operation, Authorization(), response)
    assert outcome.value == "a" * PIECE


MANY_NAMES = "".join(f"<d{number}/>" for number in range(10_001))


@pytest.mark.parametrize("end", ["<b>", "</c>", MANY_NAMES], ids=["cut", "broken", "beyond a limit"])
def test_what_was_read_of_a_document_that_fails_is_freed_bit_by_bit(end: str):
    """Freed at once, half a million texts would hold up all threads for some forty milliseconds."""
    with pytest.raises((ExpatError, ValueError)) as caught:
        xml._parsed([f"<a>{'<b><c>d</c></b>' * 5_000}{end}"], "")
    handler = next(one.frame.f_locals["handler"] for one in caught.traceback if "handler" in one.frame.f_locals)
    assert not any([handler.item, *(item for item, _ in handler.stack)])


def test_a_text_that_is_too_long_for_a_number_is_in_no_error():
    """Python writes out all of it first, and no other thread runs."""
    for text in ("a" * 5_000, "9" * 5_000):
        with pytest.raises(ValueError, match=r"^no whole number$"):
            numbers.whole_number(text)


@pytest.mark.parametrize(
    ("name", "text"),
    [("getReportDate", "1/2/2024 " * 200), ("getReportArea", "a" * 2_000), ("getDelimiter", "|" * 2_000)],
)
def test_a_setting_that_is_absurdly_long_is_none(name: str, text: str):
    assert decode(name, Binding.TEXT_POST, f"OK\n\n{text}").error is errors.ProtocolError


@pytest.mark.parametrize(
    "inside", ["", "a", "a\n\r\nb", "\n" * 3 * PIECE, "a" * 2 * PIECE, "\r".join(["a"] + [""] * PIECE + ["b"])], ids=len
)
@pytest.mark.parametrize("count", [0, 1, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE + 1])
def test_empty_lines_are_taken_off_a_long_page_as_off_a_short_one(inside: str, count: int):
    for page in (inside, "\n" * count + inside, inside + "\r\n" * count, "\r" * count + inside + "\n" * count):
        assert pages.without_empty_lines(page) == page.strip("\r\n")


@pytest.mark.parametrize(
    "named", ["text/xml", "text/xml; charset=utf-8", "text/plain; charset=é", "text/xml; charset=utf-16"]
)
@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_a_document_in_utf_16_is_read_as_such_whatever_charset_is_named(encoding: str, named: str):
    operation = inforouter.AuthenticateUser("ann", "secret")
    body = '<response success="true" error="" ticket="3f2a" fullname="Zoë 漢字"/>'.encode(encoding)
    response = Response(200, body, {"Content-Type": named})
    outcome = read(codec(type(operation), Binding.HTTP_POST), operation, Authorization(), response)
    assert (outcome.value.ticket, outcome.value.full_name) == ("3f2a", "Zoë 漢字")


@pytest.mark.parametrize("begin", ["<\0a\0/\0>\0", "\0<\0a\0/\0>"])
def test_expat_takes_no_text_for_utf_16_that_has_been_decoded(begin: str):
    with pytest.raises(ValueError, match="not XML"):
        bounded.BoundedParser().Parse(begin.encode(), True)
