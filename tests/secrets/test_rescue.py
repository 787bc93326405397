"""A secret planted in each field that can hold one is seen by no listener, log, span or metric, in any spelling."""

from collections.abc import AsyncIterator
from typing import Any

import attrs
import pytest

from aiorescue import AuthCode, Binding, Login, RescueClient, RetryPolicy, rescue
from aiorescue.emulator import Emulator
from aiorescue.emulator.people import User
from aiorescue.operation import Operation
from tests.lab.echo_server import FAILURES, EchoServer, echo_server
from tests.secrets.planted import CODE, ENDS, PASSWORD, SPELLINGS, Watch, assert_no_secret, ended
from tests.support import EXAMPLES


def planted(operation: Operation[Any]) -> Operation[Any]:
    names = {slot.name for slot in operation.slots if slot.parameter.secret}
    return attrs.evolve(operation, **dict.fromkeys(names, PASSWORD))


OPERATIONS = [planted(operation) for operation in EXAMPLES.values() if not isinstance(operation, rescue.CreateUsers)]


@pytest.fixture
async def echo() -> AsyncIterator[EchoServer]:
    async with echo_server() as server:
        yield server


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("credentials", [AuthCode(CODE), Login("me@example.com", PASSWORD)], ids=["code", "login"])
async def test_a_secret_of_a_call_is_seen_nowhere_in_any_spelling(
    service: Emulator, echo: EchoServer, caplog: pytest.LogCaptureFixture, credentials: AuthCode | Login, end: str
):
    watch = Watch(caplog)
    service.state.add_user(User("me@example.com", password=PASSWORD, auth_code=CODE))
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
    for operation in OPERATIONS:
        for binding in operation.spec.bindings:
            if end != "timeout" or binding in (Binding.SOAP11, Binding.TEXT_GET):
                await ended(client.call(operation, binding=binding), echo, end, watch)
    watch.check(client)
    assert watch.problems > 50
    assert_no_secret("\n".join(echo.posted_to))
    await client.aclose(timeout=0.1)  # the server of failures does not answer a logout either


@pytest.mark.parametrize("spelling", sorted(SPELLINGS))
def test_the_search_finds_a_secret(spelling: bytes):
    with pytest.raises(AssertionError):
        assert_no_secret(b"before " + spelling + b" after")
