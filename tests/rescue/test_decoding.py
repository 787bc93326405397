"""Decoding answers that the samples do not show: unescaped text, missing parts, tables cut short."""

from datetime import datetime, time, timedelta

import pytest

from aiorescue import errors, rescue
from aiorescue.operation import Binding, OutcomeClass
from aiorescue.rescue import NodeStatus, NodeType, ReportArea, SessionStatus
from tests.rescue.decoding import HEAD, decode, row, value

TEXT, SOAP = Binding.TEXT_POST, Binding.SOAP11


def envelope(name: str, inner: str) -> str:
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><s:Body>'
        f'<{name}Response xmlns="https://secure.logmeinrescue.com/API/API.asmx">{inner}</{name}Response>'
        "</s:Body></s:Envelope>"
    )


# --- lists of sessions ------------------------------------------------------------------------------


def sessions(*rows):
    return value("getSession_V3", "\n".join(("OK", "", HEAD, *rows, "")))


def test_a_delimiter_that_a_customer_typed_shifts_no_other_column():
    first, second = sessions(row(custom="a | b"), row())
    assert first.custom_fields == ("a | b", "", "", "", "", "")
    assert (first.language, first.transferred_to, first.is_lead, first.mended) == ("en", "Jane", True, True)
    assert (second.custom_fields[0], second.mended) == ("Customer", False)


def test_a_line_break_in_a_comment_is_no_new_session():
    (only,) = sessions(row(comment="first line\nsecond: line"))
    assert only.transferred_comment == "first line\nsecond: line"
    assert only.mended


def test_a_delimiter_in_a_name_before_typed_columns_is_found():
    (only,) = sessions(row(technician="Doe | John"))
    assert (only.technician, only.started, only.waiting) == ("Doe | John", datetime(2012, 2, 16, 8, 41), 1187)


@pytest.mark.parametrize("rows", ["1|Active|0||337366|John", "x|Active|0||3|J|2/16/2012 8:41 AM|7|||||||en|||||"])
def test_a_row_that_fits_in_no_way_is_an_error_and_not_a_guess(rows):
    outcome = decode("getSession_V3", TEXT, f"OK\n\n{HEAD}\n{rows}\n")
    assert (outcome.outcome_class, outcome.error) == (
        OutcomeClass.TRANSIENT,
        errors.ProtocolError,
    )  # it may have been cut short


def test_columns_may_come_in_any_order_and_some_may_lack():
    (only,) = value("getSession", "OK\n\nStart Time|ID|Something New|Status|\n2/16/2012 9:00:07 PM|7|x|Waiting|\n")
    assert only == rescue.Session(7, SessionStatus.WAITING, "Waiting", started=datetime(2012, 2, 16, 21, 0, 7))


def test_a_time_in_an_unknown_form_is_none_and_not_a_wrong_one():
    (only,) = value("getSession", "OK\n\nID|Status|Start Time|\n7|Waiting|16.02.2012 um neun|\n")
    assert only.started is None


def test_a_list_of_sessions_may_be_xml_as_the_output_setting_says():
    body = (
        "OK\n\n<report><header><field id='a'>Status</field><field id='b'>ID</field></header>"
        "<data><row><field id='b'>7</field><field id='a'>On &amp; off</field></row></data></report>"
    )
    assert value("getSession_V3", body) == [rescue.Session(7, "On & off", "On & off")]


@pytest.mark.parametrize("inner", ["<aSessions />", '<aSessions xsi:nil="true" />', ""])
def test_no_sessions_is_an_empty_list(inner):
    body = envelope("getSession_V3", f"<getSession_V3Result>getSession_OK</getSession_V3Result>{inner}")
    assert value("getSession_V3", body, SOAP) == []


def test_a_code_that_is_new_is_kept_as_it_is():
    item = "<SESSION_V3><iID>7</iID><bStatus>SESSION_TELEPORTED</bStatus><sStatus>Gone</sStatus></SESSION_V3>"
    body = envelope(
        "getSession_V3", f"<getSession_V3Result>getSession_OK</getSession_V3Result><aSessions>{item}</aSessions>"
    )
    assert value("getSession_V3", body, SOAP) == [rescue.Session(7, "SESSION_TELEPORTED", "Gone")]


