"""Operations as bytes, and bytes as outcomes: pure functions, no I/O."""

from collections.abc import Callable
from typing import Any

from aiorescue.operation import Binding, Operation
from aiorescue.wire.codec import Codec
from aiorescue.wire.form import FormCodec
from aiorescue.wire.message import ANONYMOUS, Authorization, Draft, Request, Response, Unreadable
from aiorescue.wire.response import read
from aiorescue.wire.soap import SoapCodec
from aiorescue.wire.text import TextCodec

_CODECS: dict[Binding, Callable[[type[Operation[Any]], Binding], Codec]] = {
    Binding.SOAP11: SoapCodec,
    Binding.SOAP12: SoapCodec,
    Binding.HTTP_GET: FormCodec,
    Binding.HTTP_POST: FormCodec,
    Binding.TEXT_GET: TextCodec,
    Binding.TEXT_POST: TextCodec,
}


_PREPARED: dict[tuple[type[Operation[Any]], Binding], Codec] = {}


def codec(operation: type[Operation[Any]], binding: Binding) -> Codec:
    """The codec of an operation on a binding, prepared on first use and kept."""
    prepared = _PREPARED.get((operation, binding))
    if prepared is None:
        prepared = _PREPARED[operation, binding] = _CODECS[binding](operation, binding)
    return prepared


__all__ = ["ANONYMOUS", "Authorization", "Codec", "Draft", "Request", "Response", "Unreadable", "codec", "read"]
