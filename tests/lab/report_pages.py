"""A scripted server of reports, down to its chunks: every setting is OK, and a test says how each report is written."""

import asyncio
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

Write = Callable[[asyncio.StreamWriter], Awaitable[None]]

MIB = 2**20
_CHUNK = 1_100_003
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=utf-8\r\n"


def whole(body: str) -> Write:
    """Write an answer in one piece, with a Content-Length."""

    async def write(writer: asyncio.StreamWriter) -> None:
        content = body.encode()
        writer.write(_HEAD + b"Content-Length: %d\r\n\r\n" % len(content) + content)
        await writer.drain()

    return write


def chunked(
    body: str,
    *,
    encoding: str = "utf-8",
    cut: bool = False,
    between: Callable[[], Awaitable[object]] | None = None,
) -> Write:
    """Write an answer in chunks larger than the client keeps in memory.

    Args:
        body: the text of the answer.
        encoding: its encoding; the header says UTF-8.
        cut: whether the connection breaks after the last row, before the final chunk.
        between: awaited after each chunk.
    """

    async def write(writer: asyncio.StreamWriter) -> None:
        content = body.encode(encoding)
        writer.write(_HEAD + b"Transfer-Encoding: chunked\r\n\r\n")
        for start in range(0, len(content), _CHUNK):
            piece = content[start : start + _CHUNK]
            writer.write(b"%x\r\n%b\r\n" % (len(piece), piece))
            await writer.drain()
            if between is not None:
                await between()
        if cut:
            writer.close()
        else:
            writer.write(b"0\r\n\r\n")

    return write


def xml(size: int, *, end: str = "</data></report>") -> str:
    """A report in XML of about that many characters; its rows are numbered."""
    row = "<row><field id='0'>%d</field><field id='1'>Jörg &amp; Söhne " + "x" * 200 + "</field></row>"
    head = "<report><header><field id='0'>Session ID</field><field id='1'>Name</field></header><data>"
    return f"OK\r\n\r\n{head}{''.join(row % number for number in range(size // len(row)))}{end}"


def text(size: int, *, end: str = "") -> str:
    """A report as text of about that many characters; its rows are numbered."""
    row = "%d|Jörg & Söhne " + "x" * 200 + "|\r\n"
    return f"OK\r\n\r\nSession ID|Name|\r\n{''.join(row % number for number in range(size // len(row)))}{end}"


class Reports:
    """The server's state: one answer for each report requested, the last of them for all that follow.

    Attributes:
        answers: those still to come.
        asked: how many reports were requested.
        url: base URL of the server.
    """

    def __init__(self, answers: tuple[Write, ...]) -> None:
        self.answers = list(answers)
        self.asked = 0
        self.url = ""

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                length = re.search(r"content-length: (\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                if "report.aspx" in head or "report_v2.aspx" in head or b"getReport" in body:
                    self.asked += 1
                    await (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(writer)
                else:
                    await whole("OK")(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def reports(*answers: Write) -> AsyncIterator[Reports]:
    """Serve reports on a free port while the context lasts."""
    served = Reports(answers)
    under_way: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(served.handle(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()
        for task in list(under_way):
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def nameless() -> int:
    """Count this process's open files that have no name in any folder, as temporary ones have not."""
    folder = Path("/proc/self/fd")
    return sum("(deleted)" in _link(one) for one in folder.iterdir()) if folder.is_dir() else 0


def _link(path: Path) -> str:
    try:
        return str(path.readlink())
    except OSError:  # the descriptor of the listing itself
        return ""


async def until(condition: Callable[[], bool]) -> None:
    """Wait until a condition holds; the test's timeout is the limit."""
    while not condition():
        await asyncio.sleep(0.005)
