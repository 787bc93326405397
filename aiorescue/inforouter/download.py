"""Downloads: the operations, the whole download of a document of any size, and documents as bytes at once.

A document of any size comes chunk by chunk: one chunk in memory, files written in a thread, checksums compared.
"""

import asyncio
import os
import zlib
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import aclosing, suppress
from functools import partial
from typing import Annotated, Any, BinaryIO

from aiorescue import errors
from aiorescue.call.conversation import Conversation
from aiorescue.files import is_stream
from aiorescue.inforouter.answers.transfers import Chunk, DownloadHandler, is_crc
from aiorescue.inforouter.authentication import IsValidTicket
from aiorescue.inforouter.files import (
    Part,
    Progress,
    bytes_in_chunk,
    close_file,
    local_path,
    open_stream,
    takes_bytes,
    write_to,
    write_to_stream,
)
from aiorescue.inforouter.invocation import Invocation
from aiorescue.inforouter.library import GetDocument
from aiorescue.inforouter.service import TICKET, TICKET_LOWER, InfoRouterOperation, Path, declare, own_ticket
from aiorescue.operation import Binding, Content, Effect, Operation, Parameter, operation

#: How often a chunk that arrives damaged is asked for.
_TRIES = 3
#: Bytes that are asked for at once, whatever size of chunks the server chose: in base64 they fit into an answer.
_LARGEST_PART = 2**23

# --- operations -----------------------------------------------------------------------------------

ChunkSize = Annotated[int, Parameter("PreferedChunkSize", holds=int)]
Version = Annotated[int, Parameter("VersionNumber", holds=int)]
Handler = Annotated[str, Parameter("DownloadHandler")]


@operation
class GetDownloadHandler(InfoRouterOperation[DownloadHandler]):
    """Begin the download of a document's published or latest version. Vendor: ``GetDownloadHandler``."""

    path: Path
    """Path of the document."""
    chunk_size: ChunkSize
    """Bytes in a chunk; the server corrects a size that it does not allow."""

    spec = declare("GetDownloadHandler", ticket=TICKET, effect=Effect.EXPIRES)
    read = DownloadHandler.of


@operation
class GetDownloadHandlerByVersion(InfoRouterOperation[DownloadHandler]):
    """Begin the download of one version of a document. Vendor: ``GetDownloadHandlerByVersion``."""

    path: Path
    """Path of the document."""
    chunk_size: ChunkSize
    """Bytes in a chunk; the server corrects a size that it does not allow."""
    version: Version
    """Major times 1,000,000 plus minor times 1,000 plus revision."""

    spec = declare("GetDownloadHandlerByVersion", ticket=TICKET, effect=Effect.EXPIRES)
    read = DownloadHandler.of


@operation
class DownloadFileChunk(InfoRouterOperation[Chunk]):
    """Get a part of a document. Vendor: ``DownloadFileChunk``."""

    handler: Handler
    """GUID of the download."""
    offset: Annotated[int, Parameter("StartOffset", holds=int)]
    """Bytes of the document before the part."""
    size: Annotated[int, Parameter("ChunkSize", holds=int)]
    """Bytes wanted."""

    spec = declare("DownloadFileChunk", ticket=TICKET_LOWER)
    read = Chunk.of


@operation
class DeleteDownloadHandler(InfoRouterOperation[None]):
    """End a download. Vendor: ``DeleteDownloadHandler``."""

    handler: Handler
    """GUID of the download."""

    spec = declare("DeleteDownloadHandler", ticket=TICKET_LOWER, effect=Effect.CREATES)


@operation
class DownloadDocument(InfoRouterOperation[bytes]):
    """Get a small document as bytes in one request. Vendor: ``DownloadDocument``.

    `InfoRouterClient.download` takes documents of any size.
    """

    path: Path
    """Path of the document."""

    spec = declare("DownloadDocument", content=Content.BYTES)


@operation
class DownloadDocumentVersion(InfoRouterOperation[bytes]):
    """Get one version of a small document as bytes in one request. Vendor: ``DownloadDocumentVersion``."""

    path: Path
    """Path of the document."""
    version: Version
    """Major times 1,000,000 plus minor times 1,000 plus revision; 0 for the published or latest version."""

    spec = declare("DownloadDocumentVersion", content=Content.BYTES)


# --- the whole download ---------------------------------------------------------------------------

Target = str | os.PathLike[str] | BinaryIO
#: Writes all of some bytes.
Write = Callable[[bytes], Awaitable[None]]


async def download(
    calls: Conversation, path: str, target: Target, *, version: int | None, chunk_size: int, progress: Progress
) -> DownloadHandler:
    """Write a document to a path or a binary file; `InfoRouterClient.download` describes the arguments."""
    if not isinstance(target, str | os.PathLike):
        if not takes_bytes(target):
            raise errors.InvalidRequest(
                f"download writes to a path or to a file that is open in binary mode, not to {type(target).__name__}"
            )
        return await _write(calls, await _begin(calls, path, version, chunk_size), partial(write_to, target), progress)
    where = local_path("target", target)
    if await asyncio.to_thread(is_stream, where):
        file = await open_stream(where)
        try:
            to_stream = partial(write_to_stream, file, where)
            return await _write(calls, await _begin(calls, path, version, chunk_size), to_stream, progress)
        finally:
            await close_file(file)
    # The bytes go to a file of another name first, so that what has the target's name is always a whole document.
    part = Part(where)
    try:
        await part.open()
        handler = await _write(calls, await _begin(calls, path, version, chunk_size), part.write, progress)
        await part.put_in_place()
    except BaseException:
        await part.drop()
        raise
    return handler


