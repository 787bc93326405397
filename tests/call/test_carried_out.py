"""Whether a call may have been carried out before the service failed: then it is counted, and what creates is final."""

import pytest

from aiorescue import AuthCode, Binding, RescueClient, errors, wire
from aiorescue.emulator import Emulator
from aiorescue.operation import OutcomeClass
from aiorescue.rescue import CreateGroup, RequestPinCode
from tests.lab.clocks import QuickClock
from tests.rescue.decoding import decode
from tests.support import IMPATIENT

BROKEN = {
    "ERROR": ("word", {"word": "Error"}),
    **{f"HTTP {status}": ("http", {"status": status}) for status in (500, 501, 502, 503, 504)},
    "a fault of the server": ("fault_server", {}),
}
TURNED_AWAY = {
    "HTTP 408": ("http", {"status": 408}),
    "HTTP 429": ("http", {"status": 429, "retry_after": 1}),
    "HTTP 503 with a Retry-After": ("http", {"status": 503, "retry_after": 1}),
    "too fast": ("unknown_word", {"word": "PollRateExceeded"}),
}


def client_of(service):
    clock = QuickClock()
    return RescueClient(
        AuthCode("fixedtech0000"),
        base_url=service.url,
        retry=IMPATIENT,
        pace=None,
        clock=clock,
        binding=Binding.TEXT_POST,
    )


@pytest.mark.parametrize(("kind", "options"), BROKEN.values(), ids=BROKEN)
async def test_what_the_service_may_have_done_before_it_failed_is_counted(service: Emulator, kind, options):
    service.fault(kind, "requestPINCode", effect=True, **options)
    async with client_of(service) as client:
        pin = await client.request_pin_code(no_tech_console=True)
    assert [entry.pin for entry in service.ledger][-1:] == [pin.code]
    assert pin.possibly_orphaned == len(service.ledger) - 1 == 1


@pytest.mark.parametrize(("kind", "options"), BROKEN.values(), ids=BROKEN)
async def test_what_creates_is_not_repeated_after_such_an_answer(service: Emulator, kind, options):
    service.fault(kind, "createGroup", times=5, **options)
    async with client_of(service) as client:
        with pytest.raises(errors.AmbiguousOutcome):
            await client.call(CreateGroup(337364))
    assert service.requests.count == 1


@pytest.mark.parametrize(("kind", "options"), TURNED_AWAY.values(), ids=TURNED_AWAY)
async def test_what_was_turned_away_was_not_done(service: Emulator, kind, options):
    service.fault(kind, **options)
    async with client_of(service) as client:
        pin = await client.request_pin_code(no_tech_console=True)
        assert pin.possibly_orphaned == 0
    service.fault(kind, "createGroup", **options)
    async with client_of(service) as client:  # on a kept connection, a 408 may have crossed the request
        await client.call(CreateGroup(337364))


@pytest.mark.parametrize("status", [505, 507, 520, 524, 204])
async def test_another_status_of_a_server_is_counted_too(service: Emulator, status):
    service.fault("http", status=status)
    async with client_of(service) as client:
        with pytest.raises(errors.ProtocolError) as caught:
            await client.request_pin_code()
    assert caught.value.possibly_orphaned == 1


ERROR_PAGE = "/error.htm?aspxerrorpath=/API/requestPINCode.aspx&code=fixedtech0000"


async def test_a_redirect_to_an_error_page_after_the_work_is_counted(service: Emulator):
    service.fault("redirect", times=2, effect=True, location=ERROR_PAGE)
    async with client_of(service) as client:
        with pytest.raises(errors.ProtocolError, match=r"HTTP 302, a redirect to /error\.htm: ") as caught:
            await client.request_pin_code(no_tech_console=True)
        assert caught.value.possibly_orphaned == len(service.ledger) == 1
        assert "fixedtech0000" not in str(caught.value)
        with pytest.raises(errors.AmbiguousOutcome, match=r"a redirect to /error\.htm"):
            await client.call(CreateGroup(337364))


