"""A server of generated reports of any size, in a process of its own.

A report is generated while it is sent. Its node is its size in bytes, and the last ``setOutput`` chose XML or text.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_TITLES = (
    *("Start Time", "End Time", "Technician Name", "Technician ID", "Session ID", "Session Type", "Status", "Name"),
    *("Custom field 1", "Tracking ID", "Customer IP", "Channel ID", "Waiting Time", "Total Time", "Chatlog"),
)
_CELLS = (
    *("2/16/2012 9:00:00 AM", "2/16/2012 9:30:00 AM", "Jörg Müller", "337366", "{number}", "Applet"),
    *("Closed by technician", "Customer & Söhne", "jane.doe@example.com", "CASE-{number}", "192.0.2.1", "0"),
    *("00:00:13", "00:29:47", "9:00 AM Customer: my screen is blank 9:01 AM Technician: let me see"),
)
_BATCH = 256


def _xml(size: int) -> Iterator[str]:
    """Parts of a report in XML, of at least `size` bytes."""
    header = "".join(f"<field id='{index}'>{title}</field>" for index, title in enumerate(_TITLES))
    yield f"OK\r\n\r\n<?xml version='1.0' encoding='utf-8'?><report><header>{header}</header><data>"
    fields = (f"<field id='{index}'>{cell.replace('&', '&amp;')}</field>" for index, cell in enumerate(_CELLS))
    yield from _rows(f"<row>{''.join(fields)}</row>", size)
    yield "</data></report>"


def _text(size: int) -> Iterator[str]:
    """Parts of a report as text; the last cell of one row in sixteen holds a line break and a delimiter."""
    yield "OK\r\n\r\n" + "".join(f"{title}|" for title in _TITLES) + "\r\n"
    row = "".join(f"{cell}|" for cell in _CELLS) + "\r\n"
    yield from _rows(row * 15 + row.replace(" 9:01", "|\r\n9:01"), size)


def _rows(row: str, size: int) -> Iterator[str]:
    number = 0
    while size > 0:
        rows = "".join(row.replace("{number}", str(number + index)) for index in range(_BATCH))
        number += _BATCH
        size -= len(rows.encode())
        yield rows


async def _handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, output: list[str]) -> None:
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode()
            length = re.search(r"(?i)content-length: (\d+)", head)
            form = (await reader.readexactly(int(length[1]) if length else 0)).decode()
            if "setOutput" in head:
                output[:] = ["TEXT" if "TEXT" in form else "XML"]
            if "getReport_v2" not in head:
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nOK")
                continue
            size = int((re.search(r"node=(\d+)", form) or "00")[1])
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nTransfer-Encoding: chunked\r\n\r\n")
            for part in (_text if output == ["TEXT"] else _xml)(size):
                piece = part.encode()
                writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                await writer.drain()
            writer.write(b"0\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def _main() -> None:
    output = ["XML"]
    server = await asyncio.start_server(lambda r, w: _handle(r, w, output), "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


@contextmanager
def report_server() -> Iterator[str]:
    """Run the server in a process of its own while the context lasts; gives its URL."""
    command = [sys.executable, "-m", "tests.lab.report_server"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            yield f"http://127.0.0.1:{server.stdout.readline().strip()}"  # type: ignore[union-attr]
        finally:
            server.terminate()


if __name__ == "__main__":
    asyncio.run(_main())
