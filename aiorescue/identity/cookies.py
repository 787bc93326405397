"""`Cookies`: the cookies of one server session, kept as a cookie jar keeps them (RFC 6265).

The standard library's parsers do not fit: `http.cookies` drops a whole header for one character that it does not expect
in a value, and `http.cookiejar` works on requests of `urllib`. What a server session needs of a jar is small, because
all its requests go to one host and below one path.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

import attrs

from aiorescue.clock import Clock
from aiorescue.operation import frozen
from aiorescue.wire.dates import seconds_until

#: The most characters of a cookie, name and value together, and the most cookies of a session: as in browsers.
MAX_COOKIE, MAX_COOKIES = 4096, 50

_NEVER = float("inf")


@frozen
class _Cookie:
    """The value of one cookie, and how long it is sent.

    Attributes:
        value: value of the cookie as it came, with quotes if it had any; a secret.
        expires: moment after which it is not sent, in seconds of the clock; None if the server named no time.
    """

    value: str = attrs.field(repr=False)
    expires: float | None


class Cookies:
    """The cookies of one server session, and the Cookie header that they make.

    Of several cookies with one name the last counts. A cookie that comes empty or expired removes the one of its name,
    and one whose time is over is not sent any more. Ignored are cookies for other hosts and paths, those without a
    name, those with control characters, which could not be sent back, and those longer than a browser would keep.

    Args:
        url: the URL below which all requests go, such as ``https://host/API/``.
        clock: the client's clock.
    """

    def __init__(self, url: str, clock: Clock) -> None:
        parts = urlsplit(url.lower())
        self._host, self._path = parts.hostname or "", parts.path
        self._clock = clock
        self._cookies: dict[str, _Cookie] = {}
        self._header = ""
        self._next_end = _NEVER  # when the first of them ends

    @property
    def header(self) -> str:
        """The value of the Cookie header; empty without cookies."""
        if self._next_end != _NEVER and self._clock.time() >= self._next_end:
            self._write()
        return self._header

    def clear(self) -> None:
        """Forget all cookies, so that the header is empty until a response sets new ones."""
        self._cookies.clear()
        self._write()

    def update(self, headers: Iterable[str], date: str | None = None) -> None:
        """Take the cookies that a response sets.

        Args:
            headers: the values of its Set-Cookie headers, in order.
            date: Date header of the response, by which the times of the cookies are read; None to go by the local time.
        """
        for header in headers:
            self._set(header, date)
        self._write()

    def _set(self, header: str, date: str | None) -> None:
        pair, _, rest = header.partition(";")
        name, _, value = (part.strip() for part in pair.partition("="))
        if not (name and pair.strip().isprintable() and len(name) + len(value) <= MAX_COOKIE):
            return
        given = (attribute.partition("=") for attribute in rest.split(";"))
        attributes = {key.strip().lower(): text.strip() for key, _, text in given}
        if not (self._is_below(attributes.get("domain", "")) and self._is_covered(attributes.get("path", ""))):
            return
        seconds = _lifetime(attributes, date)
        if not value.strip('"') or (seconds is not None and seconds <= 0):
            self._cookies.pop(name, None)
        elif name in self._cookies or len(self._cookies) < MAX_COOKIES:
            self._cookies[name] = _Cookie(value, None if seconds is None else self._clock.time() + seconds)

    def _is_below(self, domain: str) -> bool:
        """Whether the host is the domain of a Domain attribute, or below it; an empty one counts as left out."""
        name = domain.lower().removeprefix(".")
        return name in ("", self._host) or self._host.endswith(f".{name}")

    def _is_covered(self, path: str) -> bool:
        """Whether a Path attribute covers a request of the session; one without a leading ``/`` counts as left out."""
        if not path.startswith("/"):
            return True
        folder = path.lower().rstrip("/") + "/"
        return self._path.startswith(folder) or folder.startswith(self._path)

    def _write(self) -> None:
        now = self._clock.time()
        over = [name for name, cookie in self._cookies.items() if cookie.expires is not None and cookie.expires <= now]
        for name in over:
            del self._cookies[name]
        self._next_end = min((one.expires for one in self._cookies.values() if one.expires is not None), default=_NEVER)
        self._header = "; ".join(f"{name}={cookie.value}" for name, cookie in self._cookies.items())


def _lifetime(attributes: dict[str, str], date: str | None) -> float | None:
    """Seconds that a cookie lives: by Max-Age, or else by Expires; None if it names no time that can be read."""
    age = attributes.get("max-age", "")
    if age.isascii() and age.removeprefix("-").isdigit():
        return float(age)
    return seconds_until(attributes.get("expires", ""), date)
