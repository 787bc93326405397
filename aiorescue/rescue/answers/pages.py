"""What a text page brings along below its OK, by the form that the operation declares."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiorescue.operation import Answer, Output, PageLayout, Spec
from aiorescue.rescue.answers import records, tables
from aiorescue.rescue.answers.keyed import key_of, keyed
from aiorescue.wire.xml import PIECE


def values(spec: Spec, answer: Answer) -> Mapping[str, Any]:
    """Read the outputs of an OK page, by their SOAP names. Raises ValueError for a page that lacks one."""
    if not spec.outputs:
        return {}
    first = spec.outputs[0]
    if spec.page_layout in (PageLayout.WORD, PageLayout.ADDRESS, PageLayout.VALUE, PageLayout.BODY):
        return {first.soap: _whole(spec.page_layout, answer)}
    if first.record is None:
        return _keyed(spec.outputs, answer.body)
    return {first.soap: _records(first.record, spec.page_layout, answer.body)}


def _whole(layout: PageLayout, answer: Answer) -> Any:
    """The one value of a page: its status word, or all that stands below it."""
    if layout is PageLayout.WORD:
        return answer.result
    if answer.stream is not None:
        return answer.stream
    return answer.body.strip() if layout is PageLayout.ADDRESS else answer.body.strip("\r\n")


def _records(record: type[Any], layout: PageLayout, body: str) -> Any:
    """Read the records of a page, or the only record, by the page's layout."""
    if layout is PageLayout.TABLE:
        return list(_rows(record, body))
    if layout is PageLayout.BLOCKS:
        return list(_blocks(record, body))
    return records.read(record, keyed(records.page_keys(record), list(lines_of(body))), text=True)


def lines_of(body: str) -> Iterator[str]:
    """Yield the lines of a page; only a line feed ends one, as texts may hold what `str.splitlines` takes for an end.

    They are split off piece by piece: to split 16 MB at once, or to free as many lines, takes a tenth of a second, for
    which no other thread runs.
    """
    start = 0
    while (end := body.find("\n", start + PIECE)) >= 0:
        yield from body[start : end + 1].replace("\r\n", "\n")[:-1].split("\n")
        start = end + 1
    yield from body[start:].replace("\r\n", "\n").split("\n")


def _keyed(outputs: Iterable[Output], body: str) -> Mapping[str, str]:
    found = keyed([output.page_key for output in outputs if output.page_key], list(lines_of(body)))
    result = {}
    for output in outputs:
        value = found.get(output.page_key.casefold()) if output.page_key else None
        if value is not None:
            result[output.soap] = value
        elif not output.optional:
            raise ValueError(f"the answer is OK but holds no {output.page_key}")
    return result


def _blocks(record: type[Any], body: str) -> Iterator[Any]:
    """Records in blocks: one begins with the first key after a blank line, once the one before it has its last key.

    A value may hold blank lines, and lines that look like keys.
    """
    keys = records.page_keys(record)
    first = re.compile(rf"[ \t]*{keys[0]}[ \t]*:[ \t]*-?\d+[ \t]*$", re.IGNORECASE)
    there = set(map(key_of, lines_of(body)))
    last = next((key for key in map(str.casefold, reversed(keys)) if key in there), "")
    block: list[str] = []
    blank, complete = True, False
    for line in lines_of(body):
        if blank and complete and first.match(line):
            yield records.read(record, keyed(keys, block), text=True)
            block, complete = [], False
        blank = not line.strip()
        complete = complete or key_of(line) == last
        if block or not blank:
            block.append(line)
    if block:
        yield records.read(record, keyed(keys, block), text=True)


def _rows(record: type[Any], body: str) -> Iterator[Any]:
    """Records in the rows of a table; columns are found by their titles, in any order."""
    fields = {field.page_key.casefold(): field for field, _ in records.wire_fields(record)}

    def check(title: str) -> tables.Check | None:
        field = fields.get(title.strip().casefold())
        return None if field is None or field.read is str else lambda text: _reads(field, text)

    table = tables.parse(body, check)
    titles = [title.strip().casefold() for title in table.titles]
    mended = set(table.mended)
    for index, row in enumerate(table.rows):
        yield records.read(record, dict(zip(titles, row, strict=True)), text=True, mended=index in mended)


def _reads(field: records.Field, text: str) -> bool:
    try:
        return field.read(text) is not None
    except ValueError:
        return False
