"""What a journal does with its rows, in the thread that writes it: notes, admission and claims."""

from collections.abc import Sequence
from typing import Any, Final

from aiorescue.bulk import records
from aiorescue.bulk.journal import schema, statements
from aiorescue.bulk.journal.file import JournalFile
from aiorescue.bulk.journal.staging import damaged, insert_new, key_of, known_rows, seen_before, update
from aiorescue.bulk.store import Claimed, Entry, State
from aiorescue.errors import JournalReason
from aiorescue.rescue import PinRequest

#: States in which a request was sent with the fields that the row tells.
_FINAL: Final = (State.ISSUED, State.SENT)


def admit(file: JournalFile, requests: Sequence[PinRequest]) -> list[Entry]:
    """Enter requests and return what is known of each; see `aiorescue.bulk.store.Store.admit`."""
    digests = [records.digest(request) for request in requests]
    keys = [key_of(file.connection, request, digest) for request, digest in zip(requests, digests, strict=True)]
    duplicates = seen_before(file.connection, keys)
    rows = list(zip(requests, digests, keys, duplicates, strict=True))
    if file.is_temporary:
        return [Entry(key, State.ADMITTED, None, 0, duplicate) for _, _, key, duplicate in rows]
    first = [key for key, duplicate in zip(keys, duplicates, strict=True) if not duplicate]
    known = {} if file.is_fresh else known_rows(file.connection, first)
    insert_new(
        file.connection,
        (
            (_given(file, request), key, digest)
            for request, digest, key, duplicate in rows
            if not duplicate and key not in known
        ),
    )
    if any(duplicates):
        known |= known_rows(file.connection, [key for key, again in zip(keys, duplicates, strict=True) if again])
    return [
        _admit_known(file, request, digest, known[key], duplicate=duplicate)
        if key in known
        else Entry(key, State.ADMITTED, None, 0, duplicate=False)
        for request, digest, key, duplicate in rows
    ]


def _admit_known(file: JournalFile, request: PinRequest, digest: bytes, row: Any, *, duplicate: bool) -> Entry:
    number, _, _, operation, *found, check = row
    known = schema.RowOutcome(*found)
    if schema.outcome_check(*found) != check:
        raise file.error(JournalReason.DAMAGED, damaged(known.key))
    if duplicate:
        return Entry(known.key, State(known.state), known.pin, known.orphans, duplicate=True)
    if known.digest != digest and known.state in _FINAL:
        raise file.error(
            JournalReason.OTHER_FIELDS,
            f"request {request.tracking!r} was made with other fields;"
            " it is of another job, or the request was changed",
            advice="Use another journal",
        )
    orphans = known.orphans + (known.state == State.SENT)
    is_as_it_was = known.state == State.ADMITTED and known.digest == digest and operation is not None
    if known.state != State.ISSUED and not is_as_it_was:
        update(file.connection, number, _given(file, request), schema.RowOutcome(known.key, digest, orphans=orphans))
    return Entry(known.key, State(known.state), known.pin, orphans, duplicate=False)


def _given(file: JournalFile, request: PinRequest) -> tuple[Any, ...]:
    return (file.staging, None, None, None, *records.encode(request))


def list_what_is_left(file: JournalFile) -> None:
    """List the rows to be sent in this run; one that an earlier run sent without an answer is a possible orphan."""
    execute = file.connection.execute
    execute(statements.REOPEN)
    execute("DELETE FROM temp.todo")
    execute(statements.LIST_WHAT_IS_LEFT, (file.staging,))


def claim(file: JournalFile, place: int, most: int) -> tuple[int, list[Claimed]]:
    """The rows behind a place in the list of rows to be sent, and the place of the last of them."""
    claimed = []
    for found in file.connection.execute(statements.CLAIM, (place, most)).fetchall():
        place, *values = found
        given, placed, outcome, check = values[:6], values[6], values[7:-1], values[-1]
        key = outcome[0]
        if schema.outcome_check(*outcome) != check or schema.input_check(*given) != placed:
            raise file.error(JournalReason.DAMAGED, damaged(key))
        try:
            request = records.decode(given[4], given[5])
        except ValueError as problem:
            raise file.error(JournalReason.DAMAGED, f"{damaged(key)}; {problem}") from None
        if request is not None:
            claimed.append(Claimed(key, place - 1 if given[1] is None else given[1], request, outcome[4]))
    return place, claimed
