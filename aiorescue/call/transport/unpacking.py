"""`unpacked`: the body of an answer without its Content-Encoding, or an error where it is not whole.

Requests ask for none, yet servers and what stands before them compress all the same. aiohttp would unpack gzip itself,
but takes one that stops anywhere for a whole one, so that half of a note or report would pass for all of it.
"""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator, Generator, Iterator
from itertools import chain

import aiohttp

from aiorescue.wire import Unreadable

#: Bytes that are unpacked at once, and taken at once.
_PIECE = 2**16
#: Members of one gzip file; each begins anew, and may hold nothing.
_MOST_MEMBERS = 1_000
#: What zlib calls the forms that it reads.
_GZIP, _ZLIB, _BARE = 31, 15, -15
_CODINGS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _ZLIB}
#: The method in the first byte of a zlib stream. Some servers send ``deflate`` without the head that it stands in.
_METHOD, _IS_DEFLATE = 0x0F, 8


def unpacked(chunks: AsyncIterable[bytes], encoding: str) -> AsyncIterable[bytes]:
    """The bytes of a body without its encoding, as they come.

    Args:
        chunks: bytes of the body, as they come.
        encoding: the Content-Encoding header; empty without one.

    Raises:
        Unreadable: the encoding is not known.
        aiohttp.ClientPayloadError: the body is damaged, stops before its end, or goes on behind it.
    """
    named = (name.strip().lower() for name in encoding.split(","))
    codings = [name for name in named if name not in ("", "identity")]
    if not codings:
        return chunks
    wbits = _CODINGS.get(codings[0]) if len(codings) == 1 else None
    if wbits is None:
        raise Unreadable("the answer is compressed in a way that is not known")
    return _Unpacked(chunks, _Unpacker(wbits))


class _Unpacker:
    """Unpacks bytes that come in pieces.

    Args:
        wbits: the form of the bytes, as zlib calls it.
    """

    def __init__(self, wbits: int) -> None:
        self._wbits = wbits
        self._left = _MOST_MEMBERS if wbits == _GZIP else 1
        self._stream: zlib._Decompress | None = None  # None before a member and behind it
        self._has_begun = False

    def take(self, data: bytes) -> Iterator[bytes]:
        """Take a piece, and yield what it holds in pieces. Raises `aiohttp.ClientPayloadError`."""
        while data:
            if self._stream is None and self._has_begun and self._wbits == _GZIP:
                data = data.lstrip(b"\0")  # padding behind a member
            if data:
                data = yield from self._unpack(self._stream or self._begin(data[0]), data)

    def end(self) -> None:
        """Raise `aiohttp.ClientPayloadError` if the bytes stop before their end."""
        if self._stream is not None:
            raise aiohttp.ClientPayloadError

    def _begin(self, first: int) -> "zlib._Decompress":
        """Begin a member, by its first byte."""
        if not self._left:
            raise aiohttp.ClientPayloadError
        self._left -= 1
        self._has_begun = True
        is_bare = self._wbits == _ZLIB and first & _METHOD != _IS_DEFLATE
        self._stream = zlib.decompressobj(_BARE if is_bare else self._wbits)
        return self._stream

    def _unpack(self, stream: "zlib._Decompress", data: bytes) -> Generator[bytes, None, bytes]:
        """Yield what the bytes hold up to the end of their member; returns those behind it."""
        piece = b""
        while data or len(piece) == _PIECE:
            try:
                piece = stream.decompress(data, _PIECE)
            except zlib.error:
                raise aiohttp.ClientPayloadError from None
            if piece:
                yield piece
            if stream.eof:
                self._stream = None
                return stream.unused_data
            data = stream.unconsumed_tail
        return b""


class _Unpacked(AsyncIterator[bytes]):
    """The bytes of a body, unpacked as they come. No generator, which would have to be closed where it is left early.

    Args:
        chunks: bytes of the body.
        unpacker: unpacks them.
    """

    def __init__(self, chunks: AsyncIterable[bytes], unpacker: _Unpacker) -> None:
        self._chunks = aiter(chunks)
        self._unpacker = unpacker
        self._pieces: Iterator[bytes] = iter(())

    async def __anext__(self) -> bytes:
        while (piece := next(self._pieces, None)) is None:
            try:
                chunk = await anext(self._chunks)
            except StopAsyncIteration:
                self._unpacker.end()
                raise
            parts = (chunk[start : start + _PIECE] for start in range(0, len(chunk), _PIECE))
            self._pieces = chain.from_iterable(map(self._unpacker.take, parts))
        if len(piece) == _PIECE:
            await asyncio.sleep(0)  # other tasks get their turn
        return piece
