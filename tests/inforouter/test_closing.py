"""Closing a client in the middle of an upload, download, stream or search."""

import asyncio
import gc
import warnings
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aiorescue import InfoRouterClient, Login, errors
from tests.inforouter.library_server import Library

ANN = Login("ann", "secret")
BIG = bytes(range(256)) * 1_200
TO = "/Public/big.bin"


@pytest.fixture
async def docs(library: Library) -> AsyncIterator[InfoRouterClient]:
    library.chunk = 65_536
    client = InfoRouterClient(ANN, base_url=library.url)
    yield client
    await client.aclose()


class Progress:
    """Progress callback and event: set at the first chunk."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()

    def __call__(self, done: int, total: int | None) -> None:
        self.begun.set()


async def test_closing_waits_for_all_of_an_upload(docs: InfoRouterClient, library: Library):
    progress = Progress()
    upload = asyncio.create_task(docs.upload(BIG, TO, progress=progress))
    await progress.begun.wait()
    await docs.aclose()
    assert upload.done()
    assert (await upload).document_id == 5
    assert (library.documents[TO], library.requests[-1][0]) == (BIG, "LogOut")


async def test_closing_waits_for_all_of_a_download(docs: InfoRouterClient, library: Library, tmp_path: Path):
    library.documents[TO] = BIG
    progress = Progress()
    download = asyncio.create_task(docs.download(TO, tmp_path / "target", progress=progress))
    await progress.begun.wait()
    await docs.aclose()
    await download
    assert ((tmp_path / "target").read_bytes(), library.downloads) == (BIG, {})


async def asked_for(library: Library, method: str) -> None:
    while not library.count(method):
        await asyncio.sleep(0)


async def test_closing_waits_for_the_first_page_of_a_search(docs: InfoRouterClient, library: Library):
    library.documents = {f"/Public/{number}.txt": b"" for number in range(5)}
    pages = aiter(docs.search("<c>txt</c>"))
    first = asyncio.create_task(anext(pages))
    await asked_for(library, "Search")
    await docs.aclose()
    assert [document.name for document in (await first).documents] == ["0.txt", "1.txt"]
    with pytest.raises(errors.InvalidRequest, match="the client is closed"):
        await anext(pages)


async def test_closing_waits_for_the_question_whether_no_bytes_are_a_document(docs: InfoRouterClient, library: Library):
    library.documents["/Public/empty.txt"] = b""
    content = asyncio.create_task(docs.download_document("/Public/empty.txt"))
    await asked_for(library, "DownloadDocument")
    await docs.aclose()
    assert await content == b""


async def test_closing_does_not_wait_for_a_reader_who_takes_their_time(docs: InfoRouterClient, library: Library):
    library.documents[TO] = BIG
    stream = docs.stream(TO)
    assert await anext(stream) == BIG[:65_536]
    await docs.aclose()
    with warnings.catch_warnings(record=True) as caught:
        await stream.aclose()  # sends nothing, and so opens no connection that would stay open
        gc.collect()
    assert (caught, library.requests[-1][0]) == ([], "LogOut")


async def test_a_closed_client_begins_nothing(docs: InfoRouterClient, library: Library, tmp_path: Path):
    await docs.aclose()
    for begun in (docs.upload(BIG, TO), docs.download(TO, tmp_path / "x"), anext(docs.stream(TO))):
        with pytest.raises(errors.InvalidRequest, match="the client is closed"):
            await begun
    assert (library.requests, list(tmp_path.iterdir())) == ([], [])
