"""Every status word on every binding, and every error code: which exception, and after how many requests.

What a word must mean is written here once more, from the design and the vendor's pages, and not read from the code.
"""

import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, Ticket, errors, inforouter, rescue
from aiorescue.emulator import Emulator
from aiorescue.inforouter.answers.codes import BRACKET_CODES, ERROR_CODES, bracketed, numbered
from aiorescue.operation import VERDICTS, Effect, Needs, Operation, OutcomeClass, verdict
from tests.lab.clocks import QuickClock
from tests.support import EXAMPLES, IMPATIENT

TEXT = {Binding.TEXT_GET, Binding.TEXT_POST}
OK, TRANSIENT, THROTTLED = OutcomeClass.OK, OutcomeClass.TRANSIENT, OutcomeClass.THROTTLED
AUTHENTICATION, FINAL = OutcomeClass.AUTHENTICATION, OutcomeClass.FINAL

#: The class and the exception of every word that the vendor's pages print, in capitals.
WORDS = [
    (OK, None, "OK TRUE FALSE"),
    (TRANSIENT, errors.ServiceError, "ERROR"),
    (THROTTLED, errors.RateLimited, "POLLRATEEXCEEDED"),
    (AUTHENTICATION, errors.AuthenticationError, "INVALID INVALID_SECRETAUTHCODE"),
    (AUTHENTICATION, errors.AuthenticationError, "USER_IS_DELETED USER_DELETED_OR_DISABLED"),
    (AUTHENTICATION, errors.AuthenticationError, "LIMITREACHED GLOBALIPRESTRICTED"),
    (AUTHENTICATION, errors.AuthenticationError, "INVALIDPASSWORD INVALIDCOMPANYID INVALIDSSOID"),
    (AUTHENTICATION, errors.NotLoggedIn, "NOTLOGGEDIN NOTLOGGEDINASADMIN"),
    (FINAL, errors.PermissionDenied, "NOTTECHNICIAN NOACCESSTOLENS INVALID_DELETE"),
    (FINAL, errors.NoTechConsoleRunning, "NOTECHCONSOLERUNNING"),
    (FINAL, errors.OutOfPinCodes, "OUTOFPINCODES"),
    (FINAL, errors.ActionFailed, "ACTIONFAILED"),
    (FINAL, errors.PreconditionFailed, "NOTSUPPORTED"),
    (FINAL, errors.InvalidParameter, "MISSINGPARAMETERS INVALIDPINFORMAT INVALIDFORMAT INVALIDDATERANGE"),
    (FINAL, errors.InvalidParameter, "INVALID_EMAILANDNODEIDBOTHSPECIFIED"),
    (FINAL, errors.InvalidParameter, "INVALID_MOVE INVALID_ASSIGN INVALID_DEASSIGN"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_NODE INVALIDPARAM_NODEID INVALIDPARAM_TARGETNODE"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_PARENT INVALIDPARAM_ENTRY INVALIDPARAM_SESSION"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_COMPANY INVALIDPARAM_NAME INVALIDPARAM_STATUS"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_EMAIL INVALIDPARAM_EMAIL_ALREADY_IN_USE"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_MISSING_CURRENT_PASSWORD"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_MOBILEADDON INVALIDPARAM_RPATADDON"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_PASSWORD_CANNOT_CONTAIN_WHITESPACE_CHARACTERS"),
    (FINAL, errors.InvalidParameter, "INVALIDPARAM_PASSWORD_HAS_TO_BE_AT_LEAST_8_CHARACTERS_LONG"),
]
EXPECTED = {word: (outcome_class, error) for outcome_class, error, line in WORDS for word in line.split()}


#: The same for infoRouter's numbers in brackets, and for the errorCode of its 9.x servers.
BRACKETS = [
    (AUTHENTICATION, errors.AuthenticationError, (900, 902, 347, 2730)),
    (AUTHENTICATION, errors.NotLoggedIn, (901,)),
    (FINAL, errors.PermissionDenied, (921, 1573, 2840, 3167)),
    (FINAL, errors.NotFound, (115, 2285, 3169)),
    (FINAL, errors.InvalidParameter, (903, 499, 2301, 2494)),
    (FINAL, errors.PreconditionFailed, (2767, 933, 1510, 1521, 1524, 2842)),
    (FINAL, errors.ServiceError, (503,)),
]
NUMBERS = [
    (AUTHENTICATION, errors.NotLoggedIn, (4010,)),
    (TRANSIENT, errors.ServiceError, (4230,)),
    (FINAL, errors.PermissionDenied, (4030, 4200)),
    (FINAL, errors.NotFound, (4041,)),
    (FINAL, errors.InvalidParameter, (4000,)),
    (FINAL, errors.PreconditionFailed, (4090, 4170)),
    (FINAL, errors.ServiceError, (5000, 5030)),
]
EXPECTED_BRACKETS = {code: (outcome_class, error) for outcome_class, error, codes in BRACKETS for code in codes}
EXPECTED_NUMBERS = {code: (outcome_class, error) for outcome_class, error, codes in NUMBERS for code in codes}
#: An errorCode that is not printed anywhere is an HTTP status and one more digit.
BY_STATUS = {
    4009: (FINAL, errors.InvalidParameter),
    4019: (AUTHENTICATION, errors.AuthenticationError),
    4039: (FINAL, errors.PermissionDenied),
    4049: (FINAL, errors.NotFound),
    4099: (FINAL, errors.PreconditionFailed),
    7777: (FINAL, errors.ServiceError),
}

#: Operations that are tried with each word on each binding; the others on one of each interface, as codecs are shared.
THOROUGH = {"login", "logout", "requestPINCode", "startSession", "closeSession"}


def every_word(*, good: bool):
    """Each operation with each binding and each word that it may answer there: the good words, or the others."""
    for operation in rescue.OPERATIONS.values():
        spec = operation.spec
        for binding in spec.bindings:
            if spec.name not in THOROUGH and binding not in (spec.best, Binding.TEXT_POST):
                continue
            more = spec.page_words if binding in TEXT else ()
            for word in (*spec.words, *more):
                if spec.outputs and word == "OK":
                    continue  # more than the word is needed: the emulator's own answers are tested with its samples
                if word.upper() in EXPECTED and good == (EXPECTED[word.upper()][0] is OK):
                    yield pytest.param(spec.name, binding, word, id=f"{spec.name}-{binding.value}-{word}")


def test_every_word_that_is_declared_or_known_is_expected():
    declared = {word.upper() for op in rescue.OPERATIONS.values() for word in (*op.spec.words, *op.spec.page_words)}
    new = declared - EXPECTED.keys()
    assert not new, f"new status words: say in aiorescue/operation/status.py and in WORDS of this file what {new} mean"
    assert declared | VERDICTS.keys() == EXPECTED.keys()
    assert BRACKET_CODES.keys() == EXPECTED_BRACKETS.keys()
    assert ERROR_CODES.keys() == EXPECTED_NUMBERS.keys()


@pytest.mark.parametrize("word", EXPECTED)
def test_a_word_has_its_class_and_error(word: str):
    outcome_class, error = EXPECTED[word]
    for found in (verdict(word), verdict(word.lower()), verdict(f"getUser_{word}", "getUser_")):
        assert found.outcome_class is outcome_class
        assert error is None or found.error is error


@pytest.mark.parametrize("code", EXPECTED_BRACKETS)
def test_a_number_in_brackets_has_its_class_and_error(code: int):
    found = bracketed(code)
    assert (found.outcome_class, found.error) == EXPECTED_BRACKETS[code]


@pytest.mark.parametrize("code", [*EXPECTED_NUMBERS, *BY_STATUS])
def test_an_error_code_has_its_class_and_error(code: int):
    found = numbered(code)
    assert (found.outcome_class, found.error) == {**EXPECTED_NUMBERS, **BY_STATUS}[code]


@pytest.mark.parametrize(("name", "binding", "word"), list(every_word(good=True)))
async def test_a_good_word_is_a_result(service: Emulator, name: str, binding: Binding, word: str):
    operation = EXAMPLES[name]
    service.fault("word", name, times=100, word=word)
    credentials = None if operation.spec.needs is Needs.NOTHING else AuthCode("fixedtech0000")
    async with RescueClient(credentials, base_url=service.url, retry=IMPATIENT, pace=None) as client:
        result = await client.call(operation, binding=binding)
    assert result is {"OK": None, "TRUE": True, "FALSE": False}[word.upper()]
    assert service.requests.count == 1


@pytest.mark.parametrize(("name", "binding", "word"), list(every_word(good=False)))
async def test_any_other_word_is_its_error(service: Emulator, name: str, binding: Binding, word: str):
    operation = EXAMPLES[name]
    outcome_class, error = EXPECTED[word.upper()]
    if outcome_class is TRANSIENT and operation.spec.effect is Effect.CREATES:
        outcome_class, error = FINAL, errors.AmbiguousOutcome  # it may have been created
    if outcome_class is THROTTLED:
        service.fault("word", name, word=word)  # once: the call waits and is sent again
        service.fault("unknown_word", name, word="User_Is_Deleted")
    else:
        service.fault("word", name, times=100, word=word)
    credentials = None if operation.spec.needs is Needs.NOTHING else AuthCode("fixedtech0000")
    options = {"retry": IMPATIENT, "pace": None, "clock": QuickClock()}
    async with RescueClient(credentials, base_url=service.url, **options) as client:
        if outcome_class is THROTTLED:
            with pytest.raises(errors.AuthenticationError):
                await client.call(operation, binding=binding)
            assert service.requests.count == 2
            return
        with pytest.raises(error) as caught:
            await client.call(operation, binding=binding)
    tries = IMPATIENT.attempts if outcome_class is TRANSIENT else 1
    assert type(caught.value) is error
    assert service.requests.count == tries
    assert caught.value.operation == name
    assert caught.value.attempts == tries
    said = word.upper() if binding in TEXT else f"{operation.spec.prefix}{word}"
    assert caught.value.status == said
    assert said in str(caught.value)


@pytest.mark.parametrize("code", [code for code in EXPECTED_BRACKETS if EXPECTED_BRACKETS[code][0] is FINAL])
async def test_any_other_number_of_inforouter_is_its_error(service: Emulator, code: int):
    service.fault("word", times=100, error=f"[{code}] Text in the language of the session")
    async with InfoRouterClient(Ticket("3f2a"), base_url=service.url, retry=IMPATIENT) as docs:
        with pytest.raises(EXPECTED_BRACKETS[code][1]) as caught:
            await docs.log_out()
    assert type(caught.value) is EXPECTED_BRACKETS[code][1]
    assert (caught.value.status, service.requests.count) == (f"[{code}]", 1)


@pytest.mark.parametrize("code", [code for code in EXPECTED_BRACKETS if EXPECTED_BRACKETS[code][0] is AUTHENTICATION])
@pytest.mark.parametrize("binding", inforouter.LogOut.spec.bindings)
@pytest.mark.parametrize(
    "operation",
    [
        inforouter.AuthenticateUser("tech@example.com", "secret"),
        inforouter.RenewTicket("tech@example.com", "secret"),
        inforouter.LogOut(),
    ],
    ids=lambda operation: operation.spec.name,
)
async def test_an_authentication_failure_of_inforouter_is_one_request(
    service: Emulator, code: int, binding: Binding, operation: Operation
):
    service.fault("word", times=100, error=f"[{code}] Text in the language of the session")
    ticket = Ticket("3f2a1b4c-5d6e-7f8a-9b0c-1d2e3f4a5b6c")
    async with InfoRouterClient(ticket, base_url=service.url, retry=IMPATIENT) as docs:
        with pytest.raises(errors.AuthenticationError) as caught:
            await docs.call(operation, binding=binding)
    assert service.requests.count == 1
    # Where the operation itself sends a password, there was no login that could have ended.
    ended = isinstance(operation, inforouter.LogOut)
    assert type(caught.value) is (EXPECTED_BRACKETS[code][1] if ended else errors.AuthenticationError)
    assert caught.value.status == f"[{code}]"
    assert "3f2a1b4c" not in str(caught.value)


@pytest.mark.parametrize("binding", rescue.CloseSession.spec.bindings)
async def test_an_unknown_word_is_quoted_and_not_guessed(service: Emulator, binding: Binding):
    service.fault("unknown_word", word="Flabbergasted")
    async with RescueClient(AuthCode("fixedtech0000"), base_url=service.url) as client:
        with pytest.raises(errors.ServiceError, match=r"(?i)flabbergasted") as caught:
            await client.call(rescue.CloseSession(12345678), binding=binding)
    assert service.requests.count == 1
    assert "fixedtech0000" not in str(caught.value)


@pytest.mark.parametrize("binding", rescue.Login.spec.bindings)
async def test_a_wrong_password_sends_one_request(service: Emulator, binding: Binding):
    async with RescueClient(Login("tech@example.com", "wrong"), base_url=service.url, binding=binding) as client:
        with pytest.raises(errors.AuthenticationError) as caught:
            await client.close_session(12345678)
        assert service.requests.count == 1
        with pytest.raises(errors.AuthenticationError):
            await client.login()
        assert service.requests.count == 2
    assert service.requests.count == 2
    assert "wrong " not in str(caught.value).replace("wrong e-mail", "")


@pytest.mark.parametrize("binding", rescue.Logout.spec.bindings)
async def test_a_logout_without_a_login_is_left_to_the_service(service: Emulator, binding: Binding):
    async with RescueClient(base_url=service.url, binding=binding) as client:
        with pytest.raises(errors.NotLoggedIn):
            await client.logout()
    assert service.requests.count == 1


@pytest.mark.parametrize("word", ["requestPINCode_Invalid_SecretAuthCode", "startSessionRet_Invalid_SecretAuthCode"])
def test_an_unexpected_prefix_is_taken_off(word: str):
    assert verdict(word, "somethingElse_").error is errors.AuthenticationError


@pytest.mark.parametrize(
    "word", ["getSession_OK", "GETSESSION_OK", "getSession_V3_OK", "GetSession_OK", "getChat_OK", "login_OK", "OK"]
)
def test_a_prefix_is_the_name_of_an_operation(word: str):
    assert verdict(word, "getSession_").outcome_class is OutcomeClass.OK


@pytest.mark.parametrize("before", ["", "getSession_", "getSession_V3_", "getChat_"])
@pytest.mark.parametrize("word", ["Not_OK", "not_OK", "NOT_OK", "Node_Invalid", "Close_Error", "OK; getSession_Error"])
def test_what_is_no_name_of_an_operation_is_a_part_of_the_word(before: str, word: str):
    found = verdict(before + word, "getSession_")
    assert (found.error, found.ambiguous) == (errors.ServiceError, True)
    assert found.outcome_class is OutcomeClass.FINAL
