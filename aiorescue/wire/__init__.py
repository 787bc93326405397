"""The wire: operations to requests and responses to outcomes, as pure functions without I/O."""

from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from aiorescue.operation import Binding, Operation
from aiorescue.wire.codec import Codec
from aiorescue.wire.form import FormCodec
from aiorescue.wire.message import ANONYMOUS, Authorization, Request, Response, Unreadable
from aiorescue.wire.response import read
from aiorescue.wire.soap import SoapCodec
from aiorescue.wire.text import TextCodec

_CODECS: dict[Binding, Callable[[type[Operation[Any]], Binding], Codec[Any]]] = {
    Binding.SOAP11: SoapCodec,
    Binding.SOAP12: SoapCodec,
    Binding.HTTP_GET: FormCodec,
    Binding.HTTP_POST: FormCodec,
    Binding.TEXT_GET: TextCodec,
    Binding.TEXT_POST: TextCodec,
}


#: By operation type. Those that `aiorescue.rescue.raw` makes at run time do not stay for their codecs' sake.
_PREPARED: WeakKeyDictionary[type[Operation[Any]], dict[Binding, Codec[Any]]] = WeakKeyDictionary()


def codec(operation: type[Operation[Any]], binding: Binding) -> Codec[Any]:
    """The codec of an operation on a binding, prepared on first use and kept as long as the operation type."""
    prepared = _PREPARED.setdefault(operation, {})
    found = prepared.get(binding)
    if found is None:
        found = prepared[binding] = _CODECS[binding](operation, binding)
    return found


__all__ = ["ANONYMOUS", "Authorization", "Codec", "Request", "Response", "Unreadable", "codec", "read"]
