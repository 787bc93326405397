"""Decoding answers: variations of the envelope, and bodies that are no answer at all."""

import pytest

from aiorescue import Binding, errors, rescue
from aiorescue.operation import Outcome, OutcomeClass
from aiorescue.wire import Authorization, Response, charset, codec, read
from aiorescue.wire.response import retry_after

RESCUE = "https://secure.logmeinrescue.com/API/API.asmx"
SOAP11, SOAP12 = "http://schemas.xmlsoap.org/soap/envelope/", "http://www.w3.org/2003/05/soap-envelope"
PIN = (
    "<requestPINCodeResponse xmlns='{ns}'><requestPINCodeResult>{word}</requestPINCodeResult>{out}"
    "</requestPINCodeResponse>"
)


def envelope(body: str, namespace: str = SOAP11, prefix: str = "soap") -> str:
    return f'<{prefix}:Envelope xmlns:{prefix}="{namespace}"><{prefix}:Body>{body}</{prefix}:Body></{prefix}:Envelope>'


def answer(word: str = "requestPINCode_OK", out: str = "<iPINCode>12345</iPINCode>", ns: str = RESCUE) -> str:
    return PIN.format(ns=ns, word=word, out=out)


def outcome_of(body: str | bytes, operation=None, binding: Binding = Binding.SOAP11, status: int = 200) -> Outcome:
    operation = operation or rescue.RequestPinCode()
    data = body.encode() if isinstance(body, str) else body
    return read(codec(type(operation), binding), operation, Authorization(), Response(status=status, body=data))


@pytest.mark.parametrize(
    "body",
    [
        envelope(answer()),
        envelope(answer(), SOAP12, "soap12"),
        envelope(answer(), SOAP11, "s"),
        "\ufeff" + envelope(answer()),
        '<?xml version="1.0" encoding="utf-8"?>\n' + envelope("\n  " + answer() + "\n"),
        '\r\n<?xml version="1.0"?>' + envelope(answer(out="<iPINCode>\n12345\n</iPINCode>")),
        envelope(answer()).replace("soap:", "").replace("xmlns:soap", "xmlns"),
        envelope(
            f'<r:requestPINCodeResponse xmlns:r="{RESCUE}"><r:requestPINCodeResult>requestPINCode_OK'
            "</r:requestPINCodeResult><r:iPINCode>12345</r:iPINCode></r:requestPINCodeResponse>"
        ),
    ],
    ids=[
        "1.1",
        "1.2",
        "another prefix",
        "byte order mark",
        "indented",
        "a blank line before",
        "no prefix",
        "qualified",
    ],
)
def test_elements_are_matched_by_namespace(body: str):
    assert outcome_of(body).value == rescue.PinCode("012345")


def test_a_pin_may_have_blanks_around_it():
    body = envelope(answer(out="<sPINCode>\n  012345\n</sPINCode>")).replace("CodeRes", "CodeV3Res")
    assert outcome_of(body, rescue.RequestPinCodeV3(), Binding.SOAP12).value == rescue.PinCode("012345")


def test_a_foreign_namespace_is_no_answer():
    assert outcome_of(envelope(answer(ns="urn:other"))).error is errors.ProtocolError


@pytest.mark.parametrize(
    "out", ["", "<iPINCode />", "<iPINCode>1234567</iPINCode>", "<iPINCode>-1</iPINCode>", "<iPINCode>x</iPINCode>"]
)
def test_an_ok_without_a_pin_is_no_answer_and_may_have_left_one(out: str):
    outcome = outcome_of(envelope(answer(out=out)))
    assert (outcome.outcome_class, outcome.error, outcome.ambiguous) == (OutcomeClass.FINAL, errors.ProtocolError, True)


@pytest.mark.parametrize("text", ["OK\n\nPINCODE:0123", "OK\n\nPINCODE:", "OK\n\nPIN", "OK"])
def test_a_text_answer_cut_short_is_tried_again_and_never_padded(text: str):
    outcome = outcome_of(text, binding=Binding.TEXT_POST)
    assert (outcome.outcome_class, outcome.error, outcome.ambiguous) == (
        OutcomeClass.TRANSIENT,
        errors.ProtocolError,
        True,
    )


@pytest.mark.parametrize(
    "text", ["OK\n\nPINCODE:012345", "OK PINCODE:012345", "OK\r\n\r\nPINCODE: 012345\r\n", " OK\nPINCODE:012345"]
)
def test_a_text_answer_may_break_its_lines_as_it_likes(text: str):
    assert outcome_of(text, binding=Binding.TEXT_GET).value == rescue.PinCode("012345")


def test_an_auth_code_may_hold_colons():
    outcome = outcome_of("OK AUTHCODE: a:b:c", rescue.RequestAuthCode("me", "x"), Binding.TEXT_POST)
    assert outcome.value == "a:b:c"


