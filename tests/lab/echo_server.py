"""A server of both services whose answers are failures that quote the whole request, cookies and all.

Logins can be told to succeed, so that calls with a password come to have a session cookie or a ticket.
"""

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from html import escape
from urllib.parse import unquote_plus

import attrs

#: What a login of Rescue sets, and what a login of infoRouter answers with.
COOKIE, TICKET = "c00kie-value-1", "t1cket-value-2"

_LENGTH = re.compile(rb"(?i)content-length: (\d+)")
_LOGIN = re.compile(r"/login\.aspx|asmx/login\b|<login |AuthenticateUser|RenewTicket", re.IGNORECASE)
_SOAP = (
    '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body>{}</soap:Body></soap:Envelope>'
)
_RESCUE = "https://secure.logmeinrescue.com/API/API.asmx"


def _head(status: str, more: str, length: int) -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def _answer(status: str, text: str, content_type: str) -> bytes:
    body = text.encode()
    more = f"Content-Type: {content_type}\r\nSet-Cookie: ASP.NET_SessionId={COOKIE}; path=/\r\nX-Echo: {COOKIE}\r\n"
    return _head(status, more, len(body)) + body


def _word(sent: str, word: str) -> bytes:
    """An answer with a status word, as the binding of the request has it."""
    if "/srv.asmx" in sent:
        root = f'<root success="false" error="{escape(word)}" />'
        return _answer("200 OK", _in_soap(sent, root, "http://tempuri.org/"), "text/xml")
    if ".aspx" in sent.partition("\r\n")[0]:
        return _answer("200 OK", word, "text/plain")
    return _answer("200 OK", _in_soap(sent, escape(word), _RESCUE), "text/xml")


def _in_soap(sent: str, content: str, namespace: str) -> str:
    name = re.search(r"<soap(?:12)?:Body><(\w+)", sent)
    if name is None:
        return content if content.startswith("<") else f'<R xmlns="{namespace}">{content}</R>'
    answer = f'<{name[1]}Response xmlns="{namespace}"><{name[1]}Result>{content}</{name[1]}Result></{name[1]}Response>'
    return _SOAP.format(answer)


def _fault(sent: str) -> bytes:
    fault = f"<soap:Fault><faultcode>soap:Client</faultcode><faultstring>{escape(sent)}</faultstring></soap:Fault>"
    return _answer("500 Internal Server Error", _SOAP.format(fault), "text/xml")


#: The ways to fail, each a function from what was sent, head and body, to the bytes of the answer.
FAILURES: dict[str, Callable[[str], bytes]] = {
    "an unknown word": lambda sent: _word(sent, "_".join(["Strange", *re.findall("[A-Za-z0-9]{10,}", sent)])),
    "a word and the request": lambda sent: _word(sent, f"Strange {sent}"),
    "an error": lambda sent: _word(sent, f"[901] you said {sent}" if "/srv.asmx" in sent else "Error"),
    "HTTP 500": lambda sent: _answer("500 Internal Server Error", sent, "text/plain"),
    "HTTP 403": lambda sent: _answer("403 Forbidden", unquote_plus(sent), "text/plain"),
    "a SOAP fault": _fault,
    "HTML": lambda sent: _answer("200 OK", f"<html><body>{escape(sent)}</body></html>", "text/html"),
    "cut short": lambda sent: _head("200 OK", f"X-Echo: {COOKIE}\r\n", 10**6) + sent.encode(),
    "a header that is none": lambda _: f"HTTP/1.1 200 OK\r\nSet-Cookie: a={COOKIE}\r\nA\x00: {COOKIE}\r\n\r\n".encode(),
    "an absurd length": lambda _: _head("200 OK", f"X-Echo: {COOKIE}\r\n", 10**400),
    "no answer": lambda _: b"",
}


@attrs.define
class EchoServer:
    """The running server.

    Attributes:
        url: its base URL.
        fail: makes the answer to a call; None leaves it without one, the connection open.
        logs_in: logins succeed.
        arrived: set with each request that is not a login.
        posted_to: the targets of all POST requests.
    """

    url: str = ""
    fail: Callable[[str], bytes] | None = None
    logs_in: bool = False
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)
    posted_to: set[str] = attrs.field(factory=set)
    connections: dict[asyncio.StreamWriter, asyncio.Task[None]] = attrs.field(factory=dict, repr=False)

    async def end(self) -> None:
        """Close all connections."""
        for writer in self.connections:
            writer.close()
        await asyncio.gather(*self.connections.values())

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection."""
        task = asyncio.current_task()
        assert task is not None
        self.connections[writer] = task
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = _LENGTH.search(head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                sent = (head + body).decode()
                if sent.startswith("POST "):
                    self.posted_to.add(sent.split(" ", 2)[1])
                if self.logs_in and _LOGIN.search(sent):
                    writer.write(_login(sent))
                    continue
                self.arrived.set()
                if self.fail is not None:
                    writer.write(self.fail(sent))
                    await writer.drain()
                    writer.close()
                    return
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()


def _login(sent: str) -> bytes:
    if "/srv.asmx" in sent:
        return _answer(
            "200 OK", _in_soap(sent, f'<root success="true" ticket="{TICKET}" />', "http://tempuri.org/"), ""
        )
    return _word(sent, "OK" if ".aspx" in sent else "login_OK")


@asynccontextmanager
async def echo_server() -> AsyncIterator[EchoServer]:
    """Run the server while the context lasts."""
    echo = EchoServer()
    server = await asyncio.start_server(echo.speak, "127.0.0.1", 0)
    echo.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield echo
    finally:
        server.close()
        await echo.end()
