"""Calls by name and typed ones, over each binding, against a server on a socket."""

from datetime import UTC, datetime

import pytest

from aiorescue import Binding, InfoRouterClient, Login, Ticket, errors
from aiorescue.inforouter import METHODS, GetNextSearchPage, LogEntry, invocation
from tests.inforouter.library_server import Library, no
from tests.support import IMPATIENT

ANN = Login("ann", "secret")
BINDINGS = [Binding.SOAP11, Binding.HTTP_GET, Binding.HTTP_POST]
A_TXT = {"DocumentID", "Name", "Path", "CreationDate", "Size"}


@pytest.fixture(params=BINDINGS, ids=lambda binding: binding.value)
async def each(request: pytest.FixtureRequest, library: Library):
    async with InfoRouterClient(ANN, base_url=library.url, binding=request.param, retry=IMPATIENT) as client:
        yield client


async def test_a_method_is_called_by_its_name(each: InfoRouterClient):
    root = await each.call("GetDocuments", Path="/Public")
    assert (root.tag, root.true("success"), root["ERROR"], root.text) == ("response", True, "", "")
    (document,) = root.all("Document")
    assert document.attributes.keys() >= A_TXT
    assert (document["size"], document.get("OwnerName"), document.get("nothing", "-")) == ("5", "Zoë <x>", "-")
    with pytest.raises(KeyError):
        document["nothing"]
    with pytest.raises(errors.NotFound) as caught:
        await each.call("GetDocuments", Path="/Nowhere & <else>")
    assert (caught.value.status, caught.value.attempts) == ("4041", 1)


async def test_names_are_checked_before_anything_is_sent(docs: InfoRouterClient, library: Library):
    with pytest.raises(errors.InvalidRequest, match=r"did you mean GetDocuments\?"):
        await docs.call("GetDocumets", Path="/")
    with pytest.raises(errors.InvalidRequest, match=r"did you mean Path\?"):
        await docs.call("GetDocuments", Paht="/")
    with pytest.raises(errors.UnsupportedBinding, match="use one of: SOAP11, HTTP_POST"):
        await docs.call("UploadDocument1", binding=Binding.HTTP_GET, path="/a", fileContent=b"x", versionComment=None)
    with pytest.raises(errors.UnsupportedBinding):
        await docs.call("GetDocuments", Path="/", binding=Binding.SOAP12)
    with pytest.raises(errors.InvalidRequest, match="has its parameters already"):
        await docs.call(invocation("GetDocuments", {"Path": "/"}), Path="/")
    assert library.requests == []


async def test_a_moment_that_utc_does_not_have_and_xml_too_deep_to_write_are_refused(
    docs: InfoRouterClient, library: Library
):
    for moment in ("0001-01-01T00:00+01:00", "9999-12-31T23:59-01:00"):
        with pytest.raises(errors.InvalidRequest, match="startDate must be a date"):
            await docs.call("GetCheckoutLog", startDate=datetime.fromisoformat(moment))
    with pytest.raises(errors.InvalidRequest, match="xmlRules must be well-formed XML: maximum recursion"):
        await docs.call("SetFolderRules", Path="/", ApplyToTree=False, xmlRules=f"{'<a>' * 9999}{'</a>' * 9999}")
    assert library.requests == []


def test_a_year_has_four_digits():
    value = invocation("GetCheckoutLog", {"startDate": datetime(999, 1, 2, tzinfo=UTC), "endDate": "2026-01-02"})
    assert value.values["startDate"] == "0999-01-02T00:00:00Z"


async def test_the_first_call_by_name_reads_the_catalogue_off_the_loop(docs: InfoRouterClient):
    del METHODS.__dict__["_methods"]
    assert (await docs.call("GetDocuments", Path="/Public")).true("success")
    assert METHODS.loaded


async def test_a_value_is_called_as_well_and_its_binding_is_strict(docs: InfoRouterClient, library: Library):
    value = invocation("GetDocuments", {"Path": "/Public"})
    assert (await docs.call(value, binding=Binding.HTTP_POST)).all("document")
    assert library.requests[-1] == ("GetDocuments", "post")


async def test_without_credentials_only_what_needs_no_ticket_is_called(library: Library):
    async with InfoRouterClient(base_url=library.url) as docs:
        with pytest.raises(errors.CredentialsMissing):
            await docs.call("GetDocuments", Path="/Public")
        assert library.requests == []
        root = await docs.call("GetLocalizedResources", resourceIds="1")
        assert root["ticket"] == "False"
        assert "AuthenticationTicket" not in library.parameters[-1]
        assert await docs.call("MaintenanceBeat") is None


async def test_an_optional_ticket_is_sent_if_there_is_one(each: InfoRouterClient):
    assert (await each.call("GetLocalizedResources", resourceIds="1"))["ticket"] == "True"


