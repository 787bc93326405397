"""The rules are wired in one direction and answer by name, so that a class of rules can be tested by itself."""

import pytest

from aiorescue import rescue
from aiorescue.emulator.rules.call import Limits, ReceivedCall, ok
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.emulator.rules.rescue.pins import Pins
from aiorescue.emulator.state import EmulatorState


def call(operation, **values):
    return ReceivedCall(operation, values, auth_code="fixedtech0000")


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
    state = EmulatorState(lambda: 0.0, Limits())
    state._handlers["requestPINCodeV2"] = lambda _: ok(iPINCode=12345)
    with pytest.raises(LookupError, match=r"requestPINCodeV2 .* 'iPINCode', but the operation declares sPINCode"):
        state.handle(call(rescue.RequestPinCodeV2))
