"""Secrets in no frame: what the traceback of an exception that leaves a call shows with all its local variables."""

import asyncio
import copy
import gc
import logging
import pickle
import traceback
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import date
from io import BytesIO
from typing import Any

import attrs
import pytest

from aiorescue import (
    AuthCode,
    Binding,
    InfoRouterClient,
    Login,
    RescueClient,
    RetryPolicy,
    Ticket,
    errors,
    inforouter,
    rescue,
)
from aiorescue.bulk import issue
from aiorescue.operation import Operation
from tests.lab.echo_server import COOKIE, FAILURES, TICKET, EchoServer
from tests.support import EXAMPLES

CODE, PASSWORD, OTHER = "pl4ntedc0de7", "pl4nted pa&ss<w>", "pl4ntednewpw"
SECRETS = (CODE, PASSWORD, OTHER, COOKIE, TICKET, "pa&ss", "90210907")
ONCE = RetryPolicy(attempts=1)


def shown_by(problem: BaseException) -> str:
    """All that anything prints of an exception: its messages, attributes, pickle, and each frame with its variables."""
    told = [repr(pickle.dumps(problem))] if isinstance(problem, errors.RescueError) else []
    ahead: list[BaseException | None] = [problem]
    known = set()
    while ahead:
        one = ahead.pop()
        if one is None or id(one) in known:
            continue
        known.add(id(one))
        told += [str(one), repr(one), repr(vars(one)), repr(one.args)]
        told += traceback.TracebackException(type(one), one, one.__traceback__, capture_locals=True).format()
        told += [repr(frame.f_locals) for frame, _ in traceback.walk_tb(one.__traceback__)]
        ahead += [one.__cause__, one.__context__, *(one.exceptions if isinstance(one, BaseExceptionGroup) else ())]
    return "\n".join(told)


def assert_no_secret(text: str) -> None:
    found = [secret for secret in SECRETS if secret in text]
    if found:
        place = text.index(found[0])
        raise AssertionError(f"{found} in …{text[max(0, place - 700) : place + 100]}…")


def planted(operation: Operation[Any]) -> Operation[Any]:
    """An operation with a secret in each field that can hold one."""
    if isinstance(operation, rescue.CreateUsers):
        return rescue.CreateUsers([attrs.evolve(operation.users[0], password=OTHER)])
    names = {slot.name for slot in operation.slots if slot.parameter.secret}
    return attrs.evolve(operation, **dict.fromkeys(names, OTHER))


OPERATIONS = [planted(operation) for operation in EXAMPLES.values()]
DOCUMENTS = [
    inforouter.AuthenticateUser("me", OTHER),
    inforouter.RenewTicket("me", OTHER, old_ticket=OTHER),
    inforouter.IsValidTicket(OTHER),
    inforouter.IsValidTicket(),
    inforouter.LogOut(OTHER),
    inforouter.LogOut(),
    inforouter.GetDocument("/a"),
    inforouter.DownloadDocument("/a"),
    inforouter.UploadDocument1("/a", b"bytes"),
]


def _clients(url: str, binding: Binding) -> Iterator[tuple[Any, list[Operation[Any]], bool]]:
    """A client of each kind, what to call with it, and whether it logs in first."""
    with_code = RescueClient(AuthCode(CODE), base_url=url, pace=None, retry=ONCE, timeout=20)
    yield with_code, OPERATIONS, False
    yield RescueClient(Login("me", PASSWORD), base_url=url, pace=None, retry=ONCE, timeout=20), OPERATIONS, True
    if not binding.name.startswith("TEXT") and binding is not Binding.SOAP12:
        yield InfoRouterClient(Ticket(TICKET), base_url=url, retry=ONCE, timeout=20), DOCUMENTS, False
        yield InfoRouterClient(Login("me", PASSWORD), base_url=url, retry=ONCE, timeout=20), DOCUMENTS, True


