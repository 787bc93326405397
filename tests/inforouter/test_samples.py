"""Every sample of the reference: its answers decode to exactly these values, its requests are what we send."""

import json
from datetime import UTC, datetime, timedelta, timezone
from email import message_from_string
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit
from xml.etree import ElementTree as ET

import pytest

from aiorescue import Binding, errors, inforouter
from aiorescue.inforouter import METHODS, Element, TicketHolder, invocation
from aiorescue.operation import Operation, Outcome, OutcomeClass
from aiorescue.wire import Authorization, Response, codec, read

SAMPLES = Path(__file__).parent / "samples"
MANIFEST = json.loads((SAMPLES / "manifest.json").read_text("utf-8"))["files"]
RESPONSES = {entry["file"]: entry for entry in MANIFEST if entry["kind"].startswith("response")}
REQUESTS = {entry["file"]: entry for entry in MANIFEST if entry["kind"].startswith("request")}

TICKET = "3f2a1b4c-5d6e-7f8a-9b0c-1d2e3f4a5b6c"
PROFILE = {
    "userid": "42",
    "username": "jsmith",
    "firstName": "John",
    "lastName": "Smith",
    "fullname": "John Smith",
    "email": "jsmith@example.com",
    "expireOn": "2026-03-20T14:35:00Z",
    "isAuthenticated": "True",
}
PERSON = Element("root", {"success": "true", "ticket": TICKET, **PROFILE})
SERVER = Element(
    "root",
    {
        "success": "true",
        "VersionNumber": "8.7.0.0",
        "Server_date_time": "2024-01-15T14:30:45",
        "Coordinated_Universal_Time": "2024-01-15T19:30:45Z",
        "UTC_Offset": "-5",
        "Company": "Acme Corporation",
        "ServerName": "IRSERVER01",
        "LicenseCount": "100",
        "SubscriptionEndDate": "2024-12-31T23:59:59Z",
        "WindowsAuthenticationIsOn": "true",
        "WorkflowIsOn": "true",
        "AnonymousAccessIsOn": "false",
        "ComplianceModuleIsOn": "true",
    },
)
USER = Element(
    "User",
    {
        "exists": "true",
        "UserID": "42",
        "FirstName": "John",
        "LastName": "Smith",
        "Email": "jsmith@example.com",
        "Enabled": "TRUE",
        "UserName": "jsmith",
        "Domain": "MyLibrary",
        "LastLogonDate": "2026-02-15T10:30:00",
        "LastPasswordChangeDate": "2026-01-10T08:00:00",
        "AuthenticationAuthority": "Native",
        "ReadOnlyUser": "FALSE",
    },
    (
        Element("Preferences", text="\n      \n    "),
        Element("TaskRedirection", text="\n      \n    "),
    ),
)
LOG = (
    ("Q1-2024-Report.pdf", "Document is checked out by John Smith."),
    ("Budget-2024.xlsx", "Completed documents cannot be checked out."),
)


def ok(value: object) -> Outcome:
    return Outcome(OutcomeClass.OK, value=value)


def refused(error: type, word: str, quote: str, kind: OutcomeClass = OutcomeClass.FINAL, **more: object) -> Outcome:
    return Outcome(kind, error=error, word=word, quote=quote, **more)


def auth(error: type, word: str, quote: str) -> Outcome:
    return refused(error, word, quote, OutcomeClass.AUTHENTICATION)


