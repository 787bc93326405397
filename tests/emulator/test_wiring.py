"""The rules are wired in one direction: each file, each class of rules and each answer can be checked by itself."""

import ast
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

import aiorescue.emulator
from aiorescue import rescue
from aiorescue.emulator.rules.call import Call, Limits, ok
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.emulator.rules.rescue.pins import Pins
from aiorescue.emulator.state import State

PACKAGE = Path(aiorescue.emulator.__file__).parent


def module_of(path):
    parts = path.relative_to(PACKAGE.parent.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def test_no_two_files_import_each_other_not_even_for_type_checking():
    files = {module_of(path): path for path in PACKAGE.rglob("*.py")}
    imported = {}
    for module, path in files.items():
        found = imported.setdefault(module, set())
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                names = {f"{node.module}.{alias.name}" for alias in node.names}
                found |= (names | {node.module}) & files.keys()
    # The package's own __init__ hands out the server, which is imported only when asked for.
    del imported["aiorescue.emulator"]
    for found in imported.values():
        found.discard("aiorescue.emulator")
    TopologicalSorter(imported).prepare()  # raises CycleError


def call(operation, **values):
    return Call(operation, values, auth_code="fixedtech0000")


def test_one_class_of_rules_works_alone():
    limits, now = Limits(pins_left=1), [0.0]
    pins = Pins(Access(lambda: now[0], limits), lambda: now[0], limits)
    request = call(rescue.RequestPinCodeV2, custom_fields=(), tracking="CASE-7")
    assert pins.request_pin(request) == ok(sPINCode="012345")
    assert pins.request_pin(request).word == "PollRateExceeded"
    now[0] += 1.0
    assert pins.request_pin(request).word == "OutOfPINCodes"
    assert [entry.tracking for entry in pins.ledger] == ["CASE-7"]


def test_an_output_that_is_not_declared_is_an_error_that_names_those_that_are():
    state = State(lambda: 0.0, Limits())
    state._handlers["requestPINCodeV2"] = lambda _: ok(iPINCode=12345)
    with pytest.raises(LookupError, match="requestPINCodeV2 .* 'iPINCode', but the operation declares sPINCode"):
        state.handle(call(rescue.RequestPinCodeV2))
