"""A request and a response as values, for the codecs on one side and the transport on the other."""

import base64
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from aiorescue.operation import Parameter, StreamedText

#: What an operation says, written for one binding; only who calls is missing. A form with bytes in it stays in pairs.
Draft = str | Sequence[tuple[str, str | bytes]]

#: Where the headers name no charset, an XML document may.
_DECLARED = re.compile(r"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)")
_PROLOG = 128
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)


@attrs.frozen
class Authorization:
    """Who is calling, as it appears on the wire.

    Attributes:
        code: value of the operation's identity parameter (auth code or ticket); empty if there is none.
        cookie: the whole Cookie header; empty if there is none.
    """

    code: str = attrs.field(default="", repr=False)
    cookie: str = attrs.field(default="", repr=False)

    @property
    def secrets(self) -> list[str]:
        """The values that must not be shown."""
        cookies = (pair.partition("=")[2].strip() for pair in self.cookie.split(";"))
        return [value for value in (self.code, *cookies) if value]


@attrs.define  # not frozen, as `Outcome`
class Request:
    """What is sent. The body may hold secrets, and so may the query of a GET.

    Attributes:
        streamed: its answer may be too long for the memory.
    """

    method: str
    path: str
    query: str = attrs.field(default="", repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    body: bytes | None = attrs.field(default=None, repr=False)
    streamed: bool = False


class Unreadable(ValueError):
    """An answer that is none.

    Attributes:
        cut: it stopped before its end, so that another attempt may bring all of it.
    """

    def __init__(self, why: str, *, cut: bool = False) -> None:
        super().__init__(why)
        self.cut = cut


#: Who calls where nobody is asked for.
ANONYMOUS = Authorization()


@attrs.define  # not frozen, as `Outcome`
class Response:
    """What came back, read to its end.

    Attributes:
        stream: the whole body where it is too long for the memory; then `body` is its beginning.
        problem: why it is no answer, if that shows on its way; then `body` is its beginning.
    """

    status: int
    body: bytes = attrs.field(repr=False)
    headers: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    stream: StreamedText | None = None
    problem: Unreadable | None = None

    @property
    def text(self) -> str:
        """The body as text. An unknown charset is read as UTF-8, and what is no text is replaced."""
        named = _CHARSET.search(self.headers.get("Content-Type", "")) or _DECLARED.match(
            self.body[:_PROLOG].decode("ascii", "replace")
        )
        try:
            return self.body.decode(named[1] if named else "utf-8", "replace")
        except LookupError:
            return self.body.decode("utf-8", "replace")

    @property
    def cookies(self) -> tuple[str, ...]:
        """All that it sets."""
        return tuple(value for name, value in self.headers.items() if name.lower() == "set-cookie")


def writer(parameter: Parameter, *, true: str = "true", false: str = "false") -> Callable[[Any], str]:
    """What writes a parameter's values for the wire."""
    if issubclass(parameter.holds, bool):
        return {True: true, False: false}.__getitem__
    if issubclass(parameter.holds, bytes):
        return lambda value: base64.b64encode(value).decode("ascii")
    # Not `str`: a member of an enum is written as its text or number, not as its name.
    return int.__repr__ if issubclass(parameter.holds, int) else str.__str__
