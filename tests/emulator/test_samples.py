"""The samples of the reference: to the same request the emulator's answer has the same structure."""

from datetime import date
from pathlib import Path

import pytest

from aiorescue import inforouter, rescue
from aiorescue.inforouter import Copy, CreateUploadHandler, DownloadFileChunk, GetCurrentUser, ServerInfo
from aiorescue.operation import Binding
from aiorescue.wire import Authorization, codec
from tests.emulator.sockets import exchange, login
from tests.emulator.wire_client import INTERFACES, answer_root, ask, structure
from tests.support import EXAMPLES

TESTS = Path(__file__).parents[1]
RESCUE, INFOROUTER = TESTS / "rescue" / "samples", TESTS / "inforouter" / "samples"

#: Samples whose structure is none of the emulator's doing, and why.
APART = {
    "getReport_v2.aspx.OK_unescaped.txt": "an excerpt of a report with three columns",
    "getReport_v2.aspx.OK_xml.txt": "an excerpt of a report with two columns",
    "getReport_v2.soap11.OK.txt": "an excerpt of a report with two columns",
    "getReportType.aspx.OK.txt": "one line, of which its source doubts the blank",
    "requestAuthCode.soap12.Invalid.txt": "the recordings have the element, empty",
    "requestLensPINCodeV2.soap11.NoAccessToLens.txt": "the recordings have the element, empty",
    "requestLensPINCodeV2.soap12.NoAccessToLens.txt": "the recordings have the element, empty",
    "requestPINCode.soap11.NoTechConsoleRunning.txt": "the recordings have the element, zero",
    "requestPINCodeV3.soap12.PollRateExceeded.txt": "the recordings have the element, empty",
}

#: Values that fit what the emulator knows, where those of the examples do not.
FITTING = {
    "getNote": rescue.GetNote(12345678),
    "getSession": rescue.GetSession(),
    "getSession_V2": rescue.GetSessionV2(),
    "getSession_V3": rescue.GetSessionV3(),
    "getLoginTicket": rescue.GetLoginTicket("tech", "secret", "560961"),
    "requestAuthCodeSSO": rescue.RequestAuthCodeSso("tech", "secret", "560961"),
    "transferSession": rescue.TransferSession(12345678, 337368),
}
ACTIVE = ("holdSession", "cancelAction")

CODES = {
    "notloggedin": "",
    "notloggedinasadmin": "",
    "invalid_secretauthcode": "nonsense",
    "notechconsolerunning": "fixedoffline0000",
    "nottechnician": "fixedadmin0000",
    "noaccesstolens": "fixednolens0000",
}
SAYS_NO = {
    "invalid": ("secret", "wrong"),
    "invalidpassword": ("secret", "wrong"),
    "actionfailed": ("12345678", "1"),
    "invalidparam_session": ("session=12345678", "session=x"),
    "invalidparam_node": ("node=", "node=x"),
    "invalidparam_company": ("560961", "x"),
    "invalidpinformat": ("012345", "12345"),
    "invalidformat": ("bdate=1%2F2%2F2024", "bdate=soon"),
}


async def scene(service, name, status):
    """Bring the service into the state in which the sample was taken; returns operation, code and replacement."""
    operation = FITTING.get(name, EXAMPLES[name])
    if name in ACTIVE and status == "ok":
        await ask(service, rescue.StartSession(12345678, 337366), Binding.SOAP11)
    if status == "limitreached":
        for _ in range(10):
            await login(service)
    if status == "outofpincodes":
        service.limits.pins_left = 0
    if status in ("pollrateexceeded", "error"):
        service.limits.pin_rate = 1.0
        await ask(service, operation, operation.spec.best)
    if status == "false":
        for user in service.state.users.values():
            user.console = False
    special = {
        ("getHierarchy_v2", "error"): rescue.GetHierarchyV2(node=1),
        ("moveNode", "invalid_move"): rescue.MoveNode(337363, 337366),
        ("setReportDate", "invaliddaterange"): rescue.SetReportDate(date(2024, 2, 1), date(2024, 1, 1)),
        ("setReportType", "notsupported"): rescue.SetReportType(rescue.ReportType.SUMMARY),
    }
    if status == "notsupported":
        await ask(service, rescue.SetReportArea(rescue.ReportArea.LOGIN), Binding.TEXT_POST)
    if name == "login" and status == "error":
        service.fault("word", word="Error")
    return special.get((name, status), operation), CODES.get(status, "fixedtech0000"), SAYS_NO.get(status, ("", ""))


def samples():
    for path in sorted(RESCUE.glob("*.txt")):
        if path.name not in APART:
            yield pytest.param(path, id=path.name)


