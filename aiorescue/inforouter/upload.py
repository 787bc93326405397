"""Uploads: the operations, and the whole upload of a document of any size.

A document of any size goes up chunk by chunk: two chunks in memory, files read in a thread, checksums compared.
"""

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from io import BytesIO
from typing import Annotated, Any, BinaryIO, Protocol

import attrs

from aiorescue import errors
from aiorescue.call.conversation import Conversation
from aiorescue.files import is_stream
from aiorescue.inforouter.answers.transfers import Received, Uploaded, UploadHandler, is_crc
from aiorescue.inforouter.files import Progress, StreamReader, bytes_in_chunk, close_file, local_path, open_file
from aiorescue.inforouter.service import InfoRouterOperation, LowerPath, declare
from aiorescue.operation import Effect, Parameter, frozen, operation

# --- operations -----------------------------------------------------------------------------------

Handler = Annotated[str, Parameter("UploadHandler", form_name="uploadHandler")]


@operation
class CreateUploadHandler(InfoRouterOperation[UploadHandler]):
    """Begin an upload. Vendor: ``CreateUploadHandler``."""

    chunk_size: Annotated[int, Parameter("PreferedChunkSize", holds=int)]
    """Bytes in a chunk; the server takes 262,144 to 33,554,432 and corrects other values."""

    spec = declare("CreateUploadHandler", effect=Effect.EXPIRES)
    read = UploadHandler.of


@operation
class UploadFileChunk(InfoRouterOperation[Received]):
    """Send a chunk; one that the server reports as damaged is sent again. Vendor: ``UploadFileChunk``."""

    handler: Handler
    """GUID of the upload that the chunk belongs to."""
    chunk: Annotated[bytes, Parameter("FileChunk", form_name="fileChunk", holds=bytes)] = attrs.field(repr=False)
    """Bytes of the chunk."""
    crc: Annotated[str, Parameter("ChunkHEXCRC", form_name="chunkHEXCRC")]
    """CRC-32 of the chunk, as `crc32` writes it."""
    last: Annotated[bool, Parameter("LastChunk", form_name="lastChunk", holds=bool)]
    """True for the last chunk of the document."""

    spec = declare("UploadFileChunk", effect=Effect.CREATES, takes_bytes=True)
    read = Received.of


@operation
class UploadDocumentWithHandler1(InfoRouterOperation[Uploaded]):
    """Create a document, or a new version of it, from the chunks that were sent.

    Vendor: ``UploadDocumentWithHandler1``.
    """

    path: LowerPath
    """Path of the document."""
    handler: Handler
    """GUID of the upload, which this operation ends."""
    comment: Annotated[str | None, Parameter("VersionComments", form_name="versionComments")] = None
    """Comment on the version."""

    spec = declare("UploadDocumentWithHandler1", effect=Effect.CREATES)
    read = Uploaded.of


@operation
class DeleteUploadHandler(InfoRouterOperation[None]):
    """Abandon an upload and the chunks that were sent. Vendor: ``DeleteUploadHandler``."""

    handler: Annotated[str, Parameter("UploadHandler")]
    """GUID of the upload."""

    spec = declare("DeleteUploadHandler", effect=Effect.CREATES)


@operation
class UploadDocument1(InfoRouterOperation[Uploaded]):
    """Create a small document, or a new version of it, in one request. Vendor: ``UploadDocument1``.

    `InfoRouterClient.upload` takes documents of any size.
    """

    path: LowerPath
    """Path of the document."""
    content: Annotated[bytes, Parameter("FileContent", form_name="fileContent", holds=bytes)] = attrs.field(repr=False)
    """Bytes of the document."""
    comment: Annotated[str | None, Parameter("VersionComment", form_name="versionComment")] = None
    """Comment on the version."""

    spec = declare("UploadDocument1", effect=Effect.CREATES, takes_bytes=True)
    read = Uploaded.of


# --- the whole upload -----------------------------------------------------------------------------

Source = str | os.PathLike[str] | bytes | BinaryIO | AsyncIterator[bytes]
#: Reads a number of bytes; fewer only at the end of the source.
Read = Callable[[int], Awaitable[bytes]]


def crc32(data: bytes) -> str:
    """CRC-32 as the service writes it: in capital hexadecimal digits, without leading zeros."""
    return f"{zlib.crc32(data):X}"


#: What an async iterator yields at its end.
_END = object()


class _Reads(Protocol):
    def read(self, size: int, /) -> object: ...


@attrs.define(eq=False)
class _IteratorReader:
    """Reads an async iterator of bytes like a file."""

    source: AsyncIterator[bytes]
    buffer: bytearray = attrs.field(factory=bytearray)

    async def read(self, size: int) -> bytes:
        while len(self.buffer) < size:
            piece: Any = await anext(self.source, _END)
            if piece is _END:
                break
            try:
                self.buffer += piece
            except TypeError:
                raise errors.InvalidRequest(
                    f"upload takes an async iterator of bytes; this one yields {type(piece).__name__}"
                ) from None
        found = bytes(self.buffer[:size])
        del self.buffer[:size]
        return found


