"""The table of a report, as the rules answer with it; how it is written is decided by `aiorescue.emulator.writing`."""

from collections.abc import Sequence

from aiorescue.operation import frozen


@frozen
class ReportTable:
    """A report as a table of texts.

    Attributes:
        titles: titles of the columns.
        rows: cells of each row.
        delimiter: text that closes each cell where the table is written as text.
        as_xml: whether the table is written as XML instead of text.
    """

    titles: Sequence[str]
    rows: Sequence[Sequence[str]]
    delimiter: str = "|"
    as_xml: bool = False
