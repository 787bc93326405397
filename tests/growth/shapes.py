"""Answers of any size in every shape that decoders treat differently: what large or hostile servers could send."""

from typing import Any

import attrs

from aiorescue import Binding, inforouter, rescue
from aiorescue.operation import Operation
from aiorescue.rescue.raw import call_of
from tests.support import EXAMPLES

_SOAP = (
    '<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/">'
    '<soap:Body><{name}Response xmlns="https://secure.logmeinrescue.com/API/API.asmx">'
    "<{name}Result>{prefix}_OK</{name}Result>{inside}</{name}Response></soap:Body></soap:Envelope>"
)
_SESSION_TITLES = (
    "ID|Status|Entry ID|Entry|Technician ID|Technician|Start Time|Waiting Time|Custom Field 0|Custom Field 1|"
    "Custom Field 2|Custom Field 3|Custom Field 4|Custom Field 5|Language|Transferred To|Transferred Comment|"
    "Is Lead Technician|HandingOff|\n"
)


@attrs.frozen
class Shape:
    """A shape of answers.

    Attributes:
        operation: the operation that is answered.
        binding: its binding.
        head: the answer's beginning.
        unit: what is repeated; `{}` in it stands for the number of the repetition.
        tail: the answer's end.
        headers: of the answer.
        status: of the answer.
    """

    operation: Operation[Any]
    binding: Binding
    head: str
    unit: str
    tail: str = ""
    headers: dict[str, str] = attrs.field(factory=dict)
    status: int = 200

    def body(self, size: int) -> bytes:
        """An answer of about that many bytes, and no more."""
        room = size - len(self.head.encode()) - len(self.tail.encode())
        if "{}" not in self.unit:
            unit = self.unit.encode()
            return self.head.encode() + unit * (room // len(unit)) + self.tail.encode()
        parts = [self.unit.replace("{}", str(number)) for number in range(room // len(self.unit.encode()) + 1)]
        while len("".join(parts).encode()) > room:
            del parts[-max(1, len(parts) // 50) :]
        return (self.head + "".join(parts) + self.tail).encode()


def _in_soap(
    name: str, inside: str, unit: str, rest: str = "", *, prefix: str = "", operation: Operation[Any] | None = None
) -> Shape:
    whole = _SOAP.format(name=name, prefix=prefix or name.partition("_")[0], inside=f"{inside}\0{rest}")
    head, _, tail = whole.partition("\0")
    return Shape(operation or EXAMPLES[name], Binding.SOAP11, head, unit, tail)


def _page(name: str, head: str, unit: str, tail: str = "", operation: Operation[Any] | None = None) -> Shape:
    return Shape(operation or EXAMPLES[name], Binding.TEXT_POST, f"OK\n\n{head}", unit, tail)


def _docs(operation: Operation[Any], head: str, unit: str, tail: str = "") -> Shape:
    return Shape(operation, Binding.HTTP_POST, head, unit, tail)


def _deep(shape: Shape, closing: str) -> Shape:
    """A shape whose units are closed again, in reverse."""
    return _Deep(shape.operation, shape.binding, shape.head, shape.unit, shape.tail, closing=closing)


@attrs.frozen
class _Deep(Shape):
    closing: str = attrs.field(kw_only=True)

    def body(self, size: int) -> bytes:
        room = size - len(self.head) - len(self.tail)
        count = room // (len(self.unit) + len(self.closing))
        return (self.head + self.unit * count + self.closing * count + self.tail).encode()


_REPORT = "getReport_v2"
_XML_REPORT = '<report><header><field id="0">Session ID</field><field id="1">Name</field></header><data>'
_TYPED = "Start Time|Session ID|Name|Total Time|\n"
_LISTING = '<response success="true" error="">'
_DOCUMENT = (
    '<document DocumentID="{}" Name="Report {}.pdf" Path="\\Public\\Report {}.pdf" Description="" Size="{}"'
    ' ModificationDate="2024-02-16T09:00:00" CheckoutDate="" OwnerName="JohnS" VersionNumber="1000000"/>'
)
_NODE_XML = "<HIERARCHY><iNodeID>{}</iNodeID><sName>Technician {}</sName><eType>Technician</eType></HIERARCHY>"
_SESSION_XML = (
    "<SESSION_V3><iID>{}</iID><bStatus>SESSION_WAITING</bStatus><sStatus>Waiting</sStatus><iEntry>0</iEntry><sEntry />"
    "<iTechnician>337366</iTechnician><sTechnician>John Doe</sTechnician><sStartTime>2/19/2024 2:36:37 PM</sStartTime>"
    "<iWaitingTimeInSec>35</iWaitingTimeInSec><sCustomField0>Customer {}</sCustomField0><sLanguage>en</sLanguage>"
    "</SESSION_V3>"
)

SHAPES: dict[str, Shape] = {
    # SOAP and forms of Rescue
    "soap: a text": _in_soap("getNote", "<sNote>", "a", "</sNote>"),
    "soap: a text of references": _in_soap("getNote", "<sNote>", "&lt;&#10;", "</sNote>"),
    "soap: a text of characters beyond ASCII": _in_soap("getNote", "<sNote>", "\U0001f600é", "</sNote>"),
    "soap: a text of control characters": _in_soap("getNote", "<sNote>", "\x0b&#xB;", "</sNote>"),
    "soap: a text of CDATA": _in_soap("getNote", "<sNote>", "<![CDATA[a]]>", "</sNote>"),
    "soap: comments": _in_soap("getNote", "<sNote>a</sNote>", "<!-- a -->"),
    "soap: instructions": _in_soap("getNote", "<sNote>a</sNote>", "<?a b?>"),
    "soap: elements of one name": _in_soap("getNote", "<sNote>a</sNote>", "<a/>"),
    "soap: elements of many names": _in_soap("getNote", "<sNote>a</sNote>", "<a{}/>"),
    "soap: elements in a text": _in_soap("getNote", "<sNote>", "a<b/>", "</sNote>"),
    "soap: elements with attributes": _in_soap("getNote", "<sNote>a</sNote>", '<a b="c" d="e"/>'),
    "soap: many attributes": _in_soap("getNote", "<sNote", ' a{}="b"', ">a</sNote>"),
    "soap: a long attribute": _in_soap("getNote", '<sNote a="', "b", '">a</sNote>'),
    "soap: many namespaces": _in_soap("getNote", "<sNote", ' xmlns:a{}="b{}"', ">a</sNote>"),
    "soap: elements in namespaces": _in_soap("getNote", "<sNote>a</sNote>", '<a xmlns="b{}"/>'),
    "soap: results": _in_soap("getNote", "<sNote>a</sNote>", "<getNoteResult>getNote_OK</getNoteResult>"),
    "soap: a long name": _in_soap("getNote", "<sNote>a</sNote><a", "b", "/>"),
    "soap: depth": _deep(_in_soap("getNote", "<sNote>", "<a>", "</sNote>"), "</a>"),
    "soap: depth that is not closed": _in_soap("getNote", "<sNote>", "<a>", "</sNote>"),
    "soap: sessions": _in_soap("getSession_V3", "<aSessions>", _SESSION_XML, "</aSessions>"),
    "soap: a hierarchy": _in_soap("getHierarchy", "<aHierarchy>", _NODE_XML, "</aHierarchy>"),
    "soap: a chat": _in_soap("getChat", "<sChatLog>", "10:03 AM T: a\n", "</sChatLog>"),
    "soap: a report as text": _in_soap(_REPORT, f"<sReport>{_TYPED}", "|{}|a||\n", "</sReport>", prefix="getReport"),
    "soap: a report as XML": _in_soap(
        _REPORT,
        f"<sReport><![CDATA[{_XML_REPORT}",
        '<row><field id="0">{}</field></row>',
        "</data></report>]]></sReport>",
        prefix="getReport",
    ),
    "soap: raw elements": _in_soap("getSomething", "", "<a>b</a>", operation=call_of("getSomething", {})),
    "form: elements": Shape(EXAMPLES["closeSession"], Binding.HTTP_POST, "<a>", "<b>c</b>", "</a>"),
    "form: a long word": Shape(EXAMPLES["closeSession"], Binding.HTTP_POST, "<a>", "b", "</a>"),
    # Text pages
    "page: a word": Shape(EXAMPLES["closeSession"], Binding.TEXT_POST, "OK", "K"),
    "page: blanks": Shape(EXAMPLES["closeSession"], Binding.TEXT_POST, "", " "),
    "page: blanks behind the word": _page("closeSession", "", " \n"),
    "page: bytes that are no text": Shape(
        EXAMPLES["getNote"],
        Binding.TEXT_POST,
        "OK\n\nNOTE:",
        "\x80",
        headers={"Content-Type": "text/plain; charset=ascii"},
    ),
    "page: an unknown word": Shape(EXAMPLES["closeSession"], Binding.TEXT_POST, "NEVER", "SEEN"),
    "page: a number": _page("getTimeZone", "TIMEZONE:", "9"),
    "page: a note of one line": _page("getNote", "NOTE:", "a"),
    "page: a note of empty lines": _page("getNote", "NOTE:", "\n"),
    "page: a note of keys": _page("getNote", "NOTE:", "NOTE:\n"),
    "page: a user with a description": _page("getUser", "NODEID:1\nNAME:a\nDESCRIPTION:", "NAME:a\nTYPE:b\n"),
    "page: a user with lines": _page("getUser", "NODEID:1\n", "NAME:a\n\n"),
    "page: an account": _page("getAccount", "", "AccountID:{}\nOrganization:a\n"),
    "page: a group's permissions": _page("getGroup", "NODEID:1\nNAME:a\nPERMISSIONS:", "a,"),
    "page: a chat": _page("getChat", "", "10:03 AM T: a\n"),
    "page: a chat of short lines": _page("getChat", "", "1:03\n"),
    "page: a chat of one time": _page("getChat", "10:03 AM T: a\n", "b\n"),
    "page: a chat of empty lines": _page("getChat", "10:03 AM T: a\n", "\n"),
    "page: a chat of one line": _page("getChat", "10:03 AM T: ", "a "),
    "page: a chat of colons": _page("getChat", "10:03 AM ", "a: "),
    "page: a chat of CRLF": _page("getChat", "", "10:03 AM T: a\r\n\r\n"),
    "page: a hierarchy": _page(
        "getHierarchy", "", "NodeID:{}\nParentID:1\nName:a\nStatus:Offline\nType:Technician\n\n"
    ),
    "page: a hierarchy of ids": _page("getHierarchy", "", "NodeID:1\n\n"),
    "page: a hierarchy of one node": _page("getHierarchy", "NodeID:1\nDescription:", "\nName:a\n", "Type:b\n"),
    "page: sessions": _page(
        "getSession_V3", _SESSION_TITLES, "{}|Waiting|1|a|0||2/16/2012 9:00 AM|13|b|c|||||en|||yes||\n"
    ),
    "page: sessions without cells": _page("getSession_V3", _SESSION_TITLES, "{}" + "|" * 19 + "\n"),
    # infoRouter
    "docs: a document's bytes": _docs(inforouter.DownloadDocument("/a"), '"', "YWJj", '"'),
    "docs: a document's bytes in an element": _docs(
        inforouter.DownloadDocument("/a"), "<base64Binary>", "YWJj", "</base64Binary>"
    ),
    "docs: bytes with blanks": _docs(inforouter.DownloadDocument("/a"), '"', "YWJj    ", '"'),
    "docs: bytes with escapes": _docs(inforouter.DownloadDocument("/a"), '"', "\\u0059WJj", '"'),
    "docs: JSON lists": _docs(inforouter.DownloadDocument("/a"), "", "["),
    "docs: JSON numbers": _docs(inforouter.DownloadDocument("/a"), "", "9"),
    "docs: JSON values": _docs(inforouter.DownloadDocument("/a"), "[1", ",[]", "]"),
    "docs: documents": _docs(inforouter.GetDocuments("/a"), _LISTING, _DOCUMENT, "</response>"),
    "docs: short documents": _docs(inforouter.GetFoldersAndDocuments("/a"), _LISTING, '<d id="{}"/>', "</response>"),
    "docs: folders": _docs(inforouter.GetFolders("/a"), _LISTING, '<f id="{}" n="a"/>', "</response>"),
    "docs: unknown elements": _docs(inforouter.GetDocument("/a"), _LISTING, "<a/>", "</response>"),
    "docs: elements of many names": _docs(inforouter.GetDocument("/a"), _LISTING, "<a{}/>", "</response>"),
    "docs: elements in a text": _docs(inforouter.GetDocument("/a"), _LISTING, "a<b/>", "</response>"),
    "docs: elements with attributes": _docs(inforouter.GetDocument("/a"), _LISTING, '<a b="c" d="e"/>', "</response>"),
    "docs: many attributes": _docs(inforouter.GetDocument("/a"), '<response success="true" error=""', ' a{}="b"', "/>"),
    "docs: attributes of many documents": _docs(
        inforouter.GetDocuments("/a"), _LISTING + '<d id="1"', ' a{}="b"', "/></response>"
    ),
    "docs: many namespaces": _docs(inforouter.GetDocument("/a"), '<response success="true"', ' xmlns:a{}="b"', "/>"),
    "docs: depth": _deep(_docs(inforouter.GetDocument("/a"), _LISTING, "<a>", "</response>"), "</a>"),
    "docs: a log": _docs(
        inforouter.Copy("/a", "/b"),
        '<response success="false" error="[log]">',
        "<log><item>a</item><error>b</error></log>",
        "</response>",
    ),
    "docs: logs in logs": _deep(
        _docs(
            inforouter.Copy("/a", "/b"),
            '<response success="false" error="[log]">',
            "<log><error>b</error>",
            "</response>",
        ),
        "</log>",
    ),
    "docs: a long error": _docs(inforouter.GetDocument("/a"), '<response success="false" error="', "%2525", '"/>'),
    "docs: a long code": _docs(inforouter.GetDocument("/a"), '<response success="false" error="[', "9", ']"/>'),
    "docs: success of blanks": _docs(inforouter.GetDocument("/a"), '<response success="', " ", 'true"/>'),
    # Errors
    "error: a page of HTML": Shape(
        EXAMPLES["closeSession"], Binding.SOAP11, "<!DOCTYPE html><html>", "<p>a</p>", "</html>"
    ),
    "error: a page of HTML with 503": Shape(
        EXAMPLES["closeSession"], Binding.SOAP11, "<html>", "<p>a</p>", "</html>", status=503
    ),
    "error: a page of a stack trace": Shape(
        EXAMPLES["closeSession"], Binding.HTTP_POST, "", "at System.Web()\n", status=500
    ),
    "error: a fault": Shape(
        EXAMPLES["closeSession"],
        Binding.SOAP11,
        '<soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Body><soap:Fault>'
        "<faultcode>soap:Server</faultcode><faultstring>",
        "at System.Web()\n",
        "</faultstring></soap:Fault></soap:Body></soap:Envelope>",
        status=500,
    ),
    "error: blanks before XML": Shape(EXAMPLES["closeSession"], Binding.SOAP11, "", " ", "<a/>"),
    "error: byte order marks": Shape(EXAMPLES["closeSession"], Binding.SOAP11, "", "\ufeff", "<a/>"),
    "error: XML that is not well-formed": Shape(EXAMPLES["closeSession"], Binding.SOAP11, "<a>", "<b></b>", "</c>"),
    "error: references that are none": Shape(
        EXAMPLES["closeSession"], Binding.SOAP11, "<a>\x01", "&#xZ;&#99999999;", "</a>"
    ),
    "error: less-than": Shape(EXAMPLES["closeSession"], Binding.SOAP11, "<a>", "<"),
    "error: begun CDATA": Shape(EXAMPLES["getNote"], Binding.SOAP11, "<a>\x01", "<![CDATA[", "</a>"),
    "error: a name without end": Shape(EXAMPLES["getNote"], Binding.SOAP11, "<", "a"),
    "error: an attribute without end": Shape(EXAMPLES["getNote"], Binding.SOAP11, '<a b="', "a"),
    "error: a comment without end": Shape(EXAMPLES["getNote"], Binding.SOAP11, "<a><!--", "a"),
    "error: an instruction without end": Shape(EXAMPLES["getNote"], Binding.SOAP11, "<a><?b ", "a"),
    "error: CDATA without end": Shape(EXAMPLES["getNote"], Binding.SOAP11, "<a><![CDATA[", "a"),
    "error: an end without end": Shape(EXAMPLES["getNote"], Binding.SOAP11, "<a></", "a"),
    "error: attributes without end": Shape(EXAMPLES["getNote"], Binding.SOAP11, "<a", ' b{}="c"'),
    "error: a broken declaration": Shape(EXAMPLES["getNote"], Binding.SOAP11, '<?xml version="1.0" encoding="', "a"),
}


def _reports() -> dict[str, Shape]:
    get = rescue.GetReportV2(1)

    def page(head: str, unit: str, tail: str = "") -> Shape:
        return _page("", head, unit, tail, get)

    columns = "".join(f"C{number}|" for number in range(1_500))
    return {
        "report: rows of small numbers": page("Session ID|\n", "{}|\n"),
        "report: rows of one sign": page("Name|\n", "a|\n"),
        "report: rows of small texts": page("A|B|C|\n", "a|b|{}|\n"),
        "report: rows of large texts": page("Name|Note|\n", f"{'a' * 500}|{'b' * 500}|\n"),
        "report: typed rows": page(_TYPED, "2/16/2012 9:00:00 AM|{}|Jane Doe|0:05:00|\n"),
        "report: typed rows of equal cells": page(_TYPED, "2/16/2012 9:00:00 AM|1|Jane Doe|0:05:00|\n"),
        "report: rows without cells": page("A|B|C|D|E|F|\n", "||||||\n"),
        "report: rows with a surplus": page(_TYPED, "2/16/2012 9:00:00 AM|{}|a|b|0:05:00|\n"),
        "report: rows with line breaks": page(_TYPED, "2/16/2012 9:00:00 AM|{}|a\nb|0:05:00|\n"),
        "report: rows of 1,500 columns": page(columns + "\n", "a|" * 1_500 + "\n"),
        "report: rows of 1,500 columns with a surplus": page(columns + "\n", "a|" * 1_501 + "\n"),
        "report: a line of blanks": page("A|B|\n", " "),
        "report: empty lines": page("A|B|\n", "\n", "a|b|\n"),
        "report: lines of bars": page("A|B|\n", "|"),
        "report: a row of lines": page("A|B|\n", "a\n", "|b|\n"),
        "report: rows in rows": page(_TYPED, "2/16/2012 9:00:00 AM|1|a\n"),
        "report: a long header": page("", "a|", "\n"),
        "report: a header of crosses": page("A", "#", "\n"),
        "report: a header of titles and crosses": page("", "A###", "\n"),
        "report: rows of CRLF": page("A|B|\r\n", "a|{}|\r\n"),
        "report: carriage returns": page("A|B|\r\n", "\r", "|b|\r\n"),
        "report: XML rows": page(
            _XML_REPORT, '<row><field id="0">{}</field><field id="1">a</field></row>', "</data></report>"
        ),
        "report: XML rows without cells": page(_XML_REPORT, "<row/>", "</data></report>"),
        "report: XML rows with one cell": page(_XML_REPORT, '<row><field id="1">a</field></row>', "</data></report>"),
        "report: XML rows with odd characters": page(
            _XML_REPORT, '<row><field id="1">&#xB;</field></row>', "</data></report>"
        ),
        "report: XML with many columns": page("<report><header>", '<field id="{}">a</field>', "</header></report>"),
        "report: XML with elements in a field": page(
            _XML_REPORT + '<row><field id="0">', "<b/>a", "</field></row></data></report>"
        ),
        "report: XML with other elements": page(_XML_REPORT, "<b/>", "</data></report>"),
        "report: XML with a long field": page(
            _XML_REPORT + '<row><field id="0">', "a", "</field></row></data></report>"
        ),
        "report: XML with many attributes": page(_XML_REPORT + "<row", ' a{}="b"', "/></data></report>"),
        "report: XML depth": _deep(
            page(_XML_REPORT + '<row><field id="0">', "<a>", "</field></row></data></report>"), "</a>"
        ),
    }


SHAPES.update(_reports())
