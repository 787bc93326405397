"""Documents of any size, chunk by chunk: one chunk in memory, file work in a thread, checksums compared."""

import asyncio
import os
import secrets
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, Protocol

import attrs

from aiorescue import errors
from aiorescue.call.conversation import Conversation
from aiorescue.inforouter.handlers import (
    Chunk,
    CreateUploadHandler,
    DeleteDownloadHandler,
    DeleteUploadHandler,
    DownloadFileChunk,
    DownloadHandler,
    GetDownloadHandler,
    GetDownloadHandlerByVersion,
    UploadDocumentWithHandler1,
    Uploaded,
    UploadFileChunk,
    UploadHandler,
    crc32,
    same_crc,
)

#: Bytes a chunk, unless the server wants it otherwise.
CHUNK = 2**20
#: How often a chunk that arrived damaged is asked for.
_TRIES = 3

#: Told the bytes that are done and, if known, those of the whole.
Progress = Callable[[int, int | None], object]
Source = str | os.PathLike[str] | bytes | BinaryIO | AsyncIterator[bytes]
Target = str | os.PathLike[str] | BinaryIO
Read = Callable[[int], Awaitable[bytes]]


def _no_progress(done: int, total: int | None) -> None:
    """Nobody wants to know."""


class _Reads(Protocol):
    def read(self, size: int, /) -> object: ...


@attrs.define(eq=False)
class _Pieces:
    """An async iterator of bytes, read like a file."""

    source: AsyncIterator[bytes]
    held: bytearray = attrs.field(factory=bytearray)

    async def read(self, size: int) -> bytes:
        while len(self.held) < size:
            piece = await anext(self.source, None)
            if piece is None:
                break
            self.held += piece
        found = bytes(self.held[:size])
        del self.held[:size]
        return found


# --- up -------------------------------------------------------------------------------------------


@attrs.frozen(kw_only=True)
class Upload:
    """One document to send; see `InfoRouterClient.upload`."""

    calls: Conversation
    path: str
    comment: str | None = None
    chunk_size: int = CHUNK
    progress: Progress = _no_progress

    async def send(self, source: Source) -> Uploaded:
        """Send it from wherever it is."""
        if isinstance(source, str | os.PathLike):
            file = await _open(Path(source), "rb")
            try:
                total = (await asyncio.to_thread(os.fstat, file.fileno())).st_size
                return await self._twice(file, total)
            finally:
                await _close(file)
        if isinstance(source, bytes | bytearray | memoryview):
            held = bytes(source)
            return await self._twice(BytesIO(held), len(held))
        if hasattr(source, "__aiter__"):
            return await self._once(_Pieces(aiter(source)).read)
        if not hasattr(source, "read"):
            raise errors.InvalidRequest(
                f"upload takes a path, bytes, a binary file or an async iterator of bytes, not {type(source).__name__}"
            )
        return await self._once(_in_thread(source))

    async def _twice(self, file: BinaryIO, total: int) -> Uploaded:
        """From the beginning once more if a chunk's fate is unknown: nothing has come of the first."""
        try:
            return await self._once(_in_thread(file), total)
        except errors.AmbiguousOutcome as problem:
            if problem.operation != UploadFileChunk.spec.name:
                raise
        await asyncio.to_thread(file.seek, 0)
        return await self._once(_in_thread(file), total)

    async def _once(self, read: Read, total: int | None = None) -> Uploaded:
        handler = await self.calls.call(CreateUploadHandler(self.chunk_size))
        try:
            await self._send_chunks(handler, read, total)
        except Exception:
            with suppress(errors.RescueError):
                await self.calls.call(DeleteUploadHandler(handler.handler))
            raise
        return await self.calls.call(UploadDocumentWithHandler1(self.path, handler.handler, self.comment))

    async def _send_chunks(self, handler: UploadHandler, read: Read, total: int | None) -> None:
        whole, done, size = 0, 0, max(1, handler.chunk_size)
        chunk, last, told = await read(size), False, ""
        while not last:
            following = await read(size)
            last = not following
            whole = await asyncio.to_thread(zlib.crc32, chunk, whole)
            received = await self.calls.call(UploadFileChunk(handler.handler, chunk, crc32(chunk), last))
            told = received.file_crc
            done += len(chunk)
            self.progress(done, done if last else total)
            chunk = following
        if not same_crc(told, whole):
            raise errors.ProtocolError(
                f"UploadFileChunk: the server has a file with checksum {told}, but {whole:X} was sent",
                operation="UploadFileChunk",
            )


