"""Secrets appear in no message, repr, log line, URL or pickle, whatever happens."""

import logging
import pickle
import traceback
from html import escape
from urllib.parse import quote_plus

import pytest
from support import IMPATIENT

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, Ticket, errors, inforouter, rescue
from aiorescue.emulator import Emulator

SECRETS = ("s3cr3t-c0de", "hunter2&<>", "hunter2", "3f2a1b4c-5d6e-7f8a-9b0c-1d2e3f4a5b6c")
FAULTS = [
    ("word", {"word": "Error"}),
    ("word", {"word": "Invalid_SecretAuthCode"}),
    ("http", {"status": 503, "body": "You sent {0}."}),
    ("http", {"status": 400, "body": "x" * 150 + "{0} {1} {2}"}),
    ("fault_client", {"text": "Cannot read {0}"}),
    ("unknown_word", {"word": "Bad_{0}"}),
    ("drop_before", {}),
    ("html", {}),
    ("cut", {}),
]


def assert_no_secret(text: str) -> None:
    for secret in SECRETS:
        assert secret not in text


def everything_about(problem: BaseException | None) -> str:
    """All that a log or a debugger would print of it, hidden contexts included."""
    told = []
    while problem is not None:
        told += [str(problem), repr(problem), repr(vars(problem)), *traceback.format_exception(problem)]
        problem = problem.__cause__ or problem.__context__
    return "\n".join(told)


def test_values_that_hold_secrets_do_not_show_them():
    values = [
        AuthCode(SECRETS[0]),
        Login("tech@example.com", SECRETS[1]),
        Ticket(SECRETS[3]),
        rescue.Login("tech@example.com", SECRETS[1]),
        rescue.RequestAuthCode("tech@example.com", SECRETS[1]),
        inforouter.AuthenticateUser("tech", SECRETS[1]),
        inforouter.RenewTicket("tech", SECRETS[1], old_ticket=SECRETS[3]),
        inforouter.LogOut(SECRETS[3]),
        inforouter.TicketHolder(ticket=SECRETS[3]),
    ]
    assert_no_secret(repr(values))


@pytest.mark.parametrize(("kind", "options"), FAULTS)
@pytest.mark.parametrize("binding", Binding)
async def test_no_failure_shows_a_secret(
    service: Emulator, caplog: pytest.LogCaptureFixture, kind: str, options: dict, binding: Binding
):
    caplog.set_level(logging.DEBUG)
    clients = [
        (SECRETS[0], RescueClient(AuthCode(SECRETS[0]), base_url=service.url, binding=binding, retry=IMPATIENT)),
        (SECRETS[1], RescueClient(Login("me", SECRETS[1]), base_url=service.url, binding=binding, retry=IMPATIENT)),
        (SECRETS[1], InfoRouterClient(Login("me", SECRETS[1]), base_url=service.url, binding=binding, retry=IMPATIENT)),
        (SECRETS[3], InfoRouterClient(Ticket(SECRETS[3]), base_url=service.url, binding=binding, retry=IMPATIENT)),
    ]
    for secret, client in clients:
        echo = (secret, quote_plus(secret), escape(secret))
        said = {name: value.format(*echo) if isinstance(value, str) else value for name, value in options.items()}
        service.fault(kind, times=5, **said)
        operation = rescue.CloseSession(1) if isinstance(client, RescueClient) else inforouter.LogOut()
        async with client:
            try:
                await client.call(operation)
            except errors.RescueError as problem:
                assert_no_secret(everything_about(problem))
                again = pickle.loads(pickle.dumps(problem))
                assert (type(again), str(again), vars(again)) == (type(problem), str(problem), vars(problem))
            service.faults.script.clear()
        assert_no_secret(repr(client) + repr(client.identities))
    # The emulator's side is not ours, and the HTTP library's debug lines are.
    assert_no_secret("\n".join(record.getMessage() for record in caplog.records))


async def test_a_refused_connection_shows_no_secret_of_a_get():
    async with Emulator() as service:
        url = service.url
    async with RescueClient(AuthCode(SECRETS[0]), base_url=url, binding=Binding.TEXT_GET, retry=IMPATIENT) as client:
        with pytest.raises(errors.ConnectionFailed) as caught:
            await client.close_session(1)
    assert_no_secret(everything_about(caught.value))


@pytest.mark.parametrize("error", [getattr(errors, name) for name in errors.__all__])
def test_every_error_is_picklable_with_all_it_carries(error: type[errors.RescueError]):
    problem = error("what happened", operation="closeSession", status="ERROR", attempts=3, possibly_orphaned=1)
    again = pickle.loads(pickle.dumps(problem))
    assert (type(again), str(again), vars(again)) == (error, "what happened", vars(problem))
