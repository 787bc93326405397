"""The catalogue of operations: complete against the vendor's list of names, and the docs page made from it."""

import gc
import inspect
import re
import subprocess
import sys
from pathlib import Path

import attrs
import pytest

from aiorescue import Binding, RescueClient, rescue, wire
from aiorescue.call.awaits import operations_of
from aiorescue.emulator.state import ANSWERED
from aiorescue.operation import Effect, Family, Needs, Operation
from aiorescue.rescue.service import ASMX, AUTH_CODE, SOAP, TEXT, declare
from aiorescue.wire import Authorization
from tests.support import EXAMPLES

ROOT = Path(__file__).parent.parent.parent
METHODS = operations_of(RescueClient)
PAGES = {Binding.TEXT_GET, Binding.TEXT_POST}
#: The operations that the vendor's pages, or code of working clients, are known to have: none of them gets lost.
KNOWN = set(
    re.findall(
        r"\w+",
        """
        login logout requestAuthCode requestAuthCodeSSO getLoginTicket getDTCLoginTicket requestPINCode
        requestPINCodeV2 requestPINCodeV3 requestLensPINCode requestLensPINCodeV2 requestLensPINCodeV3
        requestLensPINCodeV4 requestInvitationLink generateEmailText getSession getSession_V2 getSession_V3
        startSession holdSession closeSession cancelAction transferSession isAnyTechAvailableOnChannel getAccount
        getAccount_v2 getHierarchy getHierarchy_v2 getUser getUser_v2 getUser_v3 createUser createUsers setUser
        setUser_v2 setUserStatus_v7_1 createGroup getGroup getGroup_v2 setGroup setGroup_v2 moveNode deleteNode
        assignChannel unassignChannel getChat getNote getReport getReport_v2 setReportArea setReportArea_v2
        setReportArea_v8 getReportArea getReportArea_v2 getReportArea_v8 getReportType setReportType getReportDate
        setReportDate setReportDate_v2 getReportTime setReportTime getTimeZone setTimeZone getDelimiter setDelimiter
        getOutput setOutput setDateFormat
        """,
    )
)


