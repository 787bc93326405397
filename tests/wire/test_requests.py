"""Requests, byte for byte as the vendors' pages show them, without the indentation of the pages."""

import enum

import pytest

from aiorescue import Binding, errors, rescue
from aiorescue.inforouter import IsValidTicket, LogOut, RenewTicket, UploadFileChunk
from aiorescue.inforouter.invocation import invocation
from aiorescue.rescue.raw import call_of
from aiorescue.wire import Authorization, Request, codec

ENVELOPE = (
    '<?xml version="1.0" encoding="utf-8"?><{p}:Envelope xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    ' xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:{p}="{ns}"><{p}:Body>{body}</{p}:Body></{p}:Envelope>'
)
RESCUE = "https://secure.logmeinrescue.com/API/API.asmx"
CLOSE = f'<closeSession xmlns="{RESCUE}"><iSession>12345678</iSession><sAuthCode>4ahx80u0</sAuthCode></closeSession>'
FORM = "application/x-www-form-urlencoded; charset=utf-8"
STAMP = Authorization(code="4ahx80u0")


def soap11(body: str) -> bytes:
    return ENVELOPE.format(p="soap", ns="http://schemas.xmlsoap.org/soap/envelope/", body=body).encode()


def soap12(body: str) -> bytes:
    return ENVELOPE.format(p="soap12", ns="http://www.w3.org/2003/05/soap-envelope", body=body).encode()


def encoded(operation, binding: Binding, authorization: Authorization = STAMP) -> Request:
    return codec(type(operation), binding).encode(operation, authorization)


def test_soap_11():
    request = encoded(rescue.CloseSession(12345678), Binding.SOAP11)
    assert request == Request(
        "POST",
        "/API/API.asmx",
        headers={"Content-Type": "text/xml; charset=utf-8", "SOAPAction": f'"{RESCUE}/closeSession"'},
        body=soap11(CLOSE),
    )


def test_soap_12():
    request = encoded(rescue.CloseSession(12345678), Binding.SOAP12)
    assert request == Request(
        "POST",
        "/API/API.asmx",
        headers={"Content-Type": "application/soap+xml; charset=utf-8"},
        body=soap12(CLOSE),
    )


@pytest.mark.parametrize(
    ("binding", "expected"),
    [
        (Binding.HTTP_GET, Request("GET", "/API/API.asmx/closeSession", "iSession=12345678&sAuthCode=4ahx80u0")),
        (
            Binding.HTTP_POST,
            Request(
                "POST",
                "/API/API.asmx/closeSession",
                headers={"Content-Type": FORM},
                body=b"iSession=12345678&sAuthCode=4ahx80u0",
            ),
        ),
        (Binding.TEXT_GET, Request("GET", "/API/closeSession.aspx", "session=12345678&authcode=4ahx80u0")),
        (
            Binding.TEXT_POST,
            Request(
                "POST",
                "/API/closeSession.aspx",
                headers={"Content-Type": FORM},
                body=b"session=12345678&authcode=4ahx80u0",
            ),
        ),
    ],
)
def test_forms_and_text_pages(binding: Binding, expected: Request):
    assert encoded(rescue.CloseSession(12345678), binding) == expected


def test_a_cookie_goes_into_the_headers_and_leaves_the_template_alone():
    stamped = encoded(rescue.Logout(), Binding.SOAP11, Authorization(cookie="ASP.NET_SessionId=abc"))
    assert stamped.headers["Cookie"] == "ASP.NET_SessionId=abc"
    assert "Cookie" not in encoded(rescue.Logout(), Binding.SOAP11, Authorization()).headers


def test_every_field_of_a_pin_request_has_its_place():
    operation = rescue.RequestLensPinCodeV2(custom_fields=["a<b", "", "&"], tracking="x\ry", no_tech_console=True)
    fields = "<sCField0>a&lt;b</sCField0><sCField1></sCField1><sCField2>&amp;</sCField2>" + "".join(
        f"<sCField{n}></sCField{n}>" for n in (3, 4, 5)
    )
    body = (
        f'<requestLensPINCodeV2 xmlns="{RESCUE}">{fields}<sTracking0>x&#13;y</sTracking0>'
        "<bNoTechConsole>true</bNoTechConsole><sAuthCode>4ahx80u0</sAuthCode></requestLensPINCodeV2>"
    )
    assert encoded(operation, Binding.SOAP11).body == soap11(body)


