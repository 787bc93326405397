"""Errors for people and programs: what a message says first, what it leaves out, and what an error is besides."""

import copy
import gc
import pickle
from html import escape

import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, RescueClient, RetryPolicy, Ticket, errors, rescue, wire
from aiorescue.inforouter.answers.element import LogEntry
from aiorescue.operation import OutcomeClass, Veiled
from aiorescue.rescue import raw
from aiorescue.rescue.raw import call_of
from tests.call.test_hostile_servers import answer, server

ONCE = RetryPolicy(attempts=1)
RESCUE = "https://secure.logmeinrescue.com/API/API.asmx"


async def test_an_unknown_word_stands_before_the_answer_that_it_came_in():
    body = (
        '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
        f'<soap:Body><closeSessionResponse xmlns="{RESCUE}"><closeSessionResult>closeSession_Odd</closeSessionResult>'
        "</closeSessionResponse></soap:Body></soap:Envelope>"
    )
    async with (
        server(answer(body.encode(), b"Content-Type: text/xml")) as url,
        RescueClient(AuthCode("code"), base_url=url, retry=ONCE) as client,
    ):
        with pytest.raises(errors.ServiceError) as caught:
            await client.close_session(1)
    assert str(caught.value).startswith(
        "closeSession: a word that this version does not know (closeSession_Odd): <?xml version"
    )
    assert caught.value.status == "closeSession_Odd"


@pytest.mark.parametrize("spelt", [str, escape, lambda text: escape(escape(text))])
async def test_the_log_of_a_partial_failure_is_cleaned_of_secrets(spelt):
    ticket = "t1ck&et-value"
    body = (
        '<response success="true" error="[log] see"><log><item>/a/{0}</item><error>you said {0}</error></log>'
        "<log><item>/b</item><error>another reason</error></log></response>"
    ).format(escape(spelt(ticket)))
    async with (
        server(answer(body.encode(), b"Content-Type: text/xml")) as url,
        InfoRouterClient(Ticket(ticket), base_url=url, retry=ONCE, binding=Binding.HTTP_POST) as docs,
    ):
        with pytest.raises(errors.PartialFailure) as caught:
            await docs.copy("/a", "/b")
    failure = caught.value
    assert [type(entry) for entry in failure.log] == [LogEntry, LogEntry]
    assert failure.log[1] == LogEntry("/b", "another reason")
    assert "t1ck" not in f"{failure} {failure.log} {pickle.dumps(failure)!r}"


async def test_a_number_that_is_a_password_is_shown_no_more_than_a_text():
    async with (
        server(lambda sent: answer(sent, status=b"400 Bad")) as url,
        RescueClient(AuthCode("code"), base_url=url, retry=ONCE) as client,
    ):
        with pytest.raises(errors.ServiceFault) as caught:
            await client.raw("login", {"pwd": 90210907, "email": "me"}, binding=Binding.TEXT_POST)
    assert "90210907" not in str(caught.value)


@pytest.mark.parametrize("error", [getattr(errors, name) for name in errors.__all__])
def test_every_error_can_be_copied_grouped_and_sent_to_another_process(error: type[errors.RescueError]):
    problem = error("what happened", operation="closeSession", status="ERROR", attempts=3, possibly_orphaned=1)
    problem.add_note("a note of the program's")
    for again in (copy.copy(problem), copy.deepcopy(problem), pickle.loads(pickle.dumps(problem))):
        assert (type(again), str(again), vars(again)) == (error, "what happened", vars(problem))
    plain = pickle.loads(pickle.dumps(error("what happened")))
    assert (plain.operation, plain.status, plain.attempts, plain.possibly_orphaned) == (None, None, 0, 0)
    found = []
    try:
        raise ExceptionGroup("two", [problem, ValueError("another")])
    except* errors.RescueError as group:
        found += group.exceptions
    except* ValueError:
        pass
    assert found == [problem]
    [one, _] = pickle.loads(pickle.dumps(ExceptionGroup("two", [problem, ValueError("another")]))).exceptions
    assert vars(one) == vars(problem)


def test_a_refused_number_of_a_secret_parameter_is_not_shown():
    with pytest.raises(errors.InvalidRequest, match="iPass is too large, but the service takes 32-bit numbers"):
        call_of("op", {"iPass": 90210907 * 10**9})


def test_a_veiled_value_does_not_show_itself():
    assert "s3cr3t" not in repr(Veiled("s3cr3t"))


def test_an_outcome_does_not_show_its_value():
    operation = rescue.RequestAuthCode("me", "pw")
    codec = wire.codec(type(operation), Binding.TEXT_POST)
    outcome = wire.read(codec, operation, wire.ANONYMOUS, wire.Response(200, b"OK\n\nAUTHCODE:s3cr3t"))
    assert (outcome.outcome_class, outcome.value) == (OutcomeClass.OK, "s3cr3t")
    assert "s3cr3t" not in repr(outcome)


def test_raw_keeps_a_bounded_number_of_classes_and_codecs():
    def call(number: int) -> type:
        operation = call_of(f"operation{number}", {"iSession": 1, f"sName{number}": "x"})
        for binding in (Binding.SOAP11, Binding.TEXT_POST):
            wire.codec(type(operation), binding).draft(operation)
        return type(operation)

    first = call(0)
    assert call(0) is first  # made once, as long as it is in use
    del first
    for number in range(1_000):
        call(number % 3)
        call(number)
    gc.collect()
    assert len(raw._CLASSES) <= 128
    assert sum(operation.__name__.startswith("Raw_operation") for operation in wire._PREPARED) <= 128


async def test_a_client_keeps_a_bounded_number_of_readers():
    async with server(answer(b"OK\n")) as url, RescueClient(AuthCode("code"), base_url=url) as client:
        for number in range(600):
            operation = call_of(f"operation{number}", {})
            client._runner._find_reader(type(operation), Binding.TEXT_POST)
        assert len(client._runner._readers) <= 513
        await client.raw("operation0", binding=Binding.TEXT_POST)
