"""The figures of a run of `aiorescue pins`, and figures as people read them."""

import math
import time
from collections import deque
from typing import Any, Final

import attrs

from aiorescue.bulk import Issued, JobStatus
from aiorescue.rescue import PinRequest

#: PINs over which the present rate is measured.
_WINDOW: Final = 50
#: Seconds without a PIN, beyond twice the usual, from which the rate falls.
_SILENCE: Final = 1.0


@attrs.define
class Tally:
    """Counts what became of the rows so far; the clock runs from its construction to `stop`.

    Attributes:
        rows: rows of the input.
        issued: PINs that this run asked for.
        from_journal: rows that had their PIN before this run.
        failed: rows that the service refused, or that found no answer.
        bad_rows: rows that cannot be asked for.
        possibly_orphaned: attempts that may have left an unclaimed PIN.
        is_begun: True once the figures of the journal are known; before that, only `rows` means anything.
    """

    rows: int
    issued: int = 0
    from_journal: int = 0
    failed: int = 0
    bad_rows: int = 0
    possibly_orphaned: int = 0
    is_begun: bool = False
    _begun: float = attrs.field(factory=time.monotonic)
    _ended: float | None = None
    _times: deque[float] = attrs.field(factory=lambda: deque(maxlen=_WINDOW))

    def begin(self, status: JobStatus) -> None:
        """Take over what earlier runs left in the journal. Rows that failed are asked for again."""
        self.is_begun = True
        self.rows, self.from_journal, self.bad_rows = status.rows, status.issued, status.bad

    def count(self, issued: Issued[PinRequest]) -> None:
        """Count a row that has its PIN or has failed."""
        if issued.pin is None:
            self.failed += 1
            return
        self.issued += 1
        self._times.append(time.monotonic())

    def end(self, status: JobStatus) -> None:
        """Take the last figures from the journal, which knows of each row what became of it; no call is under way."""
        self.rows, self.bad_rows = status.rows, status.bad
        self.from_journal = max(status.issued - self.issued, 0)
        self.failed = status.failed
        self.possibly_orphaned = status.possibly_orphaned + status.in_flight

    @property
    def done(self) -> int:
        """Number of rows with a result: a PIN, a failure, or no request that could be made."""
        return self.issued + self.from_journal + self.failed + self.bad_rows

    @property
    def left(self) -> int:
        """Number of rows that have no result yet."""
        return max(self.rows - self.done, 0)

    @property
    def complete(self) -> bool:
        """Whether every row has a result."""
        return not self.left

    def stop(self) -> None:
        """Stop the clock, so that `seconds` stays as it is."""
        self._ended = time.monotonic()

    @property
    def seconds(self) -> float:
        """Seconds from the beginning to now, or to `stop`."""
        return (self._ended or time.monotonic()) - self._begun

    @property
    def rate(self) -> float:
        """PINs per second at present; 0 if unknown."""
        if len(self._times) < 2:  # noqa: PLR2004 - an interval has two ends
            return 0.0
        intervals = len(self._times) - 1
        seconds = self._times[-1] - self._times[0]
        silent = (self._ended or time.monotonic()) - self._times[-1]
        if silent > _SILENCE + 2 * seconds / intervals:
            seconds += silent
        return intervals / max(seconds, 1e-9)

    @property
    def seconds_left(self) -> float | None:
        """Seconds that the remaining rows take at the present rate; None if that is unknown."""
        if self.complete:
            return 0.0
        return self.left / self.rate if self.rate else None

    def figures(self) -> dict[str, Any]:
        """All figures by name, as ``--json`` has them."""
        seconds = self.seconds
        names = ("rows", "issued", "from_journal", "failed", "bad_rows", "left", "possibly_orphaned", "complete")
        return {name: getattr(self, name) for name in names} | {
            "bad": self.bad_rows,
            "seconds": round(seconds, 3),
            "pins_per_second": round(self.issued / seconds, 2) if seconds else 0.0,
        }


def clock(seconds: float | None) -> str:
    """Write seconds as a clock shows them: ``1:02:03``; ``∞`` for an infinite time, ``?:??`` for an unknown one."""
    if seconds is None:
        return "?:??"
    if seconds == math.inf:
        return "∞"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def duration(seconds: float) -> str:
    """Write seconds for people: ``4.2 s`` below a minute, ``1:02:03`` above."""
    return f"{seconds:.1f} s" if seconds < 60 else clock(seconds)  # noqa: PLR2004 - a minute
