"""infoRouter's folders and documents in memory, over every binding."""

import io
import os

import pytest

from aiorescue import Binding, InfoRouterClient, Login, RetryPolicy, errors
from aiorescue.emulator.rules.call import ReceivedCall
from aiorescue.emulator.rules.inforouter.transfer import MOST_HANDLERS
from aiorescue.inforouter import CreateUploadHandler, UploadDocumentWithHandler1, UploadFileChunk
from tests.emulator.sockets import exchange

BINDINGS = pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.HTTP_POST, Binding.HTTP_GET])


def client_of(service, binding=Binding.SOAP11):
    return InfoRouterClient(
        Login("tech@example.com", "secret"), base_url=service.url, binding=binding, retry=RetryPolicy(attempts=1)
    )


@pytest.fixture
async def client(service):
    async with client_of(service) as client:
        yield client


@BINDINGS
async def test_a_document_goes_up_and_comes_down_in_chunks(service, binding):
    content = os.urandom(600_000)
    async with client_of(service, binding) as client:
        made = await client.upload(content, "/Public/Zoë <&>.bin", comment="first", chunk_size=262_144)
        found = await client.get_document(f"~D{made.document_id}", owner=True, versions=True)
        assert (found.name, found.size, found.version, found.owner) == ("Zoë ___.bin", 600_000, 1_000_000, "John Doe")
        target = io.BytesIO()
        await client.download(found.path, target, chunk_size=262_144)
        assert target.getvalue() == content
        assert await client.download_document(found.path) == content
        await client.upload(b"second", found.path)
        assert await client.download_document_version(found.path, 1_000_000) == content
        assert await client.download_document(found.path) == b"second"
        with pytest.raises(errors.RescueError):  # SOAP has no place for a reason
            await client.download_document_version(found.path, 7_000_000)


@BINDINGS
async def test_an_empty_document_is_one(service, binding):
    async with client_of(service, binding) as client:
        await client.upload_document("/Public/empty.txt", b"")
        await client.upload(b"", "/Public/empty.bin")
        assert await client.download_document("/Public/empty.txt") == b""
        assert await client.download_document("/Public/empty.bin") == b""


@BINDINGS
async def test_folders_are_made_listed_and_deleted_with_all_in_them(service, binding):
    async with client_of(service, binding) as client:
        made = await client.create_folder("/Staff/A/B/C")
        await client.upload_document("/Staff/A/a.txt", b"a")
        assert [folder.name for folder in await client.get_folders("/")] == ["Public", "Staff"]
        listing = await client.get_folders_and_documents("/Staff/A", rules=True, owner=True)
        assert ([one.name for one in listing.folders], [one.name for one in listing.documents]) == (["B"], ["a.txt"])
        assert [one.name for one in await client.get_documents("\\Staff\\A")] == ["a.txt"]
        assert (await client.get_folder("/staff/a/b/c")).id == made.id
        with pytest.raises(errors.PreconditionFailed):
            await client.create_folder("/Staff/A")
        await client.delete_folder("/Staff/A")
        with pytest.raises(errors.NotFound):
            await client.get_folder(f"~F{made.id}")


async def test_items_are_renamed_moved_and_copied(client):
    await client.upload_document("/Staff/a.txt", b"a")
    await client.rename("/Staff/a.txt", "b.txt")
    await client.create_folder("/Staff/F")
    await client.move("/Staff/b.txt", "/Staff/F")
    await client.copy("/Staff/F", "/Public")
    assert await client.download_document("/Public/F/b.txt") == b"a"
    with pytest.raises(errors.PartialFailure) as caught:
        await client.copy("/Staff/F", "/Public")
    assert [entry.item for entry in caught.value.log] == ["b.txt"]
    for wrong in (client.rename("/Staff/F", "a/b"), client.rename("/Staff", "x"), client.move("/Staff/F", "/Staff/F")):
        with pytest.raises(errors.InvalidParameter):
            await wrong