def snake_case(name: str) -> str:
    """The vendor's name as the name of a method: ``requestLensPINCodeV2`` is ``request_lens_pin_code_v2``."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


def test_no_operation_got_lost():
    assert rescue.OPERATIONS.keys() >= KNOWN
    assert not EXAMPLES.keys() - rescue.OPERATIONS.keys()


def test_each_class_that_names_an_operation_of_the_vendor_is_in_the_catalogue():
    gc.collect()  # attrs puts a class in the place of the one that is declared, which lives until it is collected
    classes, listed = list(Operation.__subclasses__()), rescue.OPERATIONS.values()
    for each in classes:
        classes += each.__subclasses__()
        if each.__module__.startswith("aiorescue.rescue.") and "Vendor: " in (each.__doc__ or ""):
            name = each.__name__
            assert "spec" in vars(each), f"{name} is not declared: give it `spec = declare(…)`"
            assert each in listed, f"{name} is not listed: add its module to TOPICS of aiorescue/rescue/catalogue.py"


@pytest.mark.parametrize("operation", rescue.OPERATIONS.values(), ids=rescue.OPERATIONS)
def test_an_operation_has_its_method_its_example_its_rule_and_its_export(operation: type[Operation]):
    name, vendors = operation.__name__, operation.spec.name
    assert METHODS.get(snake_case(vendors)) is operation, (
        f"{name} is no method: add a line to aiorescue/rescue/client.py, named {snake_case(vendors)}"
    )
    assert vendors in EXAMPLES, f"{name} has no example: add one to tests/support.py"
    assert vendors in ANSWERED, f"{name} is not emulated: add a rule to aiorescue/emulator/rules/rescue/"
    assert getattr(rescue, name, None) is operation, f"{name} is not exported: run python docs/generate.py"
    assert name in rescue.__all__, f"{name} is not exported: run python docs/generate.py"
    result = operation.result.__qualname__
    assert result != "Operation.result" or len(operation.spec.outputs) <= 1, (
        f"{name} has several outputs: say in a method `result` what is made of them"
    )


@pytest.mark.parametrize("name", METHODS)
def test_a_method_says_what_each_parameter_is(name: str):
    doc = inspect.getdoc(getattr(RescueClient, name))
    for parameter in inspect.signature(getattr(RescueClient, name)).parameters:
        assert parameter == "self" or f"\n    {parameter}: " in doc, f"{name}: run python docs/generate.py"


def test_a_method_says_what_it_takes_before_what_it_returns():
    doc = inspect.getdoc(RescueClient.create_group)
    assert re.findall(r"^(?:Args|Returns|    parent):", doc, re.MULTILINE) == ["Args:", "    parent:", "Returns:"]


def test_a_declaration_says_only_what_is_special():
    spec = declare("getThing_V2", SOAP | ASMX | TEXT, words="OK Error", page_words="Odd")
    assert (spec.prefix, spec.root, spec.page) == ("getThing_", "getThing_V2Ret", "/API/getThing_v2.aspx")
    assert (spec.words, spec.page_words, spec.identity) == (("OK", "Error"), ("Odd",), AUTH_CODE)
    assert declare("getThingV3", TEXT, words="OK").page == "/API/getThing_v3.aspx"
    only_text, only_soap = declare("getThing", TEXT, words="OK"), declare("getThing", SOAP, words="OK")
    assert (only_text.prefix, only_text.root, only_soap.root, only_soap.page) == ("", "", "", "")
    assert declare("logout", TEXT, words="OK", needs=Needs.SESSION).identity is None


def test_bases_and_imported_classes_are_no_operations():
    assert {"ReportRequestV2", "PinRequest", "SessionsRequest"}.isdisjoint(
        operation.__name__ for operation in rescue.OPERATIONS.values()
    )
    assert rescue.OPERATIONS["getReport_v2"] is rescue.GetReportV2


def test_what_makes_something_is_never_repeated():
    creating = {name for name, operation in rescue.OPERATIONS.items() if operation.spec.effect is Effect.CREATES}
    assert creating == {"createUser", "createUsers", "createGroup"}
    reading = {name for name, operation in rescue.OPERATIONS.items() if operation.spec.effect is Effect.READ}
    assert reading == {
        name for name in rescue.OPERATIONS if name.startswith(("get", "isAny", "generate")) and "Ticket" not in name
    }


def test_what_is_counted_together():
    families = {}
    for name, operation in rescue.OPERATIONS.items():
        if operation.spec.family is not None:
            families.setdefault(operation.spec.family, set()).add(name)
    assert families == {
        Family.LOGINS: {"login"},
        Family.AUTH_CODES: {"requestAuthCode", "requestAuthCodeSSO"},
        Family.PINS: {name for name in rescue.OPERATIONS if "PINCode" in name},
        Family.LINKS: {"requestInvitationLink"},
        Family.EMAIL_TEXTS: {"generateEmailText"},
        Family.REPORTS: {"getReport", "getReport_v2"},
    }


@pytest.mark.parametrize("operation", rescue.OPERATIONS.values(), ids=rescue.OPERATIONS)
def test_a_declaration_is_complete(operation: type[Operation]):
    spec, name = operation.spec, operation.__name__
    words = (*spec.words, *spec.page_words)
    assert f"``{spec.name}``" in (operation.__doc__ or ""), f"{name}: name ``{spec.name}`` in the docstring"
    assert spec.bindings, f"{name}: give declare() the bindings, such as TEXT"
    assert bool(spec.page) == bool(PAGES & spec.bindings.keys()), f"{name}: a page and a TEXT binding go together"
    assert {Binding.TEXT_POST} <= spec.bindings.keys() or not PAGES & spec.bindings.keys(), f"{name}: add TEXT_POST"
    assert len({word.upper() for word in words}) == len(words), f"{name}: a status word is declared twice"
    filling = {source.name for source in operation.sources}
    for field in attrs.fields(operation):
        fills = field.name in filling or operation.more_slots is not Operation.more_slots
        assert fills, f"{name}.{field.name} is not sent: annotate it with a Parameter, or with on_page(key)"
    for slot in operation.slots:
        where = f"{name}.{slot.name}"
        assert slot.parameter.page_key or not spec.page, f"{where}: give its Parameter a page_key, or use on_page(key)"
        assert slot.parameter.soap, f"{where}: give its Parameter the SOAP name"


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