PAGE = "/API/createGroup.aspx"
BEFORE = {
    "a login page": (302, "/login?returnUrl=%2fAPI%2fAPI.asmx"),
    "a login page by its query": (302, "https://accounts.example.com/start?x=1&ReturnURL=%2fAPI"),
    "a login page by its path": (303, "/Account/LogOn.aspx"),
    "the same page over HTTPS": (301, f"https://rescue.example.com{PAGE}"),
    "the same page of another host": (308, f"https://www.example.com/rescue{PAGE.lower()}?x=1"),
    "the same path of SOAP": (307, "https://rescue.example.com/API/API.asmx"),
}
AFTER = {
    "an error page": (302, f"/error.htm?aspxerrorpath={PAGE}"),
    "an error page of a login page": (302, "/error.htm?aspxerrorpath=/login.aspx&returnurl=x"),
    "the page itself, as after a form": (302, PAGE),
    "another page": (301, "/maintenance.htm"),
    "no address": (302, None),
    "an address that is none": (301, "http://[::"),
}


@pytest.mark.parametrize(
    ("status", "location", "ambiguous"),
    [*((*one, False) for one in BEFORE.values()), *((*one, True) for one in AFTER.values())],
    ids=[*BEFORE, *AFTER],
)
def test_a_redirect_is_no_doubt_about_the_call_only_where_it_comes_before_the_work(status, location, ambiguous):
    headers = {} if location is None else {"Location": location}
    operation = CreateGroup(337364)
    codec = wire.codec(CreateGroup, Binding.TEXT_POST)
    outcome = wire.read(codec, operation, wire.ANONYMOUS, wire.Response(status, b"Object moved", headers))
    assert outcome.error is errors.ProtocolError
    assert outcome.ambiguous == ambiguous


def test_the_address_of_a_redirect_is_shown_without_user_and_query():
    location = "https://jane:s3cret@www.example.com:8443/maintenance?ticket=s3cret#s3cret"
    response = wire.Response(302, b"", {"Location": location})
    outcome = wire.read(wire.codec(CreateGroup, Binding.TEXT_POST), CreateGroup(337364), wire.ANONYMOUS, response)
    assert outcome.detail == "HTTP 302, a redirect to https://www.example.com:8443/maintenance"


@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.TEXT_POST])
@pytest.mark.parametrize("word", ["ActionFailed", "NotSupported", "Invalid_Move", "TRUE", "InvalidFormat"])
def test_a_word_that_the_operation_does_not_declare_is_an_unknown_one(binding, word):
    body = word.upper()
    if binding is Binding.SOAP11:
        body = (
            '<?xml version="1.0"?><s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
            f'<{RequestPinCode.spec.name}Response xmlns="https://secure.logmeinrescue.com/API/API.asmx">'
            f"<requestPINCodeResult>requestPINCode_{word}</requestPINCodeResult></requestPINCodeResponse>"
            "</s:Body></s:Envelope>"
        )
    outcome = decode("requestPINCode", binding, body)
    assert (outcome.error, outcome.outcome_class) == (errors.ServiceError, OutcomeClass.FINAL)
    assert outcome.ambiguous
    assert word.upper() in (outcome.word or "").upper()


@pytest.mark.parametrize("result", ["", "<requestPINCodeResult/>", "<requestPINCodeResult>  </requestPINCodeResult>"])
def test_an_answer_without_a_status_word_leaves_open_what_was_done(result):
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<requestPINCodeResponse xmlns="https://secure.logmeinrescue.com/API/API.asmx">{result}'
        "<iPINCode>12345</iPINCode></requestPINCodeResponse></s:Body></s:Envelope>"
    )
    outcome = decode("requestPINCode", Binding.SOAP11, body)
    assert (outcome.error, outcome.ambiguous) == (errors.ProtocolError, True)


@pytest.mark.parametrize("word", ["GLOBALIPRESTRICTED", "NOTLOGGEDIN", "USER_IS_DELETED", "INVALIDPARAM_NODE"])
def test_a_word_for_a_failed_login_or_a_refused_value_holds_everywhere(word):
    outcome = decode("closeSession", Binding.TEXT_POST, word)
    assert issubclass(outcome.error, errors.AuthenticationError | errors.InvalidParameter)
    assert not outcome.ambiguous
