"""The wire: operations to requests and responses to outcomes, as pure functions without I/O."""

from collections.abc import Callable
from typing import Any

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


_PREPARED: dict[tuple[type[Operation[Any]], Binding], Codec[Any]] = {}


def codec(operation: type[Operation[Any]], binding: Binding) -> Codec[Any]:
    """The codec of an operation on a binding, prepared on first use and kept."""
    prepared = _PREPARED.get((operation, binding))
    if prepared is None:
        prepared = _PREPARED[operation, binding] = _CODECS[binding](operation, binding)
    return prepared


__all__ = ["ANONYMOUS", "Authorization", "Codec", "Request", "Response", "Unreadable", "codec", "read"]
