"""A server between a client and an emulator that alters what passes: a service that differs from what is declared."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
from aiohttp import web

#: Makes of a path and a body another body; None takes the page away.
Alter = Callable[[str, bytes], bytes | None]


@asynccontextmanager
async def altered_service(url: str, answer: Alter, *, request: Alter = lambda _, body: body) -> AsyncIterator[str]:
    """The base URL of a server that passes requests on.

    Args:
        url: the service behind it.
        answer: alters the answer to a request for a path, its query included.
        request: alters the request.
    """

    async with aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar(), auto_decompress=False) as behind:

        async def handle(incoming: web.Request) -> web.Response:
            path = incoming.raw_path
            kept = ("Content-Type", "SOAPAction", "Cookie")
            headers = {name: incoming.headers[name] for name in kept if name in incoming.headers}
            sent = request(path, await incoming.read()) or b""
            async with behind.request(incoming.method, url + path, data=sent, headers=headers) as answered:
                body = answer(path, await answered.read())
                if body is None:
                    return web.Response(status=404, text="<html>not here</html>", content_type="text/html")
                passed = {name: answered.headers[name] for name in ("Content-Type",) if name in answered.headers}
                response = web.Response(status=answered.status, body=body, headers=passed)
                for cookie in answered.headers.getall("Set-Cookie", []):
                    response.headers.add("Set-Cookie", cookie)
                return response

        runner = web.ServerRunner(web.Server(handle))  # type: ignore[arg-type]  # a `BaseRequest` has what is used
        await runner.setup()
        try:
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()
