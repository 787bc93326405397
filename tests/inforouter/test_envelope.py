"""Answers that no sample shows: malformed ones, nearly well-formed ones, codes that are in no table."""

import base64
import pickle
from xml.etree import ElementTree as ET

import attrs
import pytest

from aiorescue import Binding, errors, inforouter
from aiorescue.inforouter import Element, LogEntry, invocation
from aiorescue.operation import OutcomeClass
from aiorescue.wire import Authorization, Response, codec, read

LIST = invocation("GetDocuments", {"Path": "/"})
BYTES = invocation("DownloadDocument", {"Path": "/"})


def outcome(body, operation=LIST, binding=Binding.HTTP_POST, status=200, **headers):
    headers = {name.replace("_", "-"): value for name, value in headers.items()}
    body = body if isinstance(body, bytes) else body.encode()
    return read(codec(type(operation), binding), operation, Authorization(), Response(status, body, headers=headers))


def soap(result, method="GetDocuments"):
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{method}Response xmlns="http://tempuri.org/">{result}</{method}Response></s:Body></s:Envelope>'
    )


@pytest.mark.parametrize(
    "body",
    [
        "<root/>",
        "<root><a success='true'/></root>",
        "<html><body/></html>",
        "no XML",
        "<!DOCTYPE a><root success='true'/>",
        "<root " + "><a" * 5000 + ">" + "</a>" * 5000 + "</root>",
        soap("<GetDocumentsResult/>"),
    ],
)
def test_what_is_no_answer_is_a_protocol_error(body):
    found = outcome(body)
    assert (found.outcome_class, found.error) == (OutcomeClass.FINAL, errors.ProtocolError)


@pytest.mark.parametrize("body", ["", "<root succ", '<root success="true">'])
def test_an_answer_that_is_cut_short_is_asked_for_again(body):
    found = outcome(body)
    assert (found.outcome_class, found.error, found.ambiguous) == (OutcomeClass.TRANSIENT, errors.ProtocolError, True)


@pytest.mark.parametrize(
    "inner", ['<root xmlns="" success="true"/>', '<root success="true"/>', '<r:x xmlns:r="u" success="TRUE"/>']
)
def test_names_are_matched_without_their_namespace(inner):
    body = soap(f"<GetDocumentsResult>\n {inner}\n</GetDocumentsResult>")
    found = outcome(body, binding=Binding.SOAP11)
    assert (found.outcome_class, found.value.true("success")) == (OutcomeClass.OK, True)


def test_a_soap_fault_is_a_fault():
    body = soap("").replace("GetDocumentsResponse", "s:Fault").replace(
        "</s:Fault>", "<faultcode>s:Client</faultcode><faultstring>no</faultstring></s:Fault>"
    )  # fmt: skip
    assert outcome(body, binding=Binding.SOAP11, status=500).error is errors.ServiceFault
    assert outcome(soap("<Other/>"), binding=Binding.SOAP11).error is errors.ProtocolError


@pytest.mark.parametrize("said", ["True", "TRUE", " true "])
@pytest.mark.parametrize("name", ["success", "Success", "SUCCESS"])
def test_success_in_any_case(said, name):
    assert outcome(f'<Response {name}="{said}" error="irrelevant"/>').outcome_class is OutcomeClass.OK


@pytest.mark.parametrize(
    ("attributes", "error", "word"),
    [
        ('error="[901]session"', errors.NotLoggedIn, "[901]"),
        ('error="[901]  x" errorCode="4041"', errors.NotLoggedIn, "[901]"),
        ('error="[123456] neu"', errors.ServiceError, "[123456]"),
        ('error="" errorcode="4030"', errors.PermissionDenied, "4030"),
        ('error="x" errorCode="4042"', errors.NotFound, "4042"),
        ('error="x" errorCode="4011"', errors.AuthenticationError, "4011"),
        ('error="x" errorCode="7777"', errors.ServiceError, "7777"),
        ('error="x" errorCode="0"', errors.ServiceError, "x"),
        ('error="x" errorCode="none"', errors.ServiceError, "x"),
        ('error="SystemError: x"', errors.ServiceError, "SystemError: x"),
        ('success="yes" error=""', errors.ServiceError, ""),
    ],
)
def test_codes(attributes, error, word):
    found = outcome(f"<response {attributes}/>")
    assert (found.error, found.word, found.value) == (error, word, None)


