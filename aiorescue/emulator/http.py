"""HTTP as the emulator sees it, without a framework: requests, replies, ASP.NET's error pages, and forms."""

import html
import re
from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from urllib.parse import parse_qsl

import attrs

from aiorescue.emulator.rules.call import ReceivedCall, Result
from aiorescue.operation import Binding, frozen

#: Characters of a query that ASP.NET accepts.
LONGEST_QUERY = 2048

XML_TYPE = "text/xml; charset=utf-8"
FORM_TYPE = "application/x-www-form-urlencoded"
PARTS_TYPE = "multipart/form-data"

_PART_NAME = re.compile(rb'[; ]name="([^"]*)"')


@frozen
class Incoming:
    """A request as it arrived.

    Attributes:
        method: HTTP method.
        path: path of the URL, in the client's upper and lower case.
        query: query of the URL, still encoded.
        headers: headers; names in upper or lower case are equal.
        body: body of the request.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def media_type(self) -> str:
        """The content type without its parameters, in small letters."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def cookie(self, name: str) -> str:
        """Value of the first cookie of a name, or empty; upper and lower case differ, as on the real server."""
        for part in self.headers.get("Cookie", "").split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
        return ""


@frozen
class Reply:
    """A response of the server.

    Attributes:
        body: body of the response.
        content_type: content type of the response.
        status: HTTP status of the response.
        close: whether the connection is closed after it, as ASP.NET does after an error of its own.
        headers: headers beyond the content type.
        word: status word for the request log; empty where the log takes it from elsewhere.
    """

    body: bytes = b""
    content_type: str = XML_TYPE
    status: int = 200
    close: bool = False
    headers: Mapping[str, str] = attrs.field(factory=dict)
    word: str = ""


class NotACall(Exception):
    """Request that is not a call of an operation; the server answers it by itself with `reply`."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


@frozen
class ReadCall:
    """The call that was read from a request.

    Attributes:
        call: the call.
        binding: binding by which the call came.
        write: writes a result as a reply of the binding.
        words: status words of refusals that the binding calls by another name.
    """

    call: ReceivedCall
    binding: Binding
    write: Callable[[Result], Reply]
    words: Mapping[str, str] = attrs.field(factory=dict)

    def named(self, result: Result) -> Result:
        """A result with the binding's own name for its status word."""
        word = self.words.get(result.word)
        return result if word is None else result._replace(word=word)


def error_page(status: int, text: str, *, close: bool = True) -> Reply:
    """Error page of ASP.NET itself, in HTML."""
    title = html.escape(HTTPStatus(status).phrase)
    page = (
        '<?xml version="1.0" encoding="utf-8"?>\n<html xmlns="http://www.w3.org/1999/xhtml">\n'
        f"<head><title>{title}</title></head>\n"
        f"<body><h1>Server Error in '/' Application</h1><h2>{title}</h2><p>{html.escape(text)}</p></body>\n</html>\n"
    )
    return Reply(page.encode(), "text/html", status, close=close)


def not_found(path: str) -> Reply:
    """Error page for a path without a page; unlike other errors this one keeps the connection open."""
    return error_page(404, f"The resource cannot be found. Requested URL: {path}", close=False)


# --- forms ----------------------------------------------------------------------------------------


def pairs(text: str) -> list[tuple[str, str]]:
    """Names and values of a form or query, in order."""
    return parse_qsl(text, keep_blank_values=True, errors="replace")


def parts(body: bytes, content_type: str) -> dict[str, bytes]:
    """Values of a multipart form, by their names in small letters; the first of two values counts."""
    boundary = content_type.partition("boundary=")[2].partition(";")[0].strip('"').encode()
    found: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + boundary)[1:]:
        head, separator, content = part.partition(b"\r\n\r\n")
        name = _PART_NAME.search(head)
        if separator and name is not None:
            found.setdefault(name[1].decode("utf-8", "replace").lower(), content)
    return found


def joined(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Fields as ASP.NET sees them: by names in small letters, values of one name joined with commas."""
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(name.lower(), []).append(value)
    return {name: ",".join(values) for name, values in found.items()}


def check_query(request: Incoming) -> None:
    """Raise NotACall for a query that is longer than ASP.NET accepts."""
    if len(request.query) > LONGEST_QUERY:
        raise NotACall(error_page(400, "The length of the query string for this request exceeds the limit."))


def dangerous(text: str) -> bool:
    """Whether ASP.NET's request validation rejects a value, which it does for markup and character references."""
    for index, character in enumerate(text[:-1]):
        following = text[index + 1]
        if character == "<" and ((following.isascii() and following.isalpha()) or following in "!/?"):
            return True
        if character == "&" and following == "#":
            return True
    return False