# --- the hierarchy ----------------------------------------------------------------------------------


def test_names_with_colons_and_descriptions_with_line_breaks():
    body = (
        "OK\n\nNodeID:2\nParentID:1\nName:Support: Level 2\nEmail:a@b.c\nDescription:first: line\n\nNote: second\n"
        "Status:Away\nType:Masteradministrators\n\nNodeID: -3\nParentID: 2\nName:Zoë\nEmail:\nDescription:\n"
        "Status:Weg\nType:Hologram\n\n"
    )
    tree = value("getHierarchy", body)
    assert list(tree) == [
        rescue.Node(
            2,
            1,
            "Support: Level 2",
            "a@b.c",
            "first: line\n\nNote: second",
            NodeStatus.AWAY,
            NodeType.MASTER_ADMINISTRATORS,
        ),
        rescue.Node(-3, 2, "Zoë", status="Weg", type="Hologram"),
    ]


def test_the_tree_can_be_walked():
    above = {1: 0, 2: 1, 3: 1, 4: 2, 5: 99}
    tree = rescue.Hierarchy(tuple(rescue.Node(number, parent) for number, parent in above.items()))
    one, two, three, four, five = tree
    assert tree.roots == (one, five)
    assert tree.children(one) == (two, three)
    assert (tree.parent(four), tree.parent(one), tree.find(5), tree.find(6)) == (two, None, five, None)
    assert list(tree.walk()) == [one, two, four, three, five]
    assert list(tree.walk(two)) == [two, four]
    assert (len(tree), tree[1]) == (5, two)


def test_a_hierarchy_in_circles_is_walked_once():
    tree = rescue.Hierarchy((rescue.Node(1, 2), rescue.Node(2, 1), rescue.Node(3, 3)))
    assert [node.id for node in tree.walk(tree[0])] == [1, 2]
    assert [node.id for node in tree.walk()] == [3, 1, 2]


def test_a_node_that_is_listed_in_two_places_is_walked_in_both():
    places = [(1, 0), (2, 1), (4, 2), (3, 1), (2, 3)]
    tree = rescue.Hierarchy(tuple(rescue.Node(number, parent) for number, parent in places))
    assert [(node.id, node.parent_id) for node in tree.walk()] == places


def test_a_node_over_soap_without_its_parent():
    fields = "<iNodeID>2</iNodeID><sName>Support</sName><eStatus>Online</eStatus><eType>Channel</eType>"
    nodes = f"<aHierarchy><HIERARCHY>{fields}</HIERARCHY></aHierarchy>"
    body = envelope("getHierarchy", f"<getHierarchyResult>getHierarchy_OK</getHierarchyResult>{nodes}")
    assert list(value("getHierarchy", body, SOAP)) == [
        rescue.Node(2, None, "Support", status=NodeStatus.ONLINE, type=NodeType.CHANNEL)
    ]


def test_a_group_and_its_permissions():
    body = (
        "OK\n\nNODEID: 7\nNAME: Support\nDESCRIPTION: \nTYPE: TechnicianGroup\nPERMISSIONS: RemoteControl, SendFile, \n"
        "LOCKEDPERMISSIONS: SendFile, \nISENABLED: True\nSTANDARDCONCURRENTLIMIT: 3\nMOBILECONCURRENTLIMIT: \n"
        "RPATCONCURRENTLIMIT: 2"
    )
    assert value("getGroup_v2", body) == rescue.Group(
        7,
        "Support",
        type=NodeType.TECHNICIAN_GROUP,
        permissions=("RemoteControl", "SendFile"),
        locked_permissions=("SendFile",),
        enabled=True,
        standard_limit=3,
        rpat_limit=2,
    )


