"""What is answered, what is refused and how, and the page that says so."""

from pathlib import Path

import pytest

from aiorescue import inforouter, rescue
from aiorescue.emulator import coverage
from aiorescue.operation import Binding
from tests.emulator.sockets import exchange, page, soap
from tests.emulator.wire_client import ask
from tests.support import EXAMPLES

DOCS = Path(__file__).parents[2] / "docs"
CODE = "<sAuthCode>fixedtech0000</sAuthCode>"
ASMX = "https://secure.logmeinrescue.com/API/API.asmx"


def test_these_declared_operations_are_refused():
    assert coverage.unanswered(rescue.OPERATIONS) == []
    assert coverage.unanswered({**inforouter.OPERATIONS, **inforouter.TYPED}) == []


def test_the_page_in_the_docs_is_up_to_date():
    assert (DOCS / "coverage.md").read_text("utf-8") == coverage.page()


async def test_an_operation_that_no_rules_answer_is_an_error_on_every_binding(service):
    for name in ("getUser", "startSession"):
        del service.state._handlers[name]
    assert await page(service, "getUser", "node=337366&authcode=fixedtech0000") == "ERROR"
    assert "<getUserResult>getUser_Error</getUserResult></getUserResponse>" in (await soap(service, "getUser")).text
    answer = await exchange(service.url, "GET", "/API/API.asmx/startSession?iSession=1&iNode=1&sAuthCode=")
    assert (answer.status, answer.text.endswith(">startSessionRet_Error</startSessionRet>")) == (200, True)


@pytest.mark.parametrize("name", rescue.OPERATIONS)
async def test_every_operation_has_a_word_for_whatever_it_is_asked(service, name):
    for binding in EXAMPLES[name].spec.bindings:
        answer = await ask(service, EXAMPLES[name], binding)
        assert answer.status == 200, answer.text


async def test_what_is_only_a_text_page_is_no_soap_operation(service):
    answer = await soap(service, "holdSession", "<session>12345678</session>")
    assert (answer.status, "did not recognize" in answer.text) == (500, True)
    assert "holdSession" not in (await exchange(service.url, "GET", "/API/API.asmx?WSDL")).text


async def docs(service, method, query=""):
    return await exchange(service.url, "GET", f"/srv.asmx/{method}?{query}")


async def test_a_method_of_the_catalogue_without_rules_looks_at_the_ticket_and_refuses(service):
    got = await docs(service, "AuthenticateUser", "UID=tech@example.com&PWD=secret")
    ticket = got.text.partition('ticket="')[2].partition('"')[0]
    answer = await docs(service, "GetAllUsers", f"authenticationTicket={ticket}")
    assert 'success="false" error="SystemError: GetAllUsers is not emulated." errorCode="5000"' in answer.text
    answer = await docs(service, "GetAllUsers", "authenticationTicket=dead")
    assert 'error="[901] Session expired or Invalid ticket" errorCode="4010"' in answer.text
    answer = await docs(service, "DownloadZip", f"authenticationTicket={ticket}&Paths=/a")
    assert (answer.status, answer.text, answer.headers["X-InfoRouter-ErrorCode"]) == (500, '""', "5000")


async def test_a_method_that_is_not_in_the_catalogue_is_no_method(service):
    answer = await docs(service, "GetServerTime")
    assert (answer.status, "method name is not valid" in answer.text) == (500, True)
    answer = await soap(service, "GetServerTime", namespace="http://tempuri.org/", path="/srv.asmx")
    assert (answer.status, "did not recognize" in answer.text) == (500, True)


async def test_the_catalogues_method_that_does_nothing_answers_nothing(service):
    answer = await docs(service, "MaintenanceBeat")
    assert (answer.status, answer.body) == (200, b"")


async def test_a_form_wants_its_required_texts_filled(service):
    answer = await docs(service, "GetFolder", "authenticationTicket=&Path=&WithRules=false")
    assert (answer.status, answer.body) == (400, b"")


async def test_bytes_do_not_come_by_get(service):
    assert (await docs(service, "UploadDocument1", "path=/Public/a&fileContent=YQ==")).status == 415


async def test_an_enumeration_has_its_members_and_no_others(service):
    answer = await soap(service, "getSession_V3", f"<iNodeID>0</iNodeID><eNodeRef>PLANET</eNodeRef>{CODE}")
    assert (answer.status, "&apos;PLANET&apos;" in answer.text or "'PLANET'" in answer.text) == (500, True)


def test_every_interface_is_swept():
    assert {binding for each in EXAMPLES.values() for binding in each.spec.bindings} == set(Binding)
