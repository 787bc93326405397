"""Decoding every sample of the reference: refusals give their error, successes their exact values."""

from datetime import datetime, timedelta

import pytest

from aiorescue import errors, rescue
from aiorescue.operation import OutcomeClass, verdict
from aiorescue.rescue import NodeStatus, NodeType, SessionStatus
from tests.rescue.decoding import SAMPLES, sample

FILES = sorted(path.stem for path in SAMPLES.glob("*.txt"))

CODE = "4ahx99bppkzxocbs590roo1l99o7au9rmwnea8q3areaiceaw1afq55jx89nl5zt63hxlo298qf80u0"
ACCOUNT = rescue.Account(560961, "Company", 337365, 337366, "jdoe@company.com")
USER = rescue.User(
    337366,
    "John Doe",
    email="jdoe@company.com",
    type=NodeType.TECHNICIAN,
    status=NodeStatus.ONLINE,
    account_holder=True,
    mobile_addon=False,
)
NODES = rescue.Hierarchy(
    (
        rescue.Node(337364, 337363, "Technician Group1", status=NodeStatus.OFFLINE, type=NodeType.TECHNICIAN_GROUP),
        rescue.Node(
            337366,
            337364,
            "John Doe",
            "jdoe@company.com",
            status=NodeStatus.ONLINE,
            type=NodeType.TECHNICIAN,
        ),
        rescue.Node(1902861082, 337363, "Support Channel", status=NodeStatus.OFFLINE, type=NodeType.CHANNEL),
    )
)
ACTIVE = rescue.Session(
    1053624555,
    SessionStatus.PICKED_UP,
    "Active",
    technician_id=337366,
    technician="John Doe",
    started=datetime(2024, 2, 19, 14, 27, 27),
    waiting=573,
    custom_fields=("Customer", "", "", "", "", ""),
    language="en",
    is_lead=True,
)
LISTED = [
    rescue.Session(
        1053624838,
        SessionStatus.WAITING,
        "Waiting",
        technician_id=337366,
        technician="John Doe",
        started=datetime(2024, 2, 19, 14, 36, 37),
        waiting=35,
        custom_fields=("Session for ticket #215", "215", "", "", "", ""),
        language="en",
        is_lead=True,
    ),
    ACTIVE,
]
OLD = rescue.Session(
    1663112,
    SessionStatus.WAITING,
    "Waiting",
    technician_id=337366,
    technician="John Doe",
    started=datetime(2012, 2, 16, 9, 0),
    waiting=13,
    custom_fields=("Customer", "", ""),
    language="en",
    is_lead=True,
)


def shared(number: int, technician: int, name: str, started: datetime, waiting: int, **more: object) -> rescue.Session:
    return rescue.Session(
        number,
        more.pop("status", SessionStatus.PICKED_UP),
        more.pop("word", "Active"),
        1902861082,
        "Support Channel",
        technician,
        name,
        started,
        waiting,
        more.pop("fields"),
        "en",
        **more,
    )


TEXT_LIST = [
    shared(
        1663112,
        0,
        "",
        datetime(2012, 2, 16, 9, 0),
        13,
        status=SessionStatus.WAITING,
        word="Waiting",
        fields=("Customer", "Company", "", "", "", ""),
        is_lead=True,
    ),
    shared(
        1663113,
        337366,
        "John Doe",
        datetime(2012, 2, 16, 8, 41),
        1187,
        fields=("Customer two", "", "", "", "", ""),
        is_lead=True,
    ),
    shared(1663113, 337370, "Jane Roe", datetime(2012, 2, 16, 8, 52), 540, fields=("Customer two", "", "", "", "", "")),
]
LOCALIZED = shared(
    1663113,
    337366,
    "John Doe",
    datetime(2012, 2, 16, 8, 41),
    1187,
    status="Ativas",  # a word in the account's language is kept as it came
    word="Ativas",
    fields=("Customer", "", "", "", "", ""),
    is_lead=True,
)
COLUMNS = (
    *("Start Time", "End Time", "Last Action Time", "Technician Name", "Technician ID", "Session ID", "Session Type"),
    *("Status", "Name", "Custom field 1", "Custom field 2", "Custom field 3", "Custom field 4", "Custom field 5"),
    *("Tracking ID", "Customer IP", "Device ID", "Incident Tools Used", "Resolved Unresolved", "Channel ID"),
    *("Channel Name", "Calling Card", "Connecting Time", "Waiting Time", "Total Time", "Active Time", "Work Time"),
    *("Hold Time", "Time in Transfer", "Rebooting Time", "Reconnecting Time"),
)
ROW = {
    **dict.fromkeys(COLUMNS, ""),
    "Start Time": datetime(2012, 2, 16, 9, 0),
    "End Time": datetime(2012, 2, 16, 9, 30),
    "Last Action Time": datetime(2012, 2, 16, 9, 30),
    "Technician Name": "John Doe",
    "Technician ID": 337366,
    "Session ID": 1663112,
    "Session Type": "Applet",
    "Status": "Closed by technician",
    "Name": "Customer",
    "Incident Tools Used": "RC",
    "Channel ID": 0,
    "Connecting Time": timedelta(seconds=5),
    "Waiting Time": timedelta(seconds=13),
    "Total Time": timedelta(minutes=29, seconds=47),
    "Active Time": timedelta(minutes=25),
    "Work Time": timedelta(minutes=24),
    **dict.fromkeys(("Hold Time", "Time in Transfer", "Rebooting Time", "Reconnecting Time"), timedelta()),
}
REPORT = rescue.Report(COLUMNS, (ROW,))
SMALL = rescue.Report(("Session ID", "Technician Name"), ({"Session ID": 1663112, "Technician Name": "John Doe"},))
LINK = "https://secure.logmeinrescue.com/R?i=2&Code=100500"