async def test_a_ticket_among_the_parameters_takes_the_place_of_the_clients(each: InfoRouterClient, library: Library):
    await each.call("GetDocuments", Path="/Public")
    library.tickets["other"] = {}
    assert (await each.call("GetDocuments", Path="/Public", AuthenticationTicket="other")).true("success")
    with pytest.raises(errors.NotLoggedIn):
        await each.call("GetDocuments", Path="/Public", AuthenticationTicket="dead")
    await each.call("GetDocuments", Path="/Public")
    assert library.count("AuthenticateUser") == 1


async def test_no_answer_shows_a_ticket_in_its_repr(docs: InfoRouterClient, library: Library):
    root = await docs.call("AuthenticateUser", UID="ann", PWD="secret")
    assert root["ticket"] in library.tickets
    assert root["ticket"] not in repr(root)


async def test_relogin_repeats_a_call_once(library: Library):
    async with InfoRouterClient(ANN, base_url=library.url, relogin=True) as docs:
        await docs.create_folder("/A")
        library.tickets.clear()
        await docs.create_folder("/B")  # refused before it was done, so repeating it is safe
        assert library.count("AuthenticateUser") == 2
        assert {"/A", "/B"} <= library.folders


async def test_an_error_without_a_code_is_told_once(docs: InfoRouterClient, library: Library):
    library.GetFolder = lambda *_: no("The Query has been expired.")
    with pytest.raises(errors.ServiceError) as caught:
        await docs.get_folder("/Public")
    assert str(caught.value) == "GetFolder: The Query has been expired."
    assert caught.value.status == "The Query has been expired."


async def test_a_partial_failure_is_raised_with_its_log(each: InfoRouterClient, library: Library):
    for call in (each.copy("/a", "/b"), each.call("Copy", SourcePath="/a", DestinationPath="/b")):
        with pytest.raises(errors.PartialFailure, match=r"1 items failed: a\.txt: Checked out") as caught:
            await call
        assert caught.value.log == (LogEntry("a.txt", "Checked out."),)
    library.faults["Copy"] = ["true"]
    with pytest.raises(errors.PartialFailure):  # a typed result has no place for a log
        await each.copy("/a", "/b")


async def test_a_success_with_a_log_keeps_it(each: InfoRouterClient, library: Library):
    library.faults["DownloadZipWithHandler"] = ["true"]
    root = await each.call("DownloadZipWithHandler", Paths="/a|/b", partialResult=True)
    assert root.log == (LogEntry("a.txt", "Checked out."),)


async def test_a_document_that_is_offline_is_asked_for_again(each: InfoRouterClient, library: Library):
    library.faults["GetDocument"] = ["offline", "offline"]
    assert (await each.get_document("/Public/a.txt")).size == 5
    assert library.count("GetDocument") == 3
    library.faults["GetDocument"] = ["offline"] * 4
    with pytest.raises(errors.ServiceError) as caught:
        await each.get_document("/Public/a.txt")
    assert (caught.value.status, caught.value.attempts) == ("4230", 4)


@pytest.mark.parametrize("fault", ["drop_before", "drop_after"])
async def test_what_changes_something_is_never_done_twice(library: Library, fault: str):
    async with InfoRouterClient(ANN, base_url=library.url, retry=IMPATIENT) as docs:
        library.faults["CreateFolder"] = [fault]
        with pytest.raises(errors.AmbiguousOutcome):
            await docs.call("CreateFolder", Path="/A")
        assert library.count("CreateFolder") == 1
        library.faults["GetDocuments"] = [fault]
        assert await docs.get_documents("/Public")
        assert library.count("GetDocuments") == 2


async def test_http_400_and_415_are_our_fault(library: Library):
    async with InfoRouterClient(ANN, base_url=library.url, binding=Binding.HTTP_POST, retry=IMPATIENT) as docs:
        with pytest.raises(errors.ServiceFault, match="HTTP 400, which is its answer to a required text that is empty"):
            await docs.get_documents("")
    assert len(library.requests) == 2  # logging in and out


async def test_xml_arrives_as_it_was(each: InfoRouterClient):
    root = await each.call("SetFolderRules", Path="/a", xmlRules="<R><A n='1'/></R>", ApplyToTree=True)
    assert root["rules"].replace(' xmlns=""', "") == '<R><A n="1" /></R>'


# --- typed ----------------------------------------------------------------------------------------


async def test_folders_and_documents_are_values(each: InfoRouterClient):
    (document,) = await each.get_documents("/Public")
    assert document == await each.get_document("/Public/a.txt")
    assert (document.name, document.path, document.size, document.version) == ("a.txt", "/Public/a.txt", 5, 1000000)
    assert document.created == datetime(2026, 9, 1, 10, tzinfo=UTC)
    assert document.modified == datetime.fromisoformat("2026-08-21")
    assert (document.checked_out, document.checked_out_by, document.owner) == (None, "", "Zoë <x>")
    listing = await each.get_folders_and_documents("/Public", owner=True)
    assert ([folder.name for folder in listing.folders], listing.documents) == (["Public"], (document,))
    folder = await each.get_folder("/Public")
    assert (folder.id, folder.parent_id, folder.path, folder.created) == (7, 1, "/Public", None)
    new, old = await each.get_folders("/Public")
    assert new == folder
    assert (old.id, old.name, old.owner, old.parent_id) == (7, "Public", "Ann", None)


