"""Decodes answers as the client does, without a socket."""

from pathlib import Path

from aiorescue import wire
from aiorescue.operation import Binding, Outcome
from aiorescue.wire import Authorization, Response
from tests.support import EXAMPLES

SAMPLES = Path(__file__).parent / "samples"
BINDINGS = {
    "soap11": Binding.SOAP11,
    "soap12": Binding.SOAP12,
    "http": Binding.HTTP_POST,
    "aspx": Binding.TEXT_POST,
}


def decode(name: str, binding: Binding, body: str | bytes) -> Outcome[object]:
    """The outcome of an answer to the example of an operation, given by its wire name."""
    operation = EXAMPLES[name]
    codec = wire.codec(type(operation), binding)
    content = body.encode() if isinstance(body, str) else body
    return wire.read(codec, operation, Authorization(), Response(200, content))


def sample(file: str) -> Outcome[object]:
    """The outcome of a sample, given by the name of its file."""
    name, binding, _ = file.split(".", 2)
    return decode(name, BINDINGS[binding], (SAMPLES / f"{file}.txt").read_bytes())
