"""Types that an editor shows for the infoRouter client; checked by mypy --strict, never run."""

from collections.abc import Mapping
from typing import assert_type

from aiorescue import Binding, InfoRouterClient, inforouter
from aiorescue.inforouter import METHODS, Element, Invocation, Method


async def by_name(docs: InfoRouterClient) -> None:
    assert_type(await docs.call("GetDocuments", Path="/Public"), Element)
    assert_type(await docs.call("GetDocuments", binding=Binding.HTTP_POST, Path="/Public"), Element)
    assert_type(await docs.call("DownloadDocument", Path="/Public/a.pdf"), bytes)
    assert_type(await docs.call("DownloadDocument", timeout=5, max_wait=1, Path="/Public/a.pdf"), bytes)
    assert_type(await docs.call(inforouter.GetDocument("/Public/a.pdf")), inforouter.Document)
    assert_type(inforouter.invocation("GetDocuments", {"Path": "/Public"}), Invocation)


async def typed(docs: InfoRouterClient) -> None:
    assert_type(await docs.server_info(), inforouter.ServerInformation)
    assert_type(await docs.get_current_user(), inforouter.User)
    assert_type(await docs.get_documents("/Public", versions=True), tuple[inforouter.Document, ...])
    assert_type(await docs.get_folders_and_documents("/Public"), inforouter.Listing)
    async for page in docs.search("<criteria/>", "NAME"):
        assert_type(page, inforouter.SearchPage)
    assert_type(await docs.upload("a.pdf", "/Public/a.pdf", progress=print), inforouter.Uploaded)
    assert_type(await docs.download("/Public/a.pdf", "a.pdf"), inforouter.DownloadHandler)
    async for data in docs.stream("/Public/a.pdf"):
        assert_type(data, bytes)


async def mistakes(docs: InfoRouterClient) -> None:
    await docs.get_documents()  # type: ignore[call-arg]
    await docs.get_documents("/Public", rules=True)  # type: ignore[call-arg]
    await docs.create_folder(7)  # type: ignore[arg-type]


def catalogue() -> None:
    assert_type(METHODS["GetDocuments"], Method)
    methods: Mapping[str, Method] = METHODS
    assert_type(len(methods), int)
