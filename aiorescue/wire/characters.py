"""Characters that XML does not allow are replaced where an answer holds them, so that the rest can be read.

A control character or half of a surrogate pair, raw or as a reference (``&#xB;``), would cost the whole document, and
so would a reference to a number beyond all characters (``&#x110000;``).
"""

import re
from collections.abc import Iterable
from typing import Final

#: The character that takes the place of one that XML does not allow.
REPLACEMENT: Final = "\ufffd"
# The expressions are compiled at their first use, which few programs come to.
_RAW = "\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f\\ufffe\\uffff\\ud800-\\udfff"
_ODD = f"[{_RAW}]|&#(?:x([0-9a-fA-F]+)|([0-9]+));|<!\\[CDATA\\["
_RAW_ONLY = f"[{_RAW}]"
#: What may go on in the next piece: a reference, and the beginning or the end of a CDATA section.
_BEGUN = r"(?:&(?:#(?:x[0-9a-fA-F]*|[0-9]*)?)?|<(?:!(?:\[(?:C(?:D(?:A(?:TA?)?)?)?)?)?)?|\]\]?)\Z"
_END_OF_CDATA = "]]>"
#: Characters of the longest reference that is taken for one.
_LONGEST: Final = 32
_LAST: Final = 0x10FFFF


class Replacing:
    """Replaces what XML does not allow in a document that comes in pieces."""

    def __init__(self) -> None:
        self._rest = ""  # the end of a piece: a reference that is not complete, perhaps
        self._in_cdata = False
        #: Whether anything was replaced.
        self.changed = False

    def feed(self, text: str) -> str:
        """Replace in one piece what XML does not allow; what is cut in two at its end is kept for the next piece."""
        text = self._rest + text
        self._rest = ""
        # Whether the end of the piece lies in a CDATA section is not known here: what is held back comes with the next.
        begun = re.compile(_BEGUN).search(text, max(0, len(text) - _LONGEST))
        if begun is not None:
            text, self._rest = text[: begun.start()], begun[0]
        return self._replace(text)

    def end(self) -> str:
        """What `feed` has kept of the last piece, when there are no more pieces."""
        rest, self._rest = self._rest, ""
        return self._replace(rest)

    def _replace(self, text: str) -> str:
        parts: list[str] = []
        position = 0
        while position < len(text):
            if self._in_cdata:
                end = text.find(_END_OF_CDATA, position)
                stop = len(text) if end < 0 else end
                plain, count = re.subn(_RAW_ONLY, REPLACEMENT, text[position:stop])
                parts.append(plain)
                self.changed = self.changed or count > 0
                position, self._in_cdata = stop, end < 0
                continue
            found = next((one for one in re.compile(_ODD).finditer(text, position) if _is_odd(one)), None)
            stop = len(text) if found is None else found.start()
            parts.append(text[position:stop])
            position = stop
            if found is not None:
                position = found.end()
                self._in_cdata = found[0].startswith("<")
                self.changed = self.changed or not self._in_cdata
                parts.append(found[0] if self._in_cdata else REPLACEMENT)
        return "".join(parts)


def _is_odd(found: "re.Match[str]") -> bool:
    """Whether a match has to be looked at: a character that is not allowed, or the beginning of a CDATA section."""
    if not found[0].startswith("&"):
        return True
    digits, base = (found[1].lstrip("0"), 16) if found[1] else (found[2].lstrip("0"), 10)
    number = int(digits or "0", base) if len(digits) <= _LONGEST else _LAST + 1
    return number > _LAST or re.match(_RAW_ONLY, chr(number)) is not None


def replaced(pieces: Iterable[str]) -> list[str] | None:
    """Replace in a whole document, given in pieces, what XML does not allow; None where there is nothing to replace."""
    replacing = Replacing()
    found = [*map(replacing.feed, pieces), replacing.end()]
    return found if replacing.changed else None
