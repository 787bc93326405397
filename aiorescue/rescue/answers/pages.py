"""What a text page brings along below its OK, by the form that the operation declares."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from aiorescue.operation import Answer, Output, PageLayout, Spec
from aiorescue.rescue.answers import records, tables
from aiorescue.rescue.answers.keyed import is_text, key_of, keyed, lines_of, one_line
from aiorescue.rescue.answers.values import Unclear
from aiorescue.wire.bounded import PIECE
from aiorescue.wire.untracked import beyond_few


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
    return answer.body.strip() if layout is PageLayout.ADDRESS else without_empty_lines(answer.body)


def _records(record: type[Any], layout: PageLayout, body: str) -> Any:
    """Read the records of a page, or the only record, by the page's layout."""
    if layout is PageLayout.TABLE:
        return list(beyond_few(_rows(record, body)))
    if layout is PageLayout.BLOCKS:
        return list(beyond_few(_blocks(record, body)))
    return _last(record, with_line_feeds(body))


def with_line_feeds(body: str) -> str:
    """Make a page whose lines end with line feeds alone, piece by piece, so that other threads can run."""
    if "\r" not in body:
        return body
    pieces, start = [], 0
    while start < len(body):
        end = start + PIECE
        end += body[end - 1 : end + 1] == "\r\n"
        pieces.append(body[start:end].replace("\r\n", "\n"))
        start = end
    return "".join(pieces)


def without_empty_lines(body: str) -> str:
    """Take the empty lines off a page's beginning and end, piece by piece: Python takes 8 nanoseconds for each."""
    start, end = 0, len(body)
    while start < end and not body[start : start + PIECE].lstrip("\r\n"):
        start += PIECE
    while start < end and not body[max(start, end - PIECE) : end].rstrip("\r\n"):
        end -= PIECE
    return body[start:end].strip("\r\n") if start < end else ""


def _keyed(outputs: Sequence[Output], body: str) -> Mapping[str, str]:
    keys = [output.page_key for output in outputs if output.page_key]
    found = keyed(keys, with_line_feeds(body))
    result = {}
    for output in outputs:
        value = found.get(output.page_key.casefold()) if output.page_key else None
        if value is not None:
            result[output.soap] = value if is_text(output.page_key) else one_line(value, keys)
        elif not output.optional:
            raise ValueError(f"the answer is OK but holds no {output.page_key}")
    return result


def _blocks(record: type[Any], body: str) -> Iterator[Any]:
    """Records in blocks: one begins with the first key after a blank line, once the one before it has its last key.

    A value may hold blank lines, and lines that look like keys.
    """
    keys = records.page_keys(record)
    first = re.compile(rf"[ \t]*{keys[0]}[ \t]*:[ \t]*-?\d+[ \t]*$", re.IGNORECASE)
    text = with_line_feeds(body)
    there = set(map(key_of, lines_of(text)))
    last = next((key for key in map(str.casefold, reversed(keys)) if key in there), "")
    begin = place = 0
    blank, complete = True, False
    for line in lines_of(text):
        if blank and complete and first.match(line):
            yield records.read_one(record, _by_key(record, text[begin:place]), text=True)
            begin, complete = place, False
        blank = not line.strip()
        complete = complete or key_of(line) == last
        place += len(line) + 1
    yield _last(record, text[begin:])


def _last(record: type[Any], text: str) -> Any:
    """The only record of a page, or the last one. Raises ValueError if it was cut, which nothing else would tell."""
    found = _by_key(record, text)
    made = records.read_one(record, found, text=True)
    end = _end_of_page(record)
    word = found.get(end.casefold())
    if word is None:
        raise ValueError(f"the answer is OK but stops before its {end}")
    if word and text.endswith(word) and type(getattr(made, record.END_OF_PAGE)) is str:
        raise ValueError(f"the answer is OK but stops within its {end}")  # an unknown word without an end of its line
    return made


def _end_of_page(record: type[Any]) -> str:
    """The key that ends a page of a record, or the last one that a page of each version has."""
    marks = ((name, mark) for name, mark, _ in records.marks(record) if isinstance(mark, records.Field))
    return next(mark.page_key for name, mark in marks if name == record.END_OF_PAGE)


def _by_key(record: type[Any], text: str) -> dict[str, str]:
    """The values of a record in lines of ``KEY:value``, by their keys in small letters."""
    keys = records.page_keys(record)
    found = keyed(keys, text)
    for field, _ in records.wire_fields(record):
        key = field.page_key.casefold()
        if field.read is not str and key in found:
            found[key] = one_line(found[key], keys)
    return found


def _rows(record: type[Any], body: str) -> Iterator[Any]:
    """Records in the rows of a table; columns are found by their titles, in any order."""
    fields = {field.page_key.casefold(): field for field, _ in records.wire_fields(record)}

    def check(title: str) -> tables.Check | None:
        field = fields.get(title.strip().casefold())
        return None if field is None or field.read is str else lambda text: _reads(field, text)

    table, count = tables.Reader(check), 0
    for rows in table.read(body):
        titles = [title.strip().casefold() for title in table.titles or ()]
        if not count and any(titles.count(title) > 1 for title in fields):
            raise Unclear("the answer is OK but its table has two columns of one title")
        mended = set(table.mended)
        table.mended.clear()
        for index, row in enumerate(rows, count):
            yield records.read(record, dict(zip(titles, row, strict=True)), text=True, mended=index in mended)
        count += len(rows)
    if not fields.keys() & {title.strip().casefold() for title in table.titles or ()}:
        raise ValueError("the answer is OK but the header of its table has no title that is known")


def _reads(field: records.Field, text: str) -> bool:
    try:
        return field.read(text) is not None
    except ValueError:
        return False
