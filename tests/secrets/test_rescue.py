"""A secret planted in each field that can hold one is seen by no listener, log, span or metric, in any spelling."""

from typing import Any

import attrs
import pytest

from aiorescue import AuthCode, Binding, Login, RescueClient, RetryPolicy, rescue
from aiorescue.emulator import Emulator
from aiorescue.emulator.people import EmulatedUser
from aiorescue.operation import Operation
from tests.lab.echo_server import FAILURES, EchoServer
from tests.secrets.planted import CODE, ENDS, PASSWORD, SPELLINGS, Watch, assert_no_secret, call_all
from tests.support import EXAMPLES


def planted(operation: Operation[Any]) -> Operation[Any]:
    names = {slot.name for slot in operation.slots if slot.parameter.secret}
    return attrs.evolve(operation, **dict.fromkeys(names, PASSWORD))


OPERATIONS = [planted(operation) for operation in EXAMPLES.values() if not isinstance(operation, rescue.CreateUsers)]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("credentials", [AuthCode(CODE), Login("me@example.com", PASSWORD)], ids=["code", "login"])
async def test_a_secret_of_a_call_is_seen_nowhere_in_any_spelling(
    service: Emulator, echo: EchoServer, caplog: pytest.LogCaptureFixture, credentials: AuthCode | Login, end: str
):
    watch = Watch(caplog)
    service.state.add_user(EmulatedUser("me@example.com", password=PASSWORD, auth_code=CODE))
    echo.logs_in = True
    echo.fail = FAILURES["HTTP 500"] if end == "failure" else None
    client = RescueClient(
        credentials,
        base_url=service.url if end == "success" else echo.url,
        pace=None,
        retry=RetryPolicy(attempts=1),
        timeout=0.02 if end == "timeout" else 20,
        on_event=watch.listener(),
    )
    await call_all(client, OPERATIONS, echo, end, watch, timed_out=(Binding.SOAP11, Binding.TEXT_GET))
    assert watch.problems > 50


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
def test_the_search_finds_a_secret(spelling: bytes):
    with pytest.raises(AssertionError):
        assert_no_secret(b"before " + spelling + b" after")
