"""How to test a program that uses aiorescue without any server: aioresponses answers in the place of aiohttp.

The emulator is the better counterpart for most tests, because it knows the service's rules: `async with Emulator()`.
Mocked HTTP suits tests of one answer, such as a status word or a failure that is hard to bring about otherwise.
"""

import inspect
from collections.abc import AsyncIterator, Iterator
from unittest.mock import Mock

import aiohttp
import pytest
from aioresponses import aioresponses

from aiorescue import AuthCode, Binding, Login, RescueClient, RetryPolicy, errors

#: The text pages have the shortest answers: a status word, an empty line, and the outputs as NAME:value.
URL = "https://secure.logmeinrescue.com/API/{}.aspx"
PIN = "OK\n\nPINCODE:012345"


class Answer(aiohttp.ClientResponse):
    """A mocked answer. aioresponses 0.7.9 leaves out an argument that aiohttp has required since version 3.14."""

    def __init__(self, *args, **kwargs):
        if "stream_writer" in inspect.signature(aiohttp.ClientResponse).parameters:
            kwargs["stream_writer"] = Mock()
        super().__init__(*args, **kwargs)


@pytest.fixture
def mocked() -> Iterator[aioresponses]:
    """While this is active, no request leaves the process; one without a mocked answer fails to connect."""
    with aioresponses() as mocked:
        yield mocked


@pytest.fixture
async def rescue() -> AsyncIterator[RescueClient]:
    """A client that asks text pages, does not pace its calls, and retries without waiting."""
    options = {"binding": Binding.TEXT_POST, "pace": None, "retry": RetryPolicy(first=0.0)}
    async with RescueClient(AuthCode("4ahx80u0"), **options) as client:
        yield client


async def welcome(rescue: RescueClient, name: str) -> str:
    """The program under test: what a chatbot says to a customer who needs help."""
    try:
        pin = await rescue.request_pin_code(custom_fields=[name])
    except errors.OutOfPinCodes:
        return f"Sorry, {name}, please call us."
    return f"{name}, your PIN is {pin.code}."


async def test_an_answer(mocked: aioresponses, rescue: RescueClient):
    mocked.post(URL.format("requestPINCode"), body=PIN, response_class=Answer)
    assert await welcome(rescue, "Jane") == "Jane, your PIN is 012345."


async def test_what_was_sent(mocked: aioresponses, rescue: RescueClient):
    mocked.post(URL.format("requestPINCode"), body=PIN, response_class=Answer)
    await welcome(rescue, "Jane")
    ((method, url), (request,)), *_ = mocked.requests.items()
    assert (method, str(url)) == ("POST", URL.format("requestPINCode"))
    assert b"cfield0=Jane" in request.kwargs["data"]


async def test_a_status_word_is_an_exception(mocked: aioresponses, rescue: RescueClient):
    mocked.post(URL.format("requestPINCode"), body="OUTOFPINCODES", response_class=Answer)
    assert await welcome(rescue, "Jane") == "Sorry, Jane, please call us."


async def test_an_error_is_retried(mocked: aioresponses, rescue: RescueClient):
    mocked.post(URL.format("requestPINCode"), body="ERROR", response_class=Answer)
    mocked.post(URL.format("requestPINCode"), status=503, response_class=Answer)
    mocked.post(URL.format("requestPINCode"), body=PIN, response_class=Answer)
    assert await welcome(rescue, "Jane") == "Jane, your PIN is 012345."


async def test_a_failure_to_connect(mocked: aioresponses, rescue: RescueClient):
    mocked.post(URL.format("requestPINCode"), exception=ConnectionRefusedError(), repeat=True)
    with pytest.raises(errors.ConnectionFailed) as caught:
        await welcome(rescue, "Jane")
    assert caught.value.attempts == RetryPolicy().attempts


async def test_a_login_and_its_cookie(mocked: aioresponses):
    cookie = {"Set-Cookie": "ASP.NET_SessionId=s1; path=/; HttpOnly"}
    mocked.post(URL.format("login"), body="OK", headers=cookie, response_class=Answer)
    mocked.post(URL.format("closeSession"), body="OK", response_class=Answer)
    mocked.post(URL.format("logout"), body="OK", response_class=Answer)
    async with RescueClient(Login("jane@example.com", "secret"), binding=Binding.TEXT_POST, pace=None) as rescue:
        await rescue.close_session(12345678)
    sent = {url.name: requests[0].kwargs["headers"] for (_, url), requests in mocked.requests.items()}
    assert list(sent) == ["login.aspx", "closeSession.aspx", "logout.aspx"]
    assert sent["closeSession.aspx"]["Cookie"] == "ASP.NET_SessionId=s1"


async def test_an_answer_over_soap(mocked: aioresponses):
    envelope = (
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>'
        '<requestPINCodeResponse xmlns="https://secure.logmeinrescue.com/API/API.asmx">'
        "<requestPINCodeResult>requestPINCode_OK</requestPINCodeResult><iPINCode>12345</iPINCode>"
        "</requestPINCodeResponse></soap:Body></soap:Envelope>"
    )
    mocked.post("https://secure.logmeinrescue.com/API/API.asmx", body=envelope, response_class=Answer)
    async with RescueClient(AuthCode("4ahx80u0"), binding=Binding.SOAP11, pace=None) as rescue:
        assert await welcome(rescue, "Jane") == "Jane, your PIN is 012345."
