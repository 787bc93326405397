"""The catalogue of operations: complete against the vendor's list of names, and the docs page made from it."""

import inspect
import subprocess
import sys
from pathlib import Path

import pytest

from aiorescue import Binding, RescueClient, rescue, wire
from aiorescue.call.awaits import operations_of
from aiorescue.emulator.state import ANSWERED
from aiorescue.operation import Effect, Family, Operation
from aiorescue.wire import Authorization
from tests.support import EXAMPLES

ROOT = Path(__file__).parent.parent.parent
METHODS = operations_of(RescueClient)
PAGES = {Binding.TEXT_GET, Binding.TEXT_POST}
#: The wire name of each operation by the vendor, and the name of our method.
NAMES = dict(
    line.split()
    for line in """
    login login
    logout logout
    requestAuthCode request_auth_code
    requestAuthCodeSSO request_auth_code_sso
    getLoginTicket get_login_ticket
    getDTCLoginTicket get_dtc_login_ticket
    requestPINCode request_pin_code
    requestPINCodeV2 request_pin_code_v2
    requestPINCodeV3 request_pin_code_v3
    requestLensPINCode request_lens_pin_code
    requestLensPINCodeV2 request_lens_pin_code_v2
    requestLensPINCodeV3 request_lens_pin_code_v3
    requestLensPINCodeV4 request_lens_pin_code_v4
    requestInvitationLink request_invitation_link
    generateEmailText generate_email_text
    getSession get_session
    getSession_V2 get_session_v2
    getSession_V3 get_session_v3
    startSession start_session
    holdSession hold_session
    closeSession close_session
    cancelAction cancel_action
    transferSession transfer_session
    isAnyTechAvailableOnChannel is_any_tech_available_on_channel
    getAccount get_account
    getAccount_v2 get_account_v2
    getHierarchy get_hierarchy
    getHierarchy_v2 get_hierarchy_v2
    getUser get_user
    getUser_v2 get_user_v2
    getUser_v3 get_user_v3
    createUser create_user
    createUsers create_users
    setUser set_user
    setUser_v2 set_user_v2
    setUserStatus_v7_1 set_user_status_v7_1
    createGroup create_group
    getGroup get_group
    getGroup_v2 get_group_v2
    setGroup set_group
    setGroup_v2 set_group_v2
    moveNode move_node
    deleteNode delete_node
    assignChannel assign_channel
    unassignChannel unassign_channel
    getChat get_chat
    getNote get_note
    getReport get_report
    getReport_v2 get_report_v2
    setReportArea set_report_area
    setReportArea_v2 set_report_area_v2
    setReportArea_v8 set_report_area_v8
    getReportArea get_report_area
    getReportArea_v2 get_report_area_v2
    getReportArea_v8 get_report_area_v8
    getReportType get_report_type
    setReportType set_report_type
    getReportDate get_report_date
    setReportDate set_report_date
    setReportDate_v2 set_report_date_v2
    getReportTime get_report_time
    setReportTime set_report_time
    getTimeZone get_time_zone
    setTimeZone set_time_zone
    getDelimiter get_delimiter
    setDelimiter set_delimiter
    getOutput get_output
    setOutput set_output
    setDateFormat set_date_format
    """.strip().splitlines()
)


def test_every_operation_of_the_catalogue_is_a_method():
    assert NAMES.keys() == rescue.OPERATIONS.keys()
    assert {operation.spec.name: name for name, operation in METHODS.items()} == NAMES
    assert all(getattr(rescue, operation.__name__) is operation for operation in METHODS.values())
    assert {operation.__name__ for operation in METHODS.values()} <= set(rescue.__all__)


def test_what_makes_something_is_never_repeated():
    creating = {name for name, operation in rescue.OPERATIONS.items() if operation.spec.effect is Effect.CREATES}
    assert creating == {"createUser", "createUsers", "createGroup"}
    reading = {name for name, operation in rescue.OPERATIONS.items() if operation.spec.effect is Effect.READ}
    assert reading == {name for name in NAMES if name.startswith(("get", "isAny", "generate")) and "Ticket" not in name}


def test_what_is_counted_together():
    families = {}
    for name, operation in rescue.OPERATIONS.items():
        if operation.spec.family is not None:
            families.setdefault(operation.spec.family, set()).add(name)
    assert families == {
        Family.LOGINS: {"login"},
        Family.AUTH_CODES: {"requestAuthCode", "requestAuthCodeSSO"},
        Family.PINS: {name for name in NAMES if "PINCode" in name},
        Family.LINKS: {"requestInvitationLink"},
        Family.EMAIL_TEXTS: {"generateEmailText"},
        Family.REPORTS: {"getReport", "getReport_v2"},
    }


@pytest.mark.parametrize("operation", rescue.OPERATIONS.values(), ids=rescue.OPERATIONS)
def test_a_declaration_is_complete(operation: type[Operation]):
    spec = operation.spec
    assert inspect.getdoc(operation)
    assert f"``{spec.name}``" in operation.__doc__
    assert spec.bindings
    assert bool(spec.page) == bool(PAGES & spec.bindings.keys())
    assert {Binding.TEXT_POST} <= spec.bindings.keys() or not PAGES & spec.bindings.keys()
    assert len({word.upper() for word in (*spec.words, *spec.page_words)}) == len((*spec.words, *spec.page_words))
    for slot in operation.slots:
        assert slot.parameter.page_key or not spec.page
        assert slot.parameter.soap


@pytest.mark.parametrize(
    ("name", "binding"),
    [(name, binding) for name, operation in rescue.OPERATIONS.items() for binding in operation.spec.bindings],
)
def test_every_example_can_be_sent_and_shows_no_secret(name: str, binding: Binding):
    operation = EXAMPLES[name]
    request = wire.codec(type(operation), binding).encode(operation, Authorization(code="4ahx"))
    assert request.method in ("GET", "POST")
    for secret in ("secret", "secret-1", "old-secret", "new-secret"):
        assert f"'{secret}'" not in repr(operation)
        assert secret not in repr(request)
    if name in ("setUser", "setUser_v2"):
        assert sorted(operation.secrets) == ["new-secret", "new-secret", "old-secret"]
    assert operation == EXAMPLES[name]
    assert hash(operation) == hash(EXAMPLES[name])


def test_generated_files_are_up_to_date():
    command = [sys.executable, ROOT / "docs" / "generate.py", "--check"]
    found = subprocess.run(command, check=False, capture_output=True, text=True)
    assert found.returncode == 0, found.stderr


@pytest.mark.parametrize("operation", rescue.OPERATIONS.values(), ids=rescue.OPERATIONS)
def test_an_operation_has_its_method_its_example_its_rule_and_its_export(operation: type[Operation]):
    name = operation.__name__
    assert operation in METHODS.values(), f"{name} is no method: add a line to aiorescue/rescue/client.py"
    assert operation.spec.name in EXAMPLES, f"{name} has no example: add one to tests/support.py"
    assert operation.spec.name in NAMES, (
        f"{name} is not in NAMES: add its line to tests/rescue/test_rescue_catalogue.py"
    )
    assert operation.spec.name in ANSWERED, f"{name} is not emulated: add a rule to aiorescue/emulator/rules/rescue/"
    assert name in rescue.__all__, f"{name} is not exported: run python docs/generate.py"
