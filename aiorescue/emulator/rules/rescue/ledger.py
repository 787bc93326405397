"""The ledger of issued PINs: which PIN comes at which place, and a compact record of the last of them."""

import struct
from collections import deque
from collections.abc import Iterator, Sequence
from threading import RLock
from typing import overload

from aiorescue.operation import frozen
from aiorescue.operation.number import is_whole
from aiorescue.rescue.pins import is_pin

# 7919 is coprime to a million, so the PINs repeat only after a million; the first ones are those of the captures.
FIRST_PIN, PIN_STEP, PINS = 12345, 7919, 1_000_000
#: PINs in the sequence between the first PINs of seeds n and n + 1.
PINS_PER_SEED = 1000

#: Entries that a ledger keeps unless it is given another number.
LEDGER_SIZE = 100_000
#: Bytes of records that a ledger keeps at most: a request may bring fields of megabytes.
_MOST_BYTES = 256 * 2**20
#: Undoes `PIN_STEP`, to find the place of a PIN.
_STEP_BACK = pow(PIN_STEP, -1, PINS)
#: Time, node, index of the user's name, index of the operation's name, flag; the texts follow.
_HEAD = struct.Struct("<dqIH?")
#: Between the texts of a record: a byte that UTF-8 never uses.
_BETWEEN = b"\xff"


def _place(pin: str) -> int:
    """The place of a PIN in the sequence, from 0."""
    return (int(pin) - FIRST_PIN) * _STEP_BACK % PINS


def seed_behind(pin: str) -> int:
    """The lowest seed whose PINs come behind a PIN in the sequence."""
    return _place(pin) // PINS_PER_SEED + 1


@frozen
class LedgerEntry:
    """A PIN that was issued.

    Attributes:
        number: position among all PINs that were issued, from 1.
        pin: the PIN, six digits.
        operation: name of the operation that issued it.
        user: e-mail address of the user who requested it.
        tracking: tracking field of the request.
        custom_fields: custom fields of the request.
        no_tech_console: whether the request allowed a PIN without a running Technician Console.
        time: seconds on the emulator's clock.
        node: id of the technician's node that the PIN is for; None for the user's own.
    """

    number: int
    pin: str
    operation: str
    user: str
    tracking: str
    custom_fields: tuple[str, ...]
    no_tech_console: bool
    time: float
    node: int | None = None


class Ledger(Sequence[LedgerEntry]):
    """The last PINs that were issued, oldest first; it is equal to a list of the same entries.

    A record takes about a hundred bytes and is unpacked when it is read. Other threads may read while PINs are issued.

    Attributes:
        size: most entries that are kept.
        issued: number of PINs that were issued in all.

    Args:
        seed: chooses the first PIN of the sequence.
        size: most entries that are kept.
        first: place of the first PIN in the sequence, as `next_place` of the ledger before; None for the seed's own.
    """

    def __init__(self, seed: int = 0, size: int = LEDGER_SIZE, *, first: int | None = None) -> None:
        if not is_whole(size) or size < 1:
            raise ValueError(f"ledger_size is {size!r}, but a ledger keeps a whole number of PINs, and one at least")
        self.size, self.issued = size, 0
        self._first = PINS_PER_SEED * seed if first is None else first
        self._records: deque[bytes] = deque()
        self._bytes = 0
        self._names: dict[str, int] = {}
        self._lock = RLock()

    @property
    def next_place(self) -> int:
        """Place in the sequence of the PIN that is issued next."""
        return self._first + self.issued

    @property
    def dropped(self) -> int:
        """Number of PINs that were issued and are not kept any more, the oldest ones."""
        return self.issued - len(self._records)

    def issue(
        self,
        operation: str,
        user: str,
        *,
        tracking: str,
        custom_fields: Sequence[str],
        no_tech_console: bool,
        time: float,
        node: int | None,
    ) -> str:
        """Record the next PIN of the sequence, and return it."""
        with self._lock:
            head = _HEAD.pack(time, node or 0, self._index(user), self._index(operation), no_tech_console)
            texts = (text.encode("utf-8", "surrogatepass") for text in (tracking, *custom_fields))
            record = head + _BETWEEN.join(texts)
            self._records.append(record)
            self._bytes += len(record)
            self.issued += 1
            while len(self._records) > self.size or (self._bytes > _MOST_BYTES and len(self._records) > 1):
                self._bytes -= len(self._records.popleft())
            return self._pin(self.issued)

    def of_pin(self, pin: str) -> LedgerEntry | None:
        """The last entry of a PIN, or None if it was not issued or is not kept any more."""
        if not is_pin(pin):
            return None
        with self._lock:
            number = self.issued - (self.issued - 1 - _place(pin) + self._first) % PINS
            return self._entry(number) if number > self.dropped else None

    def _index(self, name: str) -> int:
        return self._names.setdefault(name, len(self._names))

    def _pin(self, number: int) -> str:
        return f"{(FIRST_PIN + PIN_STEP * (self._first + number - 1)) % PINS:06d}"

    def _entry(self, number: int) -> LedgerEntry:
        return self._unpacked(number, self._records[number - 1 - self.dropped], list(self._names))

    def _unpacked(self, number: int, record: bytes, names: Sequence[str]) -> LedgerEntry:
        time, node, user, operation, no_tech_console = _HEAD.unpack_from(record)
        tracking, *custom_fields = (
            text.decode("utf-8", "surrogatepass") for text in record[_HEAD.size :].split(_BETWEEN)
        )
        return LedgerEntry(
            number=number,
            pin=self._pin(number),
            operation=names[operation],
            user=names[user],
            tracking=tracking,
            custom_fields=tuple(custom_fields),
            no_tech_console=no_tech_console,
            time=time,
            node=node or None,
        )

    # --- as a sequence ----------------------------------------------------------------------------

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> LedgerEntry: ...

    @overload
    def __getitem__(self, index: slice) -> list[LedgerEntry]: ...

    def __getitem__(self, index: int | slice) -> LedgerEntry | list[LedgerEntry]:
        with self._lock:
            if isinstance(index, slice):
                return [self._entry(self.dropped + 1 + place) for place in range(len(self))[index]]
            return self._entry(self.dropped + 1 + range(len(self))[index])

    def __iter__(self) -> Iterator[LedgerEntry]:
        with self._lock:
            first, records, names = self.dropped + 1, list(self._records), list(self._names)
        for number, record in enumerate(records, first):
            yield self._unpacked(number, record, names)

    def __eq__(self, other: object) -> bool:
        return list(self) == list(other) if isinstance(other, list | Ledger) else NotImplemented

    __hash__ = None  # type: ignore[assignment]  # a ledger changes

    def __repr__(self) -> str:
        return f"<Ledger: the last {len(self)} of {self.issued} PINs>"
