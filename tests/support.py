"""An example value of each Rescue operation, the retry policy of tests, and TLS between their servers and clients."""

import ssl
from datetime import date, datetime
from datetime import time as clock_time
from hashlib import blake2b

import trustme

from aiorescue import RetryPolicy, rescue
from aiorescue.operation import Operation
from aiorescue.rescue import PinRequest

#: As many attempts as by default, without the waits in between.
IMPATIENT = RetryPolicy(first=0.0)
#: Signs the certificates of the servers of tests.
AUTHORITY = trustme.CA()

_USER = {"node": 337366, "name": "John Doe", "email": "jdoe@company.com"}
_BEGIN, _END = datetime(2024, 1, 2, 3, 4, 5), datetime(2024, 1, 31, 23, 59, 59)


class Examples(dict[str, Operation]):
    """Operations by the vendor's name; a missing one says what to do."""

    def __missing__(self, name: str) -> Operation:
        raise AssertionError(f"{rescue.OPERATIONS[name].__name__} has no example: add one to tests/support.py")


#: One value of each Rescue operation, by its wire name.
EXAMPLES = Examples(
    (operation.spec.name, operation)
    for operation in (
        rescue.Login("tech@example.com", "secret"),
        rescue.Logout(),
        rescue.RequestAuthCode("tech@example.com", "secret"),
        rescue.RequestAuthCodeSso("jdoe", "secret", "654321"),
        rescue.GetLoginTicket("jdoe", "secret", "654321"),
        rescue.GetDtcLoginTicket("jdoe", "secret", "654321", arch="64"),
        rescue.RequestPinCode(),
        rescue.RequestPinCodeV2(),
        rescue.RequestPinCodeV3(node=1),
        rescue.RequestLensPinCode(),
        rescue.RequestLensPinCodeV2(),
        rescue.RequestLensPinCodeV3(phone_number="+4912345", language="de"),
        rescue.RequestLensPinCodeV4(phone_number="+4912345", language="de", node=1),
        rescue.RequestInvitationLink(node=1, custom_fields=["Jane Doe", "215"]),
        rescue.GenerateEmailText("012345"),
        rescue.GetSession(337366),
        rescue.GetSessionV2(337366),
        rescue.GetSessionV3(1902861082, rescue.NodeRef.CHANNEL),
        rescue.StartSession(12345678, 1),
        rescue.HoldSession(12345678),
        rescue.CloseSession(12345678),
        rescue.CancelAction(12345678),
        rescue.TransferSession(12345678, 1, comment="Please take over"),
        rescue.IsAnyTechAvailableOnChannel(1902861082, excluding_away_and_busy=True),
        rescue.GetAccount(),
        rescue.GetAccountV2(),
        rescue.GetHierarchy(),
        rescue.GetHierarchyV2(node=337364, without_offline=True),
        rescue.MoveNode(337364, 337366),
        rescue.DeleteNode(337366),
        rescue.AssignChannel(337366, 1902861082),
        rescue.UnassignChannel(337366, 1902861082),
        rescue.GetUser(337366),
        rescue.GetUserV2(337366),
        rescue.GetUserV3(email="jdoe@company.com"),
        rescue.CreateUser(337364),
        rescue.CreateUsers([rescue.NewUser(unique_id=1, parent=337364, name="A", email="a@b.c", password="secret-1")]),
        rescue.SetUser(**_USER, password="new-secret", current_password="old-secret"),
        rescue.SetUserV2(**_USER, password="new-secret", current_password="old-secret"),
        rescue.SetUserStatusV71(337366, enabled=False),
        rescue.CreateGroup(337364),
        rescue.GetGroup(337364),
        rescue.GetGroupV2(337364),
        rescue.SetGroup(node=337364, name="Support", permissions=["RemoteControl", "SendFile"]),
        rescue.SetGroupV2(node=337364, name="Support"),
        rescue.GetChat(1663112),
        rescue.GetNote(1663112),
        rescue.GetReport(337364),
        rescue.GetReportV2(-2, rescue.ReportNodeRef.EXTERNALROOT),
        rescue.SetReportArea(rescue.ReportArea.SESSION),
        rescue.SetReportAreaV2(),
        rescue.SetReportAreaV8(rescue.ReportArea.TRANSFERRED_SESSIONS_EXTENDED),
        rescue.SetReportType(rescue.ReportType.LISTALL),
        rescue.SetReportDate(date(2024, 1, 2), date(2024, 1, 31)),
        rescue.SetReportDateV2(_BEGIN, _END),
        rescue.SetReportTime(clock_time(3, 4, 5), clock_time(23, 59, 59)),
        rescue.SetTimeZone(-240),
        rescue.SetDelimiter("|"),
        rescue.SetOutput(rescue.ReportOutput.XML),
        rescue.SetDateFormat("DDMMYY"),
        rescue.GetReportArea(),
        rescue.GetReportAreaV2(),
        rescue.GetReportAreaV8(),
        rescue.GetReportType(),
        rescue.GetReportDate(),
        rescue.GetReportTime(),
        rescue.GetTimeZone(),
        rescue.GetDelimiter(),
        rescue.GetOutput(),
    )
)


def digest_of_slots(request: PinRequest) -> bytes:
    """The digest that version 0.1.0 kept of a request: it tells an empty custom field from one that is missing."""
    slots = (type(request).__name__, *[slot.get(request) for slot in request.slots])
    return blake2b(repr(slots).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def trusting(*authorities: trustme.CA) -> ssl.SSLContext:
    """TLS of a client that trusts these authorities alone; those of the system take long to load."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    for authority in authorities:
        authority.configure_trust(context)
    return context


def serving(*names: str, **options: datetime) -> ssl.SSLContext:
    """TLS of a server with a certificate of `AUTHORITY`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    AUTHORITY.issue_cert(*names, **options).configure_cert(context)
    return context
