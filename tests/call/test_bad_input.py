"""Bad input is refused before anything is sent, with a message that names the place and the limit."""

import asyncio
import copy
import pickle
import time
from collections.abc import Callable
from datetime import date
from unittest.mock import AsyncMock

import pytest

from aiorescue import (
    AuthCode,
    Binding,
    InfoRouterClient,
    Login,
    Pace,
    RedisPace,
    RescueClient,
    RetryPolicy,
    Ticket,
    errors,
    inforouter,
    rescue,
)
from aiorescue.emulator import Emulator

CODE = AuthCode("fixedtech0000")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: rescue.RequestPinCode(custom_fields=["x" * 65]), r"custom_fields\[0\] has 65 characters, .* 64"),
        (lambda: rescue.RequestPinCode(custom_fields=["", "x" * 513]), r"custom_fields\[1\] has 513 .* 512"),
        (lambda: rescue.RequestPinCode(custom_fields=["", "", "", "x" * 257]), r"custom_fields\[3\] has 257 .* 256"),
        (lambda: rescue.RequestPinCode(tracking="x" * 65), "tracking has 65 characters"),
        (lambda: rescue.RequestPinCode(tracking="a\x01b"), r"tracking has a character .* \(U\+0001 at position 1\)"),
        (lambda: rescue.RequestPinCode(custom_fields=["\ud800"]), r"U\+D800"),
        (lambda: rescue.RequestPinCode(custom_fields=["ok", "\uffff"]), r"custom_fields\[1\] .*U\+FFFF"),
        (lambda: rescue.RequestPinCode(custom_fields=["x"] * 7), "7 texts, but the service takes six"),
        (lambda: rescue.RequestPinCode(custom_fields="Jane"), r'write \["Jane"\]'),
        (lambda: rescue.RequestPinCode(custom_fields=[1]), "must be str, not int"),
        (lambda: rescue.RequestPinCode(custom_fields=None), "must be a list of texts, not NoneType"),
        (lambda: rescue.RequestInvitationLink(custom_fields=7), "a list of up to two texts"),
        (lambda: rescue.RequestInvitationLink(custom_fields={"Jane", "7"}), "a list of up to two texts"),
        (lambda: rescue.RequestInvitationLink(custom_fields={"name": "Jane"}), "a list of up to two texts"),
        (lambda: rescue.SetGroup(node=1, name="x", permissions=[None]), "permissions must be a list of names"),
        (lambda: rescue.SetGroup(node=1, name="x", locked_permissions=7), "permissions must be a list of names"),
        (lambda: rescue.CreateUsers(7), "a list of NewUser"),
        (lambda: rescue.CreateUsers(["Jane"]), "a list of NewUser"),
        (lambda: rescue.SetReportDate(None, "2024-01-02"), "a date is wanted, or its text, not NoneType"),
        (lambda: rescue.SetReportDateV2(date(2024, 1, 2), "2024-01-02"), "a datetime is wanted, .* not date"),
        (lambda: rescue.SetReportTime("9:00", "10:00"), "'9:00' is no time in ISO 8601"),
        (lambda: rescue.SetReportTime(9, "10:00"), "a time is wanted, or its text, not int"),
        (lambda: rescue.RequestPinCode(no_tech_console="yes"), "no_tech_console must be bool, not str"),
        (lambda: rescue.CloseSession(2**31), "is 2147483648, but the service takes 32-bit numbers"),
        (lambda: rescue.CloseSession("42"), "session must be int, not str"),
        (lambda: rescue.CloseSession(True), "session must be int, not bool"),
        (lambda: rescue.CloseSession(None), "session must be int, not NoneType"),
        (lambda: rescue.SetUser(node=1, name=None, email="a@b.c"), "name must be str, not NoneType"),
        (lambda: rescue.GetReportV2(None), "node must be int, not NoneType"),
        (lambda: rescue.StartSession(1, -(2**31) - 1), "node is -2147483649"),
        (lambda: rescue.StartSession(10**5_000, 1), "session is too large, but the service takes 32-bit numbers"),
        (lambda: rescue.RequestAuthCodeSso("me", "pw", company=None), "an id must be a text or .*, not NoneType"),
        (lambda: rescue.RequestAuthCodeSso("me", "pw", company=True), "an id must be .*, not bool"),
        (lambda: rescue.RequestAuthCodeSso("me", "pw", company=10**5_000), "an id must be .* number from 0"),
        (
            lambda: rescue.NewUser(unique_id=None, parent=1, name="A", email="a@b.c", password="p"),
            "an id must be .*, not NoneType",
        ),
        (lambda: rescue.GenerateEmailText(pin_code=10**5_000), "pin_code must be six digits"),
    ],
)
def test_a_value_that_cannot_be_sent_is_refused_when_it_is_made(make, message: str):
    with pytest.raises(errors.InvalidRequest, match=message):
        make()