DEAD = auth(errors.NotLoggedIn, "[901]", "Session expired or Invalid ticket")
WRONG = auth(errors.AuthenticationError, "[900]", "Authentication failed")
TEMPLATE = "[ErrorCode] Error message"
EXPECTED = {
    "authenticate_user.response.success.xml": ok(PERSON),
    "authenticate_user.response.error_900.xml": WRONG,
    "authenticate_user1.response.success.xml": ok(PERSON),
    "authenticate_user1.response.error_900.xml": WRONG,
    "authenticate_user_via_windows.response.success.xml": ok(PERSON),
    "authenticate_user_via_windows.response.error_900.xml": WRONG,
    "renew_ticket.response.success.xml": ok(PERSON),
    "renew_ticket.response.error_template.xml": refused(errors.ServiceError, TEMPLATE, TEMPLATE),
    "renew_ticket.response.error_invalid_ticket_format.xml": refused(
        errors.ServiceError, "invalid ticket format", "invalid ticket format"
    ),
    "is_valid_ticket.response.success.xml": ok(Element("root", {"success": "true", **PROFILE})),
    "is_valid_ticket.response.error_901.xml": DEAD,
    "log_out.response.success.xml": ok(Element("root", {"success": "true"})),
    "log_out.response.error_901.xml": DEAD,
    "create_ticket_for_user.response.success.xml": ok(Element("root", {"success": "true", "ticket": TICKET})),
    "create_ticket_for_user.response.error_template.xml": refused(errors.ServiceError, TEMPLATE, TEMPLATE),
    "create_ticket_for_user.response.error_902.xml": auth(
        errors.AuthenticationError, "[902]", "Ticket generation are not allowed for this user."
    ),
    "authenticate_user.soap11.response.success.xml": ok(PERSON),
    "authenticate_user.soap11.response.error_900.xml": WRONG,
    "is_valid_ticket.soap11.response.error_901.xml": DEAD,
    "log_out.soap11.response.success.xml": ok(Element("root", {"success": "true"})),
    "log_out.soap11.response.error_901.xml": DEAD,
    "authenticate_user.response.success.legacy_root.xml": ok(
        Element("response", {"success": "true", "ticket": TICKET})
    ),
    "server_info.response.success.xml": ok(SERVER),
    "server_info.soap11.response.success.xml": ok(SERVER),
    "get_current_user.response.success.xml": ok(Element("root", {"success": "true"}, (USER,))),
    "error.901.response_root_no_space.xml": DEAD,
    "error.901.root.xml": DEAD,
    "error.2730.anonymous.xml": auth(
        errors.AuthenticationError, "[2730]", "Insufficient rights. Anonymous users cannot perform this action"
    ),
    "error.2285.no_space.xml": refused(errors.NotFound, "[2285]", "Document not found at specified path"),
    "error.115.domain.xml": refused(errors.NotFound, "[115]", "Domain not found"),
    "error.no_success_attribute.xml": refused(errors.ServiceError, "Folder not found.", "Folder not found."),
    "error.no_code.xml": refused(
        errors.ServiceError, "The document is not locked by you.", "The document is not locked by you."
    ),
    "error.9x.errorcode_4041.xml": refused(errors.NotFound, "4041", "Target folder cannot be found."),
    "error.9x.errorcode_4090.xml": refused(
        errors.PreconditionFailed, "4090", "A document with this name already exists in this folder."
    ),
    "error.9x.errorcode_before_error.xml": refused(
        errors.InvalidParameter,
        "4000",
        "The upload handler is not a handler. It is the GUID CreateUploadHandler answered with.",
    ),
    "error.9x.both_spellings.xml": refused(errors.InvalidParameter, "4000", "Error message"),
    "error.9x.ticket.composed.xml": DEAD,
    "error.partial_log.xml": refused(
        errors.PartialFailure,
        "[log]",
        "Q1-2024-Report.pdf: Document is checked out by John Smith.; "
        "Budget-2024.xlsx: Completed documents cannot be checked out.",
        detail="2 items failed",
        more={"log": LOG},
    ),
    "success.empty_error_attribute.xml": ok(Element("response", {"success": "true", "error": ""})),
    "success.9x.errorcode_0.xml": ok(Element("response", {"success": "true", "error": "", "errorCode": "0"})),
    "success.upper_case.xml": ok(
        Element("response", {"success": "TRUE", "error": ""}, (Element("subscribers", text="\n  "),))
    ),
    "bytes.9x.not_found.http": refused(errors.NotFound, "4041", "No add-in of that name is installed on this server."),
    "bytes.9x.status_200_with_header.http": refused(
        errors.NotFound, "4041", "There is no thumbnail for this document."
    ),
    "bytes.success.http": ok(b"PK\x03\x04\x14\x00\x00\x00\x08\x00"),
    "create_upload_handler.response.success.xml": ok(
        Element(
            "response",
            {
                "success": "true",
                "error": "",
                "UploadHandler": "a1b2c3d4-e5f6-7890-abcd-ef1234567890",
                "ChunkSize": "1048576",
            },
        )
    ),
    "upload_file_chunk.response.success.xml": ok(Element("root", {"success": "true", "tryagain": "false"})),
    "upload_file_chunk.response.try_again.xml": refused(
        errors.ServiceError, "tryagain", "", OutcomeClass.TRANSIENT, detail="the chunk arrived damaged"
    ),
    "download_file_chunk.response.success.xml": ok(
        Element(
            "response",
            {
                "success": "true",
                "filelength": "1048576",
                "chunklength": "65536",
                "lastchunk": "false",
                "chunkCRC32": "a3f1c29d",
            },
            text="\n  JVBERi0xLjQKJeLjz9MKNiAwIG9iag==...\n",
        )
    ),
}


