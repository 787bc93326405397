"""Requests and responses as values, which codecs write and read and the transport sends and receives."""

import base64
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from aiorescue.operation import Parameter, StreamedText, frozen
from aiorescue.wire.charset import decoded, encoding_of, pieces_of

#: A form or query that lacks only the authorization: written out, or in pairs if it holds bytes.
FormDraft = str | Sequence[tuple[str, str | bytes]]


@frozen
class Authorization:
    """What a request is authorized by: a code, a cookie, or nothing (`ANONYMOUS`).

    Attributes:
        code: auth code or ticket, the value of the operation's identity parameter; empty without one.
        cookie: the whole Cookie header; empty without one.
    """

    code: str = attrs.field(default="", repr=False)
    cookie: str = attrs.field(default="", repr=False)

    @property
    def secrets(self) -> list[str]:
        """The code and the values of the cookies, which no message may show."""
        cookies = (pair.partition("=")[2].strip() for pair in self.cookie.split(";"))
        return [value for value in (self.code, *cookies) if value]


@attrs.define  # not frozen, as `Outcome`
class Request:
    """An HTTP request, ready to be sent. Its body, query and headers may hold secrets.

    Attributes:
        method: ``GET`` or ``POST``.
        path: path of the URL, below the client's base URL.
        query: query of the URL, encoded; empty without one.
        headers: headers beside those that all requests have.
        body: the body of a POST.
        streamed: True if the answer may be too long for memory.
    """

    method: str
    path: str
    query: str = attrs.field(default="", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    streamed: bool = False


class Unreadable(ValueError):
    """A response that cannot be decoded.

    Attributes:
        cut: it stopped before its end, so that another attempt may bring all of it.
        too_large: it has more bytes than are received.
    """

    def __init__(self, why: str, *, cut: bool = False, too_large: bool = False) -> None:
        super().__init__(why)
        self.cut = cut
        self.too_large = too_large


#: The authorization of requests that need none.
ANONYMOUS = Authorization()


@attrs.define  # not frozen, as `Outcome`
class Response:
    """An HTTP response, received to its end.

    Attributes:
        status: the HTTP status code.
        body: the body, or its beginning where there is a `stream` or a `problem`.
        headers: headers of the response.
        stream: the whole body, where it is too long for memory.
        problem: why it could not be received whole.
    """

    status: int
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    stream: StreamedText | None = None
    problem: Unreadable | None = None

    @property
    def text(self) -> str:
        """The body as text. An unknown charset is read as UTF-8; U+FFFD stands for bytes that are not valid in it."""
        return decoded(self.body, self.encoding)

    @property
    def pieces(self) -> list[str]:
        """The text in pieces, for decoders that take them so: no other thread runs while a long text is joined."""
        return pieces_of(self.body, self.encoding)

    @property
    def encoding(self) -> str:
        """The encoding of the body; see `encoding_of`."""
        return encoding_of(self.body, self.headers.get("Content-Type", ""))

    @property
    def cookies(self) -> tuple[str, ...]:
        """The values of its Set-Cookie headers, without those whose cookie no request could bring back."""
        values = (value for name, value in self.headers.items() if name.lower() == "set-cookie")
        return tuple(value for value in values if value.partition(";")[0].strip().isprintable())


def writer(parameter: Parameter, *, true: str = "true", false: str = "false") -> Callable[[Any], str]:
    """The function that writes a parameter's values as text; `true` and `false` are a bool's spellings."""
    if issubclass(parameter.holds, bool):
        return {True: true, False: false}.__getitem__
    if issubclass(parameter.holds, bytes):
        return lambda value: base64.b64encode(value).decode("ascii")
    # Not `str`: a member of an enum is written as its text or number, not as its name.
    return int.__repr__ if issubclass(parameter.holds, int) else str.__str__
