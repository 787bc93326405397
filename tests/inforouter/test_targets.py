"""Where a download may go and what an upload may come from: links, pipes, folders, files that take or give a part."""

import asyncio
import io
import os
import random
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from aiorescue import InfoRouterClient, errors
from tests.inforouter.library_server import Library

BIG = random.Random(2).randbytes(300_000)
TO = "/Public/big.bin"


@pytest.fixture(autouse=True)
def _small_chunks(library: Library) -> None:
    library.chunk = 131_072
    library.documents[TO] = BIG


@contextmanager
def pipe(*, blocks: bool) -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    for end in ends:
        os.set_blocking(end, blocks)
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


async def read_while(work: "asyncio.Task[object]", out: int) -> bytes:
    """What comes out of a pipe until the task that writes to it is done."""
    os.set_blocking(out, False)
    got, done = b"", False
    while not done:
        done = work.done()
        with suppress(BlockingIOError):
            while data := os.read(out, 2**20):
                got += data
        await asyncio.sleep(0.001)
    await work
    return got


# --- targets that are paths ---


async def test_a_link_stays_and_the_file_that_it_leads_to_has_the_document(docs: InfoRouterClient, tmp_path: Path):
    (tmp_path / "folder").mkdir()
    for name in ("folder/old", "folder/new"):
        link = tmp_path / f"link to {Path(name).name}"
        link.symlink_to(name)
        if name.endswith("old"):
            (tmp_path / name).write_bytes(b"old")
        await docs.download(TO, link)
        assert link.readlink() == Path(name)
        assert (tmp_path / name).read_bytes() == BIG
    assert sorted(path.name for path in (tmp_path / "folder").iterdir()) == ["new", "old"]


async def test_a_target_may_have_as_long_a_name_as_the_file_system_takes(docs: InfoRouterClient, tmp_path: Path):
    for name in ("Д" * 125 + ".pdf", "x" * 255):
        for _ in ("new", "old"):
            await docs.download(TO, tmp_path / name)
        assert (tmp_path / name).read_bytes() == BIG
    assert len(list(tmp_path.iterdir())) == 2


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o755])
async def test_a_file_keeps_its_mode_and_a_new_one_has_that_of_any_new_file(
    docs: InfoRouterClient, tmp_path: Path, mode: int
):
    for name in ("old", "any"):
        (tmp_path / name).write_bytes(b"old")
    (tmp_path / "old").chmod(mode)
    await docs.download(TO, tmp_path / "old")
    await docs.download(TO, tmp_path / "new")
    assert stat.S_IMODE((tmp_path / "old").stat().st_mode) == mode
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "any").stat().st_mode


async def test_a_named_pipe_gets_the_document_and_stays_one(docs: InfoRouterClient, tmp_path: Path):
    fifo, link = tmp_path / "fifo", tmp_path / "link"
    os.mkfifo(fifo)
    link.symlink_to("fifo")
    for target in (fifo, link):
        out = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        try:
            assert await read_while(asyncio.create_task(docs.download(TO, target)), out) == BIG
        finally:
            os.close(out)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["fifo", "link"]
    assert fifo.is_fifo()


async def test_a_link_to_an_open_pipe_gets_the_document_and_stays_a_link(docs: InfoRouterClient, tmp_path: Path):
    link = tmp_path / "stdout"
    with pipe(blocks=True) as (out, into):
        link.symlink_to(f"/proc/self/fd/{into}")
        assert await read_while(asyncio.create_task(docs.download(TO, link)), out) == BIG
        assert link.is_symlink()
        assert os.get_blocking(into)  # the program's own end is as it was


async def test_a_download_into_a_pipe_is_cancelled_without_a_reader_and_with_one_that_is_busy(
    docs: InfoRouterClient, library: Library, tmp_path: Path
):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(docs.download(TO, fifo), 0.2)
    assert library.requests == []

    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        begun = asyncio.Event()
        library.documents[TO] = bytes(131_072) + BIG
        library.chunk = 32_768  # the pipe takes the first one
        download = asyncio.create_task(docs.download(TO, fifo, progress=lambda *_: begun.set()))
        await begun.wait()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(download, 0.2)
        while os.read(reader, 2**20):
            pass  # to its end: no writer is left
    finally:
        os.close(reader)
    assert library.count("DeleteDownloadHandler") == 0  # which might take as long as a request may


async def test_a_reader_that_leaves_is_an_error_that_names_the_pipe(
    docs: InfoRouterClient, library: Library, tmp_path: Path
):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    library.chunk = 32_768
    with pytest.raises(BrokenPipeError) as caught:
        await docs.download(TO, fifo, progress=lambda done, _: os.close(reader) if done == 32_768 else None)
    assert caught.value.filename == str(fifo)
    assert library.downloads == {}


async def test_a_folder_is_refused_before_anything_is_sent(docs: InfoRouterClient, library: Library, tmp_path: Path):
    (tmp_path / "link").symlink_to(".")
    for target in (tmp_path, tmp_path / "link"):
        with pytest.raises(IsADirectoryError) as caught:
            await docs.download(TO, target)
        assert caught.value.filename == str(target)
    assert library.requests == []
    assert [path.name for path in tmp_path.iterdir()] == ["link"]


