"""The pages for people: well-formed, escaped, without outside resources, and with forms that do what they say."""

import json
from html.parser import HTMLParser
from urllib.parse import urlencode

import pytest

from tests.emulator.sockets import JSON, control, exchange, page

VOID = {"meta", "input", "br", "link"}


class Page(HTMLParser):
    """The elements of a page; raises for those that are not nested."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


async def front(service):
    answer = await exchange(service.url, "GET", "/")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    return answer, Page(answer.text)


async def test_the_front_page_shows_users_limits_sessions_requests_and_pins(service):
    await page(service, "requestPINCode", "authcode=fixedtech0000&tracking0=CASE-7&cfield0=Jane")
    service.fault("delay_before", "startSession", times=3)
    _, shown = await front(service)
    for text in (
        "tech@example.com",
        "12345678",
        "012345",
        "CASE-7",
        "Jane",
        "requestPINCode",
        "startSession",
        "1200",
    ):
        assert text in shown.texts


async def test_the_front_page_escapes_and_brings_everything_along(service):
    evil = "</td><script>alert(1)</script><img src=x onerror=alert(1)>"
    await exchange(
        *(service.url, "POST", "/API/API.asmx"),
        {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'},
        b"<x/>",
    )
    service.state.pins.ledger.issue(
        evil, evil, tracking=evil, custom_fields=(evil, "\ud800"), no_tech_console=False, time=0.0, node=None
    )
    service.fault("word", error=evil)
    answer, shown = await front(service)
    assert len(shown.all("script")) == 1
    assert shown.all("img") == []
    assert not [each for _, each in shown.elements if each.keys() & {"src", "onerror", "onclick"}]
    assert all(each["href"].startswith("/") for each in shown.all("a"))
    for part in ("default-src 'none'", "frame-ancestors 'none'", "script-src 'sha256-"):
        assert part in answer.headers["Content-Security-Policy"]


async def test_every_button_of_the_front_page_does_something(service):
    _, shown = await front(service)
    for form in shown.all("form"):
        method = form.get("data-method", "POST")
        body = {
            "/_emulator/faults": b'{"kind": "html"}',
            "/_emulator/clock": b'{"advance": 1}',
            "/_emulator/leave": b'{"session": 12345678}',
        }.get(form["action"], b"{}")
        headers = {**JSON, "Origin": service.url} if method == "POST" else {"Origin": service.url}
        answer = await exchange(service.url, method, form["action"], headers, body if method == "POST" else b"")
        assert answer.status == 200, form
    assert {form["action"].rpartition("/")[2] for form in shown.all("form")} == {
        *("faults", "limits", "clock", "sessions", "leave", "expire", "reset")
    }


async def test_an_empty_field_of_a_limit_takes_the_limit_away(service):
    service.limits.pin_rate, service.limits.pins_left = 1.0, 5
    _, shown = await front(service)
    without = {each["name"]: json.loads(each["data-empty"]) for each in shown.all("input") if "data-empty" in each}
    assert without == {"pin_rate": None, "pins_left": None}
    await control(service, "POST", "limits", without)
    assert (service.limits.pin_rate, service.limits.pins_left) == (None, None)
    assert {"no limit", "plenty"} <= set((await front(service))[1].texts)


async def test_options_of_faults_are_shown_as_they_are_typed(service):
    service.fault("http", "getChat", status=429, body="too many")
    _, shown = await front(service)
    assert 'effect=false status=429 body="too many"' in shown.texts


async def test_the_front_page_is_not_for_other_hosts_and_only_read(service):
    assert (await exchange(service.url, "GET", "/", {"Host": "evil.example"})).status == 403
    assert (await exchange(service.url, "POST", "/")).status == 405
    assert (await control(service, "GET", "requests"))[1]["count"] == 0


@pytest.mark.parametrize(
    ("path", "name", "values", "told"),
    [
        ("/API/API.asmx", "login", {"sEmail": "tech@example.com", "sPassword": "secret"}, "login_OK"),
        ("/API/API.asmx", "closeSession", {"iSession": "12345678", "sAuthCode": "fixedtech0000"}, "closeSessionRet_OK"),
        ("/srv.asmx", "AuthenticateUser", {"UID": "tech@example.com", "PWD": "secret"}, 'success="true"'),
    ],
)
async def test_the_form_of_an_operation_page_invokes_it(service, path, name, values, told):
    shown = Page((await exchange(service.url, "GET", f"{path}?op={name}")).text)
    (form,) = shown.all("form")
    fields = {field["name"]: "" for field in shown.all("input") if "name" in field}
    assert values.keys() <= fields.keys()
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    body = urlencode({**fields, **values}).encode()
    answer = await exchange(service.url, form["method"], form["action"], headers, body)
    assert (answer.status, told in answer.text) == (200, True), answer


async def test_an_operation_without_a_form_says_so(service):
    shown = Page((await exchange(service.url, "GET", "/API/API.asmx?op=requestLensPINCodeV2")).text)
    assert shown.all("form") == []
    assert any("test form is only available" in text for text in shown.texts)
