"""The catalogue: its counts, how a call by name is checked, and the typed operations compared with their records."""

import base64
import pickle
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, date, datetime
from typing import get_args
from urllib.parse import parse_qsl
from uuid import UUID
from xml.etree import ElementTree as ET

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aiorescue import Binding, InfoRouterClient, errors, inforouter
from aiorescue.inforouter import METHODS, authentication, invocation, library, search, server
from aiorescue.inforouter.client import ByteMethod
from aiorescue.operation import Content, Effect, Needs, declared
from aiorescue.wire import Authorization, codec
from tests.lab.pages import ROOT

GUID = "3f2a1b4c-5d6e-7f8a-9b0c-1d2e3f4a5b6c"


def test_the_counts_are_those_of_the_reference():
    assert len(METHODS) == 429
    assert Counter(m.status for m in METHODS.values()) == {"current": 424, "obsolete": 5}
    assert Counter(m.ticket for m in METHODS.values()) == {"required": 414, "none": 12, "optional": 3}
    assert Counter(m.content for m in METHODS.values()) == {Content.XML: 423, Content.BYTES: 5, Content.NOTHING: 1}
    assert sum(m.in_wsdl2019 for m in METHODS.values()) == 162
    assert sum(Binding.HTTP_GET not in m.bindings for m in METHODS.values()) == 9
    assert sum(len(m.parameters) + bool(m.ticket_name) for m in METHODS.values()) == 1504
    groups = Counter(m.group for m in METHODS.values())
    assert (len(groups), groups["Document Management"], groups["Workflow Management"], groups[""]) == (24, 118, 52, 4)


def test_what_only_reads_is_known_and_the_rest_is_never_repeated():
    effects = {name: method.effect for name, method in METHODS.items()}
    assert Counter(effects.values())[Effect.READ] == 181
    for name in ("GetDocuments", "isValidTicket", "DownloadFileChunk", "FolderExists", "getTasks"):
        assert effects[name] is Effect.READ
    for name in ("CreateFolder", "UploadFileChunk", "GetNextSearchPage", "DeleteDocument", "Move", "SetTaskComment"):
        assert effects[name] is Effect.CREATES
    assert effects["SetOwner"] is Effect.IDEMPOTENT


def test_importing_loads_no_catalogue():
    code = "import aiorescue, sys; from aiorescue.inforouter import METHODS; sys.exit(METHODS.loaded)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_the_name_that_the_wsdl_and_the_page_agree_on_goes_before_that_of_the_sample():
    assert METHODS["UpdateUserPreferences"].parameters[1].soap == "xmlPreferences"


def test_a_record_says_it_all():
    method = METHODS["UploadFileChunk"]
    assert (method.ticket, method.ticket_name, method.ticket_soap) == (
        "required",
        "authenticationTicket",
        "AuthenticationTicket",
    )
    assert [(p.name, p.type, p.required, p.soap) for p in method.parameters] == [
        ("uploadHandler", "guid", True, "UploadHandler"),
        ("fileChunk", "bytes", True, "FileChunk"),
        ("chunkHEXCRC", "string", True, "ChunkHEXCRC"),
        ("lastChunk", "bool", True, "LastChunk"),
    ]
    assert METHODS["GetCurrentUser"].ticket_soap == "authenticationTicket"  # not in the WSDL: as its page has it
    assert "NoSuchMethod" not in METHODS
    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        method.name = "other"


@pytest.mark.parametrize("operation", inforouter.TYPED.values(), ids=lambda operation: operation.spec.name)
def test_a_typed_operation_is_what_the_catalogue_says(operation):
    spec = operation.spec
    method = METHODS[spec.name]
    holds = {"string": str, "guid": str, "int": int, "bool": bool, "bytes": bytes}
    assert [
        (s.parameter.soap, s.parameter.form_name or s.parameter.soap, s.parameter.holds) for s in operation.slots
    ] == [(p.soap, p.name, holds[p.type]) for p in method.parameters]
    if method.ticket_name:
        assert (spec.identity.soap, spec.identity.form_name or spec.identity.soap) == (
            method.ticket_soap,
            method.ticket_name,
        )
        assert spec.identity.secret
    assert (spec.identity is None) == (method.ticket == "none") == (spec.needs is Needs.NOTHING)
    assert set(spec.bindings) == set(method.bindings)
    assert (spec.effect, spec.content) == (method.effect, method.content)


