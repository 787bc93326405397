"""An independent SOAP client works from the WSDL alone, over SOAP 1.1 and 1.2."""

import asyncio
from datetime import datetime

import pytest
import zeep

from aiorescue import Binding, inforouter, rescue
from tests.emulator.sockets import exchange
from tests.support import EXAMPLES

RESCUE = "{https://secure.logmeinrescue.com/API/API.asmx}"
INFOROUTER = "{http://tempuri.org/}"
WHO = {"sEmail": "tech@example.com", "sPassword": "secret"}
FIELDS = {f"sCField{i}": f"fïeld {i} <&>" for i in range(6)}
PIN = {**FIELDS, "sTracking0": "CASE-7", "bNoTechConsole": True, "sAuthCode": "fixedtech0000"}

PORTS = pytest.mark.parametrize("port", ["Soap", "Soap12"])


def zeep_calls(url, namespace, port, calls):
    """What zeep makes of the answers, on one session with its cookies; it is synchronous, so this runs in a thread."""
    with zeep.Client(url) as client:
        service = client.create_service(
            f"{namespace}{port}", next(iter(client.wsdl.services.values())).ports[port].binding_options["address"]
        )
        return [getattr(service, name)(**arguments) for name, arguments in calls]


def in_thread(service, path, namespace, port, calls):
    return asyncio.to_thread(zeep_calls, f"{service.url}{path}?WSDL", namespace, port, calls)


@PORTS
async def test_logins_pins_and_sessions(service, port):
    calls = {
        "login": WHO,
        "requestAuthCode": WHO,
        "requestPINCode": PIN,
        "requestPINCodeV3": {**PIN, "nodeId": 7},
        "requestLensPINCodeV2": PIN,
        "startSession": {"iSession": 12345678, "iNode": 1},
        "closeSession": {"iSession": 12345678},
        "logout": {},
    }
    answers = await in_thread(service, "/API/API.asmx", RESCUE, f"API{port}", calls.items())
    login, code, first, second, lens, started, closed, left = answers
    assert login == "login_OK"
    assert (code.requestAuthCodeResult, len(code.sAuthCode)) == ("requestAuthCode_OK", 80)
    assert (first.requestPINCodeResult, first.iPINCode) == ("requestPINCode_OK", 12345)
    assert (second.requestPINCodeV3Result, second.sPINCode) == ("requestPINCode_OK", "020264")
    assert (lens.requestLensPINCodeV2Result, lens.sPINCode) == ("requestPINCode_OK", "028183")
    assert (started, closed, left) == ("startSessionRet_OK", "closeSessionRet_OK", "logout_OK")
    assert [entry.custom_fields for entry in service.ledger] == [tuple(FIELDS.values())] * 3
    assert {binding for _, binding, _ in service.requests if binding} == {"soap12" if port == "Soap12" else "soap11"}


@PORTS
async def test_structures_and_arrays_are_objects_and_lists(service, port):
    who = {"sAuthCode": "fixedtech0000"}
    calls = [
        ("getSession_V3", {"iNodeID": 0, "eNodeRef": "NODE", **who}),
        ("getSession", {"iNodeID": 337366, "eNodeRef": "NODE", **who}),
        ("getHierarchy", who),
        ("getUser_v3", {"iNodeID": 337366, "sUserEmail": "", **who}),
        ("getGroup", {"iNodeID": 337364, **who}),
        ("getAccount_v2", who),
        ("getUser", {"iNodeID": 1, **who}),
    ]
    sessions, none, tree, user, group, account, nobody = await in_thread(
        service, "/API/API.asmx", RESCUE, f"API{port}", calls
    )
    assert sessions.getSession_V3Result == "getSession_OK"
    first = sessions.aSessions.SESSION_V3[0]
    assert len(sessions.aSessions.SESSION_V3) == 10
    assert (first.iID, first.bStatus, first.sEntry, first.bIsLead) == (
        12345678,
        "SESSION_WAITING",
        "Support Channel",
        True,
    )
    assert none.aSessions is None
    assert {"Root", "Channel", "Technician"} <= {node.eType for node in tree.aHierarchy.HIERARCHY}
    assert (user.oUser.iNodeID, user.oUser.bAccountHolder, user.oUser.hasRPATAddon) == (337366, True, False)
    assert "RemoteControl" in group.oGroup.aPermissions.NODE_PERMISSIONS
    assert (account.iAccountID, account.sEmail, account.bTcRunning) == (560961, "tech@example.com", True)
    assert (nobody.getUserResult, nobody.oUser) == ("getUser_InvalidParam_NodeID", None)


