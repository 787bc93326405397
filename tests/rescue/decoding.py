"""Decodes answers as the client does, without a socket."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, NamedTuple

from aiorescue import wire
from aiorescue.operation import Binding, Outcome, OutcomeClass
from aiorescue.rescue.answers.tables import Check, Reader, Row
from aiorescue.wire import Authorization, Response
from tests.support import EXAMPLES

SAMPLES = Path(__file__).parent / "samples"
BINDINGS = {
    "soap11": Binding.SOAP11,
    "soap12": Binding.SOAP12,
    "http": Binding.HTTP_POST,
    "aspx": Binding.TEXT_POST,
}

#: The header of a list of sessions as a text page has it.
HEAD = (
    "ID|Status|Entry ID|Entry|Technician ID|Technician|Start Time|Waiting Time|Custom Field 0|Custom Field 1|"
    "Custom Field 2|Custom Field 3|Custom Field 4|Custom Field 5|Language|Transferred To|Transferred Comment|"
    "Is Lead Technician|HandingOff|"
)


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


def value(name: str, body: str | bytes, binding: Binding = Binding.TEXT_POST) -> Any:
    """The value of an answer that is OK, by default of a text page."""
    outcome = decode(name, binding, body)
    assert outcome.outcome_class is OutcomeClass.OK, outcome.detail
    return outcome.value


def row(custom: str = "Customer", comment: str = "", technician: str = "John Doe") -> str:
    """A row below `HEAD`."""
    return f"1|Active|0||337366|{technician}|2/16/2012 8:41 AM|1187|{custom}||||||en|Jane|{comment}|yes||"


class Table(NamedTuple):
    """A whole table: its titles, the cells of its rows, and the indices of the rows that were mended."""

    titles: Row
    rows: list[Row]
    mended: tuple[int, ...]


def read_table(body: str | Iterable[str], checks: Callable[[str], Check | None]) -> Table:
    """Read a whole table, given in one text or in pieces. Raises ValueError."""
    reader = Reader(checks)
    rows = [row for some in reader.read(body) for row in some]
    return Table(reader.titles or (), rows, tuple(reader.mended))
