"""What a text page brings along below its OK, by the form that the operation declares."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from aiorescue.operation import Answer, Output, PageForm, Spec
from aiorescue.rescue import records, tables

_KEY = re.compile(r"[ \t]*([A-Za-z_][A-Za-z0-9_]*)[ \t]*:")


def values(spec: Spec, answer: Answer) -> Mapping[str, Any]:
    """The outputs by their SOAP names. Raises ValueError."""
    if not spec.outputs:
        return {}
    first = spec.outputs[0]
    if answer.long is not None:
        return {first.soap: answer.long}
    if spec.form is PageForm.WORD:
        return {first.soap: answer.result}
    if spec.form in (PageForm.BODY, PageForm.ADDRESS):
        return {first.soap: answer.body.strip("\r\n") if spec.form is PageForm.BODY else answer.body.strip()}
    if first.record is None:
        return _keyed(spec.outputs, answer.body)
    if spec.form is PageForm.TABLE:
        return {first.soap: list(_rows(first.record, answer.body))}
    if spec.form is PageForm.BLOCKS:
        return {first.soap: list(_blocks(first.record, answer.body))}
    keys = [field.text for field, _ in records.wire_fields(first.record)]
    return {first.soap: records.read(first.record, keyed(keys, answer.body.splitlines()), text=True)}


def _keyed(outputs: Iterable[Output], body: str) -> Mapping[str, str]:
    found = keyed([output.text for output in outputs if output.text], body.splitlines())
    result = {}
    for output in outputs:
        value = found.get(output.text.casefold()) if output.text else None
        if value is not None:
            result[output.soap] = value
        elif not output.optional:
            raise ValueError(f"the answer is OK but holds no {output.text}")
    return result


def keyed(keys: Iterable[str], lines: Iterable[str]) -> dict[str, str]:
    """``KEY:value`` lines, split at the first colon; a line that begins with no new key goes on with the last value.

    Nothing is escaped there, so a note may hold line breaks and colons; each key counts once.
    """
    left = {key.casefold() for key in keys}
    found: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in lines:
        match = _KEY.match(line)
        key = match[1].casefold() if match else ""
        if match and key in left:
            left.discard(key)
            current = found[key] = [line[match.end() :]]
        elif current is not None:
            current.append(line)
    return {key: "\n".join(parts).strip() for key, parts in found.items()}


def _blocks(record: type[Any], body: str) -> Iterator[Any]:
    """Records in blocks: one begins with the first key after a blank line, so that a value may hold line breaks."""
    keys = [field.text for field, _ in records.wire_fields(record)]
    begin = re.compile(rf"[ \t]*{keys[0]}[ \t]*:[ \t]*-?\d+[ \t]*$", re.IGNORECASE)
    block: list[str] = []
    blank = True
    for line in body.splitlines():
        if blank and begin.match(line) and block:
            yield records.read(record, keyed(keys, block), text=True)
            block = []
        blank = not line.strip()
        if block or not blank:
            block.append(line)
    if block:
        yield records.read(record, keyed(keys, block), text=True)


def _rows(record: type[Any], body: str) -> Iterator[Any]:
    """Records in the rows of a table; columns are found by their titles, in any order."""
    fields = {field.text.casefold(): field for field, _ in records.wire_fields(record)}

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
