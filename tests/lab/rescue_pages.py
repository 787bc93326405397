"""A scripted server of Rescue's text pages: a test says what each page answers, and reads what was requested."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

Answer = str | Callable[[Mapping[str, str]], str]


class Pages:
    """Text pages with scripted answers; each login sets a new session cookie.

    Attributes:
        answers: the answer of each page by its name in lower case, or a function of the form that makes one.
        asked: each request so far: page, form and Cookie header.
        url: base URL of the server.
    """

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = {"login": "OK", "logout": "OK", **answers}
        self.asked: list[tuple[str, dict[str, str], str]] = []
        self.url = ""

    @property
    def names(self) -> list[str]:
        """Names of the requested pages, in order."""
        return [name for name, _, _ in self.asked]

    async def handle(self, request: web.Request) -> web.Response:
        """Record a request and give the page's answer."""
        name = request.path.rpartition("/")[2].removesuffix(".aspx").lower()
        form = {str(key): str(value) for key, value in (await request.post()).items()}
        self.asked.append((name, form, request.headers.get("Cookie", "")))
        answer = self.answers[name]
        response = web.Response(text=answer if isinstance(answer, str) else answer(form))
        if name == "login":
            response.set_cookie("ASP.NET_SessionId", f"s{self.names.count('login')}")
        return response


@asynccontextmanager
async def pages(**answers: Answer) -> AsyncIterator[Pages]:
    """Serve pages while the context lasts, each given by its name."""
    served = Pages(answers)
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", served.handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    served.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield served
    finally:
        await runner.cleanup()