def response(name: str) -> Response:
    """A sample as the response that the transport returns; those ending in .http have a status and headers."""
    text = (SAMPLES / name).read_text("utf-8")
    if not name.endswith(".http"):
        return Response(200, text.encode())
    head, _, body = text.partition("\n\n")
    status, _, fields = head.partition("\n")
    headers = dict(message_from_string(fields).items())
    return Response(int(status.split()[1]), body.encode(), headers=headers)


def decoded(operation: Operation, name: str) -> Outcome:
    binding = Binding.SOAP11 if "soap11" in name else Binding.HTTP_POST
    return read(codec(type(operation), binding), operation, Authorization(), response(name))


def any_call(method: str | None) -> Operation:
    """The method with arbitrary values."""
    name = method or "GetFolder"
    some = {"string": "x", "guid": TICKET, "int": 1, "bool": False, "bytes": b"x"}
    return invocation(name, {p.name: some[p.type] for p in METHODS[name].parameters if p.required})


def test_every_sample_is_here_and_expected():
    assert EXPECTED.keys() == RESPONSES.keys()
    assert {path.name for path in SAMPLES.iterdir()} == {*RESPONSES, *REQUESTS, "manifest.json"}


@pytest.mark.parametrize("name", RESPONSES)
def test_an_answer_of_any_method_decodes(name: str):
    assert decoded(any_call(RESPONSES[name]["method"]), name) == EXPECTED[name]


HOLDER = TicketHolder(
    ticket=TICKET,
    user_id=42,
    user_name="jsmith",
    full_name="John Smith",
    email="jsmith@example.com",
    expires_on=datetime(2026, 3, 20, 14, 35, tzinfo=UTC),
)
TYPED = {
    "authenticate_user.response.success.xml": (inforouter.AuthenticateUser("u", "p"), HOLDER),
    "authenticate_user.soap11.response.success.xml": (inforouter.AuthenticateUser("u", "p"), HOLDER),
    "authenticate_user.response.success.legacy_root.xml": (
        inforouter.AuthenticateUser("u", "p"),
        TicketHolder(ticket=TICKET),
    ),
    "renew_ticket.response.success.xml": (inforouter.RenewTicket("u", "p"), HOLDER),
    "is_valid_ticket.response.success.xml": (inforouter.IsValidTicket(), True),
    "is_valid_ticket.response.error_901.xml": (inforouter.IsValidTicket(), False),
    "is_valid_ticket.soap11.response.error_901.xml": (inforouter.IsValidTicket(), False),
    "log_out.response.success.xml": (inforouter.LogOut(), None),
    "server_info.soap11.response.success.xml": (
        inforouter.ServerInfo(),
        inforouter.ServerInformation(
            version="8.7.0.0",
            server_time=datetime(2024, 1, 15, 14, 30, 45, tzinfo=timezone(timedelta(hours=-5))),
            utc_time=datetime(2024, 1, 15, 19, 30, 45, tzinfo=UTC),
            utc_offset=timedelta(hours=-5),
            company="Acme Corporation",
            server_name="IRSERVER01",
            licences=100,
            subscription_ends=datetime(2024, 12, 31, 23, 59, 59, tzinfo=UTC),
            windows_authentication=True,
            workflow=True,
            anonymous_access=False,
            compliance=True,
            element=SERVER,
        ),
    ),
    "get_current_user.response.success.xml": (
        inforouter.GetCurrentUser(),
        inforouter.User(
            id=42,
            user_name="jsmith",
            first_name="John",
            last_name="Smith",
            email="jsmith@example.com",
            enabled=True,
            library="MyLibrary",
            last_logon=datetime.fromisoformat("2026-02-15T10:30:00"),
            password_changed=datetime.fromisoformat("2026-01-10T08:00:00"),
            authority="Native",
            read_only=False,
            element=USER,
        ),
    ),
    "create_upload_handler.response.success.xml": (
        inforouter.CreateUploadHandler(2**20),
        inforouter.UploadHandler("a1b2c3d4-e5f6-7890-abcd-ef1234567890", 1048576),
    ),
    "download_file_chunk.response.success.xml": (
        inforouter.DownloadFileChunk("h", 0, 1),
        inforouter.Chunk(
            data=b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n6 0 obj", length=65536, file_length=1048576, last=False, crc="a3f1c29d"
        ),
    ),
}