@pytest.mark.parametrize(
    "body",
    [
        "<!DOCTYPE x><x/>",
        '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]>' + envelope(answer()),
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">' + envelope(answer()),
    ],
)
def test_a_doctype_is_refused(body: str):
    outcome = outcome_of(body)
    assert (outcome.outcome_class, outcome.error) == (OutcomeClass.FINAL, errors.ProtocolError)
    assert "DOCTYPE" in outcome.detail


@pytest.mark.parametrize("length", [0, 1, 20, 100, 200, 300])
def test_xml_cut_anywhere_is_tried_again(length: int):
    outcome = outcome_of(('<?xml version="1.0" encoding="utf-8"?>' + envelope(answer()))[:length])
    assert (outcome.outcome_class, outcome.error) == (OutcomeClass.TRANSIENT, errors.ProtocolError)


FAULT11 = (
    "<soap:Fault><faultcode>soap:{code}</faultcode>"
    "<faultstring>Cannot ---&gt; because\n   at A.B()</faultstring></soap:Fault>"
)
FAULT12 = (
    "<soap:Fault><soap:Code><soap:Value>soap:{code}</soap:Value></soap:Code>"
    '<soap:Reason><soap:Text xml:lang="en">Cannot ---&gt; because</soap:Text></soap:Reason></soap:Fault>'
)
XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
GERMAN = '<soap:Text xml:lang="de">Geht nicht</soap:Text></soap:Reason>'


@pytest.mark.parametrize("status", [200, 500])
@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (envelope(FAULT11.format(code="Client")), OutcomeClass.FINAL, errors.ServiceFault),
        (envelope(FAULT11.format(code="VersionMismatch")), OutcomeClass.FINAL, errors.ServiceFault),
        (envelope(FAULT11.format(code="Server")), OutcomeClass.TRANSIENT, errors.ServiceError),
        (envelope(FAULT12.format(code="Sender"), SOAP12), OutcomeClass.FINAL, errors.ServiceFault),
        (envelope(FAULT12.format(code="Receiver"), SOAP12), OutcomeClass.TRANSIENT, errors.ServiceError),
        (envelope(FAULT11.format(code="Client.Authentication")), OutcomeClass.FINAL, errors.ServiceFault),
        (envelope(FAULT11.format(code="Client\n ")), OutcomeClass.FINAL, errors.ServiceFault),
        (
            envelope(FAULT11.format(code="Client").replace("<faultcode>", f'<faultcode {XSI} xsi:type="QName">')),
            OutcomeClass.FINAL,
            errors.ServiceFault,
        ),
        (
            envelope(FAULT12.format(code="Sender\n").replace("</soap:Reason>", GERMAN), SOAP12),
            OutcomeClass.FINAL,
            errors.ServiceFault,
        ),
    ],
)
def test_a_fault_is_ours_or_the_servers(body: str, kind: OutcomeClass, error: type, status: int):
    outcome = outcome_of(body, status=status)
    assert (outcome.outcome_class, outcome.error) == (kind, error)
    assert (outcome.detail, outcome.quote) == ("SOAP fault", "Cannot ---> because")


def test_what_a_form_says_of_a_request_it_could_not_read_is_our_fault():
    close = rescue.CloseSession(1)
    unread = outcome_of("Missing parameter: {0}.", close, Binding.HTTP_POST, 500)
    assert (unread.outcome_class, unread.error) == (OutcomeClass.FINAL, errors.ServiceFault)
    other = outcome_of("Deadlock victim", close, Binding.HTTP_POST, 500)
    assert (other.outcome_class, other.error) == (OutcomeClass.TRANSIENT, errors.ServiceError)


def test_a_message_quotes_the_beginning_only():
    outcome = outcome_of("<html>" + "x" * 10_000)
    assert "xxx" in outcome.quote
    assert len(outcome.quote) < 400


@pytest.mark.parametrize(
    ("header", "low", "high"),
    [("120", 120, 120), ("Wed, 21 Oct 2065 07:28:00 GMT", 1e9, 1e10), ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0)],
)
def test_retry_after_is_seconds_or_a_date(header: str, low: float, high: float):
    assert low <= retry_after(header) <= high


@pytest.mark.parametrize("date", ["Wed, 21 Oct 2065 07:27:55 GMT", "Wed, 21 Oct 2065 07:27:55"])
def test_a_date_to_try_again_is_read_by_the_clock_of_the_server(date: str):
    assert retry_after("Wed, 21 Oct 2065 07:28:00 GMT", date) == 5
    operation, headers = rescue.GetNote(1), {"Retry-After": "Wed, 21 Oct 2065 07:28:00 GMT", "Date": date}
    outcome = read(codec(rescue.GetNote, Binding.TEXT_POST), operation, Authorization(), Response(503, b"", headers))
    assert outcome.retry_after == 5


