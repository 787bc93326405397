"""Requests: parameters whose names or values are written differently on different bindings."""

import re
from datetime import date, datetime
from datetime import time as clock_time
from urllib.parse import parse_qsl

import pytest

from aiorescue import Binding, errors, rescue, wire
from aiorescue.operation import Operation
from aiorescue.wire import Authorization
from tests.support import EXAMPLES


def page(operation: Operation) -> dict[str, str]:
    request = wire.codec(type(operation), Binding.TEXT_POST).encode(operation, Authorization())
    return dict(parse_qsl(request.body.decode(), strict_parsing=bool(request.body)))


def soap(operation: Operation, binding: Binding = Binding.SOAP11) -> list[tuple[str, str]]:
    request = wire.codec(type(operation), binding).encode(operation, Authorization(code="4ahx"))
    inner = re.search(rf"<{operation.spec.name} [^>]*>(.*)</{operation.spec.name}>", request.body.decode(), re.DOTALL)
    return re.findall(r"<(\w+)>([^<]*)</\1>", inner[1])


PAGES = {
    "requestAuthCodeSSO": {"ssoid": "jdoe", "pwd": "secret", "company": "654321"},
    "getLoginTicket": {"ssoid": "jdoe", "Password": "secret", "CompanyID": "654321"},
    "getDTCLoginTicket": {"ssoid": "jdoe", "Password": "secret", "CompanyID": "654321", "arch": "64"},
    "requestLensPINCodeV4": {"notechconsole": "0", "PhoneNumber": "+4912345", "LangCode": "de", "NodeId": "1"},
    "generateEmailText": {"pincode": "012345"},
    "getSession": {"node": "337366", "noderef": "NODE"},
    "getSession_V3": {"node": "1902861082", "noderef": "CHANNEL"},
    "transferSession": {"session": "12345678", "node": "1", "noderef": "NODE", "comment": "Please take over"},
    "isAnyTechAvailableOnChannel": {"ChannelID": "1902861082", "ExcludingAwayAndBusy": "true"},
    "getHierarchy": {},
    "getHierarchy_v2": {"isnode": "true", "node": "337364", "filteroffline": "true"},
    "moveNode": {"targetNode": "337364", "node": "337366"},
    "assignChannel": {"node": "337366", "entry": "1902861082"},
    "getUser_v3": {"node": "0", "email": "jdoe@company.com"},
    "createUsers": {
        "USERDATA[0].uniqueid": "1",
        "USERDATA[0].parentid": "337364",
        "USERDATA[0].name": "A",
        "USERDATA[0].email": "a@b.c",
        "USERDATA[0].pwd": "secret-1",
        "USERDATA[0].confpwd": "secret-1",
        "USERDATA[0].status": "Enabled",
    },
    "setUser_v2": {
        "node": "337366",
        "name": "John Doe",
        "email": "jdoe@company.com",
        "pwd": "new-secret",
        "confpwd": "new-secret",
        "oldpwd": "old-secret",
        "status": "Enabled",
        "mobileaddon": "False",
        "rpataddon": "False",
    },
    "setGroup": {"node": "337364", "name": "Support", "status": "Enabled", "permission": "RemoteControl,SendFile"},
    "getReport_v2": {"node": "-2", "nodetype": "EXTERNALROOT"},
    "setReportArea": {"area": "0"},
    "setReportArea_v8": {"area": "16"},
    "setReportDate": {"bdate": "1/2/2024", "edate": "1/31/2024"},
    "setReportDate_v2": {"bdate": "1/2/2024 3:04:05", "edate": "1/31/2024 23:59:59"},
    "setReportTime": {"btime": "03:04:05", "etime": "23:59:59"},
    "setTimeZone": {"timezone": "-240"},
    "setOutput": {"output": "XML"},
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_asked_under_its_own_names(name):
    assert page(EXAMPLES[name]) == PAGES[name]


ELEMENTS = {
    "generateEmailText": [("iPINCode", "012345")],
    "getSession_V3": [("iNodeID", "1902861082"), ("eNodeRef", "CHANNEL")],
    "cancelAction": [("iSession", "12345678")],
    "getUser_v3": [("iNodeID", "0"), ("sUserEmail", "jdoe@company.com")],
    "setUser": [
        ("iNodeID", "337366"),
        ("sName", "John Doe"),
        ("sNick", ""),
        ("sEmail", "jdoe@company.com"),
        ("sSSOID", ""),
        ("sPwd", "new-secret"),
        ("sConfPwd", "new-secret"),
        ("sCurrentPwd", "old-secret"),
        ("eStatus", "Enabled"),
        ("sDescription", ""),
        ("eAddOns", "False"),
    ],
    "setUserStatus_v7_1": [("iNodeID", "337366"), ("eStatus", "Disabled")],
    "getChat": [("iSessionID", "1663112")],
    "getReport_v2": [("iNodeID", "-2"), ("eNodeRef", "EXTERNALROOT")],
    "setReportArea_v2": [("eReportArea", "SESSION")],
    "setReportDate": [("sBeginDate", "1/2/2024"), ("sEndDate", "1/31/2024")],
    "setReportDate_v2": [("dBeginDate", "2024-01-02T03:04:05"), ("dEndDate", "2024-01-31T23:59:59")],
    "setReportTime": [("sBeginTime", "03:04:05"), ("sEndTime", "23:59:59")],
    "setTimeZone": [("sTimezone", "-240")],
}


@pytest.mark.parametrize("name", ELEMENTS)
@pytest.mark.parametrize("binding", [Binding.SOAP11, Binding.SOAP12])
def test_soap_has_names_of_its_own_in_the_order_of_the_page(name, binding):
    assert soap(EXAMPLES[name], binding) == [*ELEMENTS[name], ("sAuthCode", "4ahx")]


def test_no_node_is_said_on_the_page():
    assert page(rescue.GetHierarchyV2()) == {"isnode": "false", "filteroffline": "false"}
    assert page(rescue.GetSessionV3()) == {"noderef": "NODE"}


@pytest.mark.parametrize(
    "make",
    [
        lambda: rescue.GenerateEmailText("12345"),
        lambda: rescue.GenerateEmailText("١٢٣٤٥٦"),
        rescue.GetUserV3,
        lambda: rescue.GetUserV3(7, "a@b.c"),
        lambda: rescue.CreateUsers([]),
        lambda: rescue.CreateUsers(
            [rescue.NewUser(unique_id=1, parent=1, name="a\x00", email="a@b.c", password="secret")]
        ),
        lambda: rescue.GetReport(1, rescue.ReportNodeRef.EXTERNALROOT),
        lambda: rescue.SetReportArea(rescue.ReportArea.TRANSFERRED_SESSIONS_EXTENDED),
        lambda: rescue.SetDelimiter(""),
        lambda: rescue.SetReportDate("yesterday", "today"),
        lambda: rescue.RequestInvitationLink(custom_fields=["a", "b", "c"]),
        lambda: rescue.RequestLensPinCodeV3(language="tlh"),
        lambda: rescue.GetSessionV3(1, "SOMEWHERE"),
        lambda: rescue.SetUserStatusV71(1, enabled="perhaps"),
    ],
)
def test_what_the_service_would_not_take_is_refused_before_sending(make):
    with pytest.raises(errors.InvalidRequest) as refused:
        make()
    assert "secret" not in str(refused.value)


def test_values_that_are_equal_say_so_and_stay_what_they_are():
    assert rescue.SetReportDate("2024-01-02", date(2024, 1, 31)) == EXAMPLES["setReportDate"]
    assert rescue.SetReportDateV2(datetime(2024, 1, 2, 3, 4, 5), "2024-01-31T23:59:59") == EXAMPLES["setReportDate_v2"]
    assert rescue.SetReportTime(clock_time(3, 4, 5), "23:59:59") == EXAMPLES["setReportTime"]
    assert rescue.GetSession(7) == rescue.GetSession(7) != rescue.GetSessionV2(7)
    assert len({rescue.GetSession(7), rescue.GetSession(7), rescue.GetSessionV2(7), rescue.GetSession(8)}) == 3
    assert repr(rescue.GetSession(7)) == "GetSession(node=7, node_ref=<NodeRef.NODE: 'NODE'>)"
    assert repr(rescue.Login("me", "hunter2")) == "Login(email='me')"
    assert rescue.GenerateEmailText(rescue.PinCode("012345")).pin_code == "012345"


def test_a_field_with_brackets_in_its_name_is_quoted():
    user = rescue.NewUser(unique_id=1, parent=337364, name="Ä [1]", email="a@b.c", password="secret-1")
    request = wire.codec(rescue.CreateUsers, Binding.TEXT_POST).encode(rescue.CreateUsers([user]), Authorization())
    assert request.body.startswith(b"USERDATA%5B0%5D.uniqueid=1&")
    assert b"&USERDATA%5B0%5D.name=%C3%84+%5B1%5D&" in request.body
