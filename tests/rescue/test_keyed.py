"""Lines of KEY:value: keys come in one order, and a text may hold lines that look like keys."""

import pytest

from aiorescue import errors
from aiorescue.operation import Binding
from aiorescue.rescue import Node, NodeStatus, NodeType, User
from aiorescue.rescue.answers import keyed
from tests.rescue.decoding import decode

TEXT = Binding.TEXT_POST


def block(description, *, status="Offline", name="Jane"):
    return (
        f"NodeID:1\r\nParentID:2\r\nName:{name}\r\nEmail:j@x.test\r\nDescription:{description}\r\n"
        f"Status:{status}\r\nType:Technician\r\n"
    )


@pytest.mark.parametrize(
    "description",
    [
        "Lead\nStatus: on leave",
        "Status: on leave",
        "Lead\nType: none\nStatus: x\n\nType: y",
        "Lead\nDescription: b",
        "Lead\nName: Joe\nmore",
        "a\n\nNodeID: 7\nStatus: x",
        "a\n\nNodeID: 7\nParentID: 8\n\nb",
        "Status: x\nStatus: y\nStatus: z",
    ],
)
def test_a_description_keeps_lines_that_look_like_keys(description):
    body = f"OK\r\n\r\n{block(description)}\r\n{block('second', status='Online')}"
    expected = [
        Node(1, 2, "Jane", "j@x.test", text, status, NodeType.TECHNICIAN)
        for text, status in ((description, NodeStatus.OFFLINE), ("second", NodeStatus.ONLINE))
    ]
    assert list(decode("getHierarchy", TEXT, body).value) == expected


def test_lines_that_can_be_read_in_two_ways_are_no_answer():
    body = f"OK\n\n{block('x', name='J' + chr(10) + 'Email: fake')}"
    outcome = decode("getHierarchy", TEXT, body)
    assert outcome.error is errors.ProtocolError
    assert "two ways" in outcome.detail


def test_the_keys_of_a_user_have_an_order_of_their_own():
    body = (
        "OK\n\nNODEID: 7\nNAME: John\nNICK: J\nEMAIL: e\nSSOID: \nDESCRIPTION: a\nNICK: none\nSTATUS: x\nTYPE: "
        "Technician\nHASMOBILEADDON: False\nISACCOUNTHOLDER: True\nSTATUS: Online"
    )
    assert decode("getUser", TEXT, body).value == User(
        7, "John", "J", "e", "", "a\nNICK: none\nSTATUS: x", NodeType.TECHNICIAN, NodeStatus.ONLINE, True, False
    )


def test_a_key_that_a_page_does_not_have_is_not_found_in_a_text():
    body = "OK\n\nNodeID:1\nName:J\nEmail:\nDescription:a\nParentID: 5\nStatus:Online\nType:Technician"
    [node] = decode("getHierarchy", TEXT, body).value
    assert (node.parent_id, node.description) == (None, "a\nParentID: 5")


def test_an_email_text_may_hold_lines_that_look_like_keys():
    body = "OK\n\nSUBJECT:s\nTEXT:a\nLINK: below\nb\nLINK:http://x\nSIGNATURE:Best\nTEXT: c"
    email = decode("generateEmailText", TEXT, body).value
    assert (email.text, email.link, email.signature) == (
        "a\nLINK: below\nb",
        "http://x",
        "Best\nTEXT: c",
    )


def test_the_work_on_lines_that_look_like_keys_grows_with_their_number(monkeypatch):
    counted = []

    def worth(reading):
        counted.append(1)
        return reading.keys, reading.stray

    monkeypatch.setattr(keyed, "_worth", worth)
    steps = []
    for count in (500, 1_000, 2_000):
        counted.clear()
        lines = ["NodeID:1", "Description:x", *["Status: a", "Type: b", "NodeID: 1"] * count]
        keyed.keyed(["NodeID", "Description", "Status", "Type"], "\n".join(lines))
        steps.append(len(counted))
    assert steps[2] < steps[1] * 2.1 < steps[0] * 4.5


def test_a_page_of_too_many_lines_that_look_like_keys_is_an_error():
    body = "OK\n\nNODEID:1\nDESCRIPTION:" + "NAME:a\n" * 70_000
    outcome = decode("getUser", TEXT, body)
    assert (outcome.error, outcome.outcome_class.name) == (errors.ProtocolError, "FINAL")
    assert "too many of its lines look like keys" in outcome.detail


@pytest.mark.parametrize(("name", "key"), [("requestPINCode", "PINCODE"), ("getUser", "NODEID")])
def test_a_page_without_any_key_says_which_one_it_lacks(name: str, key: str):
    assert decode(name, TEXT, "OK\r\n\r\nhello\r\n").detail == f"the answer is OK but holds no {key}"
