"""Mutations of answers that keep to their structure: elements, lines, words, namespaces and encodings out of place."""

import re
from random import Random

from tests.lab.mutations import CHARSETS

_TAG = re.compile(r"<(/?)([A-Za-z_][\w:.-]*)[^<>]*?(/?)>")
#: Tags that are looked at, and lines.
_MOST = 400
_SPACE = re.compile(r'xmlns(?::\w+)?="([^"]*)"')
_SPACES = (
    "http://schemas.xmlsoap.org/soap/envelope/",
    "http://www.w3.org/2003/05/soap-envelope",
    "https://secure.logmeinrescue.com/API/API.asmx",
    "http://tempuri.org/",
    "",
    "urn:other",
)
_OK = re.compile(r"\w*_OK\b|^OK\b|TRUE|true\b")
_WORDS = (
    *("OK", "getNote_OK", "requestPINCode_OK", "ok", "OK_", "_OK", "TRUE", "false", "Error", "requestPINCode_Error"),
    *("requestPINCode_PollRateExceeded", "POLLRATEEXCEEDED", "Invalid_SecretAuthCode", "NOTLOGGEDIN", "", "1"),
)
#: What may stand around an element or a line: it is no longer one, or no longer where it was.
_AROUND = (
    *(("<!--", "-->"), ("<![CDATA[", "]]>"), ("<?a ", "?>"), ("<b>", "</b>"), ("<b>x", "</b>"), ("x", ""), ("", "x")),
    *(('<b xmlns="urn:other">', "</b>"), (" ", "\n"), ("NOTE:", ""), ("|", "|"), ("&lt;", "&gt;")),
)


def changed(body: bytes, other: bytes, random: Random) -> bytes:
    """A body with one to three of its parts out of place.

    Args:
        body: the answer.
        other: an answer to another operation, parts of which may come into the first.
        random: makes the choices.
    """
    text = body.decode("utf-8", "surrogateescape")
    for _ in range(random.randint(1, 3)):
        text = random.choice((_moved, _moved, _moved, _renamed, _reworded))(text, other, random)
    return text.encode("utf-8", "surrogateescape")


def recoded(body: bytes, random: Random) -> tuple[bytes, dict[str, str]]:
    """A body in another encoding, and headers that name it, another one or none."""
    text = body.decode("utf-8", "surrogateescape")
    encoding = random.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "cp1252", "shift_jis", "gb18030"))
    named = encoding if random.random() < 0.6 else random.choice(CHARSETS)
    if random.random() < 0.5:
        text = f'<?xml version="1.0" encoding="{named}"?>' + re.sub(r"^\s*<\?xml.*?\?>", "", text, flags=re.DOTALL)
    kind = random.choice(("text/xml", "text/plain", "text/html", "application/json", "application/soap+xml"))
    headers = {"Content-Type": kind if random.random() < 0.3 else f"{kind}; charset={named}"}
    if random.random() < 0.1:
        headers["Content-Encoding"] = random.choice(("gzip", "br", "identity", "x"))
    return text.encode(encoding, "replace"), headers


def _parts(text: str) -> list[tuple[int, int]]:
    """Where the elements of a text begin and end; of one without elements, its lines."""
    found, begun = [], list[tuple[str, int]]()
    for number, tag in enumerate(_TAG.finditer(text)):
        if number == _MOST:
            break
        closes, name, is_empty = tag.groups()
        if is_empty:
            found.append(tag.span())
        elif not closes:
            begun.append((name, tag.start()))
        elif begun and begun[-1][0] == name:
            found.append((begun.pop()[1], tag.end()))
    return found or [line.span() for line in list(re.finditer(r"[^\n]*\n|[^\n]+$", text))[:_MOST]] or [(0, len(text))]


def _moved(text: str, other: str | bytes, random: Random) -> str:
    """A text with one part left out, twice, elsewhere, wrapped, or in place of another one or of one of `other`."""
    parts = _parts(text)
    start, end = random.choice(parts)
    part, place = text[start:end], random.choice(random.choice(parts))
    foreign = other.decode("utf-8", "surrogateescape") if isinstance(other, bytes) else other
    first, last = random.choice(_parts(foreign))
    before, behind = random.choice(_AROUND)
    without = text[:start] + text[end:]
    place_without = min(place, len(without))
    return random.choice(
        (
            without,
            text[:end] + part + text[end:],
            without[:place_without] + part + without[place_without:],
            text[:place] + part + text[place:],
            text[:start] + foreign[first:last] + text[end:],
            text[:place] + foreign[first:last] + text[place:],
            text[:start] + before + part + behind + text[end:],
        )
    )


def _renamed(text: str, _: bytes, random: Random) -> str:
    """A text with another namespace; one without any has an element under another name."""
    spaces = list(_SPACE.finditer(text))
    if spaces and random.random() < 0.7:
        space = random.choice(spaces)
        return text[: space.start(1)] + random.choice(_SPACES) + text[space.end(1) :]
    tags = list(_TAG.finditer(text))[:_MOST]
    names = [tag[2] for tag in tags] or re.findall(r"(?m)^(\w+):", text) or ["OK"]
    return text.replace(random.choice(names), random.choice(names), random.choice((1, 2, -1)))


def _reworded(text: str, _: bytes, random: Random) -> str:
    """A text with another status word."""
    return _OK.sub(random.choice(_WORDS), text, count=random.choice((0, 1)))
