"""Mutations of answers: what a broken or hostile server could make of a good one, the same for the same seed."""

import re
from random import Random

#: Pieces that decoders of some language or other stumble over.
ODD = (
    *("9" * 5_000, "9" * 30, "-" + "9" * 30, "0" * 5_000 + "1", "1e999", "NaN", "-0", "١٢", "²", "1_000", "0x10"),
    *(
        "99999999:00:00",
        "9" * 30 + ":00:00",
        "9" * 30 + ".00:00:00",
        "0/0/0000",
        "99/99/9999 99:99:99 PM",
        "9999-99-99",
    ),
    *("2/29/2023 12:00 PM", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2024-01-01T00:00:00+99:99"),
    *("&#0;", "&#xD800;", "&#x1B;", "&#999999999999;", "&undefined;", "&", "]]>", "<![CDATA[", "<!--", "<?", "<!", "<"),
    *(
        "<!DOCTYPE a>",
        '<!DOCTYPE a [<!ENTITY b "c">]>',
        "</a>",
        "<a>" * 2_000,
        "<a b='1' b='2'/>",
        "<x:y/>",
        "<a>b</a>c",
    ),
    *('<?xml version="1.0" encoding="utf-16"?>', '<?xml version="1.1" encoding="idna"?>', "<?xml?>", ' xmlns:a=""'),
    *("\x00", "\x01", "\x0b", "\x1b[2J", "\x85", "\u2028", "\ufeff", "\ufffe", "\ud83d\ude00", "\U0010ffff", "é" * 300),
    *(
        "[" * 3_000,
        "{" * 3_000,
        '"',
        "'",
        "\\",
        "\\u",
        "%00",
        "%ZZ",
        "|" * 300,
        "\t",
        "\r",
        "\n\n",
        ":",
        "::",
        "#" * 300,
    ),
    *(
        "OK",
        "OK:",
        "ERROR",
        "POLLRATEEXCEEDED",
        "TRUE",
        "INVALID",
        "NOTLOGGEDIN",
        "[" + "9" * 5_000 + "]",
        "[901]",
        "[log]",
    ),
    *('success="true"', 'error="[log]"', 'errorCode="' + "9" * 5_000 + '"', 'xsi:nil="true"', 'tryagain="true"'),
)
CHARSETS = (
    *(
        "idna",
        "undefined",
        "punycode",
        "utf-7",
        "unicode_escape",
        "raw_unicode_escape",
        "base64",
        "hex",
        "zlib",
        "rot13",
    ),
    *(
        "utf-16",
        "utf-32",
        "utf-8-sig",
        "cp1252",
        "cp037",
        "shift_jis",
        "iso2022_jp",
        "\x00",
        "",
        "é",
        "a" * 5_000,
        "mbcs",
    ),
)
HEADERS = {
    "Content-Type": [*(f"text/xml; charset={charset}" for charset in CHARSETS), "", ";;;", "multipart/form-data"],
    "Retry-After": [
        "9" * 5_000,
        "-1",
        "Wed, 21 Oct 2065 07:28:00 +9999999999",
        "Mon, 99 Foo 99999999 99:99:99 GMT",
        "\x00",
    ],
    "Set-Cookie": ["a=b\x01c", "=", ";", "a" * 5_000, "ASP.NET_SessionId=; path=/", "a=\udcff", "a=b\tc"],
    "X-InfoRouter-ErrorCode": ["9" * 5_000, "²", "4010", "-1", "0", "\udcff"],
    "X-InfoRouter-Error": ["\udcff", "[" + "9" * 5_000 + "] x", "x" * 5_000],
}
STATUSES = (*(200,) * 30, 500, 500, 503, 429, 302, 400, 404, 201, 999, 0)
_NUMBER = re.compile(r"\d+")
_INSIDE = re.compile(r">[^<>]{0,200}<|=\"[^\"]{0,200}\"|:[^\n:]{1,200}\n")


def mutated(body: bytes, random: Random) -> bytes:
    """A body with one to three things changed."""
    for _ in range(random.randint(1, 3)):
        body = random.choice((_by_bytes, _by_text, _by_text, _by_text))(body, random)
    return body


def _by_bytes(body: bytes, random: Random) -> bytes:
    start = random.randrange(len(body) + 1)
    end = min(len(body), start + random.choice((1, 2, 8, 64, 1_024)))
    piece = body[start:end]
    new = random.choice(
        (b"", piece * 2, piece[::-1], bytes(random.randrange(256) for _ in piece), b"\xff\xfe", piece * 500)
    )
    return body[:start] + new + body[random.choice((start, end)) :]


def _by_text(body: bytes, random: Random) -> bytes:
    text = body.decode("utf-8", "surrogateescape")
    odd = random.choice(ODD)
    places = list(random.choice((_NUMBER, _INSIDE)).finditer(text))
    if places and random.random() < 0.8:
        place = random.choice(places)
        first = place.start() + (place[0][0] in '>=:"') + (place[0].startswith('="'))
        last = place.end() - (place[0][-1] in '<"\n')
        text = text[:first] + odd + text[max(first, last) :]
    else:
        start = random.randrange(len(text) + 1)
        text = text[:start] + odd + text[start:]
    return text.encode("utf-8", "surrogatepass" if odd == "\ud83d\ude00" else "surrogateescape")


def headers(random: Random) -> dict[str, str]:
    """Headers of an answer, mostly none."""
    return {name: random.choice(values) for name, values in HEADERS.items() if random.random() < 0.1}