def test_a_text_page_is_told_only_what_is_there():
    operation = rescue.RequestPinCode(custom_fields=["", "ü"], no_tech_console=True)
    assert encoded(operation, Binding.TEXT_POST, Authorization()).body == b"cfield1=%C3%BC&notechconsole=1"


def test_a_number_left_out_is_not_sent():
    assert b"nodeId" not in encoded(rescue.RequestPinCodeV3(), Binding.SOAP12).body
    assert b"<nodeId>7</nodeId>" in encoded(rescue.RequestPinCodeV3(node=7), Binding.SOAP12).body


def test_infoRouters_log_out():  # noqa: N802 - its name
    body = '<LogOut xmlns="http://tempuri.org/"><AuthenticationTicket>3f2a</AuthenticationTicket></LogOut>'
    request = encoded(LogOut("3f2a"), Binding.SOAP11, Authorization())
    assert (request.path, request.body) == ("/srv.asmx", soap11(body))
    assert request.headers["SOAPAction"] == '"http://tempuri.org/LogOut"'
    assert encoded(LogOut("3f2a"), Binding.HTTP_GET, Authorization()).query == "AuthenticationTicket=3f2a"


def test_bytes_of_any_kind_are_a_part_of_their_own():
    class Chunk(bytes):
        __slots__ = ()

    chunk = UploadFileChunk("handler", Chunk(b"\0hello"), "0", last=True)
    assert b"application/octet-stream\r\n\r\n\0hello\r\n" in encoded(chunk, Binding.HTTP_POST).body


def test_a_request_shows_no_body_and_no_query():
    for binding in rescue.CloseSession.spec.bindings:
        assert "4ahx80u0" not in repr(encoded(rescue.CloseSession(1), binding))


@pytest.mark.parametrize("binding", [Binding.HTTP_GET, Binding.HTTP_POST])
@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (LogOut(), "AuthenticationTicket="),
        (IsValidTicket(), "AuthenticationTicket="),
        (RenewTicket("ann", "secret"), "UID=ann&PWD=secret&Lang=&OldTicket="),
    ],
)
def test_what_is_left_out_is_sent_empty_as_asmx_wants_it_to_be_there(operation, expected, binding):
    request = encoded(operation, binding, Authorization(cookie="ticket=3f2a"))
    assert (request.query or request.body.decode()) == expected
    assert request.headers["Cookie"] == "ticket=3f2a"


def test_over_soap_it_is_left_out():
    request = encoded(LogOut(), Binding.SOAP11, Authorization(cookie="ticket=3f2a"))
    assert b"AuthenticationTicket" not in request.body


class Number(enum.IntEnum):
    TWO = 2


class Word(str, enum.Enum):  # noqa: UP042 - not a StrEnum: `str` shows the name of its members
    SMALL = "small & plain"


@pytest.mark.parametrize("binding", Binding)
def test_a_member_of_an_enum_is_sent_as_its_value(binding: Binding):
    operation = call_of("doSomething", {"number": Number.TWO, "word": Word.SMALL, "flag": True})
    request = encoded(operation, binding)
    sent = request.query or (request.body or b"").decode()
    if binding in (Binding.SOAP11, Binding.SOAP12):
        assert "<number>2</number><word>small &amp; plain</word><flag>true</flag>" in sent
    else:
        assert f"number=2&word=small+%26+plain&flag={'1' if 'TEXT' in binding.name else 'true'}" in sent


@pytest.mark.parametrize("binding", [Binding.HTTP_GET, Binding.HTTP_POST])
def test_a_nul_that_came_in_after_the_check_moves_no_value(binding: Binding):
    operation = invocation("GetDocument", {"Path": "/a"})
    operation.values["Path"] = "/a\0EVIL"
    with pytest.raises(errors.InvalidRequest, match="NUL"):
        encoded(operation, binding)