@pytest.mark.parametrize("name", TYPED)
def test_an_answer_of_a_typed_operation_decodes(name: str):
    operation, expected = TYPED[name]
    found = decoded(operation, name)
    assert (found.outcome_class, found.value) == (OutcomeClass.OK, expected)


# --- requests -------------------------------------------------------------------------------------


BINDINGS = {
    "request-get": Binding.HTTP_GET,
    "request-post": Binding.HTTP_POST,
    "request-soap11": Binding.SOAP11,
}


def halves(text: str) -> tuple[list[str], str]:
    head, _, body = text.partition("\n\n")
    return head.splitlines(), body


def soap_parts(envelope: str | bytes) -> tuple[str, dict[str, str]]:
    (operation,) = ET.fromstring(envelope)[-1]
    return operation.tag, {child.tag.rpartition("}")[2]: child.text or "" for child in operation}


def form_parts(kind: str, body: bytes) -> dict[str, str]:
    """The fields of a form of either kind, and the file names of parts that have one."""
    if not kind.startswith("multipart"):
        return dict(parse_qsl(body.decode(), keep_blank_values=True))
    parts = message_from_string(f"Content-Type: {kind}\n\n{body.decode()}").get_payload()
    fields = {part.get_param("name", header="Content-Disposition"): part.get_payload().rstrip("\n") for part in parts}
    files = {f"{part.get_filename()} ({part.get_content_type()})": "" for part in parts if part.get_filename()}
    return fields | files


def parameters_of(name: str) -> tuple[str, dict[str, str]]:
    """Path (or SOAP element) and parameters of a sample request."""
    lines, body = halves((SAMPLES / name).read_text("utf-8"))
    target = urlsplit(lines[0].split()[1])
    kind = next((line.partition(": ")[2] for line in lines if line.startswith("Content-Type")), "")
    if "soap11" in name:
        return soap_parts(body)
    if lines[0].startswith("GET"):
        return target.path, dict(parse_qsl(target.query, keep_blank_values=True))
    if not kind.startswith("multipart"):
        body = body.replace("\n", "")  # one line on the wire
    return target.path, form_parts(kind, body.encode())


@pytest.mark.parametrize("name", REQUESTS)
def test_our_request_is_the_samples(name: str):
    method = METHODS[REQUESTS[name]["method"]]
    where, wanted = parameters_of(name)
    ticket, values = "", {}
    read_as = {"int": int, "bool": "true".__eq__, "bytes": str.encode}
    known = {spelling: p for p in method.parameters for spelling in (p.name, p.soap)}
    for key, value in wanted.items():
        if key in (method.ticket_name, method.ticket_soap):
            ticket = value
        elif key in known:
            values[key] = read_as.get(known[key].type, str)(value)
    operation = invocation(method.name, values)
    binding = BINDINGS[REQUESTS[name]["kind"]]
    sent = codec(type(operation), binding).encode(operation, Authorization(code=ticket))
    if binding is Binding.SOAP11:
        assert sent.path == "/srv.asmx"
        assert sent.headers["SOAPAction"] == f'"http://tempuri.org/{method.name}"'
        assert soap_parts(sent.body or b"") == (where, wanted)
    elif binding is Binding.HTTP_GET:
        assert (sent.method, sent.path, dict(parse_qsl(sent.query, keep_blank_values=True))) == ("GET", where, wanted)
    else:
        found = form_parts(sent.headers["Content-Type"], (sent.body or b"").replace(b"\r\n", b"\n"))
        assert (sent.method, sent.path, found) == ("POST", where, wanted)