#: The value of each answer that is OK and has more than a status word.
VALUES = {
    "generateEmailText.aspx.OK": rescue.EmailText(
        "Connection email link",
        "Please click the link below to request a live support session:",
        "http://yourorganization.com/R?i=2&Code=123456",
        "Best Regards, Support Team",
    ),
    "getAccount.aspx.OK": ACCOUNT,
    "getAccount.soap11.OK": ACCOUNT,
    "getAccount.soap12.OK": ACCOUNT,
    "getAccount_v2.soap12.OK": rescue.Account(560961, "Company", 337365, 337366, "jdoe@company.com", True),
    "getHierarchy.aspx.OK": NODES,
    "getHierarchy_v2.aspx.OK": NODES,
    "getLoginTicket.aspx.OK": "https://secure.logmeinrescue.com/SSO/Login.aspx?Ticket=f70..156",
    "getNote.aspx.OK": "Customer had issue with connecting an external drive.",
    "getReport.aspx.OK": REPORT,
    "getReportType.aspx.OK": rescue.ReportType.SUMMARY,
    "getReport_v2.aspx.OK": REPORT,
    "getReport_v2.aspx.OK_empty": rescue.Report(COLUMNS, ()),
    "getReport_v2.aspx.OK_unescaped": rescue.Report(
        ("Session ID", "Technician Name", "Chatlog"),
        (
            {
                "Session ID": 1663112,
                "Technician Name": "John Doe",
                "Chatlog": "9:00 AM Customer: a | b\n9:01 AM Technician: ok",
            },
        ),
        mended=(0,),
    ),
    "getReport_v2.aspx.OK_xml": SMALL,
    "getReport_v2.soap11.OK": SMALL,
    "getSession.aspx.OK": [OLD],
    "getSession_V2.aspx.OK": [OLD],
    "getSession_V3.aspx.OK": TEXT_LIST,
    "getSession_V3.aspx.OK_empty": [],
    "getSession_V3.aspx.OK_localized": [LOCALIZED],
    "getSession_V3.soap11.OK": LISTED,
    "getSession_V3.soap12.OK": LISTED,
    "getSession_V3.soap12.OK_single": [ACTIVE],
    "getUser.aspx.OK": USER,
    "getUser.soap11.OK": USER,
    "isAnyTechAvailableOnChannel.aspx.TRUE": True,
    "isAnyTechAvailableOnChannel.aspx.FALSE": False,
    "requestAuthCode.aspx.OK": CODE,
    "requestAuthCode.soap11.OK": CODE,
    "requestAuthCode.soap12.OK": CODE,
    "requestAuthCodeSSO.aspx.OK": CODE,
    "requestInvitationLink.soap12.OK": LINK,
    "requestLensPINCode.aspx.OK": rescue.PinCode("123456"),
    "requestLensPINCodeV2.soap11.OK": rescue.PinCode("012345"),
    "requestLensPINCodeV2.soap12.OK": rescue.PinCode("012345"),
    "requestLensPINCodeV4.aspx.OK": rescue.SentPinCode("123456", sms_result="sendInvitationForMobileSession_OK"),
    "requestPINCode.aspx.OK": rescue.PinCode("012345"),
    "requestPINCode.soap11.OK": rescue.PinCode("012345"),
    "requestPINCodeV2.aspx.OK": rescue.PinCode("012345"),
    "requestPINCodeV3.aspx.OK": rescue.PinCode("012345"),
    "requestPINCodeV3.soap12.OK": rescue.PinCode("012345"),
    **{
        f"{name}.OK": None
        for name in (
            *(f"{op}.{b}" for op in ("startSession", "cancelAction") for b in ("aspx", "http", "soap11", "soap12")),
            *("closeSession.aspx", "holdSession.aspx", "transferSession.aspx"),
            *(f"{op}.{b}" for op in ("login", "logout") for b in ("aspx", "http", "soap11", "soap12")),
            *("setOutput.aspx", "setReportArea.aspx", "setReportDate.aspx", "setTimeZone.aspx"),
        )
    },
}
GOOD = ("OK", "TRUE", "FALSE")


def word_of(file: str) -> str:
    return file.split(".", 2)[2]


def test_every_good_sample_has_a_value():
    assert VALUES.keys() == {file for file in FILES if word_of(file).startswith(GOOD)}


@pytest.mark.parametrize("file", VALUES)
def test_a_good_sample_is_that_value(file: str):
    outcome = sample(file)
    assert outcome.outcome_class is OutcomeClass.OK, outcome.detail
    assert outcome.value == VALUES[file]
    assert type(outcome.value) is type(VALUES[file])


@pytest.mark.parametrize("file", [file for file in FILES if not word_of(file).startswith(GOOD)])
def test_a_refusal_is_its_class(file: str):
    outcome = sample(file)
    word = word_of(file)
    expected = verdict(word)
    assert expected.error is not errors.ServiceError or word.upper() == "ERROR"
    assert (outcome.outcome_class, outcome.error) == (expected.outcome_class, expected.error)
    assert outcome.outcome_class is not OutcomeClass.OK
    assert outcome.word is not None
    assert outcome.word.lower().endswith(word.lower())
    declared = rescue.OPERATIONS[file.partition(".")[0]].spec
    assert word.upper() in {one.upper() for one in (*declared.words, *declared.page_words)}
