"""`Store`: the table of a bulk job, which holds every request and what became of it. A job is its store.

A job is its table of requests: it is staged, worked on, looked at, exported and retried through these methods,
whether its rows lie in a file (`aiorescue.bulk.journal.Journal`) or in a database. Two protocols cut the work:

`StoreReader`
    Questions to a job. They may be asked at any time, also while another process works on the job, and after a crash.

`Store`
    A `StoreReader` that may also write. A journal has one writer at a time; a database has one for each `Lane`.

The life of a job, as a command runs it::

    async with Journal("pins.journal", "spring") as store:                # one writer; a second one is refused
        staging = await store.stage(rows, columns=["name", "tracking"])   # all rows, in one transaction, in a thread
        async with issue_staged(client, store) as job:                    # asks for a PIN for each row that is left
            async for issued in job:
                print(issued.position, issued.pin)
        async for row in store.rows():                                    # every row, in the order of the input
            print(*row.cells, row.pin, row.status, row.error)

    async with Journal.reading("pins.journal") as store:                  # at any time, from any process
        print(await store.status())

`aiorescue.bulk.issue` uses the other way in: requests that come one by one are *admitted* just before they are sent.
"""

import enum
from collections.abc import AsyncIterator, Awaitable, Iterable, Sequence
from typing import Protocol

from aiorescue.operation import frozen
from aiorescue.rescue import PinRequest


class State(enum.IntEnum):
    """What is known of a row.

    Attributes:
        ADMITTED: yet to be sent.
        SENT: about to leave, or sent; whether the service has issued a PIN for it is unknown.
        ISSUED: its PIN is in the row; it is never sent again.
        FAILED: the service refused the request itself, or its attempts ended; another run tries again.
        BAD: no request can be made of the row, so it is never sent.
    """

    ADMITTED = 0
    SENT = 1
    ISSUED = 2
    FAILED = 3
    BAD = 4


#: The state of a row in the words of outputs and summaries.
STATUS_WORDS = {
    State.ADMITTED: "left",
    State.SENT: "left",
    State.ISSUED: "issued",
    State.FAILED: "failed",
    State.BAD: "bad",
}


@frozen
class InputRow:
    """One row of an input, ready to be staged.

    Attributes:
        line: the line of the input on which the row begins, from 1; for messages.
        cells: the cells of the row, carried through to the output unchanged.
        request: the request for its PIN; None if the row is bad.
        problem: why the row is bad, in words; empty if it is good.
    """

    line: int
    cells: tuple[str, ...]
    request: PinRequest | None
    problem: str = ""


@frozen(kw_only=True)
class Staging:
    """What `Store.stage` found in an input, compared with an earlier staging of the job.

    Attributes:
        rows: rows of the input, bad ones included.
        new: good rows whose requests the job did not know.
        bad: rows of which no request can be made, those included whose tracking field another row has.
        corrected: rows whose PIN was issued for other fields under the same tracking field. They keep that PIN.
        corrected_lines: the lines of the first of them, at most a hundred.
        vanished: requests of the job that are not in the input any more.
        vanished_issued: vanished requests that hold a PIN. `StoreReader.rows` yields them behind all others.
    """

    rows: int
    new: int
    bad: int
    corrected: int
    corrected_lines: tuple[int, ...]
    vanished: int
    vanished_issued: int


@frozen(kw_only=True)
class StoredRow:
    """One row of a job.

    Attributes:
        key: what names the request in the store: ``=`` and its tracking field, or ``#`` and a digest of its fields.
        position: place in the input, from 0; None if the row is not in the last input, or was never staged.
        line: line of the input on which it begins; None where `position` is.
        cells: cells of the program's own columns, as they were staged.
        request: the request; None for a bad row, and for one of a journal of version 1, which did not keep it.
        state: what is known of the request.
        pin: PIN of the row, if it is issued.
        orphans: attempts that may have left an unclaimed PIN.
        error: why the row failed or is bad; empty otherwise.
        corrected: True if the PIN was issued for other fields than the row has now.
    """

    key: str
    position: int | None
    line: int | None
    cells: tuple[str, ...]
    request: PinRequest | None
    state: State
    pin: str | None
    orphans: int
    error: str
    corrected: bool

    @property
    def status(self) -> str:
        """The state in one of the four words of an output: ``issued``, ``failed``, ``bad`` or ``left``."""
        return STATUS_WORDS[self.state]


@frozen(kw_only=True)
class JobStatus:
    """The figures of a job at one moment.

    Attributes:
        name: name of the job.
        rows: rows of the job, bad ones included; those that vanished from the input are not.
        issued: rows that have their PIN.
        failed: rows that the service refused, or whose attempts ended.
        bad: rows of which no request can be made.
        left: rows that are yet to be sent, or whose outcome is unknown.
        in_flight: rows that were sent and have no answer; they count as left, too.
        possibly_orphaned: attempts that may have left an unclaimed PIN; `StoreReader.orphans` says of which rows.
        vanished: requests that are not in the last input any more.
        corrected: rows whose PIN was issued for other fields than they have now.
        runs: how often work on the job has begun.
        running: a process works on the job at this moment.
        rate: PINs per second over the last minute; 0.0 if none was issued in it.
        seconds_left: how long the rows that are left take at that rate; None if that is unknown.
        note: what a reader should know of the store's condition, such as a missing write-ahead log; mostly empty.
    """

    name: str
    rows: int
    issued: int
    failed: int
    bad: int
    left: int
    in_flight: int
    possibly_orphaned: int
    vanished: int
    corrected: int
    runs: int
    running: bool
    rate: float
    seconds_left: float | None
    note: str = ""

    @property
    def complete(self) -> bool:
        """Whether no row is left."""
        return not self.left