@PORTS
async def test_every_soap_operation_can_be_called_from_its_description(service, port):
    examples = {name: one for name, one in EXAMPLES.items() if Binding.SOAP11 in one.spec.bindings}
    calls = [(name, _arguments(one)) for name, one in examples.items()]
    answers = await in_thread(service, "/API/API.asmx", RESCUE, f"API{port}", calls)
    for name, answer in zip(examples, answers, strict=True):
        word = answer if isinstance(answer, str) else answer[f"{name}Result"]
        spec = rescue.OPERATIONS[name].spec
        assert word in {f"{spec.prefix}{each}" for each in spec.words}, (name, word)


@PORTS
async def test_refusals_are_words_of_the_description(service, port):
    begin, end = datetime(2024, 1, 2), datetime(2024, 1, 31)
    calls = {
        "deleteNode": {"iNodeID": 999},
        "setUserStatus_v7_1": {"iNodeID": 999, "eStatus": "Disabled"},
        "generateEmailText": {"iPINCode": 1234567},
        "setReportDate": {"sBeginDate": "soon", "sEndDate": "1/2/2024"},
        "setReportDate_v2": {"dBeginDate": end, "dEndDate": begin},
    }
    who = {"sAuthCode": "fixedtech0000"}
    answers = await in_thread(
        service, "/API/API.asmx", RESCUE, f"API{port}", [(name, own | who) for name, own in calls.items()]
    )
    for name, answer in zip(calls, answers, strict=True):
        word = answer if isinstance(answer, str) else answer[f"{name}Result"]
        spec = rescue.OPERATIONS[name].spec
        assert word in {f"{spec.prefix}{each}" for each in spec.words}
        assert "Invalid" in word


@PORTS
async def test_values_have_the_types_that_their_names_say(service, port):
    who = {"sAuthCode": "fixedtech0000"}
    calls = [
        ("generateEmailText", {"iPINCode": 12345, **who}),  # a number, so without the zero of 012345
        ("setReportDate_v2", {"dBeginDate": datetime(2024, 1, 2), "dEndDate": datetime(2024, 1, 31), **who}),
        ("setTimeZone", {"sTimezone": "-240", **who}),
        ("setTimeZone", {"sTimezone": "west", **who}),
    ]
    text, *words = await in_thread(service, "/API/API.asmx", RESCUE, f"API{port}", calls)
    assert text.sLink.endswith("012345")
    assert words == ["setReportDate_OK", "setTimeZone_OK", "setTimeZone_Error"]


def _arguments(operation):
    own = {slot.parameter.soap: slot.get(operation) for slot in operation.slots}
    return own | ({"sAuthCode": "fixedtech0000"} if operation.spec.identity is not None else {})


@PORTS
async def test_documents_travel_as_bytes(service, port):
    who = {"UID": "tech@example.com", "PWD": "secret"}
    (root,) = await in_thread(service, "/srv.asmx", INFOROUTER, f"srv{port}", [("AuthenticateUser", who)])
    ticket = {"AuthenticationTicket": attributes(root)["ticket"]}
    calls = [
        ("UploadDocument1", {**ticket, "Path": "/Public/a.bin", "FileContent": bytes(range(256))}),
        ("DownloadDocument", {**ticket, "Path": "/Public/a.bin"}),
        ("DownloadDocument", {**ticket, "Path": "/Public/b.bin"}),
        ("GetFoldersAndDocuments", {**ticket, "Path": "/Public", **dict.fromkeys(FLAGS, False)}),
    ]
    up, down, none, listing = await in_thread(service, "/srv.asmx", INFOROUTER, f"srv{port}", calls)
    assert attributes(up)["success"] == "true"
    assert (down, none or b"") == (bytes(range(256)), b"")
    element = listing["_value_1"] if not hasattr(listing, "attrib") else listing
    assert [child.get("Name") for child in element] == ["a.bin"]


