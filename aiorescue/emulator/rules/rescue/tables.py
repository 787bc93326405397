"""Tables as the service writes them."""

from collections.abc import Sequence
from xml.sax.saxutils import escape

Rows = Sequence[Sequence[str]]


def as_text(titles: Sequence[str], rows: Rows, delimiter: str = "|") -> str:
    """A line each, every cell closed with the delimiter, nothing escaped."""
    return "".join(f"{''.join(f'{cell}{delimiter}' for cell in row)}\n" for row in (titles, *rows))


def as_xml(titles: Sequence[str], rows: Rows) -> str:
    """The same as a document."""

    def fields(row: Sequence[str]) -> str:
        return "".join(f'<field id="{index}">{escape(cell)}</field>' for index, cell in enumerate(row))

    data = "".join(f"<row>{fields(row)}</row>" for row in rows)
    return f"<report><header>{fields(titles)}</header><data>{data}</data></report>"