@frozen
class Upload:
    """The upload of one document, chunk by chunk; `InfoRouterClient.upload` makes it.

    Attributes:
        calls: where the calls are made; a handler belongs to the ticket that created it.
        path: path of the document on the server.
        comment: comment on the version; None for none.
        chunk_size: bytes in a chunk; the server may choose another size.
        progress: called after each chunk.
    """

    calls: Conversation
    path: str
    comment: str | None
    chunk_size: int
    progress: Progress

    async def send(self, source: Source) -> Uploaded:
        """Send the document from a path, bytes, a binary file or an async iterator of bytes."""
        if isinstance(source, str | os.PathLike):
            path = local_path("source", source)
            if await asyncio.to_thread(is_stream, path):
                return await self._send_stream(StreamReader(path))
            file = await open_file(lambda: path.open("rb"))
            try:
                found = await asyncio.to_thread(os.fstat, file.fileno())
                return await self._send_repeatable(file, found.st_size)
            finally:
                await close_file(file)
        if isinstance(source, bytes | bytearray | memoryview):
            held = bytes(source)
            return await self._send_repeatable(BytesIO(held), len(held))
        if hasattr(source, "__aiter__"):
            return await self._send_once(await _begun(_IteratorReader(aiter(source)).read))
        if not hasattr(source, "read"):
            raise errors.InvalidRequest(
                f"upload takes a path, bytes, a binary file or an async iterator of bytes, not {type(source).__name__}"
            )
        return await self._send_once(await _begun(_in_thread(source)))

    async def _send_stream(self, stream: StreamReader) -> Uploaded:
        """Send what comes out of a pipe or a device, which is read once."""
        await stream.open()
        try:
            return await self._send_once(await _begun(stream.read))
        finally:
            await stream.close()

    async def _send_repeatable(self, file: BinaryIO, total: int) -> Uploaded:
        """Send a file; begin anew, once, if it is unknown whether a chunk arrived.

        That is harmless: no document comes of an upload that was not finished.
        """
        try:
            return await self._send_once(_in_thread(file), total)
        except errors.AmbiguousOutcome as problem:
            if problem.operation != UploadFileChunk.spec.name:
                raise
        await asyncio.to_thread(file.seek, 0)
        return await self._send_once(_in_thread(file), total)

    async def _send_once(self, read: Read, total: int | None = None) -> Uploaded:
        handler = await self.calls.call(CreateUploadHandler(self.chunk_size))
        try:
            await self._send_chunks(handler, read, total)
        except Exception:
            with suppress(errors.RescueError):
                await self.calls.call(DeleteUploadHandler(handler.handler))
            raise
        return await self.calls.call(UploadDocumentWithHandler1(self.path, handler.handler, self.comment))

    async def _send_chunks(self, handler: UploadHandler, read: Read, total: int | None) -> None:
        crc, done, size = 0, 0, bytes_in_chunk(handler.chunk_size)
        chunk, last, file_crc = await read(size), False, ""
        while not last:
            following = await read(size)
            last = not following
            crc = await asyncio.to_thread(zlib.crc32, chunk, crc)
            received = await self.calls.call(UploadFileChunk(handler.handler, chunk, crc32(chunk), last))
            file_crc = received.file_crc
            done += len(chunk)
            self.progress(done, done if last else total)
            chunk = following
        if not is_crc(file_crc, crc):
            raise errors.ProtocolError(
                f"UploadFileChunk: the server has a file with checksum {file_crc}, but {crc:X} was sent; "
                "the document is unchanged, upload it again",
                operation="UploadFileChunk",
            )


def _in_thread(file: _Reads) -> Read:
    """Read a file in a thread, until there are as many bytes as asked for or the file ends."""

    async def read(size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and (part := await asyncio.to_thread(file.read, size)) != b"":
            if part is None:
                raise errors.InvalidRequest(
                    "upload reads a file until read returns b'', and this one has nothing yet (read returned None, as"
                    " that of a non-blocking file does): pass a file that blocks, or an async iterator of bytes"
                )
            if not isinstance(part, bytes):
                raise errors.InvalidRequest(
                    f"upload takes a file that is open in binary mode; this one reads {type(part).__name__}"
                )
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    return read


async def _begun(read: Read) -> Read:
    """Read the first byte of a source, so that one which yields no bytes is refused before anything is sent."""
    first = await read(1)

    async def read_on(size: int) -> bytes:
        nonlocal first
        begin, first = first, b""
        return begin + await read(size - len(begin)) if begin else await read(size)

    return read_on
