"""A relay in front of a PostgreSQL, which can lose the answers of the server and cut the connections."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path


class Relay:
    """Passes on what clients and the server say.

    Attributes:
        loses_answers: True while nothing that the server says is passed on.
    """

    def __init__(self) -> None:
        self.loses_answers = False
        self._writers: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Close all connections."""
        while self._writers:
            self._writers.pop().close()

    async def copy(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, is_answer: bool) -> None:
        """Pass on one direction of a connection until its end."""
        self._writers.add(writer)
        with suppress(ConnectionError):
            while said := await reader.read(65_536):
                if not (is_answer and self.loses_answers):
                    writer.write(said)
        writer.close()


@asynccontextmanager
async def relayed(socket: Path) -> AsyncIterator[tuple[Relay, int]]:
    """A relay to a PostgreSQL that listens on a socket, and the port of the relay on 127.0.0.1."""
    relay = Relay()

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        server_reader, server_writer = await asyncio.open_unix_connection(socket)
        async with asyncio.TaskGroup() as both:
            both.create_task(relay.copy(reader, server_writer, is_answer=False))
            both.create_task(relay.copy(server_reader, writer, is_answer=True))

    async with await asyncio.start_server(handle, "127.0.0.1") as server:
        try:
            yield relay, server.sockets[0].getsockname()[1]
        finally:
            relay.cut()
