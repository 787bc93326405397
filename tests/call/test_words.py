"""Every status word on every binding: which exception, and after how many requests."""

import pytest
from support import EXAMPLES, IMPATIENT

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, Ticket, errors, inforouter, rescue
from aiorescue.emulator import Emulator
from aiorescue.operation import VERDICTS, Needs, Operation, OutcomeClass, verdict
from tests.lab.clocks import QuickClock

TEXT = {Binding.TEXT_GET, Binding.TEXT_POST}


#: These words are tried on each binding; of the others, on one of each interface, as the codecs are the same.
THOROUGH = {"login", "logout", "requestPINCode", "startSession", "closeSession"}


def every_word():
    for operation in rescue.OPERATIONS.values():
        spec = operation.spec
        for binding in spec.bindings:
            if spec.name not in THOROUGH and binding not in (spec.best, Binding.TEXT_POST):
                continue
            more = spec.page_words if binding in TEXT else ()
            for word in (*spec.words, *more):
                yield pytest.param(spec.name, binding, word, id=f"{spec.name}-{binding.value}-{word}")


def test_every_operation_has_an_example():
    assert EXAMPLES.keys() == rescue.OPERATIONS.keys()


@pytest.mark.parametrize(("name", "binding", "word"), list(every_word()))
async def test_a_word_is_what_its_table_says(service: Emulator, name: str, binding: Binding, word: str):
    operation = EXAMPLES[name]
    found = verdict(word)
    if found.outcome_class is OutcomeClass.OK:
        return  # tests/test_every_binding.py sees these
    if found.outcome_class is OutcomeClass.THROTTLED:
        service.fault("word", name, word=word)  # once: it is waited out
        service.fault("word", name, word="NotTechnician")
    else:
        service.fault("word", name, times=100, word=word)
    credentials = None if operation.spec.needs is Needs.NOTHING else AuthCode("fixedtech0000")
    options = {"retry": IMPATIENT, "pace": None, "clock": QuickClock()}
    async with RescueClient(credentials, base_url=service.url, **options) as client:
        if found.outcome_class is OutcomeClass.THROTTLED:
            with pytest.raises(errors.PermissionDenied):
                await client.call(operation, binding=binding)
            assert service.requests.count == 2
            return
        with pytest.raises(found.error) as caught:
            await client.call(operation, binding=binding)
    tries = IMPATIENT.attempts if found.outcome_class is OutcomeClass.TRANSIENT else 1
    assert service.requests.count == tries
    assert caught.value.operation == name
    assert caught.value.attempts == tries
    said = word.upper() if binding in TEXT else f"{operation.spec.prefix}{word}"
    assert caught.value.status == said
    assert said in str(caught.value)


@pytest.mark.parametrize("code", [900, 901, 902, 347, 2730])
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
    assert caught.value.status == f"[{code}]"
    assert "3f2a1b4c" not in str(caught.value)


@pytest.mark.parametrize("binding", rescue.CloseSession.spec.bindings)
async def test_a_word_that_nobody_knows_is_quoted_and_not_guessed(service: Emulator, binding: Binding):
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
async def test_nobody_logged_in_is_for_the_service_to_say(service: Emulator, binding: Binding):
    async with RescueClient(base_url=service.url, binding=binding) as client:
        with pytest.raises(errors.NotLoggedIn):
            await client.logout()
    assert service.requests.count == 1


def test_all_words_that_operations_declare_are_in_the_table():
    declared = {word for op in rescue.OPERATIONS.values() for word in (*op.spec.words, *op.spec.page_words)}
    unknown = {word for word in declared if verdict(word).error is errors.ServiceError and word != "Error"}
    assert not unknown
    assert VERDICTS["ERROR"].outcome_class is OutcomeClass.TRANSIENT


@pytest.mark.parametrize("word", ["requestPINCode_Invalid_SecretAuthCode", "startSessionRet_Invalid_SecretAuthCode"])
def test_an_unexpected_prefix_is_taken_off(word: str):
    assert verdict(word, "somethingElse_").error is errors.AuthenticationError