def test_every_declared_operation_is_exported_under_its_class_name():
    declared = {**inforouter.OPERATIONS, **inforouter.TYPED}
    assert len(declared) == len(inforouter.OPERATIONS) + len(inforouter.TYPED)
    for name, operation in declared.items():
        own = operation.__name__
        assert own.lower() == name.lower()
        missing = f"{own} is not exported: add it to the imports and to __all__ of aiorescue/inforouter/__init__.py"
        assert getattr(inforouter, own, None) is operation, missing
        assert own in inforouter.__all__, missing
        assert f"``{name}``" in operation.__doc__, f"{own}: name ``{name}`` in the docstring"


@pytest.mark.parametrize("topic", [authentication, library, search, server])
def test_a_declared_operation_is_a_method_and_stands_in_the_table_of_its_page(topic):
    page = (ROOT / "docs" / "inforouter.md").read_text("utf-8")
    for operation in declared(topic).values():
        own = operation.__name__
        name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", own).lower()
        assert hasattr(InfoRouterClient, name), (
            f"{own} is no method: add a line to aiorescue/inforouter/client.py, {name}"
        )
        assert f"`{name}`" in page, f"{name} is not among the typed methods of docs/inforouter.md"


def test_editors_know_which_methods_answer_with_bytes():
    assert set(get_args(ByteMethod)) == {name for name, m in METHODS.items() if m.content is Content.BYTES}


# --- a call by name -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "parameters", "message"),
    [
        ("GetDocumnets", {}, "infoRouter has no method GetDocumnets; did you mean GetDocuments?"),
        ("getdocuments", {}, "did you mean GetDocuments?"),
        ("Zzz", {}, "infoRouter has no method Zzz$"),
        ("GetDocuments", {"path": "/Public"}, r"GetDocuments has no parameter path; did you mean Path\?$"),
        ("GetDocuments", {"Zzz": 1}, "no parameter Zzz; it takes Path, withPropertySets, withSecurity, withOwner"),
        ("ServerInfo", {"Path": "/"}, "ServerInfo has no parameter Path; it takes none"),
        ("GetDocuments", {}, "GetDocuments lacks Path$"),
        ("UnLock", {}, "UnLock lacks path, force$"),  # what changes something has its flags named
        ("GetDocuments", {"Path": 7}, "GetDocuments: Path must be str, not int"),
        ("GetDocuments", {"Path": "/", "withOwner": 1}, "GetDocuments: withOwner must be bool, not int"),
        ("GetTask", {"taskId": "7"}, "GetTask: taskId must be int, not str"),
        ("GetTask", {"taskId": True}, "GetTask: taskId must be int, not bool"),
        ("GetTask", {"taskId": 2**31}, "32-bit"),
        ("GetDocuments", {"Path": "a\x00b"}, r"a character that XML cannot carry \(U\+0000"),
        ("SearchRecycledItems", {"minSize": "1"}, "minSize must be a whole number of 64 bits: str"),
        ("DeleteUploadHandler", {"UploadHandler": 7}, "UploadHandler must be a GUID as text or uuid.UUID: int"),
        ("SetExpirationDate", {"expirationDate": "soon"}, "expirationDate must be a date"),
        ("SetFolderRules", {"Path": "/", "xmlRules": "<a>", "ApplyToTree": True}, "xmlRules must be well-formed XML"),
        ("GetDocuments", {"Path": "/", "AuthenticationTicket": " "}, "the ticket must be a text and not empty"),
    ],
)
def test_what_cannot_be_right_is_refused(name, parameters, message):
    with pytest.raises(errors.InvalidRequest, match=message):
        invocation(name, parameters)


