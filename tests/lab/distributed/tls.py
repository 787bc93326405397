"""An encrypted way to a PostgreSQL on a socket of its machine, as a server with `ssl=on` offers it."""

import asyncio
import contextlib
import ssl
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trustme

#: What a client asks for before anything else: TLS.
_SSL_REQUEST = struct.pack("!ii", 8, 80877103)


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


@asynccontextmanager
async def encrypted(socket: Path, certificate: trustme.LeafCert) -> AsyncIterator[int]:
    """Take connections on a port of 127.0.0.1, only by TLS, and hand them on to a socket; gives the port."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    certificate.configure_cert(context)

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await reader.readexactly(8) != _SSL_REQUEST:
                writer.write(b"N")  # it asked for another kind of encryption first
            writer.write(b"S")
            await writer.start_tls(context)
            theirs, ours = await asyncio.open_unix_connection(str(socket))
            await asyncio.gather(_copy(reader, ours), _copy(theirs, writer))
        except (OSError, asyncio.IncompleteReadError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
