"""Learned answers: known by their bytes, and never understood otherwise than the parser would have."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiorescue import Binding, rescue
from aiorescue.call.reader import AnswerReader
from aiorescue.operation import Operation, Outcome, OutcomeClass
from aiorescue.wire import ANONYMOUS, Response, codec
from aiorescue.wire.learned import LearnedAnswer

SOAP = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    '<soap:Body><{name}Response xmlns="https://secure.logmeinrescue.com/API/API.asmx"><{name}Result>{word}</{name}Result>'
    "{out}</{name}Response></soap:Body></soap:Envelope>"
)
ROOT = '<{name} xmlns="https://secure.logmeinrescue.com/API/API.asmx">{name}_OK</{name}>'

#: An operation, a binding, a good answer, and what stands in it for a value.
ANSWERS = {
    "pin": (
        rescue.RequestLensPinCodeV2(),
        Binding.SOAP11,
        SOAP.format(name="requestLensPINCodeV2", word="requestPINCode_OK", out="<sPINCode>012345</sPINCode>"),
        "012345",
    ),
    "number": (
        rescue.RequestPinCode(),
        Binding.SOAP11,
        SOAP.format(name="requestPINCode", word="requestPINCode_OK", out="<iPINCode>012345</iPINCode>"),
        "12345",
    ),
    "pin as text": (rescue.RequestPinCode(), Binding.TEXT_POST, "OK\n\nPINCODE:012345", "012345"),
    "note": (
        rescue.GetNote(1),
        Binding.SOAP11,
        SOAP.format(name="getNote", word="getNote_OK", out="<sNote>hello</sNote>"),
        "hello",
    ),
    "twice": (
        rescue.GetNote(1),
        Binding.SOAP11,
        SOAP.format(name="getNote", word="getNote_OK", out="<sNote>Body</sNote>"),
        ">Body<",
    ),
    "note as text": (rescue.GetNote(1), Binding.TEXT_POST, "OK\nNOTE:hello", "hello"),
    "nothing": (rescue.StartSession(1, 2), Binding.HTTP_POST, ROOT.format(name="startSessionRet"), ""),
    "nothing as text": (rescue.CloseSession(1), Binding.TEXT_POST, "OK", ""),
    "word": (rescue.IsAnyTechAvailableOnChannel(1), Binding.TEXT_POST, "TRUE", "TRUE"),
}


def outcome(operation: Operation, binding: Binding, body: str, *, learned: str | None) -> Outcome:
    """What an answer means to a client that has seen another one before, or none."""
    reader = AnswerReader(codec(type(operation), binding), binding)
    if learned is not None:
        reader.read(operation, ANONYMOUS, Response(200, learned.encode()))
    return reader.read(operation, ANONYMOUS, Response(200, body.encode("utf-8", "surrogatepass")))


def learned_from(operation: Operation, binding: Binding, body: str) -> LearnedAnswer | None:
    reader = AnswerReader(codec(type(operation), binding), binding)
    assert reader.read(operation, ANONYMOUS, Response(200, body.encode())).outcome_class is OutcomeClass.OK
    return reader.learned


def said(found: Outcome) -> tuple:
    return found.outcome_class, found.value, found.word, found.error, found.detail, found.quote, found.ambiguous


@pytest.mark.parametrize("name", ["pin", "number", "pin as text", "note", "note as text", "nothing", "nothing as text"])
def test_a_good_answer_is_remembered(name: str):
    operation, binding, answer, value = ANSWERS[name]
    learned = learned_from(operation, binding, answer)
    assert learned.head + value.encode() + learned.tail == answer.encode()


@pytest.mark.parametrize("name", ["word", "twice"])
def test_an_answer_whose_value_has_no_place_of_its_own_is_not_remembered(name: str):
    operation, binding, answer, _ = ANSWERS[name]
    assert learned_from(operation, binding, answer) is None


ODDLY_WRITTEN = {
    "reference": ("<sNote>&#53;</sNote>", "<sNote>&#43;</sNote>"),
    "reference, and itself elsewhere": ("<sNote>&#50;2<?at 22?></sNote>", "<sNote>&#50;2<?at 33?></sNote>"),
    "comment": ("<sNote>2<!-- 22 -->2</sNote>", "<sNote>2<!-- 33 -->2</sNote>"),
    "instruction": ("<sNote>2<?at 22?>2</sNote>", "<sNote>2<?at 33?>2</sNote>"),
}


@pytest.mark.parametrize("name", ODDLY_WRITTEN)
def test_what_stands_where_the_value_does_not_is_no_value(name: str):
    answer, other = (
        SOAP.format(name="getNote", word="getNote_OK", out=out).replace(' encoding="utf-8"', "")
        for out in ODDLY_WRITTEN[name]
    )
    known = outcome(rescue.GetNote(1), Binding.SOAP11, other, learned=answer)
    assert said(known) == said(outcome(rescue.GetNote(1), Binding.SOAP11, other, learned=None))


def test_a_minus_before_a_number_belongs_to_it():
    zero, other = (
        SOAP.format(name="requestPINCode", word="requestPINCode_OK", out=f"<iPINCode>-{number}</iPINCode>").partition(
            "?>"
        )[2]
        for number in ("0", "12345")
    )
    known = outcome(rescue.RequestPinCode(), Binding.SOAP11, other, learned=zero)
    assert said(known) == said(outcome(rescue.RequestPinCode(), Binding.SOAP11, other, learned=None))


class Forgetful(AnswerReader):
    """A reader whose memory another thread clears as soon as it was looked at."""

    def __init__(self, remembered: LearnedAnswer) -> None:
        self._once = [None, remembered]

    @property
    def learned(self) -> LearnedAnswer | None:
        return self._once.pop()


def test_what_another_thread_forgets_meanwhile_is_still_known():
    reader = Forgetful(LearnedAnswer("closeSession_OK", b"OK"))
    found = reader.read(rescue.CloseSession(1), ANONYMOUS, Response(200, b"OK"))
    assert found.outcome_class is OutcomeClass.OK


def test_what_one_client_has_learned_is_its_own():
    one, other = (AnswerReader(codec(rescue.CloseSession, Binding.TEXT_POST), Binding.TEXT_POST) for _ in range(2))
    one.read(rescue.CloseSession(1), ANONYMOUS, Response(200, b"OK"))
    assert one.learned is not None
    assert other.learned is None


def test_an_answer_with_a_secret_in_it_is_not_remembered():
    operation = rescue.RequestAuthCode("me", "x")
    assert outcome(operation, Binding.TEXT_POST, "OK AUTHCODE:4ahx80u0", learned=None).value == "4ahx80u0"
    assert learned_from(operation, Binding.TEXT_POST, "OK AUTHCODE:4ahx80u0") is None


WORDS = ["ERROR", "POLLRATEEXCEEDED", "NOTLOGGEDIN", "FALSE", "Invalid", "999999", "000000", "1", "", "012345 "]
WORDS += ["x<y", "&#49;", "&amp;", "<b/>", "é", "\ud800", "1_0", "-1"]


def same_as_parsed(name: str, other: str) -> None:
    operation, binding, answer, _ = ANSWERS[name]
    known = outcome(operation, binding, other, learned=answer)
    assert said(known) == said(outcome(operation, binding, other, learned=None))


def with_value(name: str, value: str) -> str:
    _, _, answer, old = ANSWERS[name]
    return answer.replace(old, value) if old else answer + value


@pytest.mark.parametrize("name", ANSWERS)
@pytest.mark.parametrize("value", WORDS)
def test_another_value_means_what_the_parser_says(name: str, value: str):
    same_as_parsed(name, with_value(name, value))


@given(name=st.sampled_from(sorted(ANSWERS)), value=st.text(max_size=8) | st.text("0123456789", max_size=7))
def test_any_value_means_what_the_parser_says(name: str, value: str):
    same_as_parsed(name, with_value(name, value))


@given(data=st.data(), name=st.sampled_from(sorted(ANSWERS)))
def test_a_changed_answer_means_what_the_parser_says(data: st.DataObject, name: str):
    answer = ANSWERS[name][2]
    begin = data.draw(st.integers(0, len(answer)))
    end = data.draw(st.integers(begin, len(answer)))
    same_as_parsed(name, answer[:begin] + data.draw(st.sampled_from(WORDS) | st.text(max_size=4)) + answer[end:])