@pytest.mark.parametrize(
    "base_url",
    [
        "http://example.com",
        "http://10.0.0.1",
        "ftp://example.com",
        "example.com",
        "",
        "https://",
        "http://localhost.example.com",
        "http://evil.localhost",
        "http://localhost.",
        "http://127.1",
        "http://0.0.0.0",
        "http://2130706433",
        "https://host:0",
        "https://host:99999",
        "https://host:port",
        "https://a..b",
        "https://-a",
        "https://h%6fst",
        "https://host\\evil",
        "https:///path",
        "//host",
    ],
)
def test_a_base_url_without_tls_or_host_is_refused(base_url: str):
    with pytest.raises(errors.InvalidRequest, match="base_url"):
        RescueClient(CODE, base_url=base_url)


@pytest.mark.parametrize(
    "base_url", ["http://localhost:1", "http://127.0.0.2", "http://[::1]:8080", "https://example.com/app/"]
)
def test_loopback_and_tls_are_taken(base_url: str):
    assert RescueClient(CODE, base_url=base_url).base_url == base_url.rstrip("/")
    assert RescueClient(CODE, base_url="http://example.com", allow_plain_http=True)


@pytest.mark.parametrize(
    ("base_url", "message"),
    [
        (None, "base_url must be text like https://host, not NoneType"),
        (b"https://host", "not bytes"),
        (7, "not int"),
        (["https://host"], "not list"),
        ("https://host/a b", "must hold no spaces and no control characters, and has ' '"),
        (" https://host", "has ' '"),
        ("https://host\n", r"has '\\n'"),
        ("https://h\tost", r"has '\\t'"),
        ("https://host/\x00", r"has '\\x00'"),
        ("https://host\x7f", r"has '\\x7f'"),
        ("https://host\u200b", r"has '\\u200b'"),
        ("https://host/\ud800", r"has '\\ud800'"),
        ("https://host/%00", "has %00"),
        ("https://host/%0d%0aX: 1", "has ' '"),
        ("https://host/%0d%0aX:1", "has %0d"),
    ],
)
@pytest.mark.parametrize("client", [RescueClient, InfoRouterClient])
def test_a_base_url_that_is_no_text_or_holds_control_characters_is_refused(client, base_url, message: str):
    with pytest.raises(errors.InvalidRequest, match=message):
        client(base_url=base_url)


def test_a_base_url_with_a_password_is_refused_and_not_shown():
    with pytest.raises(errors.InvalidRequest) as caught:
        RescueClient(CODE, base_url="https://tech:hunter2@example.com")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "make", [lambda: AuthCode(""), lambda: Login("", "x"), lambda: Login("x", " "), lambda: Ticket(" ")]
)
def test_empty_credentials_are_refused(make):
    with pytest.raises(errors.InvalidRequest, match="must not be empty"):
        make()


@pytest.mark.parametrize("make", [AuthCode, Ticket, lambda given: Login("jane", given)])
def test_credentials_that_are_no_text_are_refused_and_not_shown(make):
    with pytest.raises(errors.InvalidRequest, match="must be a text, not bytes") as caught:
        make(b"fixedtech0000")
    assert "fixedtech0000" not in str(caught.value)


def test_credentials_of_the_wrong_kind_are_refused_and_not_shown():
    with pytest.raises(errors.InvalidRequest, match="not str") as caught:
        RescueClient("fixedtech0000")
    assert "fixedtech0000" not in str(caught.value)
    with pytest.raises(errors.InvalidRequest):
        RescueClient(Ticket("3f2a"))
    with pytest.raises(errors.InvalidRequest):
        InfoRouterClient(CODE, base_url="https://docs.example.com")
    with pytest.raises(errors.InvalidRequest, match="twice"):
        RescueClient([CODE, CODE])


@pytest.mark.parametrize("client", [RescueClient, InfoRouterClient])
def test_the_operation_login_is_told_from_the_credentials(client):
    with pytest.raises(
        errors.InvalidRequest, match=r"aiorescue's .*, not aiorescue\.rescue\.authentication\.Login"
    ) as caught:
        client(rescue.Login("tech@example.com", "hunter2"), base_url="https://localhost")
    assert "hunter2" not in str(caught.value)