async def test_a_search_is_read_page_by_page_forth_and_back(service, client):
    for number in range(5):
        await client.upload_document(f"/Public/n{number}.txt", b"needle" if number else b"")
    service.limits.page_rows = 2
    criteria = '<search><item name="FREETEXT" value="NEEDLE"/></search>'
    pages = [page async for page in client.search(criteria, "DOCUMENTNAME", ascending=False)]
    names = [[one.name for one in page.documents] for page in pages]
    assert names == [["n4.txt", "n3.txt"], ["n2.txt", "n1.txt"]]
    assert [(page.is_first, page.is_last, page.begin, page.end) for page in pages] == [
        (True, False, 1, 2),
        (False, True, 3, 4),
    ]
    assert [one.name for one in (await client.get_previous_search_page()).documents] == names[0]
    for wrong in ('<a value="', "<a/>"):
        with pytest.raises(errors.InvalidParameter):
            await anext(client.search(wrong, "WEIGHT"))


async def test_a_search_belongs_to_the_ticket_that_asked(service, client):
    async with client_of(service) as other:
        await anext(client.search("<a/>"), None)
        with pytest.raises(errors.InvalidParameter):
            await other.get_next_search_page()


async def ask(service, method, query=""):
    return (await exchange(service.url, "GET", f"/srv.asmx/{method}?{query}")).text


async def test_without_a_ticket_one_is_anonymous_and_sees_one_library(service, client):
    await client.upload_document("/Public/a.txt", b"a")
    await client.upload_document("/Staff/a.txt", b"a")
    assert 'Name="a.txt"' in await ask(service, "GetDocuments", "Path=/Public")
    assert 'errorCode="4041"' in await ask(service, "GetDocuments", "Path=/Staff")
    assert 'error="[2730]' in await ask(service, "CreateFolder", "Path=/Public/x")
    assert 'errorCode="4010"' in await ask(service, "GetCurrentUser")
    assert 'UploadHandler="' in await ask(service, "CreateUploadHandler", "PreferedChunkSize=1")
    assert 'ChunkSize="262144"' in await ask(service, "CreateUploadHandler", "PreferedChunkSize=1")


async def test_a_dead_ticket_is_refused_and_not_taken_for_none(service, hands):
    async with client_of(service) as client:
        await client.get_folder("/Public")
        hands.now += 30 * 86_400
        with pytest.raises(errors.NotLoggedIn):
            await client.get_folder("/Public")


async def test_each_call_puts_the_tickets_end_off(hands, client):
    for _ in range(3):
        await client.get_folder("/Public")
        hands.now += 29 * 86_400
    assert (await client.get_current_user()).user_name == "tech@example.com"


async def test_a_handler_is_of_one_ticket_and_is_used_up(service, client):
    upload = (await client.call(CreateUploadHandler(1))).handler
    with pytest.raises(errors.InvalidParameter):
        await client.call(UploadDocumentWithHandler1("/Public/a", upload))  # not complete
    async with client_of(service) as other:
        with pytest.raises(errors.InvalidParameter):
            await other.call(UploadFileChunk(upload, b"a", "E8B7BE43", last=True))
    await client.call(UploadFileChunk(upload, b"a", "E8B7BE43", last=True))
    await client.call(UploadDocumentWithHandler1("/Public/a", upload))
    with pytest.raises(errors.InvalidParameter):
        await client.call(UploadDocumentWithHandler1("/Public/a", upload))


async def test_the_oldest_of_a_thousand_handlers_that_nobody_ends_is_dropped(client, service):
    first = (await client.call(CreateUploadHandler(1))).handler
    left = ReceivedCall(CreateUploadHandler, {"chunk_size": 1})
    for _ in range(MOST_HANDLERS - 1):
        service.carry_out(left)
    await client.call(UploadFileChunk(first, b"a", "E8B7BE43", last=False))
    service.carry_out(left)
    with pytest.raises(errors.InvalidParameter):
        await client.call(UploadFileChunk(first, b"a", "E8B7BE43", last=True))


async def test_the_server_answers_with_its_time_and_the_user_who_calls(client, service):
    info = await client.server_info()
    assert (info.version, info.anonymous_access) == ("9.2.0.0", True)
    assert abs((info.utc_time - service.state.now()).total_seconds()) < 2
    assert (await client.get_current_user()).first_name == "John"
