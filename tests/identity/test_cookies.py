"""A server session keeps its cookies as a cookie jar does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from aiorescue import AuthCode, Binding, Login, RescueClient, errors
from aiorescue.identity.cookies import MAX_COOKIES, Cookies
from tests.lab.clocks import QuickClock
from tests.lab.cookie_server import CookieServer, cookie_server

PAST = "Thu, 01 Jan 1970 00:00:00 GMT"


@pytest.fixture
async def server() -> AsyncIterator[CookieServer]:
    async with cookie_server() as started:
        yield started


def client_of(server: CookieServer, base: str = "", **options) -> RescueClient:
    url = server.url + base
    return RescueClient(
        Login("me@example.com", "secret"), base_url=url, binding=Binding.TEXT_POST, pace=None, **options
    )


def kept(*headers: str, date: str | None = None) -> str:
    cookies = Cookies("https://app.host.example/API/", QuickClock())
    cookies.update(headers, date)
    return cookies.header


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (["a=old", "a=new"], "a=new"),
        (["a=", "a=new"], "a=new"),
        (["a=old; path=/", "a=new; path=/API"], "a=new"),
        (["a=1; path=/", "b=2; secure; HttpOnly; SameSite=None"], "a=1; b=2"),
        (["a=1", "b=2", "a=3"], "a=3; b=2"),
        (["a=1", "A=2"], "a=1; A=2"),
        (["a=1", "a="], ""),
        (["a=1", 'a=""; path=/'], ""),
        (["a=1", "a=x; Max-Age=0"], ""),
        (["a=1", "a=x; max-age=-1; path=/"], ""),
        (["a=1", f"a=x; expires={PAST}"], ""),
        (["a=1", f"a=x; EXPIRES = {PAST}"], ""),
        (["a=1", "a=x; expires=Tue, 12-Oct-1999 06:00:00 GMT; path=/; HttpOnly"], ""),
        (["a=1", "a=x; expires=Tuesday, 12-Oct-99 06:00:00 GMT"], ""),
        (["a=1", "a=x; expires=Tue, 12-Oct-1999 06:00:00"], ""),
        (["a=1; expires=Fri, 31-Dec-9999 23:59:59"], "a=1"),
        (["a=1", f"a=x; Max-Age=60; expires={PAST}"], "a=x"),
        (["a=1; expires=Fri, 31 Dec 9999 23:59:59 GMT"], "a=1"),
        (["a=1; expires=soon"], "a=1"),
        (["a=1; expires=1 Jan 70 0:0:0 +99999999999999"], "a=1"),
        ([f"a=1; Max-Age={'9' * 400}"], "a=1"),
        (["a=1; Max-Age=½"], "a=1"),
        (['a="quoted value"; path=/'], 'a="quoted value"'),
        (['a={"json": [1, 2]}; path=/'], 'a={"json": [1, 2]}'),
        (["a=b=c=="], "a=b=c=="),
        (["  a = 1 ; path=/"], "a=1"),
        (["a[b]:c@d=1"], "a[b]:c@d=1"),
        (["a=1; path=/elsewhere"], ""),
        (["a=1; path=/", "a=2; path=/Reports"], "a=1"),
        (["a=1; path=/api/"], "a=1"),
        (["a=1; path=/API/API.asmx"], "a=1"),
        (["a=1; path=no-path"], "a=1"),
        (["a=1; domain=host.example", "b=2; Domain=.APP.host.example", "c=3; domain="], "a=1; b=2; c=3"),
        (["a=1", "a=2; domain=other.example", "a=3; domain=st.example", "a=4; domain=x.app.host.example"], "a=1"),
        (["a=b\x01c"], ""),
        (["a\x7f=b"], ""),
        (["a=b\tc", "d=\udcff"], ""),
        (["no equals sign", "=nameless", "", ";", "; path=/"], ""),
        ([f"a={'x' * 4095}"], f"a={'x' * 4095}"),
        ([f"a={'x' * 4096}"], ""),
    ],
)
def test_the_cookies_kept_are_those_that_a_browser_would_send(headers: list[str], expected: str):
    assert kept(*headers) == expected


def test_a_cookie_is_not_sent_after_its_time():
    clock = QuickClock()
    cookies = Cookies("https://app.host.example/API/", clock)
    cookies.update(["a=1; Max-Age=60", "b=2"])
    assert cookies.header == "a=1; b=2"
    clock.skipped += 61
    assert cookies.header == "b=2"


def test_the_end_of_a_cookie_is_read_by_the_clock_of_the_server():
    expires = "a=1; expires=Wed, 01 Jan 2020 00:01:00 GMT"
    assert kept(expires, date="Wed, 01 Jan 2020 00:00:00 GMT") == "a=1"
    assert kept(expires, date="Wed, 01 Jan 2020 00:02:00 GMT") == ""
    assert kept(expires) == ""


def test_the_number_of_cookies_is_bounded_and_those_of_the_login_stay():
    header = kept("ASP.NET_SessionId=1", *(f"tracker{number}=x" for number in range(1000)))
    assert header.startswith("ASP.NET_SessionId=1; ")
    assert len(header.split("; ")) == MAX_COOKIES


def test_no_cookie_is_shown():
    cookies = Cookies("https://app.host.example/API/", QuickClock())
    cookies.update(["a=planted"])
    assert "planted" not in repr(vars(cookies)["_cookies"])


async def test_the_last_cookie_of_a_login_counts(server: CookieServer):
    server.sets["login"] = [["ASP.NET_SessionId=old; path=/", "ASP.NET_SessionId=new; path=/", "lb=7; path=/"]]
    async with client_of(server) as client:
        await client.request_pin_code()
    assert server.sent_with("requestPINCode") == server.sent_with("logout") == ["ASP.NET_SessionId=new; lb=7"]


async def test_a_cookie_for_the_path_of_the_base_url_is_kept(server: CookieServer):
    server.sets["login"] = [["a=1; path=/App", "b=2; path=/app/API/", "c=3; path=/API/", "d=4; path=/other"]]
    async with client_of(server, "/app") as client:
        await client.request_pin_code()
    assert server.sent_with("requestPINCode") == server.sent_with("logout") == ["a=1; b=2"]


async def test_a_later_answer_renews_adds_and_removes_cookies_of_its_session(server: CookieServer):
    server.sets["login"] = [[".ASPXAUTH=t1; path=/; HttpOnly", "once=1"]]
    server.sets["requestPINCode"] = [[], [".ASPXAUTH=t2; path=/; HttpOnly", "lb=a"], [f"once=; expires={PAST}"], []]
    async with client_of(server) as client:
        for _ in range(5):
            await client.request_pin_code()
    assert server.sent_with("requestPINCode") == [
        ".ASPXAUTH=t1; once=1",
        ".ASPXAUTH=t1; once=1",
        ".ASPXAUTH=t2; once=1; lb=a",
        ".ASPXAUTH=t2; lb=a",
        ".ASPXAUTH=t2; lb=a",
    ]
    assert len(server.sent_with("login")) == 1


async def test_a_renewed_cookie_stays_in_its_server_session(server: CookieServer):
    server.sets["login"] = [["s=1"], ["s=2"]]
    server.sets["requestPINCode"] = [["renewed=yes"], []]
    async with client_of(server, sessions=2) as client:
        await asyncio.gather(*(client.request_pin_code() for _ in range(8)))
    sent = set(server.sent_with("requestPINCode")) | set(server.sent_with("logout"))
    assert sum("renewed" in cookie for cookie in sent) == 1


async def test_a_session_whose_cookies_were_all_removed_is_logged_in_anew(server: CookieServer):
    server.sets["requestPINCode"] = [["ASP.NET_SessionId=; path=/; Max-Age=0"], []]
    async with client_of(server) as client:
        await client.request_pin_code()
        await client.request_pin_code()
    assert [page for page, _ in server.seen] == ["login", "requestPINCode", "login", "requestPINCode", "logout"]


@pytest.mark.parametrize("cookie", ["a=", "=b", "nothing", "a=x; Max-Age=0", "a=1; path=/elsewhere", f"a={'x' * 5000}"])
async def test_a_login_whose_cookie_cannot_be_sent_back_is_no_login(server: CookieServer, cookie: str):
    server.sets["login"] = [[cookie]]
    async with client_of(server) as client:
        with pytest.raises(errors.ProtocolError, match="no cookie"):
            await client.request_pin_code()
    assert [page for page, _ in server.seen] == ["login"]


async def test_calls_with_an_auth_code_keep_no_cookie(server: CookieServer):
    server.sets["requestPINCode"] = [["a=1"]]
    async with RescueClient(AuthCode("code"), base_url=server.url, binding=Binding.TEXT_POST, pace=None) as client:
        await client.request_pin_code()
        await client.request_pin_code()
    assert server.sent_with("requestPINCode") == ["", ""]