@pytest.mark.parametrize("names", [(), ("RemoteControl",), ("RemoteControl", "SendFile")])
def test_permissions_over_soap_are_a_tuple_however_many(names):
    items = "".join(f"<NODE_PERMISSIONS>{name}</NODE_PERMISSIONS>" for name in names)
    group = f"<oGroup><iNodeID>7</iNodeID><sName>S</sName><aPermissions>{items}</aPermissions></oGroup>"
    body = envelope("getGroup", f"<getGroupResult>getGroup_OK</getGroupResult>{group}")
    assert value("getGroup", body, SOAP).permissions == names


@pytest.mark.parametrize("body", ["OK\n\n337370", "OK 337370", "OK:337370", "OK\n\nNODEID:337370\n"])
def test_a_new_node_is_its_id(body):
    assert value("createUser", body) == 337370
    assert value("createGroup", body) == 337370


def test_a_new_node_without_an_id_is_never_asked_for_twice():
    assert decode("createUser", TEXT, "OK\n\nperhaps").ambiguous


# --- reports, chats, notes --------------------------------------------------------------------------


def test_xml_cells_hold_anything():
    body = (
        "OK\n\n<?xml version='1.0'?><r>"
        "<header><field id='2'>Chatlog</field><field id='1'>Total Time</field></header><data>"
        "<row><field id='1'>90</field><field id='2'>a|b\n&lt;c&gt; </field></row><row><field id='2' /></row></data></r>"
    )
    report = value("getReport_v2", body)
    assert report.columns == ("Chatlog", "Total Time")
    assert list(report) == [
        {"Chatlog": "a|b\n<c> ", "Total Time": timedelta(seconds=90)},
        {"Chatlog": "", "Total Time": None},
    ]
    assert report.column("Total Time") == [timedelta(seconds=90), None]
    with pytest.raises(KeyError):
        report.column("Session ID")


def test_a_bare_xml_report_without_its_ok():
    body = "<r><header><field id='1'>Name</field></header><data><row><field id='1'>Jane</field></row></data></r>"
    assert list(value("getReport_v2", body)) == [{"Name": "Jane"}]


@pytest.mark.parametrize(
    "body",
    [
        "OK\n\n<r><header><field id='1'>Name</field></header><data><row><field id='1'>Ja",
        "OK\n\n<!DOCTYPE r [<!ENTITY a 'b'>]><r><header/></r>",
        "OK\n\n<r><header><field id='1'>Name</field></header><data><row><field id='2'>x</field></row></data></r>",
        "OK\n\n<r><data/></r>",
        "OK\n\nName|ID|\nJane|7|\nJoe|",
        "OK\n\n",
    ],
)
def test_a_report_that_is_none(body):
    assert decode("getReport_v2", TEXT, body).error is errors.ProtocolError


def test_an_html_page_is_no_report():
    assert decode("getReport_v2", TEXT, "<html><body>Log in</body></html>").error is errors.ProtocolError


def test_titles_that_occur_twice_and_titles_that_mislead():
    body = "OK\n\nName|Name|Date|Session ID|Tracking ID|\nA|B|soon|1663112|000123|\nC|D|2/3/2024|7||\n"
    report = value("getReport", body)
    assert report.columns == ("Name", "Name (2)", "Date", "Session ID", "Tracking ID")
    assert report[0] == dict(zip(report.columns, ["A", "B", "soon", 1663112, "000123"], strict=True))
    assert report[1]["Date"] == "2/3/2024"  # one cell is no date, so none is


@pytest.mark.parametrize("delimiter", ["|", ";", "\t", "::", "~|~"])
def test_any_delimiter_is_found_in_the_header(delimiter):
    name = "Your Name:" if ":" not in delimiter else "Your Name"
    lines = [["Start Time", name, "Total Time"], ["2/16/2012 9:00:00 AM", "J: D", "01:00:01"]]
    body = "OK\n\n" + "".join(f"{delimiter.join(cells)}{delimiter}\n" for cells in lines)
    assert list(value("getReport", body)) == [
        {"Start Time": datetime(2012, 2, 16, 9), name: "J: D", "Total Time": timedelta(hours=1, seconds=1)}
    ]


