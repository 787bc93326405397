"""A secret planted in each field of infoRouter's methods that can hold one is seen nowhere, in any spelling."""

from typing import Any

import pytest

from aiorescue import Binding, InfoRouterClient, Login, RetryPolicy, Ticket, inforouter
from aiorescue.emulator import Emulator
from aiorescue.emulator.people import EmulatedUser
from aiorescue.inforouter import METHODS
from aiorescue.inforouter.catalogue import Method
from aiorescue.inforouter.invocation import invocation
from aiorescue.operation import Operation
from tests.lab.echo_server import FAILURES, EchoServer
from tests.secrets.planted import ENDS, PASSWORD, TICKET, Watch, call_all

_VALUES: dict[str, Any] = {
    "string": "text",
    "int": 1,
    "long": 1,
    "bool": True,
    "datetime": "2026-11-01",
    "guid": "6f9619ff-8b86-d011-b42d-00c04fc964ff",
    "bytes": b"bytes",
    "xml": "<a/>",
    "node": "<a/>",
}


def _planted(method: Method) -> Operation[Any]:
    values = {one.name: PASSWORD if one.secret else _VALUES[one.type] for one in method.parameters}
    return invocation(method.name, values)


METHODS.load()
SECRETIVE = [name for name in METHODS if any(one.secret for one in METHODS[name].parameters)]
OPERATIONS: list[Operation[Any]] = [
    inforouter.AuthenticateUser("me", PASSWORD),
    inforouter.RenewTicket("me", PASSWORD, old_ticket=TICKET),
    inforouter.IsValidTicket(TICKET),
    inforouter.IsValidTicket(),
    inforouter.GetDocument("/a"),
    inforouter.GetFolders("/"),
    inforouter.DownloadDocument("/a"),
    inforouter.UploadDocument1("/a", b"bytes"),
    *(_planted(METHODS[name]) for name in SECRETIVE),
    inforouter.LogOut(TICKET),
]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("credentials", [Ticket(TICKET), Login("me", PASSWORD)], ids=["ticket", "login"])
async def test_a_secret_of_inforouter_is_seen_nowhere_in_any_spelling(
    service: Emulator, echo: EchoServer, caplog: pytest.LogCaptureFixture, credentials: Ticket | Login, end: str
):
    watch = Watch(caplog)
    service.state.add_user(EmulatedUser("me", password=PASSWORD))
    echo.logs_in = True
    echo.fail = FAILURES["HTTP 500"] if end == "failure" else None
    client = InfoRouterClient(
        credentials,
        base_url=service.url if end == "success" else echo.url,
        retry=RetryPolicy(attempts=1),
        timeout=0.02 if end == "timeout" else 20,
        on_event=watch.listener(),
    )
    await call_all(client, OPERATIONS, echo, end, watch, timed_out=(Binding.SOAP11, Binding.HTTP_GET))
    assert watch.problems > 20


def test_the_methods_that_take_a_password_are_known():
    assert {"AuthenticateUser", "ChangeUserPassword", "CreateUser", "RenewTicket"} <= set(SECRETIVE)
