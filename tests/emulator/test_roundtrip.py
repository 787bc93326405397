"""Whatever a client may legally say arrives at the rules as it was said, on every binding of every operation."""

from datetime import date, datetime, time
from types import NoneType, UnionType
from typing import Annotated, Union, get_args, get_origin

import attrs
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from aiorescue import errors, inforouter, rescue
from aiorescue.emulator import Emulator
from aiorescue.emulator.http import Incoming
from aiorescue.inforouter import METHODS, invocation
from aiorescue.operation import Binding, Parameter, Repeated
from aiorescue.wire import Authorization, codec

TEXT = (Binding.TEXT_GET, Binding.TEXT_POST)
TYPED = {**rescue.OPERATIONS, **inforouter.OPERATIONS, **inforouter.TYPED}
EVERY = [
    pytest.param(operation, binding, id=f"{name}-{binding.value}")
    for name, operation in TYPED.items()
    for binding in operation.spec.bindings
]
SERVER = Emulator(8080)  # it is not started
INT = st.integers(-(2**31), 2**31 - 1)
CODE = st.text("abcdefghij0123456789", min_size=1)
#: What XML carries, and most of what has ever gone wrong with it.
LETTERS = st.sampled_from("ab1 \t\r\n<>&'\"|:;=+%#é漢😀\u00a0\u2028]") | st.characters(
    codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"
)
#: What the operations ask of their values beyond the types.
MADE = {
    "pin_code": st.from_regex(r"\A[0-9]{6}\Z"),
    "delimiter": st.text(LETTERS, min_size=1),
    "users": st.lists(
        st.builds(
            lambda number, text: rescue.NewUser(unique_id=number, parent=number, name=text, email=text, password=text),
            st.integers(0, 2**31 - 1),
            st.text(LETTERS),
        ),
        min_size=1,
        max_size=3,
    ),
}


def texts(parameter):
    return st.text(LETTERS, max_size=min(parameter.max_length or 40, 40))


def values(field):
    """A strategy for one field, from its type and its mark."""
    if field.name in MADE:
        return MADE[field.name]
    kind, *marks = get_args(field.type) if get_origin(field.type) is Annotated else (field.type,)
    mark = next((mark for mark in reversed(marks) if isinstance(mark, Parameter | Repeated)), None)
    if isinstance(mark, Repeated):
        return st.tuples(*map(texts, mark.parameters))
    kinds = get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)
    made = {
        bool: st.booleans(),
        int: INT,
        str: texts(mark),
        bytes: st.binary(),
        date: st.dates(),
        datetime: st.datetimes(),
        time: st.times(),
        NoneType: st.none(),
    }
    if mark.choices and bool not in kinds:
        return st.sampled_from(mark.choices)
    return st.one_of(*(made[each] for each in kinds if each in made))


@st.composite
def operations(draw, operation):
    if operation is rescue.GetUserV3:
        node = draw(INT)
        return operation(node=node) if node else operation(email=draw(st.text(LETTERS, min_size=1)))
    # Name and password that are left out are the session's to fill in, before anything is sent.
    own = dict.fromkeys(operation.spec.own_credentials or (), st.text(LETTERS, min_size=1))
    made = {field.name: draw(own.get(field.name, values(field))) for field in attrs.fields(operation) if field.init}
    try:
        return operation(**made)
    except errors.InvalidRequest:
        assume(condition=False)


def arrived(operation, binding, code):
    """The call as the rules see it; nothing where the client refuses to send it."""
    try:
        request = codec(type(operation), binding).encode(operation, Authorization(code))
    except errors.InvalidRequest:
        assume(condition=False)
    return SERVER._read(
        Incoming(request.method, request.path, request.query, request.headers, request.body or b"")
    ).call


def expected(slot, operation, binding):
    value, parameter = slot.get(operation), slot.parameter
    if value is None:
        return None if binding in TEXT and parameter.holds is int else parameter.holds()
    if binding in TEXT and parameter.encode_on_page is not None and value != "":
        return parameter.encode_on_page(value)
    return value


@pytest.mark.parametrize(("kind", "binding"), EVERY)
# Forms and pages refuse markup, so that much of what is drawn is never sent there.
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
@given(st.data())
def test_what_is_said_is_what_is_heard(kind, binding, data):
    operation = data.draw(operations(kind))
    # A text that must be filled is refused by the server, and so never seen by the rules.
    named = binding in (Binding.HTTP_GET, Binding.HTTP_POST) and not kind.spec.service.validates_requests
    assume(not named or all(slot.get(operation) != "" for slot in operation.slots))
    code = data.draw(CODE)
    call = arrived(operation, binding, code)
    assert call.operation is kind
    if kind.spec.identity is not None:
        assert call.auth_code == code
    seen = {}
    for slot in operation.slots:
        name, _, index = slot.name.partition("[")
        heard = call.values[name][int(index[:-1])] if index else call.values[name]
        # Two parameters under one attribute: the rules hear the plainer one.
        seen.setdefault(name + index, []).append((heard, expected(slot, operation, binding)))
    for name, pairs in seen.items():
        assert any(heard == said for heard, said in pairs), (name, pairs)
    for slot in operation.more_slots():
        value = slot.get(operation)
        index, _, key = slot.parameter.page_key.lower().removeprefix("userdata[").partition("].")
        assert call.records[int(index)].get(key, "") == ("" if value is None else str(value))


VALUES = {
    "string": "Zoë & <b>\t漢 😀",
    "int": -5,
    "long": 2**40,
    "bool": True,
    "datetime": datetime(2024, 2, 3, 4, 5, 6),
    "guid": "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "bytes": bytes(range(256)),
    "xml": "<a b='1'>&lt;</a>",
    "node": "<a b='1'/>",
}


@pytest.mark.parametrize("name", list(METHODS))
def test_every_method_of_the_catalogue_is_understood(name):
    method = METHODS[name]
    said = invocation(name, {each.name: VALUES[each.type] for each in method.parameters})
    for binding in method.bindings:
        call = arrived(said, binding, "TICKET")
        assert call.operation.spec.name == name
        ticket = call.auth_code or call.values.get("ticket", "")  # for two of them it is an ordinary parameter
        assert ticket == ("TICKET" if said.spec.identity is not None else "")
        if name not in TYPED:
            heard = {
                each.name: call.values[each.name] for each in method.parameters if each.type not in ("node", "bytes")
            }
            assert heard == {key: said.values[key] for key in heard}
