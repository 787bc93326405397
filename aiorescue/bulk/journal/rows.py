"""What a journal does with its rows, in the thread that writes it: it admits, lists, hands out and retries them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from aiorescue.bulk import records
from aiorescue.bulk.journal import schema, statements
from aiorescue.bulk.journal.file import JournalFile
from aiorescue.bulk.journal.staging import (
    damaged,
    insert_new,
    key_of,
    known_requests,
    known_rows,
    seen_before,
    update,
)
from aiorescue.bulk.store import Claimed, Entry, State
from aiorescue.errors import JournalReason
from aiorescue.rescue import PinRequest

#: States in which a PIN was issued for the fields of the row, or may have been: other fields mean another job.
_PIN_MAY_EXIST: Final = (State.ISSUED, State.SENT)


def admit(file: JournalFile, requests: Sequence[PinRequest]) -> list[Entry]:
    """Enter requests and return what is known of each; see `aiorescue.bulk.store.Store.admit`."""
    # Where nothing is kept, a tracking field is all that tells requests apart.
    digests = [b"" if file.is_temporary and request.tracking else records.digest(request) for request in requests]
    keys = [key_of(file.connection, request, digest) for request, digest in zip(requests, digests, strict=True)]
    known = _known(file, dict(zip(keys, requests, strict=True)))
    seen = set(known) if file.is_fresh else seen_before(file.connection, keys)
    new: list[tuple[PinRequest, str, bytes]] = []
    entries = []
    for request, digest, key in zip(requests, digests, keys, strict=True):
        is_duplicate = key in seen
        seen.add(key)
        if key in known:
            entries.append(_admit_known(file, request, digest, known[key], duplicate=is_duplicate))
            continue
        entries.append(Entry(key, State.ADMITTED, None, 0, is_duplicate))
        if not (is_duplicate or file.is_temporary):
            new.append((request, key, digest))
    if new:
        _enter(file, new)
    return entries


def _enter(file: JournalFile, new: Sequence[tuple[PinRequest, str, bytes]]) -> None:
    """Add rows for new requests, given with their keys and digests."""
    (last,) = file.connection.execute(statements.LAST_ID).fetchone()
    values: list[Any] = []
    for number, (request, key, digest) in enumerate(new, last + 1):
        given, name_check = _given(file, request), schema.name_check(key, digest)
        staging, _, _, _, operation, fields = given
        values += (number, staging, operation, fields, schema.input_check(*given))
        values += (key, bytearray(digest), schema.check_of_new(name_check))
        file.under_way.add_new(key, number, name_check)
    insert_new(file.connection, statements.ADMITTED, values)


def _known(file: JournalFile, requests: Mapping[str, PinRequest]) -> dict[str, Any]:
    """What the journal knows of requests, by their keys."""
    if file.is_temporary:
        return {}
    # What this run has entered has the keys of today.
    return known_rows(file.connection, tuple(requests)) if file.is_fresh else known_requests(file.connection, requests)


def _admit_known(file: JournalFile, request: PinRequest, digest: bytes, row: Any, *, duplicate: bool) -> Entry:
    number, _, operation, *found, check = row
    known = schema.RowOutcome(*found)
    if schema.outcome_check(*found) != check:
        raise file.error(JournalReason.DAMAGED, damaged(known.key))
    if duplicate:
        return Entry(known.key, State(known.state), known.pin, known.orphans, duplicate=True)
    is_same = records.is_digest_of(known.digest, request, digest)
    if not is_same and known.state in _PIN_MAY_EXIST:
        raise file.error(
            JournalReason.OTHER_FIELDS,
            f"request {request.tracking!r} was made with other fields;"
            " it is of another job, or the request was changed",
            advice="Use another journal",
        )
    orphans = known.orphans + (known.state == State.SENT)
    is_as_it_was = known.state == State.ADMITTED and is_same and operation is not None
    if known.state != State.ISSUED:
        outcome = known if is_as_it_was else schema.RowOutcome(known.key, digest, orphans=orphans)
        if not is_as_it_was:
            update(file.connection, number, _given(file, request), outcome)
        file.under_way.add(number, outcome)
    return Entry(known.key, State(known.state), known.pin, orphans, duplicate=False)


def _given(file: JournalFile, request: PinRequest) -> tuple[Any, ...]:
    return (file.staging, None, None, None, *records.encode(request))


def list_what_is_left(file: JournalFile) -> None:
    """List the rows to be sent in this run; one that an earlier run sent without an answer is a possible orphan."""
    execute = file.connection.execute
    file.under_way.forget()
    execute(statements.REOPEN)
    execute("DELETE FROM temp.todo")
    execute(statements.LIST_WHAT_IS_LEFT, (file.staging,))


def retry(file: JournalFile) -> int:
    """Make failed rows ready to be sent again; returns how many."""
    file.under_way.forget()
    return file.connection.execute(statements.RETRY).rowcount


def claim(file: JournalFile, place: int, most: int) -> tuple[int, list[Claimed]]:
    """The rows behind a place in the list of rows to be sent, and the place of the last of them."""
    claimed = []
    for found in file.connection.execute(statements.CLAIM, (place, most)).fetchall():
        place, number, *values = found
        given, placed, outcome, check = values[:6], values[6], values[7:-1], values[-1]
        key = outcome[0]
        if schema.outcome_check(*outcome) != check or schema.input_check(*given) != placed:
            raise file.error(JournalReason.DAMAGED, damaged(key))
        try:
            request = records.decode(given[4], given[5])
        except ValueError as problem:
            raise file.error(JournalReason.DAMAGED, f"{damaged(key)}; {problem}") from None
        if request is not None:
            file.under_way.add(number, schema.RowOutcome(*outcome))
            claimed.append(Claimed(key, place - 1 if given[1] is None else given[1], request, outcome[4]))
    return place, claimed
