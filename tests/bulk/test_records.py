"""Requests as a store keeps them: the JSON and the digests are those that journals in the field hold."""

import json

import attrs
from hypothesis import given
from hypothesis import strategies as st

from aiorescue.bulk import records
from aiorescue.rescue import PinRequest, RequestLensPinCodeV3, RequestPinCodeV3
from tests.support import digest_of_slots

CELLS = st.text(st.characters(), max_size=20)  # surrogates, too, which a damaged CSV may hold
TEXT = st.text(
    st.characters(min_codepoint=32, exclude_categories=["Cs"], exclude_characters="\ufffe\uffff"), max_size=9
)
REQUESTS = st.one_of(
    st.builds(
        RequestPinCodeV3,
        custom_fields=st.lists(TEXT, max_size=6),
        tracking=TEXT,
        no_tech_console=st.booleans(),
        node=st.none() | st.integers(0, 2**31 - 1),
    ),
    st.builds(
        RequestLensPinCodeV3, custom_fields=st.lists(TEXT, max_size=2), phone_number=TEXT, language=st.just("pt-br")
    ),
)


@given(REQUESTS)
def test_a_request_is_kept_as_plain_json_of_the_fields_that_differ_from_their_defaults(request_: PinRequest):
    operation, fields = records.encode(request_)
    blank = type(request_)()
    given_ = {field.name: getattr(request_, field.name) for field in attrs.fields(type(request_))}
    changed = {name: value for name, value in given_.items() if value != getattr(blank, name)}
    assert json.loads(fields) == json.loads(json.dumps(changed))
    assert records.decode(operation, fields) == request_


@given(REQUESTS)
def test_the_digest_of_a_request_is_that_of_its_slots_in_their_order(request_: PinRequest):
    filled = list(request_.custom_fields)
    while filled and not filled[-1]:
        filled.pop()
    assert records.digest(request_) == digest_of_slots(attrs.evolve(request_, custom_fields=filled))
    written = digest_of_slots(request_)  # by version 0.1.0
    assert records.is_digest_of(written, request_, records.digest(request_))


def test_requests_that_are_one_to_the_service_have_one_digest():
    one, other = RequestPinCodeV3(custom_fields=["Jane"]), RequestPinCodeV3(custom_fields=["Jane", "", ""])
    assert records.digest(one) == records.digest(other)
    assert records.digest(one) != records.digest(RequestPinCodeV3(custom_fields=["", "Jane"]))
    assert len(set(records.earlier_digests(one))) == 5


@given(st.lists(CELLS, max_size=5))
def test_cells_come_back_whatever_characters_they_hold(cells: list[str]):
    kept = records.texts_to_json(cells)
    assert kept == records.to_json(cells)
    kept.encode()
    assert records.cells_of(kept) == tuple(cells)