async def _each_call(echo: EchoServer, binding: Binding) -> AsyncIterator[Callable[[], Awaitable[Any]]]:
    """Every operation of both services on a binding, as every kind of client; the server is to be told what to do."""
    for client, operations, logs_in in _clients(echo.url, binding):
        for operation in operations:
            if binding in operation.spec.bindings:
                echo.logs_in = logs_in and operation.spec.needs.name != "NOTHING"
                echo.arrived.clear()
                yield lambda client=client, operation=operation: client.call(operation, binding=binding)
        await client._transport.close()


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize("binding", Binding)
async def test_a_call_that_fails_shows_no_secret(
    echo: EchoServer, binding: Binding, failure: str, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.DEBUG)
    echo.fail = FAILURES[failure]
    count = 0
    async for call in _each_call(echo, binding):
        try:
            await call()
        except errors.RescueError as problem:
            count += 1
            assert_no_secret(shown_by(problem))
            assert_no_secret(repr([copy.copy(problem), copy.deepcopy(problem)]))
    assert count > 15
    assert_no_secret("\n".join(record.getMessage() for record in caplog.records))


@pytest.mark.parametrize("how", ["cancelled", "timed out"])
@pytest.mark.parametrize("binding", Binding)
async def test_a_call_that_is_cancelled_under_way_shows_no_secret(echo: EchoServer, binding: Binding, how: str):
    count = 0
    async for call in _each_call(echo, binding):
        task = asyncio.ensure_future(call())
        arrived = asyncio.ensure_future(echo.arrived.wait())
        await asyncio.wait([task, arrived], return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        if how == "cancelled":
            task.cancel()
        try:
            await asyncio.wait_for(task, None if how == "cancelled" else 0)
        except (asyncio.CancelledError, TimeoutError, errors.InvalidRequest) as problem:
            count += 1
            assert_no_secret(shown_by(problem))
    assert count > 15


async def test_a_call_that_is_cancelled_in_its_login_shows_no_secret(echo: EchoServer):
    for client in (
        RescueClient(Login("me", PASSWORD), base_url=echo.url),
        InfoRouterClient(Login("me", PASSWORD), base_url=echo.url),
    ):
        operation = rescue.GetAccount() if isinstance(client, RescueClient) else inforouter.GetDocument("/a")
        echo.arrived.clear()
        leading, waiting = (asyncio.ensure_future(client.call(operation)) for _ in range(2))
        await echo.arrived.wait()
        for task in (waiting, leading):
            task.cancel()
            with pytest.raises(asyncio.CancelledError) as caught:
                await task
            assert_no_secret(shown_by(caught.value))
        await client.aclose()


async def test_a_close_that_is_cancelled_shows_no_secret(echo: EchoServer):
    for client in (
        RescueClient(Login("me", PASSWORD), base_url=echo.url),
        InfoRouterClient(Login("me", PASSWORD), base_url=echo.url),
    ):
        echo.logs_in, echo.fail = True, FAILURES["HTTP 403"]
        with pytest.raises(errors.RescueError):
            await client.call(rescue.GetAccount() if isinstance(client, RescueClient) else inforouter.GetDocument("/a"))
        echo.fail = None
        echo.arrived.clear()
        task = asyncio.ensure_future(client.aclose())
        await echo.arrived.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        assert_no_secret(shown_by(caught.value))


RAW = {"sPassword": OTHER, "pwd": OTHER, "Ticket": OTHER, "apiToken": OTHER, "iSecret": 90210907, "iSession": 1}
METHODS = {
    "login": lambda client: client.login("me", OTHER),
    "request_auth_code": lambda client: client.request_auth_code("me", OTHER),
    "set_user": lambda client: client.set_user(node=1, name="n", email="e", password=OTHER, current_password=OTHER),
    "get_login_ticket": lambda client: client.get_login_ticket("sso", OTHER, "1"),
    "raw": lambda client: client.raw("getDateFormat", RAW),
    "raw of a text page": lambda client: client.raw("getDateFormat", RAW, binding=Binding.TEXT_GET),
    "authenticate_user": lambda docs: docs.authenticate_user("me", OTHER),
    "renew_ticket": lambda docs: docs.renew_ticket("me", OTHER, old_ticket=OTHER),
    "is_valid_ticket": lambda docs: docs.is_valid_ticket(OTHER),
    "log_out": lambda docs: docs.log_out(OTHER),
    "a method by its name": lambda docs: docs.call("GetDocuments", Path="/", AuthenticationTicket=OTHER),
    "a login by its name": lambda docs: docs.call("AuthenticateUser", UID="me", PWD=OTHER),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("failure", ["HTTP 500", "a SOAP fault", "cut short", None])
async def test_the_arguments_of_a_method_are_in_no_frame(echo: EchoServer, method: str, failure: str | None):
    anonymous = method in ("login", "authenticate_user")
    if list(METHODS).index(method) < list(METHODS).index("authenticate_user"):
        client = RescueClient(None if anonymous else AuthCode(CODE), base_url=echo.url, retry=ONCE)
    else:
        client = InfoRouterClient(None if anonymous else Ticket(TICKET), base_url=echo.url, retry=ONCE)
    echo.fail = FAILURES[failure] if failure else None
    task = asyncio.ensure_future(METHODS[method](client))
    await echo.arrived.wait()
    if failure is None:
        task.cancel()
    with pytest.raises((errors.RescueError, asyncio.CancelledError)) as caught:
        await task
    assert_no_secret(shown_by(caught.value))
    await client.aclose()


CONTROL = f"{OTHER}\x01"
REFUSED = {
    "AuthCode": lambda: AuthCode(CONTROL),
    "Login": lambda: Login("me", CONTROL),
    "Ticket": lambda: Ticket(CONTROL),
    "too many arguments": lambda: Login("me", OTHER, OTHER),
    "a client with a text": lambda: RescueClient(OTHER),
    "a client with some texts": lambda: RescueClient([AuthCode(OTHER), OTHER]),
    "infoRouter with a text": lambda: InfoRouterClient(OTHER, base_url="https://docs.example.com"),
    "a base URL with a password": lambda: RescueClient(AuthCode(OTHER), base_url=f"https://me:{OTHER}@host"),
    "the operation login": lambda: rescue.Login("me", CONTROL),
    "an operation with a password": lambda: rescue.SetUser(node=1, name="", email="", password=CONTROL),
    "an operation with a wrong type": lambda: rescue.Login("me", [OTHER]),
    "an operation with one argument too many": lambda: rescue.Login("me", OTHER, OTHER),
    "an operation of infoRouter": lambda: inforouter.AuthenticateUser("me", CONTROL),
    "new users": lambda: rescue.CreateUsers(
        [rescue.NewUser(unique_id=1, parent=1, name="", email="", password=CONTROL)]
    ),
}


@pytest.mark.parametrize("make", REFUSED.values(), ids=REFUSED)
def test_what_is_refused_when_it_is_made_shows_no_secret(make: Callable[[], object]):
    with pytest.raises((errors.InvalidRequest, TypeError)) as caught:
        make()
    assert_no_secret(shown_by(caught.value))
    assert len(traceback.extract_tb(caught.value.__traceback__)) > 2  # where it happened is still to be seen


UNSENDABLE = {
    "a control character": lambda client: client.login("me", CONTROL),
    "two names for one": lambda client: client.login("me", OTHER, password=OTHER),
    "a password without a name": lambda client: client.login(password=OTHER),
    "markup on a text page": lambda client: client.call(rescue.Login("me", f"{OTHER}<b>"), binding=Binding.TEXT_POST),
    "a query too long": lambda client: client.call(rescue.Login("me", OTHER * 200), binding=Binding.TEXT_GET),
    "raw with a wrong type": lambda client: client.raw("getDateFormat", {"sPassword": [OTHER]}),
    "raw with a character": lambda client: client.raw("getDateFormat", {"sPassword": CONTROL}),
    "raw with a number too large": lambda client: client.raw("getDateFormat", {"iPass": 90210907 * 10**9}),
    "a method of infoRouter": lambda docs: docs.call("AuthenticateUser", UID="me", PWD=OTHER, Nothing=1),
    "an empty ticket": lambda docs: docs.call("AuthenticateUser", UID="me", PWD=CONTROL),
    "a ticket of a wrong type": lambda docs: docs.call("GetDocuments", Path="/", AuthenticationTicket=[OTHER]),
    "parameters beside an operation": lambda docs: docs.call(inforouter.LogOut(), AuthenticationTicket=OTHER),
}


@pytest.mark.parametrize("call", UNSENDABLE.values(), ids=UNSENDABLE)
async def test_what_cannot_be_sent_shows_no_secret(call: Callable[[Any], Awaitable[object]]):
    client: Any = RescueClient()
    if list(UNSENDABLE.values()).index(call) >= list(UNSENDABLE).index("a method of infoRouter"):
        client = InfoRouterClient(base_url="https://docs.example.com")
    with pytest.raises((errors.InvalidRequest, TypeError)) as caught:
        await call(client)
    assert_no_secret(shown_by(caught.value))


async def test_what_the_calling_program_was_handling_keeps_its_variables(echo: EchoServer):
    echo.fail = FAILURES["HTTP 403"]
    async with RescueClient(AuthCode(CODE), base_url=echo.url, retry=ONCE) as client:

        def fail() -> None:
            clue = "a variable of the program"
            raise KeyError(len(clue))

        with pytest.raises(errors.RescueError) as caught:
            try:
                fail()
            except KeyError:
                await client.get_account()
    shown = shown_by(caught.value)
    assert "a variable of the program" in shown
    assert "KeyError" in shown
    assert_no_secret(shown)


async def test_a_traceback_still_says_where_a_call_failed(echo: EchoServer):
    echo.fail = FAILURES["HTTP 403"]
    async with RescueClient(AuthCode(CODE), base_url=echo.url, retry=ONCE) as client:
        with pytest.raises(errors.RescueError) as caught:
            await client.get_account()
    places = [place.name for place in traceback.extract_tb(caught.value.__traceback__)]
    assert places[1] == "method"  # renamed in its class, but not in its code
    assert "call" in places
    assert places[-1] == "_run"


async def test_debug_mode_logs_no_secret(echo: EchoServer, caplog: pytest.LogCaptureFixture):
    loop = asyncio.get_running_loop()
    loop.set_debug(True)
    loop.slow_callback_duration = 0.0
    caplog.set_level(logging.DEBUG)
    echo.logs_in, echo.fail = True, FAILURES["HTTP 500"]
    try:
        for client in (
            RescueClient(Login("me", PASSWORD), base_url=echo.url, retry=ONCE),
            RescueClient(AuthCode(CODE), base_url=echo.url, retry=ONCE, binding=Binding.TEXT_GET),
            InfoRouterClient(Login("me", PASSWORD), base_url=echo.url, retry=ONCE),
        ):
            async with client:
                # Its exception is never retrieved, which asyncio logs with the traceback.
                task = asyncio.ensure_future(
                    client.get_account() if isinstance(client, RescueClient) else client.get_document("/a")
                )
                await asyncio.wait([task])
                del task
                gc.collect()
    finally:
        loop.set_debug(False)
    assert any("never retrieved" in record.getMessage() for record in caplog.records)
    formatter = logging.Formatter()
    assert_no_secret("\n".join(formatter.format(record) for record in caplog.records))


async def _read_stream(client: RescueClient) -> None:
    async with client.stream_report("SESSION", date(2024, 1, 1), date(2024, 1, 2), node=1) as rows:
        [row async for row in rows]


async def _run_job(client: RescueClient) -> None:
    [
        issued
        async for issued in issue(client, [rescue.RequestPinCode(tracking="a"), rescue.RequestPinCode(tracking="b")])
    ]


async def _search(docs: InfoRouterClient) -> None:
    [page async for page in docs.search("<a/>")]


LONGER = {
    "a report": lambda client: client.report("SESSION", date(2024, 1, 1), date(2024, 1, 2), node=1),
    "a streamed report": _read_stream,
    "a bulk job": _run_job,
    "an upload": lambda docs: docs.upload(b"abc", "/a"),
    "a download": lambda docs: docs.download("/a", BytesIO()),
    "a search": _search,
}


@pytest.mark.parametrize("work", LONGER)
@pytest.mark.parametrize("with_login", [False, True])
async def test_work_of_many_calls_that_is_cancelled_shows_no_secret(echo: EchoServer, work: str, with_login: bool):
    echo.logs_in = True
    if work in ("a report", "a streamed report", "a bulk job"):
        client = RescueClient(Login("me", PASSWORD) if with_login else AuthCode(CODE), base_url=echo.url)
    else:
        client = InfoRouterClient(Login("me", PASSWORD) if with_login else Ticket(TICKET), base_url=echo.url)

    async def run() -> None:
        await LONGER[work](client)

    with pytest.raises(ExceptionGroup) as caught:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(run())
            await echo.arrived.wait()
            raise ZeroDivisionError
    assert_no_secret(shown_by(caught.value))
    with pytest.raises(asyncio.CancelledError) as cancelled:
        await task
    assert_no_secret(shown_by(cancelled.value))
    await client._transport.close()
