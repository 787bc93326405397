"""Requests as a store keeps them: the operation's name and its fields as JSON, a digest of both, and the key.

Only the PIN requests of this package come back from a store; the name is looked up in a list and never imported.
"""

import json
from collections.abc import Callable, Sequence
from hashlib import blake2b
from json.encoder import encode_basestring
from operator import attrgetter
from typing import Any, Final

import attrs

from aiorescue import errors, rescue
from aiorescue.rescue import PinRequest

_REQUESTS: Final[dict[str, type[PinRequest]]] = {
    request.spec.name: request
    for request in (
        rescue.RequestPinCode,
        rescue.RequestPinCodeV2,
        rescue.RequestPinCodeV3,
        rescue.RequestLensPinCode,
        rescue.RequestLensPinCodeV2,
        rescue.RequestLensPinCodeV3,
        rescue.RequestLensPinCodeV4,
    )
}
_to_json: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_raw_decode: Final = json.JSONDecoder().raw_decode
#: Fields of each type of request, what reads them, their defaults, and how their members of a JSON object begin; found
#: when the first request of the type comes.
_FIELDS: dict[type[PinRequest], tuple[tuple[Callable[[Any], Any], Any, str], ...]] = {}
#: What reads the field of each source of a type of request, and how many slots it has if it is several; found likewise.
_READERS: Final[dict[type[PinRequest], tuple[tuple[Callable[[Any], Any], int], ...]]] = {}


def _fields_of(request_type: type[PinRequest]) -> tuple[tuple[Callable[[Any], Any], Any, str], ...]:
    return tuple(
        (attrgetter(field.name), field.default, f"{encode_basestring(field.name)}:")
        for field in attrs.fields(request_type)
        if field.init
    )


def encode(request: PinRequest) -> tuple[str, str]:
    """Write a request as the operation's name and, as JSON, the fields that differ from their defaults."""
    request_type = type(request)
    fields = _FIELDS.get(request_type)
    if fields is None:
        fields = _FIELDS[request_type] = _fields_of(request_type)
    given = [
        begin + _PLAIN.get(type(value), _to_json)(value)
        for read, default, begin in fields
        if (value := read(request)) != default
    ]
    text = f"{{{','.join(given)}}}"
    return request_type.spec.name, text if _is_utf8(text) else _escaped(text)


def decode(operation: str, fields: str) -> PinRequest | None:
    """Make a request of what `encode` wrote; None if its operation type is another program's own.

    Raises:
        ValueError: the fields are not those of a request.
    """
    request_type = _REQUESTS.get(operation)
    if request_type is None:
        return None
    try:
        return request_type(**_from_json(fields))
    except (TypeError, errors.InvalidRequest, RecursionError) as problem:
        raise ValueError(f"no request: {problem}") from None


def digest(request: PinRequest) -> bytes:
    """Sixteen bytes that differ where the service sees a difference, which it does not in empty fields at the end."""
    return _digest(request, 0)


def earlier_digests(request: PinRequest) -> list[bytes]:
    """The digests that stores of earlier versions may hold for a request.

    Its custom fields had empty texts at their end there, one for each column of the input that the row did not fill.
    """
    room = max((slots - len(_filled(read(request))) for read, slots in _readers_of(type(request)) if slots), default=0)
    return [_digest(request, empties) for empties in range(1, room + 1)]


def is_digest_of(found: bytes, request: PinRequest, expected: bytes) -> bool:
    """Whether a digest of a store is that of a request, also if an earlier version wrote it.

    Args:
        found: the digest of the store.
        request: the request.
        expected: the request's `digest`.
    """
    return found == expected or found in earlier_digests(request)


def earlier_keys(key: str, request: PinRequest) -> list[str]:
    """The keys that stores of earlier versions may hold for a request; none for one with a tracking field."""
    before = int(key.rpartition(".")[2]) if key.startswith("#") else None
    return [] if before is None else [unnamed_key(fields, before) for fields in earlier_digests(request)]


def _digest(request: PinRequest, empties: int) -> bytes:
    """The digest of a request whose custom fields end with a number of empty texts."""
    fields: list[Any] = [type(request).__name__]
    for read, slots in _readers_of(type(request)):
        value = read(request)
        if slots:
            texts = value if value and value[-1] else _filled(value)
            fields += texts
            fields += ("",) * empties
            fields += (None,) * (slots - len(texts) - empties)
        else:
            fields.append(value)
    return blake2b(repr(tuple(fields)).encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _readers_of(request_type: type[PinRequest]) -> tuple[tuple[Callable[[Any], Any], int], ...]:
    readers = _READERS.get(request_type)
    if readers is None:
        readers = _READERS[request_type] = tuple(
            (source.get, len(source.parameters) if source.several else 0) for source in request_type.sources
        )
    return readers


def _filled(texts: Sequence[str]) -> Sequence[str]:
    """Texts without the empty ones at their end."""
    count = len(texts)
    while count and not texts[count - 1]:
        count -= 1
    return texts[:count]


def named_key(tracking: str) -> str:
    """The key of a request with a tracking field."""
    return f"={tracking}"


def unnamed_key(fields: bytes, before: int) -> str:
    """The key of a request without a tracking field: its digest, and how many requests of that digest came before."""
    return f"#{fields.hex()}.{before}"


def name_of(key: str) -> str:
    """A key in words, for messages."""
    return f"with tracking {key[1:]!r}" if key.startswith("=") else f"without a tracking field ({key[:80]})"


def to_json(value: Any) -> str:
    """A value as JSON that SQLite can hold: readable, but for characters that UTF-8 lacks."""
    text = _to_json(value)
    return text if _is_utf8(text) else _escaped(text)


def _from_json(text: str) -> Any:
    """The value of a text that begins and ends with it, as all do that this module wrote."""
    value, end = _raw_decode(text)
    if end != len(text):
        raise ValueError("there is more behind the value")
    return value


def texts_to_json(texts: Sequence[str]) -> str:
    """A list of texts as `to_json` writes it, in a fifth of its time."""
    try:
        text = f"[{','.join(map(encode_basestring, texts))}]"
    except TypeError:  # not all of them are texts
        return to_json(texts)
    return text if _is_utf8(text) else _escaped(text)


#: JSON of the values that nearly every field has, by their type.
_PLAIN: Final[dict[type, Callable[[Any], str]]] = {
    str: encode_basestring,
    bool: lambda value: "true" if value else "false",
    tuple: texts_to_json,
}


def _is_utf8(text: str) -> bool:
    """Whether UTF-8 has all characters of a text."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _escaped(text: str) -> str:
    """Write JSON anew in ASCII, without spaces and with all other characters escaped."""
    return json.dumps(json.loads(text), separators=(",", ":"))


def cells_of(text: str | None) -> tuple[str, ...]:
    """The cells that `to_json` wrote."""
    return tuple(_from_json(text)) if text else ()


def moved_cells(cells: Sequence[str], before: Sequence[str], after: Sequence[str]) -> str:
    """Cells under other columns, by the names of both, as JSON; a column that was not there before is empty."""
    held = dict(zip(before, cells, strict=False))
    return to_json([held.get(name, "") for name in after])
