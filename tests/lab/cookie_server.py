"""A server of Rescue's text pages whose answers set the cookies that a test wants, and which notes those it is sent."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiohttp import web

_ANSWERS = {"login": "OK", "logout": "OK", "requestPINCode": "OK\n\nPINCODE:012345"}


class CookieServer:
    """The server under test's hand.

    Attributes:
        url: its base URL.
        sets: for each page the Set-Cookie headers of its next answers, one list an answer; the last one is kept.
        seen: the page and the Cookie header of each request, in order.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sets: dict[str, list[list[str]]] = {"login": [["ASP.NET_SessionId=1; path=/; HttpOnly"]]}
        self.seen: list[tuple[str, str]] = []

    def sent_with(self, page: str) -> list[str]:
        """The Cookie headers of the requests for a page."""
        return [cookie for name, cookie in self.seen if name == page]

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a request for a page with OK and the page's cookies."""
        page = request.match_info["page"]
        self.seen.append((page, request.headers.get("Cookie", "")))
        response = web.Response(text=_ANSWERS[page], content_type="text/html")
        cookies = self.sets.get(page, [[]])
        for cookie in cookies[0] if len(cookies) == 1 else cookies.pop(0):
            response.headers.add("Set-Cookie", cookie)
        return response


@asynccontextmanager
async def cookie_server() -> AsyncIterator[CookieServer]:
    """A `CookieServer` on a port of its own."""
    server, app = CookieServer(), web.Application()
    for base in ("", "/app"):
        app.router.add_route("*", base + "/API/{page}.aspx", server.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        server.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        yield server
    finally:
        await runner.cleanup()
