"""`aiorescue call` and `aiorescue session`: any operation, typed by its declaration."""

import os
import re
import subprocess
import sys
import termios

import pytest

from aiorescue import errors
from aiorescue.cli.parameters import build, operation_named
from aiorescue.cli.status import Status
from aiorescue.rescue import OPERATIONS, CloseSession, RequestPinCode, RequestPinCodeV3, StartSession
from tests.support import EXAMPLES

SAMPLES = {str: "text", int: "7", bool: "true"}


@pytest.mark.parametrize(
    "parameters", [("session=12345678", "node=2"), ("iSession=12345678", "iNode=2"), ("ISESSION=12345678", "Node=2")]
)
async def test_an_operation_is_called_and_answers_in_json(command, service, parameters):
    done = await command("call", "startSession", *parameters)
    assert (done.status, done.err) == (Status.OK, "")
    assert done.json == {"operation": "startSession", "result": None}
    assert service.state.sessions[12345678] == "active"


async def test_a_result_is_json_by_its_fields(command, service):
    done = await command(
        "call", "requestpincodev3", "custom_fields=Jürgen", "custom_fields=<b>", "tracking=7", "no_tech_console=yes"
    )
    assert done.json["result"] == {"code": service.ledger[0].pin, "possibly_orphaned": 0}
    assert service.ledger[0].custom_fields[:2] == ("Jürgen", "<b>")


async def test_the_rows_of_a_report_are_objects(command, service):
    await command("session", "start", "12345679", "--node", "337366")
    await command("session", "close", "12345679")
    month = await command("report", "SESSION", "2020-01-01", "2040-01-31", "--node", "337366", "--json")
    service.clock.advance(60)
    done = await command("call", "getReport", "node=337366", "node_ref=NODE")
    rows = done.json["result"]["rows"]
    assert [set(row) for row in rows] == [set(done.json["result"]["columns"])] * len(month.json["rows"])
    assert rows


async def test_the_binding_is_strict(command, service):
    assert (await command("call", "closeSession", "session=12345678", "--binding", "soap12")).status == Status.OK
    assert {entry.binding for entry in service.requests} == {"soap12"}
    refused = await command("call", "requestLensPINCodeV2", "--binding", "text-get")
    assert refused.status == Status.BAD_INPUT
    assert service.requests.count == 1


async def test_sessions_are_started_and_closed(command, service):
    started = await command("session", "start", "12345679", "--node", "2")
    assert (started.out, started.status) == ("session 12345679 is started\n", Status.OK)
    closed = await command("session", "close", "12345679", "--json")
    assert closed.json == {"operation": "closeSession", "result": None}
    assert service.state.sessions[12345679] == "closed"


async def test_what_the_service_refuses_is_one_line_and_a_status(command):
    done = await command("session", "close", "1")
    assert done.status == Status.SOME_FAILED
    assert "ActionFailed" in done.err
    assert done.err.count("\n") == 1
    assert not done.out
    refused = await command("session", "close", "12345678", "--json", RESCUE_AUTH_CODE="hunter2hunter2")
    assert refused.status == refused.json["exit_status"] == Status.REFUSED
    assert refused.json["error"]["status"].endswith("Invalid_SecretAuthCode")
    assert "hunter2" not in refused.out + refused.err


async def test_an_auth_code_is_asked_for_with_the_password_of_the_environment(command):
    login = {"RESCUE_AUTH_CODE": "", "RESCUE_EMAIL": "tech@example.com", "RESCUE_PASSWORD": "secret"}
    done = await command("call", "requestAuthCode", **login)
    assert done.status == Status.OK
    closed = await command("session", "close", "12345678", RESCUE_AUTH_CODE=done.json["result"])
    assert closed.status == Status.OK
    login["RESCUE_PASSWORD"] = "hunter2"
    refused = await command("call", "requestAuthCode", **login)
    assert refused.status == Status.REFUSED
    assert "hunter2" not in refused.out + refused.err


async def test_an_email_address_may_be_an_argument_and_the_password_comes_from_the_environment(command):
    login = {"RESCUE_AUTH_CODE": "", "RESCUE_EMAIL": "nobody@example.com", "RESCUE_PASSWORD": "secret"}
    done = await command("call", "requestAuthCode", "email=tech@example.com", **login)
    assert done.status == Status.OK
    assert done.json["result"]


async def test_login_and_logout_can_be_tried(command, service):
    login = {"RESCUE_AUTH_CODE": "", "RESCUE_EMAIL": "tech@example.com", "RESCUE_PASSWORD": "secret"}
    assert (await command("call", "login", **login)).status == Status.OK
    assert service.requests.by_operation == {"login": 1, "logout": 1}


