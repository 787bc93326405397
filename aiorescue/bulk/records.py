"""Requests as a store keeps them: the operation's name and its fields as JSON, a digest of both, and the key.

Only the PIN requests of this package come back from a store; the name is looked up in a list and never imported.
"""

import json
from collections.abc import Callable
from hashlib import blake2b
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
#: Fields of each type of request with their defaults, found when the first request of the type comes.
_FIELDS: dict[type[PinRequest], tuple[tuple[str, Any], ...]] = {}
#: What reads the value of each slot of a type of request, found likewise.
_READERS: Final[dict[type[PinRequest], tuple[Callable[[Any], Any], ...]]] = {}


def _fields_of(request_type: type[PinRequest]) -> tuple[tuple[str, Any], ...]:
    return tuple((field.name, field.default) for field in attrs.fields(request_type) if field.init)


def encode(request: PinRequest) -> tuple[str, str]:
    """Write a request as the operation's name and, as JSON, the fields that differ from their defaults."""
    request_type = type(request)
    fields = _FIELDS.get(request_type)
    if fields is None:
        fields = _FIELDS[request_type] = _fields_of(request_type)
    given = {name: value for name, default in fields if (value := getattr(request, name)) != default}
    return request_type.spec.name, to_json(given)


def decode(operation: str, fields: str) -> PinRequest | None:
    """Make a request of what `encode` wrote; None if its operation type is another program's own.

    Raises:
        ValueError: the fields are not those of a request.
    """
    request_type = _REQUESTS.get(operation)
    if request_type is None:
        return None
    try:
        return request_type(**json.loads(fields))
    except (TypeError, errors.InvalidRequest, RecursionError) as problem:
        raise ValueError(f"no request: {problem}") from None


def digest(request: PinRequest) -> bytes:
    """Sixteen bytes that tell requests with other fields apart; journals of version 1 hold the digest in this form."""
    request_type = type(request)
    readers = _READERS.get(request_type)
    if readers is None:
        readers = _READERS[request_type] = tuple(slot.get for slot in request_type.slots)
    fields = (request_type.__name__, *[read(request) for read in readers])
    return blake2b(repr(fields).encode("utf-8", "surrogatepass"), digest_size=16).digest()


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
    try:
        text.encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":"))
    return text


def cells_of(text: str | None) -> tuple[str, ...]:
    """The cells that `to_json` wrote."""
    return tuple(json.loads(text)) if text else ()
