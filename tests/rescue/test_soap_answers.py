"""Decoding SOAP answers in spellings that the samples do not show: nil, attributes, blanks, absent elements."""

import pytest

from aiorescue import errors, rescue, wire
from aiorescue.operation import Binding, Outcome, OutcomeClass
from aiorescue.rescue import NodeStatus, SessionStatus
from aiorescue.rescue.raw import call_of
from aiorescue.wire import Authorization, Response
from tests.rescue.decoding import decode

SOAP = Binding.SOAP11
_XSI = "http://www.w3.org/2001/XMLSchema-instance"


def outcome(name: str, inner: str, word: str = "") -> Outcome[object]:
    result = word or f"{rescue.OPERATIONS[name].spec.prefix}OK"
    body = (
        f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" xmlns:xsi="{_XSI}"><s:Body>'
        f'<{name}Response xmlns="https://secure.logmeinrescue.com/API/API.asmx"><{name}Result>{result}</{name}Result>'
        f"{inner}</{name}Response></s:Body></s:Envelope>"
    )
    return decode(name, SOAP, body)


def value(name: str, inner: str, word: str = "") -> object:
    found = outcome(name, inner, word)
    assert found.outcome_class is OutcomeClass.OK, found.detail
    return found.value


def user(fields: str) -> str:
    return f"<oUser><iNodeID>7</iNodeID>{fields}</oUser>"


NIL = 'xsi:nil="true"'


def test_nil_is_nothing_in_a_record_too():
    fields = f"<sName>Jane</sName><sNick {NIL}/><eStatus {NIL}/><hasMobileAddon {NIL}/><bAccountHolder {NIL}/>"
    assert value("getUser", user(fields)) == rescue.User(7, "Jane")


def test_attributes_say_nothing():
    fields = '<sName xsi:type="x">Zoë</sName><eStatus id="1">Away</eStatus><bAccountHolder id="2">true</bAccountHolder>'
    found = value("getUser", user(fields))
    assert found == rescue.User(7, "Zoë", status=NodeStatus.AWAY, account_holder=True)
    assert value("requestPINCode", '<iPINCode id="1">12345</iPINCode>').code == "012345"


def test_a_truth_in_another_language_is_no_guess():
    for word in ("nein", "wahr", "2"):
        assert outcome("getUser", user(f"<hasMobileAddon>{word}</hasMobileAddon>")).error is errors.ProtocolError
    assert value("getUser", user("<hasMobileAddon>True</hasMobileAddon>")).mobile_addon is True
    assert value("getUser", user("<hasMobileAddon>0</hasMobileAddon>")).mobile_addon is False


@pytest.mark.parametrize("name", ["sName", "eStatus", "bAccountHolder", "iNodeID"])
@pytest.mark.parametrize("content", ["<{0}><a>x</a></{0}>", "<{0}>true</{0}><{0}>true</{0}>"])
def test_what_should_be_a_text_and_is_none_is_an_error(name, content):
    found = outcome("getUser", f"<oUser>{content.format(name)}</oUser>")
    assert (found.outcome_class, found.error) == (OutcomeClass.FINAL, errors.ProtocolError)


@pytest.mark.parametrize("number", ["1_0", "\u0661\u0662", "1e3", "1.0", "NaN", "0x10", "²"])
def test_what_is_no_whole_number_is_an_error(number):
    for name, inside in (
        ("getUser", user("").replace("7", number)),
        ("requestPINCode", f"<iPINCode>{number}</iPINCode>"),
    ):
        found = outcome(name, inside)
        assert (found.outcome_class, found.error) == (OutcomeClass.FINAL, errors.ProtocolError)


def test_a_text_between_the_elements_of_a_record_is_not_passed_over():
    for inside in (user("lost"), user("<sName>Jane</sName>\n lost")):
        assert outcome("getUser", inside.replace("lost", "")).outcome_class is OutcomeClass.OK
        assert outcome("getUser", inside).error is errors.ProtocolError


def session(fields: str) -> rescue.Session:
    item = f"<SESSION_V3><iID>7</iID><bStatus>SESSION_PICKEDUP</bStatus>{fields}</SESSION_V3>"
    (only,) = value("getSession_V3", f"<aSessions>\n  {item}\n</aSessions>")
    return only


def test_a_custom_field_that_is_not_there_moves_no_other():
    found = session("<sCustomField1>second</sCustomField1><sCustomField3>fourth</sCustomField3>")
    assert found.custom_fields == ("", "second", "", "fourth")
    assert found.status is SessionStatus.PICKED_UP
    assert session(f"<sCustomField0 {NIL}/><sCustomField1>x</sCustomField1>").custom_fields == ("", "x")
    assert session("").custom_fields == ()


def test_an_empty_list_may_hold_blanks():
    assert value("getSession_V3", "<aSessions>\n</aSessions>") == []


def test_a_list_under_another_name_is_not_taken_for_an_empty_one():
    item = "<SESSION><iID>7</iID><bStatus>SESSION_PICKEDUP</bStatus></SESSION>"
    assert "holds no aSessions" in outcome("getSession", f"<aOthers>{item}</aOthers>").detail


@pytest.mark.parametrize("item", ["<NODE_PERMISSIONS id='1'>SendURL</NODE_PERMISSIONS>", "SendURL, "])
def test_a_permission_is_read_in_any_spelling(item):
    group = f"<oGroup><iNodeID>7</iNodeID><aPermissions>{item}</aPermissions></oGroup>"
    assert value("getGroup", group).permissions == ("SendURL",)


def test_permissions_that_are_no_names_are_an_error():
    deep = "<a>" * 2_000 + "</a>" * 2_000
    group = (
        f"<oGroup><iNodeID>7</iNodeID><aPermissions><NODE_PERMISSIONS>{deep}</NODE_PERMISSIONS></aPermissions></oGroup>"
    )
    assert outcome("getGroup", group).error is errors.ProtocolError


def test_a_text_that_is_null_is_not_there_and_empty():
    link = "<sSubject>Help</sSubject><sText>Click</sText><sLink>http://x/R?i=2</sLink>"
    assert value("generateEmailText", link) == rescue.EmailText("Help", "Click", "http://x/R?i=2", "")
    assert value("getNote", "") == ""


def test_a_text_under_another_name_is_not_taken_for_an_empty_one():
    assert "holds no sNote" in outcome("getNote", "<sNotes>text</sNotes>").detail


@pytest.mark.parametrize("code", ["<sAuthCode />", "<sAuthCode> </sAuthCode>", ""])
def test_an_empty_auth_code_is_none(code):
    assert outcome("requestAuthCode", code).error is errors.ProtocolError


def test_the_word_may_have_blanks_around_it():
    assert value("deleteNode", "", "\n  deleteNode_OK\n ") is None
    assert outcome("deleteNode", "", " deleteNode_NotLoggedIn ").word == "deleteNode_NotLoggedIn"


def test_a_raw_word_may_have_attributes_and_blanks_too():
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body><getDateFormatResponse'
        ' xmlns="https://secure.logmeinrescue.com/API/API.asmx"><getDateFormatResult id="1"> getDateFormat_{}'
        "\n</getDateFormatResult></getDateFormatResponse></s:Body></s:Envelope>"
    )
    call = call_of("getDateFormat", {})
    found = [
        wire.read(wire.codec(type(call), SOAP), call, Authorization(), Response(200, body.format(word).encode()))
        for word in ("OK", "NotLoggedIn")
    ]
    assert (found[0].value.status, found[1].error) == ("getDateFormat_OK", errors.NotLoggedIn)