FLAGS = ("withrules", "withpropertysets", "withsecurity", "withOwner", "withVersions")


@PORTS
async def test_tickets(service, port):
    who = {"UID": "tech@example.com", "PWD": "secret"}
    (root,) = await in_thread(service, "/srv.asmx", INFOROUTER, f"srv{port}", [("AuthenticateUser", who)])
    ticket = attributes(root)["ticket"]
    calls = {
        "AuthenticateUser": who,
        "isValidTicket": {"AuthenticationTicket": ticket},
        "LogOut": {"AuthenticationTicket": ticket},
        "RenewTicket": {**who, "OldTicket": ticket},
    }
    assert calls.keys() == inforouter.OPERATIONS.keys()  # the typed ones beyond have their own tests
    answers = await in_thread(service, "/srv.asmx", INFOROUTER, f"srv{port}", calls.items())
    assert [attributes(answer)["success"] for answer in answers] == ["true"] * 4


def attributes(answer):
    """The attributes of the only element in an answer of any XML."""
    element = answer["_value_1"] if not hasattr(answer, "attrib") else answer
    return element.attrib


@PORTS
async def test_a_fault_is_one_for_zeep_too(service, port):
    service.fault("fault_server", text="out of order")
    with pytest.raises(zeep.exceptions.Fault, match="out of order"):
        await in_thread(service, "/API/API.asmx", RESCUE, f"API{port}", [("logout", {})])


async def test_the_four_ports_are_described(service):
    def ports():
        with zeep.Client(f"{service.url}/api/api.asmx?wsdl") as client:
            return {name: sorted(port.binding._operations) for name, port in client.wsdl.services["API"].ports.items()}

    described = await asyncio.to_thread(ports)
    soap = {name: op for name, op in rescue.OPERATIONS.items() if Binding.SOAP11 in op.spec.bindings}
    forms = sorted(name for name, operation in soap.items() if Binding.HTTP_POST in operation.spec.bindings)
    assert described == {
        "APISoap": sorted(soap),
        "APISoap12": sorted(soap),
        "APIHttpGet": forms,
        "APIHttpPost": forms,
    }


@pytest.mark.parametrize(
    ("path", "name", "parameters"),
    [
        ("/srv.asmx", "UploadDocument1", ["AuthenticationTicket", "Path", "FileContent", "VersionComment"]),
        ("/API/API.asmx", "startSession", ["iSession", "iNode", "sAuthCode"]),
    ],
)
async def test_parameters_by_position_are_in_the_order_of_the_service(service, path, name, parameters):
    def described():
        with zeep.Client(f"{service.url}{path}?WSDL") as client:
            return [element for element, _ in client.service._binding.get(name).input.body.type.elements]

    assert await asyncio.to_thread(described) == parameters


async def test_the_status_words_are_enumerations(service):
    text = (await exchange(service.url, "GET", "/API/API.asmx?WSDL")).text
    words = "".join(f'<s:enumeration value="logout_{word}" />' for word in ("Error", "OK", "NotLoggedIn"))
    assert f'<s:simpleType name="logoutRet"><s:restriction base="s:string">{words}</s:restriction>' in text


async def test_the_address_is_the_one_that_was_asked(service):
    answer = await exchange(service.url, "GET", "/srv.asmx?WSDL", {"Host": "rescue.test:80"})
    assert 'location="http://rescue.test:80/srv.asmx"' in answer.text
