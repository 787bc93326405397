"""Everything that is emulated, without the server in front of it: what `app` serves and `control` acts on."""

import asyncio
import random
from threading import RLock
from typing import Any
from weakref import WeakValueDictionary

from aiorescue.emulator.clock import TurnableClock
from aiorescue.emulator.faults import Faults
from aiorescue.emulator.request_log import RequestLog
from aiorescue.emulator.rules.call import Limits, ReceivedCall, Result
from aiorescue.emulator.rules.rescue.ledger import LEDGER_SIZE, Ledger, LedgerEntry
from aiorescue.emulator.state import EmulatorState
from aiorescue.operation.number import is_number, is_whole
from aiorescue.rescue.service import RESCUE

#: Between the seeds of the codes before and after a reset.
_SEED_STEP = 1_000_003


class World:
    """The emulated services: their state and limits, the scripted faults, the log, and how long answers take.

    A test may run in another thread than the server. What it reads and does here is safe then, and `lock` makes it safe
    to reach into `state`; the server holds the lock while it carries out a call, and never while it waits.

    Attributes:
        lock: held while the state changes.
        clock: the emulator's clock.
        limits: limits that the services enforce.
        state: what the services remember.
        requests: log of the requests.
        faults: scripted faults.
        latency: seconds that an answer takes, half of them before the call's effect and half after.
        jitter: most seconds that are added to the latency, at random.

    Args:
        clock: the emulator's clock.
        pin_rate: PINs per second and user; None for no limit.
        pins: number of PINs in stock; None for an unlimited stock.
        latency: the latency after each reset, in seconds.
        jitter: the jitter after each reset, in seconds.
        seed: seed of the random values and of the sequence of PINs.
        ledger_size: PINs that the ledger keeps; older ones are dropped, and counted.

    Raises:
        ValueError: an argument is no number, or out of its range.
    """

    limits: Limits
    state: EmulatorState
    requests: RequestLog
    faults: Faults
    latency: float
    jitter: float

    def __init__(
        self,
        clock: TurnableClock,
        *,
        pin_rate: float | None = 1.0,
        pins: int | None = None,
        latency: float = 0.0,
        jitter: float = 0.0,
        seed: int = 0,
        ledger_size: int = LEDGER_SIZE,
    ) -> None:
        if pin_rate is not None and (not is_number(pin_rate) or pin_rate <= 0):
            raise _wrong("pin_rate", pin_rate, "a number above 0, or None for no limit")
        if pins is not None and (not is_whole(pins) or pins < 0):
            raise _wrong("pins", pins, "a whole number from 0 on, or None for an unlimited stock")
        for name, seconds in (("latency", latency), ("jitter", jitter)):
            if not is_number(seconds) or seconds < 0:
                raise _wrong(name, seconds, "a number of seconds from 0 on")
        if not is_whole(seed):
            raise _wrong("seed", seed, "a whole number")
        self.clock, self.lock = clock, RLock()
        self._stock = pin_rate, pins
        self._delays = latency, jitter
        self._seed, self._ledger_size, self._resets = seed, ledger_size, 0
        self.reset()

    def reset(self) -> None:
        """Put everything back as it was at the start, for clients that live on: connections stay open.

        The clock does not go back, and PINs, auth codes, cookies and tickets go on with new ones, as a client takes a
        PIN that comes twice for a repeated answer.
        """
        with self.lock:
            first = self.ledger.next_place if self._resets else None
            ledger = Ledger(self._seed, self._ledger_size, first=first)
            self.latency, self.jitter = self._delays
            pin_rate, pins = self._stock
            self.limits = Limits(pin_rate=pin_rate, pins_left=pins)
            self.state = EmulatorState(
                self.clock, self.limits, self._seed + _SEED_STEP * self._resets, ledger, lock=self.lock
            )
            self._resets += 1
            self.requests = RequestLog()
            self.faults = Faults()
            self._random = random.Random(self._seed)  # noqa: S311 - jitter
            self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def url(self) -> str:
        """The base URL at which the services are served; empty without a server."""
        return ""

    @property
    def ledger(self) -> Ledger:
        """The PINs that were issued, in order; see `Ledger.dropped` for those that were too many to keep."""
        return self.state.ledger

    def ledger_between(self, start: int, end: int) -> list[LedgerEntry]:
        """The entries of the ledger that are kept, from behind a number of issued PINs up to another number of them."""
        with self.lock:
            dropped = self.ledger.dropped
            return self.ledger[max(start - dropped, 0) : max(end - dropped, 0)]

    def fault(self, kind: str, operation: str | None = None, times: int = 1, **options: Any) -> None:
        """Script a fault for the next requests (of one operation); see `faults.KINDS` for kinds and options.

        Args:
            kind: name of the kind of fault.
            operation: name of the operation that meets the fault; None for any.
            times: number of requests that meet the fault.
            **options: options of the kind.

        Raises:
            ValueError: there is no such kind, operation, word or option.
        """
        self.faults.add(kind, operation, times, **options)

    def carry_out(self, call: ReceivedCall) -> Result:
        """Carry out a call; a refusal is a result, too."""
        with self.lock:
            return self.state.handle(call)

    def delay(self) -> float:
        """Seconds to wait before a call takes effect, and again after: half the latency with its jitter."""
        return (self.latency + self.jitter * self._random.random()) / 2

    def session_lock(self, call: ReceivedCall) -> asyncio.Lock:
        """The lock under which a call runs: ASP.NET runs calls of one server session one by one, all others at once."""
        if call.operation.spec.service is not RESCUE or not self.state.alive(call.cookie):
            return asyncio.Lock()
        return self._locks.setdefault(call.cookie, asyncio.Lock())


def _wrong(name: str, value: object, expected: str) -> ValueError:
    return ValueError(f"{name} is {value!r}, but it is {expected}")
