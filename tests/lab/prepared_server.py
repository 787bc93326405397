"""A server of Rescue's answers that uses as little CPU as possible, to measure what a client costs.

Each answer is prepared once, for the first request with those bytes, and then sent again. Other bytes get another PIN.
"""

import asyncio
import multiprocessing
import re
from collections.abc import Iterator
from contextlib import contextmanager

_RESPONSE = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="{envelope}"'
    ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns:xsd="http://www.w3.org/2001/XMLSchema"><soap:Body>'
    '<{name}Response xmlns="https://secure.logmeinrescue.com/API/API.asmx"><{name}Result>{word}</{name}Result>{out}'
    "</{name}Response></soap:Body></soap:Envelope>"
)


def _answer_to(head: bytes, body: bytes, pin: int) -> bytes:
    """The bytes of the answer to a request, by its head and body; a request for a PIN gets this one."""
    path = head.split(b" ", 2)[1].decode().partition("?")[0]
    if path.endswith(".aspx"):
        text = f"OK\n\nPINCODE:{pin:06}" if "PIN" in path else "OK"
        return _http(text.encode(), "text/html")
    if not path.endswith("API.asmx"):
        name = path.rpartition("/")[2]
        text = f'<{name}Ret xmlns="https://secure.logmeinrescue.com/API/API.asmx">{name}Ret_OK</{name}Ret>'
        return _http(text.encode(), "text/xml; charset=utf-8")
    found = re.search(rb"Body><(\w+:)?(\w+)[ >]", body)
    name = found[2].decode() if found else ""
    envelope = (
        "http://www.w3.org/2003/05/soap-envelope" if b"soap12" in body else "http://schemas.xmlsoap.org/soap/envelope/"
    )
    lens = name == "requestLensPINCodeV2"
    out = f"<sPINCode>{pin:06}</sPINCode>" if lens else f"<iPINCode>{pin}</iPINCode>" if "PIN" in name else ""
    word = "requestPINCode_OK" if "PIN" in name else f"{name}Ret_OK"
    return _http(_RESPONSE.format(envelope=envelope, name=name, word=word, out=out).encode(), "text/xml; charset=utf-8")


def _http(body: bytes, content_type: str) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        content_type.encode(),
        len(body),
        body,
    )


def _serve(port: "multiprocessing.Queue[int]") -> None:
    """Serve for ever, and put the port into the queue first."""
    answers: dict[bytes, bytes] = {}

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                key = head.partition(b"\r\n")[0] + body
                if key not in answers:
                    answers[key] = _answer_to(head, body, (12345 + len(answers)) % 1_000_000)
                writer.write(answers[key])
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def main() -> None:
        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        port.put(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(main())


@contextmanager
def prepared_server() -> Iterator[str]:
    """Run the server in a process of its own while the context lasts; gives its base URL."""
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    process = multiprocessing.Process(target=_serve, args=(port,), daemon=True)
    process.start()
    try:
        yield f"http://127.0.0.1:{port.get()}"
    finally:
        process.terminate()
        process.join()