def soap(operation, ticket="T"):
    return codec(type(operation), Binding.SOAP11).encode(operation, Authorization(code=ticket)).body.decode()


def query(operation, ticket="T"):
    return codec(type(operation), Binding.HTTP_GET).encode(operation, Authorization(code=ticket)).query


def test_flags_left_out_of_a_method_that_reads_are_false():
    assert query(invocation("GetDocuments", {"Path": "/Public", "withOwner": True})) == (
        "AuthenticationTicket=T&Path=%2FPublic&withPropertySets=false&withSecurity=false&withOwner=true"
        "&withVersions=false"
    )


def test_names_over_soap_are_those_of_the_wsdl_and_elsewhere_those_of_the_page():
    operation = invocation("UnLock", {"path": "/a", "force": True})
    assert "<AuthenticationTicket>T</AuthenticationTicket>" in soap(operation)
    assert query(operation) == "authenticationTicket=T&path=%2Fa&force=true"
    assert invocation("GetDocumentViewLog", {**wanted("GetDocumentViewLog"), "Path": "/a"}) == invocation(
        "GetDocumentViewLog", {**wanted("GetDocumentViewLog"), "path": "/a"}
    )


def wanted(name):
    some = {"string": "x", "int": 1, "bool": False, "datetime": date(2026, 1, 2)}
    return {p.name: some[p.type] for p in METHODS[name].parameters if p.required and p.name.lower() != "path"}


def test_a_parameter_that_is_left_out_is_not_sent_and_an_empty_one_is():
    login = {"UID": "u", "PWD": "p"}
    assert query(invocation("RenewTicket", {**login, "Lang": None})) == "UID=u&PWD=p"
    assert query(invocation("RenewTicket", {**login, "OldTicket": ""})) == "UID=u&PWD=p&OldTicket="
    assert "OldTicket" not in soap(invocation("RenewTicket", login))


def test_xml_travels_escaped_but_for_the_one_node():
    search = invocation("Search", {"xmlcriteria": "<a b='1'/>", "SortBy": "NAME", "AscendingOrder": True})
    assert "<xmlcriteria>&lt;a b='1'/&gt;</xmlcriteria>" in soap(search)
    assert "xmlcriteria=%3Ca+b%3D%271%27%2F%3E" in query(search)
    rules = invocation("SetFolderRules", {"Path": "/a", "xmlRules": "<Rules><Rule/></Rules>", "ApplyToTree": False})
    assert '<xmlRules><Rules xmlns=""><Rule /></Rules></xmlRules>' in soap(rules)


def test_values_are_written_as_the_service_reads_them():
    name = "GetDeleteLog"
    moments = [p.name for p in METHODS[name].parameters if p.type == "datetime"]
    values = {**wanted(name), moments[0]: datetime(2026, 3, 1, 12, 30, tzinfo=UTC), moments[1]: date(2026, 3, 2)}
    found = query(invocation(name, values))
    assert f"{moments[0]}=2026-03-01T12%3A30%3A00Z" in found
    assert f"{moments[1]}=2026-03-02" in found
    assert GUID in query(invocation("DeleteUploadHandler", {"UploadHandler": UUID(GUID)}))
    chunk = {"uploadHandler": GUID, "fileChunk": bytearray(b"\x00\xff"), "chunkHEXCRC": "0", "lastChunk": True}
    assert "<FileChunk>AP8=</FileChunk>" in soap(invocation("UploadFileChunk", chunk))


VALUES = {
    "string": "Zoë <b> & 'x' \"y\" \t ü ",
    "int": -7,
    "long": 2**40,
    "bool": True,
    "datetime": date(2026, 1, 2),
    "guid": GUID,
    "bytes": b"\x00\r\n--\xff",
    "xml": "<a>ä &amp; b</a>",
    "node": "<a>b</a>",
}
WRITTEN = {
    **VALUES,
    "int": "-7",
    "long": str(2**40),
    "bool": "true",
    "datetime": "2026-01-02",
    "bytes": "AA0KLS3/",
    "node": "b",
}


