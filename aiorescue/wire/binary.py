"""Bytes in answers: base64, and JSON strings of it, read piece by piece.

Base64 of sixteen megabytes takes Python thirty milliseconds, JSON of that length more, and no other thread runs then.
"""

import base64
import json
import re

from aiorescue.wire.bounded import PIECE
from aiorescue.wire.message import Unreadable

#: Signs that base64 must not hold: in the place of one, bytes may be lost. Blanks, line breaks, and the dots by which
#: the vendor's pages shorten their samples are passed over.
_OTHER = r"[^A-Za-z0-9+/=.\s]"
_BLANKS = r"[.\s]+"
_QUANTUM = 4
#: A part of a JSON string that ends with no half of an escape.
_WHOLE = r"(?:[^\\]+|\\u[0-9a-fA-F]{4}|\\[^u])*"


def from_base64(text: str) -> bytes:
    """Decode base64; blanks, line breaks and dots in it are ignored. Raises `Unreadable`."""
    decoded, rest, ended = [], "", False
    for start in range(0, len(text), PIECE):
        piece = text[start : start + PIECE]
        if re.search(_OTHER, piece, re.ASCII):
            raise Unreadable("the answer's base64 holds other characters")
        rest += re.sub(_BLANKS, "", piece, flags=re.ASCII)
        whole, rest = _split(rest)
        if (ended and whole) or "=" in whole.rstrip("="):
            raise Unreadable("the answer's base64 goes on behind its end")
        ended = ended or whole.endswith("=")
        decoded.append(_decoded(whole))
    if rest and ended:
        raise Unreadable("the answer's base64 goes on behind its end")
    return b"".join([*decoded, _decoded(rest)])


def _split(text: str) -> tuple[str, str]:
    """All groups of four signs that are complete, and the rest."""
    whole = len(text) // _QUANTUM * _QUANTUM
    return text[:whole], text[whole:]


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text)
    except ValueError:
        raise Unreadable("the answer's base64 stops before its end", cut=True) from None


def from_json(text: str) -> bytes:
    """Decode a JSON string of base64; null and an empty text have no bytes. Raises `Unreadable`."""
    text = text.strip()
    if text in ("", "null"):
        return b""
    if not text.startswith('"'):
        raise Unreadable("the answer is no JSON string")
    return from_base64(_unescaped(text))


def _unescaped(text: str) -> str:
    """Decode a JSON string. Raises `Unreadable` for any other text."""
    pieces, start, last = [], 1, len(text) - 1
    if not last or text[last] != '"':
        raise _no_string()
    while start < last:
        found = re.compile(_WHOLE).match(text, start, min(last, start + PIECE))
        if found is None or not found[0]:
            raise _no_string()
        try:
            pieces.append(json.loads(f'"{found[0]}"'))
        except ValueError:
            raise _no_string() from None
        start = found.end()
    return "".join(pieces)


def _no_string() -> Unreadable:
    return Unreadable("the answer is no JSON string", cut=True)
