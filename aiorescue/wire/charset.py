"""Charsets: which encoding the text of a response is decoded with, whatever name the server gives it.

Python has codecs that no page's text is encoded with (``idna``, ``punycode``, ``unicode_escape``, ``undefined``,
``base64``), that raise where they should replace, or whose time grows with the square of the length. A server could
name any of them. So only the encodings in the list below are taken, by name, before Python looks for a codec.

A wrong name must not hide a secret: what is read as UTF-16 or EBCDIC and is not shows none of the words that stand in
it, yet can be turned back. So in all encodings of the list ASCII is ASCII, but for UTF-16 and UTF-32, which are taken
for a text whose first bytes show them.
"""

import codecs
import re
import sys
from encodings.aliases import aliases
from functools import lru_cache

UTF_8 = "utf_8"
#: Bytes that are decoded at once.
_PIECE = 2**16
#: Encodings with a byte for each character.
_SINGLE = frozenset(
    f"""
    ascii latin_1 koi8_r koi8_t koi8_u kz1048 ptcp154 tis_620
    iso8859_2 iso8859_3 iso8859_4 iso8859_5 iso8859_6 iso8859_7 iso8859_8 iso8859_9 iso8859_10 iso8859_11 iso8859_13
    iso8859_14 iso8859_15 iso8859_16
    {" ".join(f"cp{page}" for page in range(1250, 1259))}
    cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861 cp862 cp863
    cp865 cp866 cp869 cp874 cp1006 cp1125
    mac_cyrillic mac_greek mac_iceland mac_latin2 mac_roman mac_turkish
    """.split()
)
#: Encodings whose characters have two or four bytes, so that nothing in them can be read as ASCII.
_WIDE = frozenset(["utf_16", "utf_16_be", "utf_16_le", "utf_32", "utf_32_be", "utf_32_le"])
#: Marks at the beginning of a text that tell the order of its bytes, by the encoding that goes by them.
_MARKS = {
    "utf_16": (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE),
    "utf_32": (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE),
}
_ALL_MARKS = (codecs.BOM_UTF8, *_MARKS["utf_32"], *_MARKS["utf_16"])
_LONGEST_MARK = 4
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([^\s;\"']+)", re.IGNORECASE)
#: Where the headers name no charset, an XML document may, within its first bytes.
_DECLARED = re.compile(r"\s*<\?xml[^>]*?encoding\s*=\s*[\"']([\w.:-]+)")
_PROLOG = 128
#: Encodings with one byte or more for each character, in which ASCII is ASCII.
_SEVERAL = frozenset(
    {
        *("utf_8", "utf_8_sig", "big5", "big5hkscs", "gb2312", "gbk", "gb18030", "cp932", "cp949", "cp950"),
        *("euc_jp", "euc_jis_2004", "euc_jisx0213", "euc_kr", "johab", "shift_jis"),
        *("iso2022_jp", "iso2022_jp_1", "iso2022_jp_2", "iso2022_jp_2004", "iso2022_jp_3", "iso2022_jp_ext"),
    }
)
_TEXT = _SINGLE | _WIDE | _SEVERAL
#: What browsers read a charset of this name as: an encoding that holds it and more.
_READ_AS = {
    "latin_1": "cp1252",
    "iso8859_9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}


@lru_cache(256)
def text_encoding(name: str, *, read_in_ascii: bool = False) -> str:
    """The encoding that a charset's name stands for; UTF-8 for a name that is not in the list.

    Args:
        name: the name as the server wrote it.
        read_in_ascii: the text begins as ASCII, so that it is not in UTF-16.
    """
    plain = "_".join("".join(sign if sign.isalnum() else " " for sign in name[:40].lower()).split())
    found = plain if plain in _TEXT else aliases.get(plain, plain)
    return UTF_8 if found not in _TEXT or (read_in_ascii and found in _WIDE) else _READ_AS.get(found, found)


def encoding_of(beginning: bytes, content_type: str) -> str:
    """The encoding of a text: by a byte order mark, else by the Content-Type, else by its own declaration, else UTF-8.

    Args:
        beginning: the first bytes of the text.
        content_type: the header of the response; empty without one.
    """
    if beginning.startswith(_ALL_MARKS):
        return next((wide for wide in ("utf_32", "utf_16") if beginning.startswith(_MARKS[wide])), UTF_8)
    if beginning.startswith((b"<\0", b"\0<")) and beginning[:3] != b"<\0\0":
        return "utf_16_le" if beginning.startswith(b"<") else "utf_16_be"  # as XML 1.0, appendix F
    named = _CHARSET.search(content_type)
    if named is not None:
        # All answers begin with a letter or a sign of ASCII.
        return text_encoding(named[1], read_in_ascii=b"\0" not in beginning[:_LONGEST_MARK])
    declared = _DECLARED.match(beginning[:_PROLOG].decode("ascii", "replace"))
    return UTF_8 if declared is None else text_encoding(declared[1], read_in_ascii=True)


def decoded(data: bytes, encoding: str) -> str:
    """The text of some bytes; U+FFFD stands for bytes that are not valid in the encoding.

    Args:
        data: the bytes.
        encoding: a result of `encoding_of`.
    """
    return "".join(pieces_of(data, encoding))


def pieces_of(data: bytes, encoding: str) -> list[str]:
    """The text of some bytes, as `decoded` makes it, in one piece or more."""
    if len(data) <= _PIECE and encoding not in _SINGLE:
        return [data.decode(encoding, "replace")]
    # In pieces: some of Python's codecs take seconds for megabytes that are no text, and no other thread runs in them.
    decoder = Decoder(encoding)
    starts = range(0, max(1, len(data)), _PIECE)
    return [decoder.decode(data[start : start + _PIECE], final=start == starts[-1]) for start in starts]


class Decoder:
    """Decodes a text that comes in pieces, as `decoded` decodes a whole one.

    Args:
        encoding: a result of `encoding_of`.
    """

    def __init__(self, encoding: str) -> None:
        self._encoding = encoding
        # Python's own codecs replace a byte in a microsecond: a second for a megabyte of bytes that are no text.
        self._table = _table(encoding) if encoding in _SINGLE else None
        self._decoder: codecs.IncrementalDecoder | None = None
        self._head = b""  # the first bytes, until they show the order of bytes

    def decode(self, data: bytes, *, final: bool) -> str:
        """Decode a piece; `final` says that it is the last one."""
        if self._table is not None:
            return codecs.charmap_decode(data, "strict", self._table)[0]
        if self._decoder is None:
            data = self._head + data
            if len(data) < _LONGEST_MARK and not final:
                self._head = data
                return ""
            self._decoder = codecs.getincrementaldecoder(_with_order(self._encoding, data))("replace")
        return self._decoder.decode(data, final)


def _with_order(encoding: str, data: bytes) -> str:
    """The encoding with its order of bytes where no mark tells it: Python's decoders of pieces raise an error then."""
    marked = data.startswith(_MARKS.get(encoding, b""))
    return encoding if marked or encoding not in _MARKS else f"{encoding}_{sys.byteorder[0]}e"


@lru_cache
def _table(encoding: str) -> str:
    """The character of each of the 256 bytes."""
    return "".join(bytes([byte]).decode(encoding, "replace") for byte in range(256))