def test_a_chat_is_lines_where_it_has_the_form():
    chat = value("getChat", "OK\n\nCHATLOG:Session began\n9:00 AM Customer: a: b\nmore\n12:01:07 PM John Doe: ok\n")
    assert chat.text == "Session began\n9:00 AM Customer: a: b\nmore\n12:01:07 PM John Doe: ok"
    assert chat.lines == (
        rescue.ChatLine(time(9), "Customer", "a: b\nmore"),
        rescue.ChatLine(time(12, 1, 7), "John Doe", "ok"),
    )
    assert value("getChat", "OK\n\nhello").lines == ()


def test_a_note_keeps_its_lines_and_colons():
    assert value("getNote", "OK\n\nNOTE:first: line\n\nNOTE: http://x\nlast") == "first: line\n\nNOTE: http://x\nlast"
    empty = envelope("getNote", "<getNoteResult>getNote_OK</getNoteResult><sNote />")
    assert value("getNote", empty, SOAP) == ""


def test_an_email_text_of_several_lines():
    body = "OK\n\nSUBJECT:Help: now\nTEXT:Dear customer,\n\nplease: click\nLINK:http://x/R?i=2\nSIGNATURE:Best\nSupport"
    assert value("generateEmailText", body) == rescue.EmailText(
        "Help: now", "Dear customer,\n\nplease: click", "http://x/R?i=2", "Best\nSupport"
    )


# --- single values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body", "expected"),
    [
        ("getReportArea", "OK\n\nAREA:4", ReportArea.PERFORMANCE),
        ("getReportArea_v2", "OK 16", ReportArea.TRANSFERRED_SESSIONS_EXTENDED),
        ("getReportArea_v8", "OK\n\nREPORTAREA:Chat Log", ReportArea.CHAT_LOG),
        ("getReportArea", "OK\n\nSomething new", "Something new"),
        ("getReportType", "OK\n\nREPORTTYPE:LISTALL", rescue.ReportType.LISTALL),
        ("getOutput", "OK\n\nXML", rescue.ReportOutput.XML),
        ("getOutput", "OK OUTPUT:TEXT", rescue.ReportOutput.TEXT),
        ("getTimeZone", "OK\n\nTIMEZONE:-240", -240),
        ("getDelimiter", "OK\n\nDELIMITER:|", "|"),
        ("getDelimiter", "OK\n\n|", "|"),
        ("getReportDate", "OK\n\nBEGIN:1/2/2024\nEND:1/31/2024", (datetime(2024, 1, 2), datetime(2024, 1, 31))),
        ("getReportDate", "OK\n\nEND:1/31/2024\nBEGIN:1/2/2024", (datetime(2024, 1, 2), datetime(2024, 1, 31))),
        ("getReportTime", "OK\n\nETIME:9:00\nBTIME:22:00", (time(22), time(9))),
        ("getReportDate", "OK\n\n1/2/2024 9:00 pm - 1/31/2024", (datetime(2024, 1, 2, 21), datetime(2024, 1, 31))),
        ("getReportTime", "OK\n\nBEGIN:00:00:00\nEND:23:59:59", (time(0), time(23, 59, 59))),
        ("getReportTime", "OK\n\nBegin time: 12:00 AM, End time: 11:59pm", (time(0), time(23, 59))),
        ("getDTCLoginTicket", "https://x.test/D.aspx?ticket=1&arch=64", "https://x.test/D.aspx?ticket=1&arch=64"),
        ("getDTCLoginTicket", "OK:https://x.test/D.aspx?ticket=1", "https://x.test/D.aspx?ticket=1"),
    ],
)
def test_a_value_is_read(name, body, expected):
    assert value(name, body) == expected


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("getReportType", "OK\n\nSOME"),
        ("getOutput", "OK"),
        ("getTimeZone", "OK\n\nUTC"),
        ("getTimeZone", "OK\n\n\u0661"),
        ("getReportDate", "OK\n\n1/2/2024"),
        ("getReportDate", "OK\n\n1/2/2024 9:00:00 p.m.\n1/31/2024 9:00:00 p.m."),
        ("getReportDate", "OK\n\n1/2/2024 - 1/31/2024 午後9:00"),
        ("getReportTime", "OK\n\n9:00 p.m.\n10:00 p.m."),
        ("getReportTime", "OK\n\n13:00 PM\n14:00 PM"),
        ("getReportTime", "OK\n\n9:00 - 10:000"),
        ("getAccount", "OK\n\nAccountID:1_0\nOrganization:\nAdminID:1\nTechID:2\nEmail:"),
        ("getAccount", "OK\n\nAccountID:١٢\nOrganization:\nAdminID:1\nTechID:2\nEmail:"),
        ("createUser", "OK\n\nNODEID:١٢"),
        ("requestAuthCode", b"OK\n\nAUTHCODE:4ahx\xff80u0"),
        ("getAccount", "OK\n\nAccountID:5"),
        ("getAccount", "OK\n\nAccountID:x\nOrganization:\nAdminID:1\nTechID:2\nEmail:"),
        ("isAnyTechAvailableOnChannel", "OK"),
        ("requestPINCode", "OK\n\nPINCODE:12345"),
        ("getLoginTicket", "OK\n\nlater"),
    ],
)
def test_an_ok_without_what_it_should_bring_is_no_answer(name, body):
    assert decode(name, TEXT, body).error is errors.ProtocolError


