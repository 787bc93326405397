"""A small server of text pages that answers what a test tells it to, and keeps what it was asked."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager

from aiohttp import web

Answer = str | Callable[[Mapping[str, str]], str]


class Pages:
    """The pages by the end of their path, in small letters; each login gives out a cookie of its own."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        self.answers = {"login": "OK", "logout": "OK", **answers}
        self.asked: list[tuple[str, dict[str, str], str]] = []  # page, form, cookie
        self.url = ""

    @property
    def names(self) -> list[str]:
        return [name for name, _, _ in self.asked]

    async def handle(self, request: web.Request) -> web.Response:
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