async def test_no_credentials_are_noticed_before_sending(service: Emulator):
    async with RescueClient(base_url=service.url) as client, InfoRouterClient(base_url=service.url) as docs:
        with pytest.raises(errors.CredentialsMissing, match="closeSession needs an identity to call as"):
            await client.close_session(1)
        with pytest.raises(errors.CredentialsMissing, match="needs email and password"):
            await client.login()
        with pytest.raises(errors.CredentialsMissing, match="needs user and password"):
            await docs.authenticate_user()
    assert service.requests.count == 0


@pytest.mark.parametrize("binding", [Binding.TEXT_GET, Binding.TEXT_POST])
@pytest.mark.parametrize("text", ["<b>bold</b>", "a &#38; b"])
async def test_markup_is_refused_where_the_service_would(service: Emulator, binding: Binding, text: str):
    login = Login("tech@example.com", "secret")
    async with RescueClient(login, base_url=service.url, pace=None) as client:
        with pytest.raises(errors.InvalidRequest, match=r"tracking holds markup.*send it over SOAP"):
            await client.call(rescue.RequestPinCode(tracking=text), binding=binding)
        assert service.requests.count == 0
        await client.call(rescue.RequestPinCode(tracking=text), binding=Binding.SOAP11)
    assert service.ledger[0].tracking == text


async def test_markup_for_an_operation_without_soap_is_not_sent_on_to_soap(service: Emulator):
    async with RescueClient(CODE, base_url=service.url) as client:
        with pytest.raises(errors.InvalidRequest, match=r"comment holds markup.* refuses in forms .*; remove it"):
            await client.transfer_session(12345678, 337366, comment="see <b>this</b>")


async def test_a_query_longer_than_the_service_takes_is_refused(service: Emulator):
    fields = ["", "é" * 512]
    async with RescueClient(CODE, base_url=service.url, pace=None) as client:
        with pytest.raises(errors.InvalidRequest, match=r"the query has \d+ characters, but the service takes 2048"):
            await client.call(rescue.RequestPinCode(custom_fields=fields), binding=Binding.TEXT_GET)
        assert service.requests.count == 0
        await client.call(rescue.RequestPinCode(custom_fields=fields), binding=Binding.TEXT_POST)


@pytest.mark.parametrize(
    "options", [{"timeout": 0}, {"max_connections": 0}, {"sessions": 0}, {"sessions": "2"}, {"refused_for": "x"}]
)
def test_options_out_of_range_are_refused(options: dict):
    with pytest.raises(errors.InvalidRequest):
        RescueClient(CODE, **options)


@pytest.mark.parametrize("rate", [0, "10", True, float("nan"), 10**400])
def test_a_pace_that_is_no_rate_is_refused(rate):
    with pytest.raises(errors.InvalidRequest, match="pins must be a number above 0"):
        Pace(pins=rate)


@pytest.mark.parametrize(
    "make", [lambda: AuthCode("ab\x01c"), lambda: Ticket("a\r\nX: y"), lambda: Login("a", "b\ud800")]
)
def test_credentials_that_cannot_travel_are_refused_and_not_shown(make):
    with pytest.raises(errors.InvalidRequest, match="control character") as caught:
        make()
    assert "X: y" not in str(caught.value)


