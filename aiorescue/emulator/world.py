"""Everything that is emulated, without the server in front of it: what `app` serves and `control` acts on."""

import asyncio
import random
from typing import Any
from weakref import WeakValueDictionary

from aiorescue.emulator.clock import Clock
from aiorescue.emulator.faults import Faults
from aiorescue.emulator.request_log import RequestLog
from aiorescue.emulator.rules.call import Call, Limits
from aiorescue.emulator.rules.rescue.pins import LedgerEntry
from aiorescue.emulator.state import State
from aiorescue.rescue.service import RESCUE


class World:
    """The emulated services: their state and limits, the scripted faults, the log, and how long answers take.

    Attributes:
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
    """

    limits: Limits
    state: State
    requests: RequestLog
    faults: Faults
    latency: float
    jitter: float

    def __init__(
        self,
        clock: Clock,
        *,
        pin_rate: float | None = 1.0,
        pins: int | None = None,
        latency: float = 0.0,
        jitter: float = 0.0,
        seed: int = 0,
    ) -> None:
        if pin_rate is not None and pin_rate <= 0:
            raise ValueError(f"pin_rate is {pin_rate}, but it is above 0, or None for no limit")
        self.clock = clock
        self._stock = pin_rate, pins
        self._delays = latency, jitter
        self._seed = seed
        self.reset()

    def reset(self) -> None:
        """Put everything back as it was at the start; connections stay open."""
        self.clock.offset = 0.0
        self.latency, self.jitter = self._delays
        pin_rate, pins = self._stock
        self.limits = Limits(pin_rate=pin_rate, pins_left=pins)
        self.state = State(self.clock, self.limits, self._seed)
        self.requests = RequestLog()
        self.faults = Faults()
        self._random = random.Random(self._seed)  # noqa: S311 - jitter
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    @property
    def url(self) -> str:
        """The base URL at which the services are served; empty without a server."""
        return ""

    @property
    def ledger(self) -> list[LedgerEntry]:
        """Every PIN that was issued, in order."""
        return self.state.ledger

    def fault(self, kind: str, operation: str | None = None, times: int = 1, **options: Any) -> None:
        """Script a fault for the next requests (of one operation); see `faults.KINDS` for kinds and options.

        Args:
            kind: name of the kind of fault.
            operation: name of the operation that meets the fault; None for any.
            times: number of requests that meet the fault.
            **options: options of the kind.

        Raises:
            ValueError: there is no such kind or option.
        """
        self.faults.add(kind, operation, times, **options)

    def delay(self) -> float:
        """Seconds to wait before a call takes effect, and again after: half the latency with its jitter."""
        return (self.latency + self.jitter * self._random.random()) / 2

    def session_lock(self, call: Call) -> asyncio.Lock:
        """The lock under which a call runs: ASP.NET runs calls of one server session one by one, all others at once."""
        if call.operation.spec.service is not RESCUE or not self.state.alive(call.cookie):
            return asyncio.Lock()
        return self._locks.setdefault(call.cookie, asyncio.Lock())