async def test_folders_and_documents_are_made_renamed_and_deleted(each: InfoRouterClient, library: Library):
    made = await each.create_folder("/Public/Zoë & Co")
    assert (made.id, made.name) == (8, "Zoë & Co")
    with pytest.raises(errors.PreconditionFailed):
        await each.create_folder("/Public/Zoë & Co")
    assert await each.rename("/Public/a.txt", "ü.txt") is None
    assert await each.delete_document("/Public/ü.txt") is None
    assert library.documents == {}
    with pytest.raises(errors.NotFound):
        await each.get_document("/Public/ü.txt")


# --- searching ------------------------------------------------------------------------------------


async def test_a_search_is_walked_through_page_by_page(each: InfoRouterClient, library: Library):
    library.documents = {f"/Public/{number}.txt": b"" for number in range(5)}
    pages = [page async for page in each.search("<c>txt</c>", "NAME", page=GetNextSearchPage(owner=True))]
    assert [[document.name for document in page.documents] for page in pages] == [
        ["0.txt", "1.txt"],
        ["2.txt", "3.txt"],
        ["4.txt"],
    ]
    assert [(page.begin, page.end, page.is_first, page.is_last) for page in pages] == [
        (1, 2, True, False),
        (3, 4, False, False),
        (5, 5, False, True),
    ]
    assert [page async for page in each.search("<c>nothing</c>", "NAME")] == []


async def test_a_search_that_was_replaced_says_so(docs: InfoRouterClient, library: Library):
    library.documents = {f"/Public/{number}.txt": b"" for number in range(5)}
    first = aiter(docs.search("<c>txt</c>"))
    await anext(first)
    assert [page async for page in docs.search("<c>4</c>")]
    with pytest.raises(errors.PreconditionFailed, match="another search"):
        await anext(first)


async def test_a_page_that_was_lost_is_not_asked_for_again(library: Library):
    library.documents = {f"/Public/{number}.txt": b"" for number in range(5)}
    async with InfoRouterClient(ANN, base_url=library.url, retry=IMPATIENT) as docs:
        library.faults["GetNextSearchPage"] = ["drop_after"]
        with pytest.raises(errors.AmbiguousOutcome):
            [page async for page in docs.search("<c>txt</c>")]
    assert library.count("GetNextSearchPage") == 1


# --- bytes ----------------------------------------------------------------------------------------


async def test_a_small_document_comes_and_goes_at_once(each: InfoRouterClient, library: Library):
    assert await each.download_document("/Public/a.txt") == b"hello"
    assert await each.call("DownloadDocument", Path="/Public/a.txt") == b"hello"
    up = await each.upload_document("/Public/b.txt", bytes(range(256)), "new")
    assert (up.document_id, up.version_id, library.documents["/Public/b.txt"]) == (5, 6, bytes(range(256)))


@pytest.mark.parametrize("new", [True, False])
async def test_no_bytes_are_never_taken_for_a_document(each: InfoRouterClient, library: Library, new: bool):
    library.new = new
    with pytest.raises(errors.NotFound):  # from the header, or from asking for the document itself
        await each.download_document("/Public/missing.txt")
    library.documents["/Public/empty.txt"] = b""
    assert await each.download_document("/Public/empty.txt") == b""
    with pytest.raises(errors.ServiceError, match="answered with no bytes"):
        await each.call("DownloadDocumentVersion", Path="/Public/empty.txt", VersionNumber=1)
    with pytest.raises(errors.ServiceError, match="answered with no bytes"):
        await each.call("GetAddInPart", AddInName="x")


@pytest.mark.parametrize("new", [True, False])
@pytest.mark.parametrize("binding", BINDINGS)
async def test_no_bytes_of_a_dead_ticket(library: Library, binding: Binding, new: bool):
    library.new = new
    async with InfoRouterClient(ANN, base_url=library.url, binding=binding) as docs:
        await docs.get_documents("/Public")
        library.tickets.clear()
        with pytest.raises(errors.NotLoggedIn):
            await docs.download_document("/Public/a.txt")
        assert await docs.download_document("/Public/a.txt") == b"hello"  # the next call logs in
        library.tickets.clear()
        with pytest.raises(errors.NotLoggedIn):
            await docs.call("DownloadDocument", Path="/Public/a.txt", AuthenticationTicket="dead")
    async with InfoRouterClient(ANN, base_url=library.url, binding=binding, relogin=True) as docs:
        await docs.get_documents("/Public")
        library.tickets.clear()
        assert await docs.download_document("/Public/a.txt") == b"hello"
    async with InfoRouterClient(Ticket("dead"), base_url=library.url, binding=binding, relogin=True) as docs:
        with pytest.raises(errors.NotLoggedIn):
            await docs.download_document("/Public/a.txt")