def _in_thread(file: _Reads) -> Read:
    async def read(size: int) -> bytes:
        parts: list[bytes] = []
        while size > 0 and (part := await asyncio.to_thread(file.read, size)):
            if not isinstance(part, bytes):
                raise errors.InvalidRequest("upload takes a file that is open in binary mode")
            parts.append(part)
            size -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    return read


async def _open(path: Path, mode: Literal["rb", "wb"]) -> BinaryIO:
    def work() -> BinaryIO:
        return path.open(mode)

    return await asyncio.to_thread(work)


# --- down -----------------------------------------------------------------------------------------


async def begin(calls: Conversation, path: str, version: int | None, chunk_size: int) -> DownloadHandler:
    """A handler for one document."""
    if version is None:
        return await calls.call(GetDownloadHandler(path, chunk_size))
    return await calls.call(GetDownloadHandlerByVersion(path, chunk_size, version))


async def stream(calls: Conversation, path: str, version: int | None, chunk_size: int) -> AsyncGenerator[bytes, None]:
    """A document's bytes; see `InfoRouterClient.stream`."""
    async with aclosing(chunks(calls, await begin(calls, path, version, chunk_size))) as received:
        async for data in received:
            yield data


async def chunks(calls: Conversation, handler: DownloadHandler) -> AsyncGenerator[bytes, None]:
    """The document's bytes in order; compared with its checksum at the end. The handler ends with it."""
    try:
        async with aclosing(_received(calls, handler)) as received:
            async for data in received:
                yield data
    except (Exception, GeneratorExit):
        await _end(calls, handler)
        raise
    await _end(calls, handler)


async def _received(calls: Conversation, handler: DownloadHandler) -> AsyncGenerator[bytes, None]:
    done, whole, last = 0, 0, False
    while not last:
        chunk = await _intact(calls, DownloadFileChunk(handler.handler, done, max(1, handler.chunk_size)))
        done += len(chunk.data)
        last = chunk.last
        if not last and not chunk.data:
            raise _damaged("an empty chunk that is not the last")
        if handler.size is not None and done > handler.size:
            raise _damaged(f"more than the {handler.size:,} bytes it told")
        whole = await asyncio.to_thread(zlib.crc32, chunk.data, whole)
        if chunk.data:
            yield chunk.data
    if handler.size not in (None, done):
        raise _damaged(f"{done:,} bytes of {handler.size:,}")
    if not same_crc(handler.crc, whole):
        raise _damaged(f"bytes with checksum {whole:X}, not {handler.crc}")


async def _intact(calls: Conversation, operation: DownloadFileChunk) -> Chunk:
    for _ in range(_TRIES):
        chunk = await calls.call(operation)
        if chunk.intact:
            return chunk
    raise _damaged(f"a chunk {_TRIES} times that its checksum does not fit")


def _damaged(what: str) -> errors.ProtocolError:
    return errors.ProtocolError(f"DownloadFileChunk: the server sent {what}", operation="DownloadFileChunk")


async def _end(calls: Conversation, handler: DownloadHandler) -> None:
    with suppress(errors.RescueError):
        await calls.call(DeleteDownloadHandler(handler.handler))


async def download(
    calls: Conversation,
    path: str,
    target: Target,
    *,
    version: int | None = None,
    chunk_size: int = CHUNK,
    progress: Progress = _no_progress,
) -> DownloadHandler:
    """Fetch a document; see `InfoRouterClient.download`."""
    if not isinstance(target, str | os.PathLike):
        return await _write(calls, await begin(calls, path, version, chunk_size), target, progress)
    # What is there under the name is always a whole document.
    place = Path(target)
    part = place.with_name(f"{place.name}.{secrets.token_hex(4)}.part")
    file = await _open(part, "wb")
    try:
        try:
            handler = await _write(calls, await begin(calls, path, version, chunk_size), file, progress)
        finally:
            await _close(file)
        await asyncio.to_thread(part.replace, place)
    except BaseException:
        await _shielded(partial(part.unlink, missing_ok=True))
        raise
    return handler


async def _write(calls: Conversation, handler: DownloadHandler, file: BinaryIO, progress: Progress) -> DownloadHandler:
    done = 0
    async with aclosing(chunks(calls, handler)) as received:
        async for data in received:
            await asyncio.to_thread(file.write, data)
            done += len(data)
            progress(done, handler.size)
    return handler


async def _close(file: BinaryIO) -> None:
    await _shielded(file.close)


async def _shielded(work: Callable[[], Any]) -> None:
    """Done in a thread to its end, also when the caller is being cancelled."""
    await asyncio.shield(asyncio.get_running_loop().run_in_executor(None, work))