@pytest.mark.parametrize("parameter", ["password", "sPassword", "pwd", "PWD"])
def test_a_password_is_refused_as_an_argument_and_not_repeated(parameter):
    with pytest.raises(errors.InvalidRequest, match="environment or a prompt") as refused:
        build(OPERATIONS["login"], ["email=me@example.com", f"{parameter}=hunter2"])
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize("parameter", ["sAuthCode", "authcode", "auth_code"])
def test_an_auth_code_is_refused_as_an_argument_and_not_repeated(parameter):
    with pytest.raises(errors.InvalidRequest, match="environment or a prompt") as refused:
        build(CloseSession, ["session=1", f"{parameter}=hunter2"])
    assert "hunter2" not in str(refused.value)


#: The command takes no secrets as arguments, nor lists of records.
UNCALLABLE = {"requestAuthCodeSSO", "getLoginTicket", "getDTCLoginTicket", "createUsers"}


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - UNCALLABLE))
def test_every_declared_parameter_can_be_given_by_each_of_its_names(name):
    operation = OPERATIONS[name]
    # An attribute with two parameters (a node, and whether there is one) is given once.
    slots = {slot.name: slot for slot in operation.slots if not slot.parameter.secret}.values()
    for names in (lambda slot: slot.name, lambda slot: slot.parameter.soap, lambda slot: slot.parameter.page_key):
        given = {names(slot) or slot.name: sample(name, slot) for slot in slots}
        value = build(operation, [f"{key}={text}" for key, (text, _) in given.items() if text is not None])
        for slot, (text, wire) in zip(slots, given.values(), strict=True):
            assert text is None or str(slot.get(value)).lower() == wire


def sample(name, slot):
    """What to write and how it goes out: the example's value, or any where it has none."""
    value = slot.get(EXAMPLES[name])
    held = getattr(EXAMPLES[name], slot.name.partition("[")[0])
    if value not in (None, ""):
        return held.isoformat() if hasattr(held, "isoformat") else value, str(value).lower()
    if slot.parameter.choices or name == "getUser_v3":  # getUser_v3 takes one of two
        return None, ""
    return SAMPLES[slot.parameter.holds], SAMPLES[slot.parameter.holds]


def test_custom_fields_are_given_in_order_or_by_number():
    assert build(RequestPinCode, ["custom_fields=a", "custom_fields=b"]) == RequestPinCode(custom_fields=["a", "b"])
    assert build(RequestPinCode, ["custom_field_2=c", "sCField0=a"]) == RequestPinCode(custom_fields=["a", "", "c"])
    assert build(RequestPinCodeV3, ["nodeId=-7", "tracking=a=b"]) == RequestPinCodeV3(node=-7, tracking="a=b")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["session=abc", "node=2"], "startSession: session must be a whole number, not 'abc'"),
        (["session=1"], "startSession needs node=…"),
        ([], "startSession needs session=… and node=…"),
        (["iSesion=1", "node=2"], "no parameter 'iSesion'; did you mean iSession?"),
        (["sesion=1", "node=2"], "no parameter 'sesion'; did you mean session?"),
        (["colour=1"], "no parameter 'colour'; it takes session, node"),
        (["session=1", "iSession=2", "node=1"], "startSession: iSession is given twice"),
        (["session"], "write parameters as name=value"),
        (["session=99999999999", "node=1"], "32-bit"),
    ],
)
def test_a_bad_parameter_is_named(given, told):
    with pytest.raises(errors.InvalidRequest, match=re.escape(told)):
        build(StartSession, given)


def test_custom_fields_beyond_the_sixth_are_refused():
    with pytest.raises(errors.InvalidRequest, match="custom_fields is given twice"):
        build(RequestPinCode, ["custom_fields=a"] * 7)


def test_an_unknown_operation_gets_the_nearest_one():
    assert operation_named("STARTSESSION") is StartSession
    with pytest.raises(errors.InvalidRequest, match="no operation 'startSesion'; did you mean startSession"):
        operation_named("startSesion")
    with pytest.raises(errors.InvalidRequest, match="there are login, logout"):
        operation_named("xyz")


def test_on_a_terminal_the_password_is_asked_for_and_not_shown():
    # A terminal of its own: whatever is typed would be echoed there.
    script = "import sys; from aiorescue.cli import credentials; print(len(credentials.find()[0].password))"
    master, slave = os.openpty()
    environment = {k: v for k, v in os.environ.items() if not k.startswith("RESCUE_")}
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        stdin=slave,
        stdout=subprocess.PIPE,
        stderr=slave,
        env=environment | {"RESCUE_EMAIL": "tech@example.com"},
        start_new_session=True,
    )
    while termios.tcgetattr(slave)[3] & termios.ECHO:
        assert process.poll() is None
    os.write(master, b"hunter2\n")
    out, _ = process.communicate()
    shown = os.read(master, 1000)
    os.close(slave)
    os.close(master)
    assert out.split() == [b"7"]
    assert b"Password" in shown
    assert b"hunter2" not in shown
