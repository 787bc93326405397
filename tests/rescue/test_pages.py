"""Text pages that were cut, have a key or a word that is not known, or a table without a title that is."""

import pytest

from aiorescue import errors
from aiorescue.operation import Binding, OutcomeClass
from aiorescue.rescue import NodeStatus
from tests.rescue.decoding import HEAD, decode, row, value

TEXT = Binding.TEXT_POST
HIERARCHY = (
    "OK\n\nNodeID:1\nParentID:\nName:Root\nEmail:\nDescription:\nStatus:Offline\nType:Root\n\n"
    "NodeID:2\nParentID:1\nName:Jane\nEmail:j@example.com\nDescription:\nStatus:Online\nType:Technician\n\n"
)
USER = "OK\n\nNODEID: 7\nNAME: Jane\nDESCRIPTION: \nTYPE: Technician\nISACCOUNTHOLDER: True\nSTATUS: Online"
GROUP = "OK\n\nNODEID: 7\nNAME: First\nDESCRIPTION: \nTYPE: TechnicianGroup"


@pytest.mark.parametrize(
    ("name", "page", "last"),
    [("getHierarchy", HIERARCHY, "Type:"), ("getUser", USER, "STATUS:"), ("getGroup", GROUP, "TYPE:")],
)
def test_a_page_that_was_cut_is_asked_for_again(name, page, last):
    for end in range(2, page.rindex(last) + len(last)):
        cut = page[:end]
        looks_whole = cut.rstrip("\n").endswith(("Type:", "Type:Root"))  # it ends with a block
        if not looks_whole:
            outcome = decode(name, TEXT, cut)
            assert (outcome.outcome_class, outcome.error) == (OutcomeClass.TRANSIENT, errors.ProtocolError), cut
    assert decode(name, TEXT, page).outcome_class is OutcomeClass.OK


def test_a_page_that_ends_with_an_unknown_word_was_cut_unless_its_line_ends():
    assert decode("getUser", TEXT, USER.removesuffix("ine")).outcome_class is OutcomeClass.TRANSIENT
    assert value("getUser", USER.replace("Online", "OnLeave\n")).status == "OnLeave"
    assert value("getUser", USER.removesuffix("Online")).status == ""


def test_a_key_that_a_page_was_not_known_to_have_is_no_part_of_the_value_before():
    assert value("requestPINCode", "OK\n\nPINCODE:012345\nEXPIRES:1200").code == "012345"
    assert value("requestAuthCode", "OK\n\nAUTHCODE:4ahx80u0\r\nEXPIRES:never\r\n") == "4ahx80u0"
    account = "OK\n\nAccountID:1\nOrganization:Company\nPlan:Gold\nAdminID:1\nTechID:2\nEmail:"
    assert value("getAccount", account).organization == "Company"
    (_, jane) = value("getHierarchy", HIERARCHY.replace("Status:Online", "Status:Online\nExtra:1"))
    assert jane.status is NodeStatus.ONLINE
    assert decode("requestPINCode", TEXT, "OK\n\nPINCODE:012345\nand more").error is errors.ProtocolError


def test_a_note_keeps_lines_that_look_like_keys():
    assert value("getNote", "OK\n\nNOTE:one\nEXPIRES:1200") == "one\nEXPIRES:1200"


def test_a_table_with_no_known_title_is_no_empty_list():
    assert decode("getSession_V3", TEXT, "OK\n\nFoo|Bar|\n").error is errors.ProtocolError
    outcome = decode("getSession_V3", TEXT, f"OK\n\n{HEAD}\n{row()}".replace("\n", "\r").replace("OK\r\r", "OK\n\n"))
    assert "carriage returns" in outcome.detail
    assert value("getSession_V3", f"OK\n\n{HEAD}\n") == []


def test_a_table_with_two_columns_of_one_title_is_no_list():
    outcome = decode("getSession_V3", TEXT, "OK\n\nID|Status|id |\n1|Waiting|2|\n")
    assert (outcome.error, outcome.outcome_class) == (errors.ProtocolError, OutcomeClass.FINAL)


@pytest.mark.parametrize("word", ["NOT_OK", "CLOSE_ERROR", "NODE_INVALID"])
def test_a_word_of_a_page_has_no_prefix(word):
    outcome = decode("closeSession", TEXT, word)
    assert (outcome.error, outcome.word, outcome.ambiguous) == (errors.ServiceError, word, True)