def test_a_ticket_is_not_quoted():
    outcome = decode("getLoginTicket", TEXT, "FLABBERGASTED https://x.test/?Ticket=f70")
    assert (outcome.error, outcome.word) == (errors.ServiceError, "FLABBERGASTED")
    assert "f70" not in outcome.detail + outcome.quote


@pytest.mark.parametrize("sign", ["\u2028", "\x85", "\x0b"])
def test_only_a_line_feed_ends_a_line(sign):
    name = f"Jane{sign}NICK: Doe"
    assert value("getUser", f"OK\r\n\r\nNODEID: 7\r\nNAME: {name}\r\nNICK: J\r\nSTATUS: \r\n") == rescue.User(
        7, name, "J"
    )
    assert value("getNote", f"OK\n\nNOTE:{name}") == name
    assert value("getChat", f"OK\n9:00 AM Jane: one{sign}two\r\n9:01 AM John: three").lines == (
        rescue.ChatLine(time(9), "Jane", f"one{sign}two"),
        rescue.ChatLine(time(9, 1), "John", "three"),
    )


@pytest.mark.parametrize("body", ["DELIMITER:\t", "DELIMITER: \t", "Delimiter:\t\r\n", "\t", "\t\r\n"])
def test_a_tab_is_a_delimiter(body):
    assert value("getDelimiter", f"OK\n\n{body}") == "\t"


@pytest.mark.parametrize("name", ["getChat", "getReportArea", "getReportArea_v8", "getDelimiter", "getOutput"])
@pytest.mark.parametrize("body", ["<?xml version='1.0'?><error>Access denied</error>", "<fault code='7'/>"])
def test_a_document_in_place_of_a_value_is_no_value(name, body):
    assert decode(name, TEXT, body).error is errors.ProtocolError


@pytest.mark.parametrize("word", ["", "no", "não", "NÃO", "Nein", "non", "False", "нет"])
def test_a_no_in_another_language_marks_no_lead(word):
    body = f"OK\n\nID|Status|Is Lead Technician|\n1|Waiting|{word}|\n2|Waiting|sim|\n"
    assert [one.is_lead for one in value("getSession", body)] == [False, True]


@pytest.mark.parametrize("cell", ["1_0", "\u0661\u0662", "1e3", "0x10"])
def test_a_cell_that_only_python_takes_for_a_number_stays_a_text(cell):
    body = f"OK\n\nSession ID|Total Time|Name|\n{cell}|{cell}|Jane|\n"
    assert [tuple(row.values()) for row in value("getReport_v2", body)] == [(cell, cell, "Jane")]


@pytest.mark.parametrize("cell", ["-5", "-00:00:05"])
def test_a_duration_below_zero_is_one(cell):
    body = f"OK\n\nSession ID|Total Time|\n1|{cell}|\n2|00:01:00|\n"
    assert value("getReport_v2", body).column("Total Time") == [timedelta(seconds=-5), timedelta(minutes=1)]
