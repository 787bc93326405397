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
def test_what_is_no_answer_is_a_protocol_error_and_leaves_open_what_was_done(body):
    found = outcome(body)
    assert (found.outcome_class, found.error, found.ambiguous) == (OutcomeClass.FINAL, errors.ProtocolError, True)


@pytest.mark.parametrize("attributes", ["success=''", "success='yes' error=''", "error=''", "success=' ' error=' '"])
def test_an_answer_that_names_neither_a_failure_nor_a_success_leaves_open_what_was_done(attributes):
    found = outcome(f"<root {attributes}/>")
    assert (found.error, found.ambiguous) == (errors.ServiceError, True)
    for clear in ("success='false'", "error='[115] no library'", "success='no' errorCode='4041'"):
        assert not outcome(f"<root {clear}/>").ambiguous


@pytest.mark.parametrize("said", ["[log]", "[LOG]", " [Log] 1 of 2"])
@pytest.mark.parametrize("success", ["true", "false"])
def test_a_failure_for_some_items_is_one_in_any_spelling(said, success):
    log = "<log><item>a.pdf</item><error>locked</error></log>"
    found = outcome(f"<root success='{success}' error='{said}'>{log}</root>", inforouter.CreateFolder("/a"))
    assert (found.error, found.more["log"]) == (errors.PartialFailure, (LogEntry("a.pdf", "locked"),))


def test_blanks_before_a_code_hide_nothing():
    assert outcome("<root success='false' error=' [901] expired'/>").error is errors.NotLoggedIn


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


def test_a_ticket_with_a_byte_that_is_no_text_is_none():
    login = inforouter.AuthenticateUser("ann", "secret")
    assert outcome(b'<root success="true" ticket="3f\xff2a"/>', login).error is errors.ProtocolError


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


@pytest.mark.parametrize("inside", ["aGVs<b>bG8=</b>", "<b/>aGVsbG8=", "aGVs<i/>bG8="])
def test_base64_with_markup_in_it_is_no_part_of_the_bytes(inside):
    bodies = {
        Binding.HTTP_POST: f"<base64Binary>{inside}</base64Binary>",
        Binding.SOAP11: soap(f"<DownloadDocumentResult>{inside}</DownloadDocumentResult>", "DownloadDocument"),
    }
    for binding, body in bodies.items():
        found = outcome(body, BYTES, binding)
        assert (found.outcome_class, found.error) == (OutcomeClass.FINAL, errors.ProtocolError)
        assert "elements in a text" in found.detail


@pytest.mark.parametrize("inside", ["aGVs-G8=", "aGVs_G8=", "aGVs!bG8="])
def test_signs_that_are_none_of_base64_are_not_passed_over(inside):
    for body in (f'"{inside}"', f"<base64Binary>{inside}</base64Binary>"):
        assert outcome(body, BYTES).error is errors.ProtocolError


@pytest.mark.parametrize("inside", ["{0}{0}", "a{0}", "{0}a"])
def test_a_result_of_more_than_one_document_is_no_answer(inside):
    root = '<response success="true" error=""/>'
    body = soap(f"<GetDocumentsResult>{inside.format(root)}</GetDocumentsResult>")
    assert outcome(body, LIST, Binding.SOAP11).error is errors.ProtocolError
    assert outcome(soap(f"<GetDocumentsResult>{root}</GetDocumentsResult>"), LIST, Binding.SOAP11).value is not None


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


@pytest.mark.parametrize("hours", ["1e400", "99999999999", "nan", "x", "1e1", "1_0", "\u0661"])
def test_a_zone_that_is_none_is_no_answer(hours):
    found = outcome(f'<root success="true" VersionNumber="9" UTC_Offset="{hours}"/>', inforouter.ServerInfo())
    assert (found.outcome_class, found.error) == (OutcomeClass.FINAL, errors.ProtocolError)


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("a<br/>b", "ab"),
        ("see <b>this</b> now", "see this now"),
        ("see <b>this <i>one</i></b> now", "see this one now"),
        ("see <ul> <li>this</li> <li><b>one</b></li></ul> now", "see  this one now"),
        (" <b>x</b> ", ""),
        ("<b/>c", "c"),
        ("d", "d"),
    ],
)
def test_the_text_around_markup_is_not_lost(markup, text):
    assert Element.of(ET.fromstring(f"<Note>{markup}</Note>")).text == text


def test_markup_that_is_nested_absurdly_deep_in_a_text_is_no_answer():
    """Each element has a copy of the text in it."""
    for depth, is_read in ((4, True), (5, False)):
        found = outcome(f'<root success="true">a{"<b>" * depth}c{"</b>" * depth}</root>')
        assert (found.outcome_class is OutcomeClass.OK) is is_read
        assert is_read or found.error is errors.ProtocolError


@pytest.mark.parametrize(
    ("word", "is_true"), [("TRUE", True), (" 1 ", True), ("false", False), ("0", False), ("", False)]
)
def test_an_attribute_says_true_or_false(word, is_true):
    assert Element("User", {"Enabled": word}).true("enabled") is is_true


@pytest.mark.parametrize("word", ["yes", "on", "2", "\u0661"])
def test_an_attribute_that_says_neither_is_not_false(word):
    body = f'<root success="true"><User UserID="1" UserName="a" Enabled="{word}"/></root>'
    found = outcome(body, inforouter.GetCurrentUser())
    assert (found.error, found.detail) == (
        errors.ProtocolError,
        "the answer cannot be read: Enabled is neither true nor false",
    )


@pytest.mark.parametrize("number", ["1_0", "١٢", "1e1", "1.0", "0x1", "NaN", "²"])
def test_what_is_no_whole_number_is_none(number):
    documents = f'<root success="true"><document DocumentID="{number}" Name="a"/></root>'
    assert outcome(documents, inforouter.GetDocument("/a")).error is errors.ProtocolError
    size = f'<root success="true"><document DocumentID="1" Size="{number}" Name="a"/></root>'
    assert outcome(size, inforouter.GetDocument("/a")).value.size is None