async def stream(calls: Conversation, path: str, version: int | None, chunk_size: int) -> AsyncGenerator[bytes, None]:
    """Yield a document's bytes in order; `InfoRouterClient.stream` describes the arguments."""
    async with aclosing(_chunks(calls, await _begin(calls, path, version, chunk_size))) as chunks:
        async for data in chunks:
            yield data


async def _begin(calls: Conversation, path: str, version: int | None, chunk_size: int) -> DownloadHandler:
    if version is None:
        return await calls.call(GetDownloadHandler(path, chunk_size))
    return await calls.call(GetDownloadHandlerByVersion(path, chunk_size, version))


async def _write(calls: Conversation, handler: DownloadHandler, write: Write, progress: Progress) -> DownloadHandler:
    """Write the chunks of a download, and end its handler, after a failure too. A cancellation sends no request."""
    done = 0
    try:
        async with aclosing(_checked_chunks(calls, handler)) as chunks:
            async for data in chunks:
                await write(data)
                done += len(data)
                progress(done, handler.size)
    except Exception:
        await _end(calls, handler)
        raise
    await _end(calls, handler)
    return handler


async def _chunks(calls: Conversation, handler: DownloadHandler) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a download, and end its handler after the last one, after a failure or when closed early."""
    try:
        async with aclosing(_checked_chunks(calls, handler)) as chunks:
            async for data in chunks:
                yield data
    except (Exception, GeneratorExit):
        await _end(calls, handler)
        raise
    await _end(calls, handler)


async def _checked_chunks(calls: Conversation, handler: DownloadHandler) -> AsyncGenerator[bytes, None]:
    """Yield the chunks of a download; compare the whole with its size and checksum at the end.

    Where the handler does not tell the size, each chunk may.
    """
    done, crc, last, size = 0, 0, False, handler.size
    while not last:
        asked = min(bytes_in_chunk(handler.chunk_size), _LARGEST_PART)
        chunk = await _intact(calls, DownloadFileChunk(handler.handler, done, asked))
        done += len(chunk.data)
        last = chunk.last
        size = chunk.file_length if size is None else size
        if not last and not chunk.data:
            raise _damaged("an empty chunk that is not the last")
        if size is not None and done > size:
            raise _damaged(f"more than the {size:,} bytes that it announced")
        crc = await asyncio.to_thread(zlib.crc32, chunk.data, crc)
        if chunk.data:
            yield chunk.data
    if size is not None and size != done:
        raise _damaged(f"{done:,} bytes of {size:,}")
    if not is_crc(handler.crc, crc):
        raise _damaged(f"bytes with checksum {crc:X}, not {handler.crc}")


async def _intact(calls: Conversation, operation: DownloadFileChunk) -> Chunk:
    for _ in range(_TRIES):
        chunk = await calls.call(operation)
        if chunk.intact:
            return chunk
    raise _damaged(f"a chunk {_TRIES} times that its checksum does not fit")


def _damaged(what: str) -> errors.ProtocolError:
    return errors.ProtocolError(
        f"DownloadFileChunk: the server sent {what}; download the document again", operation="DownloadFileChunk"
    )


async def _end(calls: Conversation, handler: DownloadHandler) -> None:
    with suppress(errors.RescueError):
        await calls.call(DeleteDownloadHandler(handler.handler))


# --- documents as bytes at once -------------------------------------------------------------------


async def call_for_bytes(
    calls: Conversation, operation: Operation[bytes], *, binding: Binding | None, renews: bool
) -> bytes:
    """Call a method that answers with bytes, and find out what an answer of no bytes means.

    Servers before 9.0, and all servers over SOAP, answer with no bytes whatever the failure is. So the ticket is
    checked, then whether the document is known to be empty.

    Args:
        calls: where the calls are made.
        operation: the method to call.
        binding: the binding to use; None for the client's own.
        renews: True to call once more with a new ticket if the client's ticket has ended.

    Raises:
        errors.NotLoggedIn: the ticket has ended.
        errors.ServiceError: the call failed for an unknown reason.
    """
    name = operation.spec.name
    answer = await calls.call(operation, binding=binding)
    if not _is_empty(name, answer):
        return answer
    own = own_ticket(operation)
    if (own or operation.spec.identity) and not await calls.call(IsValidTicket(own)):
        if own or not renews:
            raise errors.NotLoggedIn(f"{name}: the ticket is no longer valid; log in again", operation=name, attempts=1)
        # The check made the identity forget the ticket, so this call goes out with a new one.
        answer = await calls.call(operation, binding=binding)
    if _is_empty(name, answer) and not await _is_empty_document(calls, operation):
        raise errors.ServiceError(
            f"{name}: the server answered with no bytes, its way to say that it failed, without a reason",
            operation=name,
            attempts=1,
        )
    return answer


def _is_empty(name: str, answer: bytes) -> bool:
    return not answer or (name == "GetAddInPart" and answer == b"\0")


async def _is_empty_document(calls: Conversation, operation: Operation[bytes]) -> bool:
    """Whether the operation downloads a document that has no bytes according to its properties."""
    if isinstance(operation, Invocation) and operation.method.name == "DownloadDocument":
        path: Any = operation.values["Path"]
    elif isinstance(operation, DownloadDocument):
        path = operation.path
    else:
        return False
    return (await calls.call(GetDocument(path))).size == 0