@pytest.mark.parametrize("base_url", ["ftp://user:hunter2@host", "https://user:hunter2@host:99999"])
def test_a_base_url_that_cannot_be_used_shows_no_password(base_url: str):
    with pytest.raises(errors.InvalidRequest) as caught:
        RescueClient(CODE, base_url=base_url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("count", [0, "3", 1.5, True, float("inf")])
def test_a_count_that_is_no_whole_number_is_refused(count):
    with pytest.raises(errors.InvalidRequest, match="RetryPolicy: attempts must be a whole number from 1 on"):
        RetryPolicy(attempts=count)
    with pytest.raises(errors.InvalidRequest, match="Pace: logins must be a whole number from 1 on, or None"):
        Pace(logins=count)


@pytest.mark.parametrize("seconds", [-1, "3", True, None, float("nan")])
@pytest.mark.parametrize("name", ["total", "first", "longest"])
def test_a_time_of_a_retry_policy_that_is_none_is_refused(name: str, seconds):
    with pytest.raises(errors.InvalidRequest, match=f"RetryPolicy: {name} must be a number from 0 on"):
        RetryPolicy(**{name: seconds})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"timeout": "5"}, "timeout must be a number of seconds above 0, not '5'"),
        ({"timeout": float("nan")}, "timeout must be a number of seconds above 0, not nan"),
        ({"timeout": True}, "timeout must be a number of seconds above 0, not True"),
        ({"max_connections": 2.5}, "max_connections must be a whole number from 1 on, not 2.5"),
        ({"retry": 3}, r"retry must be RetryPolicy\(attempts=…, total=…\), not 3"),
        ({"binding": "SOAP11"}, "binding must be one of Binding.SOAP11, Binding.SOAP12, .*, not 'SOAP11'"),
        ({"on_event": []}, "on_event must be a function that takes an event, not list"),
        ({"on_event": asyncio.sleep}, "on_event must be a plain function, not `async def`"),
        ({"on_event": AsyncMock()}, "on_event must be a plain function, not `async def`"),
        ({"relogin": "no"}, "relogin must be True or False, not 'no'"),
        ({"trust_env": 1}, "trust_env must be True or False, not 1"),
        ({"allow_plain_http": None}, "allow_plain_http must be True or False, not None"),
        ({"clock": time.monotonic}, r"clock must have time\(\) and sleep\(seconds\), which builtin_\w+ lacks"),
        ({"http": "session"}, "http must be an aiohttp.ClientSession, not str"),
    ],
)
def test_an_option_of_the_wrong_type_is_named_when_the_client_is_made(options: dict, message: str):
    with pytest.raises(errors.InvalidRequest, match=message):
        RescueClient(CODE, **options)
    with pytest.raises(errors.InvalidRequest, match=message):
        InfoRouterClient(Login("jane", "secret"), base_url="https://docs.example.com", **options)


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, pickle.dumps])
async def test_a_client_cannot_be_copied_or_pickled_with_its_secrets(copied: Callable[[object], object]):
    async with RescueClient(CODE) as client:
        for one in (client, client.with_options(timeout=5)):
            with pytest.raises(TypeError, match="RescueClient cannot be copied or pickled: share it"):
                copied(one)


@pytest.mark.parametrize("options", [{"url": 5}, {"url": None}, {"url": "redis://localhost", "prefix": 5}])
def test_an_option_of_redis_of_the_wrong_type_is_named(options: dict):
    with pytest.raises(errors.InvalidRequest, match=r"RedisPace: (url|prefix) must be a text, not (int|NoneType)"):
        RedisPace(**options)


@pytest.mark.parametrize("page", ["API/API.asmx", "API/API.asmx/", "API/API.asmx?WSDL", "API/requestPINCode.aspx"])
def test_a_base_url_with_the_path_of_a_page_is_refused(page: str):
    with pytest.raises(errors.InvalidRequest, match="base_url"):
        RescueClient(CODE, base_url=f"https://rescue.example.com/{page}")


async def test_an_operation_of_the_other_service_is_refused_before_a_login(service: Emulator):
    login = Login("tech@example.com", "secret")
    async with (
        RescueClient(login, base_url=service.url) as client,
        InfoRouterClient(login, base_url=service.url) as documents,
    ):
        with pytest.raises(
            errors.InvalidRequest, match=r"GetDocument is an operation of infoRouter, .* LogMeIn Rescue"
        ):
            await client.call(inforouter.GetDocument("/Public/a.txt"))
        with pytest.raises(
            errors.InvalidRequest, match=r"closeSession is an operation of LogMeIn Rescue, .*infoRouter"
        ):
            await documents.call(rescue.CloseSession(12345678))
    assert not service.requests


async def test_what_is_called_in_place_of_an_operation_is_named(service: Emulator):
    async with RescueClient(CODE, base_url=service.url) as client:
        with pytest.raises(errors.InvalidRequest, match=r"such as CloseSession\(session=42\), not str; `raw` takes"):
            await client.call("closeSession")
        with pytest.raises(errors.InvalidRequest, match="not CloseSession itself"):
            await client.call(rescue.CloseSession)
        with pytest.raises(errors.InvalidRequest, match="not str"):
            client.expected_wait("requestPINCode")
        assert client.expected_wait(rescue.RequestPinCode) == 0
        with pytest.raises(errors.InvalidRequest, match="binding must be one of"):
            await client.call(rescue.CloseSession(12345678), binding="TEXT_POST")
        with pytest.raises(errors.InvalidRequest, match="binding must be one of"):
            client.with_options(binding="TEXT_POST")
        with pytest.raises(errors.InvalidRequest, match="on_event must be a function"):
            client.with_options(on_event=7)
    assert not service.requests.count


@pytest.mark.parametrize("name", [None, ["getDateFormat"], 7])
async def test_a_raw_call_of_what_is_no_name_is_refused(service: Emulator, name):
    async with RescueClient(CODE, base_url=service.url) as client:
        with pytest.raises(errors.InvalidRequest, match="raw: a name is a text, not "):
            await client.raw(name)