def test_every_method_is_written_on_every_binding():
    for method in METHODS.values():
        operation = invocation(method.name, {p.name: VALUES[p.type] for p in method.parameters})
        request = ET.fromstring(soap(operation, GUID))[0][0]
        assert request.tag == f"{{http://tempuri.org/}}{method.name}"
        ticket = [(method.ticket_soap, GUID)] if method.ticket_name else []
        found = [(e.tag.removeprefix("{http://tempuri.org/}"), "".join(e.itertext())) for e in request]
        assert found == ticket + [(p.soap, WRITTEN[p.type]) for p in method.parameters]
        if Binding.HTTP_GET not in method.bindings:
            continue
        ticket = [(method.ticket_name, GUID)] if method.ticket_name else []
        plain = {**WRITTEN, "node": '<a xmlns="">b</a>'}
        found = parse_qsl(query(operation, GUID), keep_blank_values=True)
        assert found == ticket + [(p.name, plain[p.type]) for p in method.parameters]


def test_every_method_can_be_called_by_the_names_of_the_wsdl():
    for method in METHODS.values():
        values = {p.name: VALUES[p.type] for p in method.parameters}
        assert invocation(method.name, {p.soap: VALUES[p.type] for p in method.parameters}) == invocation(
            method.name, values
        )


def test_a_ticket_of_its_own_takes_the_place_of_the_clients():
    operation = invocation("GetDocuments", {"Path": "/", "authenticationTicket": GUID})
    assert operation.spec.identity is None
    assert soap(operation).count(GUID) == 1
    assert operation.secrets == [GUID]
    assert GUID not in repr(operation)


def test_calls_can_be_queued_and_sent_later():
    for parameters in ({"Path": "/Public"}, {"Path": "/Public", "AuthenticationTicket": GUID}):
        operation = invocation("GetDocuments", parameters)
        assert pickle.loads(pickle.dumps(operation)) == operation


def test_passwords_are_secrets():
    marked = {p.name for m in METHODS.values() for p in m.parameters if p.secret}
    assert marked == {
        "PWD", "oldTicket", "OldTicket", "secretText", "newPassword", "NewPassword", "TrustedUserPwd", "Password",
        "UserPassword", "MYSQL_Password", "ORACLE_Password", "SQLSERVER_Password", "ticket",
    }  # fmt: skip


LEGAL = st.text(
    st.one_of(st.sampled_from("\t\n\r\u0085\u2028&<>\"']]> +%;="), st.characters(exclude_categories=("Cs", "Cc"))),
    max_size=40,
).filter(lambda text: not {"\ufffe", "\uffff"} & set(text))


@given(path=LEGAL, ticket=LEGAL.filter(str.strip))
def test_any_text_arrives_as_it_was(path: str, ticket: str):
    operation = invocation("GetFolders1", {"Path": path})
    sent = ET.fromstring(soap(operation, ticket))[0][0]
    assert [element.text or "" for element in sent] == [ticket, path]
    body = codec(type(operation), Binding.HTTP_POST).encode(operation, Authorization(code=ticket)).body.decode()
    assert parse_qsl(body, keep_blank_values=True) == [("authenticationTicket", ticket), ("Path", path)]


@given(data=st.binary(max_size=200))
def test_any_bytes_arrive_as_they_were(data: bytes):
    chunk = {"uploadHandler": GUID, "fileChunk": data, "chunkHEXCRC": "0", "lastChunk": True}
    operation = invocation("UploadFileChunk", chunk)
    sent = ET.fromstring(soap(operation))[0][0]
    assert base64.b64decode(sent[2].text or "") == data
    request = codec(type(operation), Binding.HTTP_POST).encode(operation, Authorization(code="T"))
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    part = request.body.split(b"--" + boundary)[3]
    assert part.partition(b"\r\n\r\n")[2] == data + b"\r\n"
