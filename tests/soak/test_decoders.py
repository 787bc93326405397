"""Changed answers of every operation on every binding; `python -m tests.soak decoders` decodes a million."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aiorescue import Binding, rescue
from aiorescue.inforouter import METHODS
from aiorescue.operation import Operation, OutcomeClass
from aiorescue.rescue import OPERATIONS as RESCUE
from aiorescue.wire import Response
from tests.lab import mutations
from tests.soak import decoders, witness

ANSWERS = decoders.good_answers()
#: What a step does to a part of a body: makes it longer or shorter, changes it, or puts something odd in its place.
KINDS = ("leave out", "twice", "turn round", "raise", "odd", "cut", "many times")


def changed(body: bytes, kind: str, place: float, length: int, odd: str) -> bytes:
    start = int(place * len(body))
    head, part, tail = body[:start], body[start : start + length], body[start + length :]
    new = {
        "leave out": b"",
        "twice": part * 2,
        "turn round": part[::-1],
        "raise": bytes((byte + 128) % 256 for byte in part),
        "odd": odd.encode("utf-8", "surrogatepass"),
        "cut": part,
        "many times": part * 300,
    }[kind]
    return head + new + (b"" if kind == "cut" else tail)


STEP = st.tuples(st.sampled_from(KINDS), st.floats(0, 1), st.integers(0, 40), st.sampled_from(mutations.ODD))
HEADERS = st.fixed_dictionaries(
    {}, optional={name: st.sampled_from(values) for name, values in mutations.HEADERS.items()}
)


@pytest.mark.parametrize("binding", Binding, ids=lambda binding: binding.name)
def test_a_changed_answer_is_a_value_or_an_error_of_ours(binding: Binding):
    answers = [good for good in ANSWERS if good.binding is binding]

    @settings(max_examples=500, derandomize=True, deadline=None, database=None)
    @given(st.sampled_from(answers), st.lists(STEP, max_size=3), HEADERS, st.sampled_from(mutations.STATUSES))
    def try_it(good: decoders.Good, steps: list[tuple[str, float, int, str]], headers: dict[str, str], status: int):
        body = good.body
        for step in steps:
            body = changed(body, *step)
        decoders.check(good, Response(status, body, headers))

    try_it()


def test_answers_changed_at_random_are_too():
    tally = decoders.run(1_500, 12, ANSWERS)
    assert sum(tally.values()) == 1_500
    assert tally["OK"] > 100
    assert tally["ProtocolError"] > 400


def test_every_operation_of_both_services_has_a_good_answer_on_each_of_its_bindings():
    ok: dict[type[Operation], set[Binding]] = {}
    for good in ANSWERS:
        if decoders.check(good, Response(200, good.body)).outcome_class is OutcomeClass.OK:
            ok.setdefault(type(good.operation), set()).add(good.binding)
    lacking = {
        kind.__name__: set(kind.spec.bindings) - ok.get(kind, set())
        for kind in map(type, decoders.OPERATIONS.values())
        if set(kind.spec.bindings) - ok.get(kind, set())
    }
    assert lacking == {}
    assert RESCUE.keys() <= decoders.OPERATIONS.keys()
    assert len(METHODS) > 100


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("<a>012345</a>", "utf-8"),
        ("<a>&#48;12&#x33;45</a>", "utf-8"),
        ("<a>012<!-- - -->34<![CDATA[5]]></a>", "utf-8"),
        ("PINCODE:012345", "utf-16"),
        ("<a>12345</a>", "cp1252"),
    ],
)
def test_the_witness_finds_a_pin_however_it_is_written(body: str, charset: str):
    response = Response(200, body.encode(charset), {"Content-Type": f"text/xml; charset={charset}"})
    assert witness.missing(rescue.PinCode("012345"), response) == []
    assert witness.missing(rescue.PinCode("112345"), response) == ["112345"]