async def test_an_error_of_the_file_names_the_target_that_was_asked_for(docs: InfoRouterClient, tmp_path: Path):
    target, link = tmp_path / "missing" / "target", tmp_path / "link"
    link.symlink_to(target)
    for given in (target, link):
        with pytest.raises(FileNotFoundError) as caught:
            await docs.download(TO, given)
        assert (caught.value.filename, caught.value.filename2) == (str(given), None)


# --- open files ---


class Sipping(io.RawIOBase):
    """A file without a buffer that takes at most so many bytes at a time, as a pipe or a nearly full disk does."""

    def __init__(self, most: int | None) -> None:
        self.most, self.taken = most, b""

    def writable(self) -> bool:
        return True

    def write(self, data, /) -> int | None:
        if self.most is None:
            return None
        self.taken += bytes(data[: self.most])
        return min(len(data), self.most)


async def test_a_file_that_takes_a_part_of_the_bytes_gets_them_all(docs: InfoRouterClient):
    file = Sipping(50_000)
    await docs.download(TO, file)
    assert file.taken == BIG


@pytest.mark.parametrize("most", [None, 0])
async def test_a_file_that_takes_no_bytes_is_an_error(docs: InfoRouterClient, library: Library, most: int | None):
    with pytest.raises(errors.InvalidRequest, match="took none"):
        await docs.download(TO, Sipping(most))
    assert library.downloads == {}


async def test_a_pipe_that_does_not_block_loses_no_bytes_in_silence(docs: InfoRouterClient):
    with pipe(blocks=False) as (_, into), pytest.raises(errors.InvalidRequest, match="took none"):
        await docs.download(TO, io.FileIO(into, "w", closefd=False))


async def test_a_source_that_has_nothing_yet_has_not_ended(docs: InfoRouterClient, library: Library):
    with pipe(blocks=False) as (out, into):
        file = io.FileIO(out, closefd=False)
        with pytest.raises(errors.InvalidRequest, match="nothing yet"):
            await docs.upload(file, "/Public/new")
        assert library.requests == []
        os.write(into, b"the first half")
        with pytest.raises(errors.InvalidRequest, match="nothing yet"):
            await docs.upload(file, "/Public/new")
    assert "/Public/new" not in library.documents
    assert library.uploads == {}


async def texts(*first: object):
    for piece in (*first, "text"):
        yield piece


@pytest.mark.parametrize("wrong", [texts(), texts(None), io.StringIO("text")], ids=["text", "None", "text file"])
async def test_a_source_that_yields_no_bytes_is_refused_before_anything_is_sent(
    docs: InfoRouterClient, library: Library, wrong
):
    with pytest.raises(errors.InvalidRequest, match=r"(str|NoneType)$"):
        await docs.upload(wrong, "/Public/new")
    assert library.requests == []


async def test_a_source_that_yields_other_things_later_leaves_no_document(docs: InfoRouterClient, library: Library):
    with pytest.raises(errors.InvalidRequest, match="iterator of bytes; this one yields str"):
        await docs.upload(texts(b"bytes", bytearray(b"more"), memoryview(b"and more")), "/Public/new")
    assert "/Public/new" not in library.documents
    assert library.uploads == {}


async def test_a_named_pipe_is_read_once_and_its_size_is_not_known(
    docs: InfoRouterClient, library: Library, tmp_path: Path
):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open(fifo, os.O_WRONLY)
    os.write(writer, BIG[:60_000])
    steps: list[tuple[int, int | None]] = []
    library.chunk = 16_384
    library.faults["UploadFileChunk"] = ["", "drop_after"]
    try:
        with pytest.raises(errors.AmbiguousOutcome):
            await docs.upload(fifo, "/Public/new", progress=lambda *step: steps.append(step))
    finally:
        os.close(reader)
        os.close(writer)
    assert steps == [(16_384, None)]
    assert "/Public/new" not in library.documents


@pytest.mark.every_loop
@pytest.mark.parametrize("comes", [None, b"", b"begin"], ids=["no writer", "a silent writer", "a slow writer"])
async def test_an_upload_from_a_pipe_is_cancelled_while_it_waits_and_leaves_no_thread_behind(
    docs: InfoRouterClient, library: Library, tmp_path: Path, comes: bytes | None
):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    writer = None if comes is None else os.open(fifo, os.O_RDWR)
    try:
        if writer is not None:
            os.write(writer, comes or b"")
        upload = asyncio.create_task(docs.upload(fifo, TO))
        await asyncio.sleep(0.2)
        upload.cancel()
        async with asyncio.timeout(5):
            await asyncio.wait([upload])
            await asyncio.get_running_loop().shutdown_default_executor()  # as asyncio.run does at its end
        assert upload.cancelled()
    finally:
        if writer is not None:
            os.close(writer)
    assert library.documents[TO] == BIG


@pytest.mark.every_loop
async def test_an_upload_from_a_pipe_waits_for_its_writer_and_for_each_piece(
    docs: InfoRouterClient, library: Library, tmp_path: Path
):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    upload = asyncio.create_task(docs.upload(fifo, TO))
    await asyncio.sleep(0.1)
    writer = os.open(fifo, os.O_WRONLY)
    try:
        for piece in (b"one, ", b"two, ", b"three"):
            await asyncio.sleep(0.05)
            os.write(writer, piece)
    finally:
        os.close(writer)
    await upload
    assert library.documents[TO] == b"one, two, three"
