"""Documents of any size, up and down, over a real socket; chunks damaged, lost and cut short on the way."""

import asyncio
import io
import random
import re
import tracemalloc
from contextlib import aclosing
from pathlib import Path

import pytest

from aiorescue import Binding, InfoRouterClient, Login, errors
from tests.inforouter.library_server import Library
from tests.support import IMPATIENT

ANN = Login("ann", "secret")
BIG = random.Random(1).randbytes(300_000)
TO = "/Public/big.bin"


@pytest.fixture(params=[Binding.SOAP11, Binding.HTTP_POST], ids=lambda binding: binding.value)
async def each(request: pytest.FixtureRequest, library: Library):
    library.chunk = 65_536
    async with InfoRouterClient(ANN, base_url=library.url, binding=request.param, retry=IMPATIENT) as client:
        yield client


async def pieces(data: bytes, size: int):
    for begin in range(0, len(data), size):
        await asyncio.sleep(0)
        yield data[begin : begin + size]


@pytest.mark.parametrize("size", [0, 1, 65_535, 65_536, 65_537, 131_072, 300_000])
async def test_what_goes_up_comes_down(each: InfoRouterClient, library: Library, tmp_path: Path, size: int):
    source, target = tmp_path / "source", tmp_path / "target"
    source.write_bytes(BIG[:size])
    steps: list[tuple[int, int | None]] = []
    up = await each.upload(source, TO, comment="first", progress=lambda *step: steps.append(step))
    assert (up.document_id, library.documents[TO]) == (5, BIG[:size])
    assert steps[-1] == (size, size)
    assert len(steps) == max(1, -(-size // 65_536))
    assert library.parameters[-1].get("VersionComments", library.parameters[-1].get("versioncomments")) == "first"

    steps.clear()
    told = await each.download(TO, target, progress=lambda *step: steps.append(step))
    assert (target.read_bytes(), told.size, told.version) == (BIG[:size], size, 1_000_000)
    assert steps == [(min(done, size), size) for done in range(65_536, size + 65_536, 65_536)]
    assert (library.uploads, library.downloads) == ({}, {})
    assert [path.name for path in tmp_path.iterdir() if path.suffix] == []


async def test_sources_and_targets_of_every_kind(each: InfoRouterClient, library: Library):
    for source in (BIG, io.BytesIO(BIG), pieces(BIG, 1000), pieces(BIG, 200_000)):
        library.documents.clear()
        await each.upload(source, TO)
        assert library.documents[TO] == BIG
    target = io.BytesIO()
    await each.download(TO, target, version=7_000_000)
    assert target.getvalue() == BIG
    assert library.count("GetDownloadHandlerByVersion") == 1
    assert b"".join([data async for data in each.stream(TO)]) == BIG


@pytest.mark.parametrize("fault", ["tryagain", "tryagain_false"])
async def test_a_chunk_that_the_server_calls_damaged_is_sent_again(
    each: InfoRouterClient, library: Library, fault: str
):
    library.faults["UploadFileChunk"] = ["", fault, fault]
    await each.upload(BIG, TO)
    assert (library.documents[TO], library.count("UploadFileChunk")) == (BIG, 7)


async def test_an_upload_begins_anew_if_a_chunks_fate_is_unknown(each: InfoRouterClient, library: Library):
    library.faults["UploadFileChunk"] = ["", "drop_after"]
    await each.upload(BIG, TO)
    assert library.documents[TO] == BIG
    assert (library.count("CreateUploadHandler"), library.count("UploadDocumentWithHandler1")) == (2, 1)
    assert library.uploads == {}  # the first one was given up


async def test_what_cannot_be_read_twice_is_not_sent_twice(each: InfoRouterClient, library: Library):
    library.faults["UploadFileChunk"] = ["", "drop_after"]
    with pytest.raises(errors.AmbiguousOutcome):
        await each.upload(pieces(BIG, 1000), TO)
    assert TO not in library.documents
    assert library.uploads == {}


async def test_the_end_of_an_upload_is_never_repeated(each: InfoRouterClient, library: Library):
    library.faults["UploadDocumentWithHandler1"] = ["drop_after"]
    with pytest.raises(errors.AmbiguousOutcome):
        await each.upload(BIG, TO)
    assert library.count("UploadDocumentWithHandler1") == 1


async def test_a_file_that_arrived_otherwise_is_no_document(each: InfoRouterClient, library: Library):
    library.faults["UploadFileChunk"] = [""] * 4 + ["other_bytes"]
    with pytest.raises(errors.ProtocolError, match="the server has a file with checksum 1"):
        await each.upload(BIG, TO)
    assert TO not in library.documents


async def test_a_chunk_that_comes_damaged_is_asked_for_again(each: InfoRouterClient, library: Library):
    library.documents[TO] = BIG
    library.faults["DownloadFileChunk"] = ["", "damage", "drop_after", "damage"]
    assert b"".join([data async for data in each.stream(TO)]) == BIG
    library.faults["DownloadFileChunk"] = ["damage"] * 3
    with pytest.raises(errors.ProtocolError, match="its checksum does not fit"):
        await each.download(TO, io.BytesIO())
    assert library.downloads == {}


async def test_a_download_that_fails_leaves_the_old_file(each: InfoRouterClient, library: Library, tmp_path: Path):
    target = tmp_path / "target"
    target.write_bytes(b"old")
    library.documents[TO] = BIG
    library.faults["DownloadFileChunk"] = ["", *["damage"] * 3]
    with pytest.raises(errors.ProtocolError):
        await each.download(TO, target)
    with pytest.raises(errors.NotFound):
        await each.download("/Public/missing", target)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("target", b"old")]


async def test_a_cancelled_download_leaves_nothing(each: InfoRouterClient, library: Library, tmp_path: Path):
    library.documents[TO] = BIG
    begun = asyncio.Event()
    task = asyncio.create_task(each.download(TO, tmp_path / "target", progress=lambda *_: begun.set()))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert list(tmp_path.iterdir()) == []


async def test_a_file_that_is_not_there(each: InfoRouterClient, library: Library, tmp_path: Path):
    with pytest.raises(FileNotFoundError):
        await each.upload(tmp_path / "missing", TO)
    assert library.requests == []


async def test_what_is_no_source_is_refused(each: InfoRouterClient, library: Library):
    with pytest.raises(errors.InvalidRequest, match="not list"):
        await each.upload([b"x"], TO)
    assert library.requests == []
    with pytest.raises(errors.InvalidRequest, match="binary mode"):
        await each.upload(io.StringIO("x"), TO)
    assert library.uploads == {}


async def test_what_is_no_target_is_refused_before_anything_is_sent(
    each: InfoRouterClient, library: Library, tmp_path: Path
):
    with (tmp_path / "text").open("w") as text:
        for target in (text, io.StringIO(), None, b"/tmp/x", 5):
            with pytest.raises(errors.InvalidRequest, match=f"binary mode, not to {type(target).__name__}"):
                await each.download(TO, target)
    assert library.requests == []


async def test_a_stream_that_is_left_early_gives_its_handler_up(each: InfoRouterClient, library: Library):
    library.documents[TO] = BIG
    async with aclosing(each.stream(TO)) as stream:
        async for data in stream:
            assert data == BIG[:65_536]
            break
    assert (library.count("DownloadFileChunk"), library.downloads) == (1, {})


async def test_a_target_that_cannot_be_written(each: InfoRouterClient, library: Library, tmp_path: Path):
    library.documents[TO] = BIG
    with pytest.raises(OSError, match="missing"):
        await each.download(TO, tmp_path / "missing" / "target")
    with pytest.raises(io.UnsupportedOperation):
        await each.download(TO, io.BufferedReader(io.BytesIO()))
    assert library.downloads == {}


async def test_the_server_chooses_the_size_of_chunks(library: Library):
    async with InfoRouterClient(ANN, base_url=library.url) as docs:
        await docs.upload(BIG, TO, chunk_size=1)
    assert library.count("UploadFileChunk") == 2  # of 262,144 bytes at least


async def test_a_size_of_chunks_that_is_none_makes_no_request_for_each_byte(library: Library):
    library.chunk = -1
    async with InfoRouterClient(ANN, base_url=library.url) as docs:
        await docs.upload(BIG, TO)
        assert b"".join([data async for data in docs.stream(TO)]) == BIG
    assert (library.count("UploadFileChunk"), library.count("DownloadFileChunk")) == (1, 1)


async def test_a_chunk_is_never_longer_than_an_answer_may_be(docs: InfoRouterClient, library: Library):
    library.documents[TO], library.chunk, target = bytes(13 * 2**20), 2**25, io.BytesIO()
    await docs.download(TO, target, chunk_size=2**25)
    assert target.getvalue() == library.documents[TO]
    assert library.count("DownloadFileChunk") == 2


async def test_a_chunk_tells_the_size_of_the_document_where_the_handler_does_not(
    each: InfoRouterClient, library: Library, tmp_path: Path
):
    library.documents[TO] = BIG
    begin, target = library.GetDownloadHandler, tmp_path / "target"
    library.GetDownloadHandler = lambda *given: re.sub(r' (Size|CRC32)="\w+"', "", begin(*given))
    await each.download(TO, target)
    assert target.read_bytes() == BIG
    get = library.DownloadFileChunk
    library.DownloadFileChunk = lambda *given: get(*given).replace('lastchunk="false"', 'lastchunk="true"')
    target.unlink()
    with pytest.raises(errors.ProtocolError, match="65,536 bytes of 300,000"):
        await each.download(TO, target)
    assert not any(tmp_path.iterdir())


async def test_memory_does_not_grow_with_the_document(library: Library, tmp_path: Path):
    library.chunk, library.discards = 2**18, True
    source = tmp_path / "source"
    source.write_bytes(bytes(2**24))
    async with InfoRouterClient(ANN, base_url=library.url, binding=Binding.HTTP_POST) as docs:
        await docs.upload(b"warm", TO)
        tracemalloc.start()
        try:
            await docs.upload(source, TO)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
    assert library.count("UploadFileChunk") == 65
    assert peak < 16 * 2**18  # client and server together hold a few chunks, not 64
    assert library.largest < 2**19


class NamedInBytes:
    def __fspath__(self) -> bytes:
        return b"a"


IMPOSSIBLE = {"NUL": "a\0b", "empty": "", "/": "/", ".": Path(), "half a pair": "\ud800", "bytes": NamedInBytes()}


@pytest.mark.parametrize("path", IMPOSSIBLE.values(), ids=IMPOSSIBLE)
async def test_a_path_that_no_file_can_have_is_refused_before_anything_is_sent(
    each: InfoRouterClient, library: Library, path
):
    with pytest.raises(errors.InvalidRequest, match="source must be "):
        await each.upload(path, TO)
    with pytest.raises(errors.InvalidRequest, match="target must be "):
        await each.download(TO, path)
    assert not library.parameters