@pytest.mark.parametrize("path", list(samples()))
async def test_a_rescue_answer_has_the_structure_of_the_sample(service, path):
    name, interface, status = path.name.removesuffix(".txt").split(".")
    operation, code, replace = await scene(service, name, "ok" if status.startswith("OK") else status.lower())
    cookie_needed = name == "logout" and status == "OK"
    if cookie_needed:
        answer = await ask_with_cookie(service, operation, INTERFACES[interface])
    else:
        answer = await ask(service, operation, INTERFACES[interface], code, replace=replace)
    assert answer.status == 200
    if status.startswith("OK_empty"):
        assert structure(answer.text)[:2] == structure(path.read_text("utf-8"))[:2]
    else:
        assert structure(answer.text) == structure(path.read_text("utf-8"))


async def ask_with_cookie(service, operation, binding):
    request = codec(type(operation), binding).encode(operation, Authorization(cookie=await login(service)))
    return await exchange(service.url, request.method, request.path, dict(request.headers), request.body or b"")


# --- infoRouter -----------------------------------------------------------------------------------


async def ticket_of(service, binding=Binding.SOAP11):
    answer = await ask(service, inforouter.AuthenticateUser("tech@example.com", "secret"), binding)
    return answer.text.partition('ticket="')[2].partition('"')[0]


async def copied_twice(service, ticket):
    upload = inforouter.UploadDocument1("/Public/a.txt", b"a")
    await ask(service, upload, Binding.SOAP11, ticket)
    await ask(service, Copy("/Public/a.txt", "/Staff"), Binding.SOAP11, ticket)
    return Copy("/Public/a.txt", "/Staff")


async def chunk(service, ticket):
    await ask(service, inforouter.UploadDocument1("/Public/a.txt", b"a"), Binding.SOAP11, ticket)
    got = await ask(service, inforouter.GetDownloadHandler("/Public/a.txt", 1), Binding.SOAP11, ticket)
    return DownloadFileChunk(got.text.partition('downloadhandler="')[2].partition('"')[0], 0, 10)


async def uploaded(service, ticket, crc):
    got = await ask(service, CreateUploadHandler(1), Binding.SOAP11, ticket)
    handler = got.text.partition('UploadHandler="')[2].partition('"')[0]
    return inforouter.UploadFileChunk(handler, b"a", crc, last=False)


async def deleted(service, ticket):
    await ask(service, inforouter.CreateFolder("/Public/a"), Binding.SOAP11, ticket)
    return inforouter.DeleteFolder("/Public/a")


WHO = ("tech@example.com", "secret")
DOCUMENTS = {
    "authenticate_user.response.success.xml": inforouter.AuthenticateUser(*WHO),
    "authenticate_user.soap11.response.success.xml": inforouter.AuthenticateUser(*WHO),
    "authenticate_user.response.error_900.xml": inforouter.AuthenticateUser("nobody", "x"),
    "authenticate_user.soap11.response.error_900.xml": inforouter.AuthenticateUser("nobody", "x"),
    "renew_ticket.response.success.xml": inforouter.RenewTicket(*WHO),
    "renew_ticket.response.error_invalid_ticket_format.xml": inforouter.RenewTicket(*WHO, old_ticket="x"),
    "is_valid_ticket.response.success.xml": inforouter.IsValidTicket,
    "is_valid_ticket.response.error_901.xml": inforouter.IsValidTicket("x"),
    "is_valid_ticket.soap11.response.error_901.xml": inforouter.IsValidTicket("x"),
    "log_out.response.success.xml": inforouter.LogOut,
    "log_out.soap11.response.success.xml": inforouter.LogOut,
    "log_out.response.error_901.xml": inforouter.LogOut("x"),
    "log_out.soap11.response.error_901.xml": inforouter.LogOut("x"),
    "server_info.response.success.xml": ServerInfo(),
    "server_info.soap11.response.success.xml": ServerInfo(),
    "get_current_user.response.success.xml": GetCurrentUser(),
    "create_upload_handler.response.success.xml": CreateUploadHandler(1),
    "upload_file_chunk.response.success.xml": lambda service, ticket: uploaded(service, ticket, "E8B7BE43"),
    "upload_file_chunk.response.try_again.xml": lambda service, ticket: uploaded(service, ticket, "0"),
    "download_file_chunk.response.success.xml": chunk,
    "error.9x.errorcode_4041.xml": inforouter.GetFolder("/Public/none"),
    "error.9x.errorcode_4090.xml": inforouter.CreateFolder("/Public"),
    "error.partial_log.xml": copied_twice,
    "success.empty_error_attribute.xml": deleted,
}


@pytest.mark.parametrize("name", DOCUMENTS)
async def test_an_inforouter_answer_has_the_structure_of_the_sample(service, name):
    ticket = await ticket_of(service)
    operation = DOCUMENTS[name]
    if operation in (inforouter.IsValidTicket, inforouter.LogOut):
        operation = operation(ticket)
    elif not hasattr(operation, "spec"):
        operation = await operation(service, ticket)
    binding = Binding.SOAP11 if "soap11" in name else Binding.HTTP_POST
    answer = await ask(service, operation, binding, ticket)
    assert answer.status == 200
    assert answer_root(answer.text) == answer_root((INFOROUTER / name).read_text("utf-8"))