def test_a_login_has_no_ticket_that_could_have_ended():
    login = inforouter.AuthenticateUser("ann", "secret")
    found = outcome('<root success="false" error="secret is wrong" errorCode="4010"/>', login)
    assert (found.error, found.quote) == (errors.AuthenticationError, "*** is wrong")


def test_a_ticket_that_is_empty_is_none():
    login = inforouter.AuthenticateUser("ann", "secret")
    assert outcome('<root success="true" ticket=" "/>', login).error is errors.ProtocolError


def test_logs_are_found_wherever_they_are():
    body = '<root success="false" error="[log]"><logs><log><item>a</item><error>b</error></log></logs></root>'
    assert outcome(body).more == {"log": (LogEntry("a", "b"),)}
    problem = errors.PartialFailure("x", log=(LogEntry("a", "b"),))
    assert pickle.loads(pickle.dumps(problem)).log == problem.log


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ('"aGVsbG8="', b"hello"),
        ('"aGVs\\r\\nbG8="', b"hello"),
        ('""', b""),
        ("", b""),
        ("null", b""),
        ('<base64Binary xmlns="http://tempuri.org/">aGVsbG8=</base64Binary>', b"hello"),
    ],
)
def test_bytes(body, expected):
    assert outcome(body, BYTES).value == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        ("{}", OutcomeClass.FINAL),
        ("[1]", OutcomeClass.FINAL),
        ('"aGVsbG8', OutcomeClass.TRANSIENT),
        ('"aGVsbG8"', OutcomeClass.TRANSIENT),
    ],
)
def test_what_are_no_bytes(body, kind):
    found = outcome(body, BYTES)
    assert (found.outcome_class, found.error) == (kind, errors.ProtocolError)


def test_bytes_over_soap_and_their_failure_as_a_document():
    text = base64.b64encode(bytes(range(256))).decode()
    body = soap(f"<DownloadDocumentResult>{text}</DownloadDocumentResult>", "DownloadDocument")
    assert outcome(body, BYTES, Binding.SOAP11).value == bytes(range(256))
    assert outcome(soap("", "DownloadDocument"), BYTES, Binding.SOAP11).value == b""
    assert outcome('<root success="false" error="[901] x"/>', BYTES).error is errors.NotLoggedIn


@pytest.mark.parametrize("status", [200, 401, 403, 404, 500])
def test_a_header_says_why_whatever_the_status(status):
    headers = {"X_InfoRouter_ErrorCode": "4030", "X_InfoRouter_Error": "No."}
    found = outcome('""', BYTES, status=status, **headers)
    assert (found.error, found.word, found.quote) == (errors.PermissionDenied, "4030", "No.")
    assert outcome('"aGVsbG8="', BYTES, X_InfoRouter_ErrorCode="0").value == b"hello"


def test_an_element_is_a_frozen_value_read_in_any_case():
    root = outcome('<root success="true" A="1"><B/><c>x</c><b n="2">  </b></root>').value
    assert ("a" in root, "z" in root, root["a"], root.get("z")) == (True, False, "1", "")
    assert [child.tag for child in root] == ["B", "c", "b"]
    assert [child.get("N") for child in root.all("b")] == ["", "2"]
    assert (root.find("C"), root.find("d")) == (Element("c", text="x"), None)
    assert root.find("b") == Element("B")
    assert pickle.loads(pickle.dumps(root)) == root
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        root.tag = "other"


@pytest.mark.parametrize("hours", ["1e400", "99999999999", "nan", "x"])
def test_a_zone_that_is_none_is_no_answer(hours):
    found = outcome(f'<root success="true" VersionNumber="9" UTC_Offset="{hours}"/>', inforouter.ServerInfo())
    assert (found.outcome_class, found.error) == (OutcomeClass.FINAL, errors.ProtocolError)


@pytest.mark.parametrize(
    ("markup", "text"),
    [("a<br/>b", "ab"), ("see <b>this</b> now", "see this now"), (" <b>x</b> ", ""), ("<b/>c", "c"), ("d", "d")],
)
def test_the_text_around_markup_is_not_lost(markup, text):
    assert Element.of(ET.fromstring(f"<Note>{markup}</Note>")).text == text