@frozen
class Lane:
    """All the work of one identity in one job, as the writes of a store name it.

    A journal has a single writer and takes any lane. A database raises the epoch of an identity whenever a process
    begins its lane, and refuses the writes of an older epoch.

    Attributes:
        identity: name of the identity; never a secret.
        epoch: number of the lane's beginning.
    """

    identity: str
    epoch: int = 0


@frozen
class Claimed:
    """A row that was handed out to be sent.

    Attributes:
        key: names the row in the writes that follow.
        position: place of the row in the input.
        request: the request.
        orphans: earlier attempts that may have left an unclaimed PIN.
    """

    key: str
    position: int
    request: PinRequest
    orphans: int


@frozen
class Entry:
    """A request as `Store.admit` found it.

    Attributes:
        key: names the request in the writes that follow.
        state: what became of it in earlier runs.
        pin: PIN of the request, if it is issued.
        orphans: earlier attempts that may have left an unclaimed PIN.
        duplicate: True if the key was admitted before in this very run.
    """

    key: str
    state: State
    pin: str | None
    orphans: int
    duplicate: bool


class StoreReader(Protocol):
    """Questions to a job: counts, rows, failures and orphans.

    Each method raises `errors.JournalError` if the store cannot be read, or holds something that cannot be true; a PIN
    that is handed out is the one that was written.
    """

    async def status(self) -> JobStatus:
        """The figures of the job at this moment."""

    async def columns(self) -> tuple[str, ...]:
        """The names of the program's own columns, as they were staged last; empty if nothing was staged."""

    def rows(self, *states: State) -> AsyncIterator[StoredRow]:
        """Yield the rows as they were at one moment, in the order of the input; constant in memory.

        Rows that vanished from the input and hold a PIN follow behind the others, with a `StoredRow.position` of None.
        Requests that were admitted and never staged come in the order in which they were admitted.

        Args:
            states: only rows in one of these states; none for all rows.
        """

    def orphans(self) -> AsyncIterator[StoredRow]:
        """Yield the rows with attempts that may have left an unclaimed PIN."""


class Store(StoreReader, Protocol):
    """The table of a job, for the process that works on it.

    The writes of a row are awaited one after the other, and each ends when it will survive a crash:

    1. `sent`, before the first byte of an attempt leaves;
    2. `issued`, before the PIN is handed to the program; or `failed`, or `given_back`.
    """

    async def stage(self, rows: Iterable[InputRow], *, columns: Sequence[str] = ()) -> Staging:
        """Take in a whole input, or nothing of it: one transaction, constant in memory.

        A request that the job knows keeps what became of it. Its key is its tracking field; without one, its fields and
        how many rows of the same fields came before it. So an input may be sorted, completed and corrected between two
        runs. A row that was corrected after its PIN had been issued keeps the PIN. One whose tracking field occurred
        before in the input is staged as bad.

        Args:
            rows: the input in its order. It is iterated in another thread, so it may read a file.
            columns: names of the cells of each row.

        Raises:
            errors.JournalError: the store cannot be written.
            Exception: whatever the iteration of the rows raises; then nothing was staged.
        """

    async def admit(self, requests: Sequence[PinRequest]) -> list[Entry]:
        """Enter requests that are about to be sent, and return what is known of each.

        Raises:
            errors.JournalError: a request that was sent before comes back with other fields under its tracking field.
        """

    async def claim(self, most: int, lane: Lane | None = None) -> Sequence[Claimed]:
        """Hand out the next rows to be sent, in the order of the input; empty when none is left.

        A row is handed out once in a run. A row that this run gave back is still the run's, and not handed out again.

        Args:
            most: the most rows to hand out.
            lane: lane that will send them; None for any identity of this process.
        """

    def sent(self, key: str, lane: Lane | None = None) -> Awaitable[None]:
        """Record that an attempt is about to leave; a row that is SENT already counts one possible orphan more."""

    def issued(self, key: str, pin: str, orphans: int, lane: Lane | None = None) -> Awaitable[None]:
        """Record a PIN, and the number of possible orphans.

        Raises:
            errors.ProtocolError: another request of the job has this PIN; nothing was recorded.
        """

    def failed(self, key: str, error: str, orphans: int, lane: Lane | None = None) -> Awaitable[None]:
        """Record that a request failed by itself; the next run sends it again."""

    def given_back(self, key: str, orphans: int, lane: Lane | None = None) -> Awaitable[None]:
        """Record that a request has no result for a reason that lies outside it; it is ADMITTED again."""

    async def retry(self) -> int:
        """Make failed rows ready to be sent again, and accept the loss of a missing log; returns how many rows."""