@pytest.mark.parametrize("header", [None, "", "soon", "-5", "١٢"])
def test_an_unreadable_retry_after_is_none(header: str | None):
    assert retry_after(header) is None


def test_an_empty_text_is_one():
    body = f'<getNoteResponse xmlns="{RESCUE}"><getNoteResult>getNote_OK</getNoteResult><sNote /></getNoteResponse>'
    usual = '<?xml version="1.0" encoding="utf-8"?>' + envelope(body)
    assert outcome_of(usual, rescue.GetNote(1)).value == outcome_of(envelope(body), rescue.GetNote(1)).value == ""


@pytest.mark.parametrize(
    "out",
    [
        "<iPINCode><a>1</a></iPINCode>",
        "<iPINCode>1</iPINCode><iPINCode>2</iPINCode>",
        "<iPINCode>1_2_3</iPINCode>",
        "<iPINCode>١٢</iPINCode>",
    ],
)
def test_a_pin_that_is_no_number_is_no_answer(out: str):
    outcome = outcome_of(envelope(answer(out=out)))
    assert (outcome.outcome_class, outcome.error) == (OutcomeClass.FINAL, errors.ProtocolError)


@pytest.mark.parametrize(
    ("prolog", "header", "encoding"),
    [
        ("", "text/xml", "utf-8"),
        ('<?xml version="1.0"?>', "text/xml", "utf-8"),
        ('<?xml version="1.0" encoding="iso-8859-1"?>', "text/xml", "iso-8859-1"),
        ("<?xml version='1.0' encoding='windows-1252'?>", "", "windows-1252"),
        ('<?xml version="1.0" encoding="utf-16"?>', "text/xml; charset=utf-8", "utf-8"),  # the headers come first
        ('<?xml version="1.0" encoding="none"?>', "text/xml", "utf-8"),
    ],
)
def test_a_document_may_name_its_charset_where_the_headers_do_not(prolog: str, header: str, encoding: str):
    text = prolog + envelope(
        PIN.replace("requestPINCode", "getNote").format(ns=RESCUE, word="getNote_OK", out="<sNote>é</sNote>")
    )
    operation = rescue.GetNote(1)
    response = Response(200, text.encode(encoding), {"Content-Type": header})
    assert read(codec(type(operation), Binding.SOAP11), operation, Authorization(), response).value == "é"


@pytest.mark.parametrize(
    ("name", "text", "encoding"),
    [
        ("ISO-8859-1", "“5 €” é", "cp1252"),
        ("latin1", "“5 €” é", "cp1252"),
        ("gb2312", "镕 é", "gb18030"),
        ("Shift_JIS", "①髙", "cp932"),
        ("euc-kr", "똠", "cp949"),
    ],
)
def test_a_charset_is_read_as_browsers_read_it(name: str, text: str, encoding: str):
    operation = rescue.GetNote(1)
    response = Response(200, f"OK\n\nNOTE:{text}\n".encode(encoding), {"Content-Type": f"text/plain; charset={name}"})
    assert read(codec(type(operation), Binding.TEXT_POST), operation, Authorization(), response).value == text


@pytest.mark.parametrize("mark", ["utf-8-sig", "utf-16", "utf-32"])
@pytest.mark.parametrize("header", ["text/plain", "text/plain; charset=utf-8", "text/plain; charset=utf-16"])
def test_a_byte_order_mark_tells_the_encoding_whatever_the_headers_say(mark: str, header: str):
    operation = rescue.GetNote(1)
    response = Response(200, "OK\n\nNOTE:é\n".encode(mark), {"Content-Type": header})
    assert read(codec(type(operation), Binding.TEXT_POST), operation, Authorization(), response).value == "é"


@pytest.mark.parametrize(
    "name", ["utf-16", "UTF-16BE", "utf-16le", "utf-32", "cp037", "IBM500", "cp1140", "shift_jisx0213"]
)
def test_a_charset_in_which_a_text_is_not_is_no_disguise(name: str):
    operation, header = rescue.GetNote(1), {"Content-Type": f"text/plain; charset={name}"}
    encoder = codec(type(operation), Binding.TEXT_POST)
    outcome = read(encoder, operation, Authorization(), Response(200, b"OK\n\nNOTE:a~b\\c\n", header))
    assert outcome.value == "a~b\\c"
    outcome = read(encoder, operation, Authorization("my~code\\1"), Response(200, b"<oops>my~code\\1</oops>", header))
    assert outcome.quote == "<oops>***</oops>"


def test_what_is_ascii_is_read_as_ascii_in_each_single_and_multiple_byte_encoding():
    signs = bytes(range(32, 127))
    assert {name for name in charset._TEXT if charset.decoded(signs, name) != signs.decode()} == charset._WIDE
