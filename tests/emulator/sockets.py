"""A client that knows nothing: bytes out, bytes in, over a socket of its own."""

import asyncio
import json
from urllib.parse import urlsplit

import attrs


@attrs.frozen
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes
    closed: bool  # the server ended the connection

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def json(self):
        return json.loads(self.body)


async def exchange(url, method, path, headers=None, body=b"") -> Answer:
    """One request on a connection of its own. Raises IncompleteReadError where the answer is cut."""
    host = urlsplit(url).netloc
    reader, writer = await asyncio.open_connection(*host.split(":"))
    try:
        return await converse((reader, writer), method, path, {"Host": host, **(headers or {})}, body)
    finally:
        writer.close()
        await writer.wait_closed()


async def converse(connection, method, path, headers, body=b"") -> Answer:
    """One request on an open connection."""
    reader, writer = connection
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body or method == "POST":
        lines.append(f"Content-Length: {len(body)}")
    writer.write("\r\n".join([*lines, "", ""]).encode() + body)
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    status, *fields = head.strip().split("\r\n")
    got = dict(field.split(": ", 1) for field in fields)
    content = await reader.readexactly(int(got["Content-Length"]))
    return Answer(int(status.split(" ")[1]), got, content, got.get("Connection") == "close")


async def until(happened) -> None:
    """Let the server run until something has happened; the test's timeout is the bound."""
    while not happened():
        await asyncio.sleep(0.001)


NAMESPACE = "https://secure.logmeinrescue.com/API/API.asmx"


async def soap(service, operation, fields="", *, cookie="", namespace=NAMESPACE, path="/API/API.asmx") -> Answer:
    """A SOAP 1.1 call."""
    body = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f'<{operation} xmlns="{namespace}">{fields}</{operation}></s:Body></s:Envelope>'
    )
    headers = {
        "Content-Type": "text/xml; charset=utf-8",
        "SOAPAction": f'"{namespace.rstrip("/")}/{operation}"',
        **({"Cookie": cookie} if cookie else {}),
    }
    return await exchange(service.url, "POST", path, headers, body.encode())


async def page(service, name, query="", *, cookie="") -> str:
    """What a text page answers to a GET."""
    answer = await exchange(service.url, "GET", f"/API/{name}.aspx?{query}", {"Cookie": cookie} if cookie else {})
    assert answer.status == 200, answer
    return answer.text


async def login(service, email="tech@example.com") -> str:
    """The cookie of a new server session."""
    answer = await exchange(service.url, "GET", f"/API/login.aspx?email={email}&pwd=secret")
    return answer.headers["Set-Cookie"].partition(";")[0]


JSON = {"Content-Type": "application/json"}


async def control(service, method, path, body=None):
    """Status and JSON of an answer of the control plane."""
    payload = b"" if body is None else json.dumps(body).encode()
    answer = await exchange(service.url, method, f"/_emulator/{path}", JSON if payload else {}, payload)
    return answer.status, answer.json
