"""The figures of a run of `aiorescue pins`, and how they read."""

import time
from collections import deque
from typing import Any, Final

import attrs

from aiorescue.bulk import Issued
from aiorescue.rescue import PinRequest

#: PINs over which the present rate is taken.
_WINDOW: Final = 50


@attrs.define
class Tally:
    """What became of the rows so far.

    Attributes:
        rows: how many the file has.
        issued: PINs of this run.
        from_journal: PINs of earlier runs.
        failed: rows that the service refused, or that found no answer.
        bad_rows: rows that could not be asked for.
        possibly_orphaned: tries that may have left a PIN that nobody knows.
    """

    rows: int
    issued: int = 0
    from_journal: int = 0
    failed: int = 0
    bad_rows: int = 0
    possibly_orphaned: int = 0
    _begun: float = attrs.field(factory=time.monotonic)
    _ended: float | None = None
    _times: deque[float] = attrs.field(factory=lambda: deque(maxlen=_WINDOW))

    def count(self, issued: Issued[PinRequest]) -> None:
        """A row has its PIN, or failed."""
        if issued.pin is None:
            self.failed += 1
            self.possibly_orphaned += issued.error.possibly_orphaned if issued.error else 0
            return
        self.possibly_orphaned += issued.pin.possibly_orphaned
        if issued.resumed:
            self.from_journal += 1
            return
        self.issued += 1
        self._times.append(time.monotonic())

    @property
    def done(self) -> int:
        """Rows with a result, good or bad."""
        return self.issued + self.from_journal + self.failed + self.bad_rows

    @property
    def complete(self) -> bool:
        """Whether every row has one."""
        return self.done >= self.rows

    def stop(self) -> None:
        """The clock stops."""
        self._ended = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long it took so far, or in all."""
        return (self._ended or time.monotonic()) - self._begun

    @property
    def rate(self) -> float:
        """PINs per second at present; 0 if unknown."""
        if len(self._times) < 2:  # noqa: PLR2004 - an interval has two ends
            return 0.0
        return (len(self._times) - 1) / max(self._times[-1] - self._times[0], 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """How long the rest will take at the present rate; None if that is unknown."""
        return (self.rows - self.done) / self.rate if self.rate else None

    def figures(self) -> dict[str, Any]:
        """All of it, for programs."""
        seconds = self.seconds
        names = ("rows", "issued", "from_journal", "failed", "bad_rows", "possibly_orphaned", "complete")
        return {name: getattr(self, name) for name in names} | {
            "seconds": round(seconds, 3),
            "pins_per_second": round(self.issued / seconds, 2) if seconds else 0.0,
        }


def clock(seconds: float | None) -> str:
    """Seconds as people read them: ``1:02:03``."""
    if seconds is None:
        return "?:??"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration(seconds: float) -> str:
    """The same, to the tenth where that matters."""
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)  # noqa: PLR2004 - a minute
