"""`FigureSums`: the figures of a job, summed up from what a store counts of its rows."""

from typing import Final

import attrs

from aiorescue.bulk.store import JobStatus, State

#: Seconds over which the rate of a job is measured.
WINDOW: Final = 60.0


@attrs.define
class FigureSums:
    """Sums of the figures of rows, from which a `JobStatus` is made.

    Attributes:
        counts: rows of the present input, by their state.
        in_flight: rows that were sent and have no answer.
        orphans: attempts that may have left an unclaimed PIN.
        vanished: requests that are not in the present input.
        corrected: rows whose PIN was issued for other fields than they have now.
        recent: PINs that were issued in the last `WINDOW` seconds.
    """

    counts: dict[State, int] = attrs.field(factory=lambda: dict.fromkeys(State, 0))
    in_flight: int = 0
    orphans: int = 0
    vanished: int = 0
    corrected: int = 0
    recent: int = 0

    def add(self, state: int, count: int, *, is_here: bool, orphans: int, corrected: int, recent: int) -> None:
        """Add rows of one state, which are in the present input or have vanished from it."""
        self.orphans += orphans
        self.recent += recent
        if state == State.SENT:
            self.in_flight += count
        if is_here:
            self.counts[State(state)] += count
            self.corrected += corrected
        else:
            self.vanished += count

    @property
    def left(self) -> int:
        """Rows that are yet to be sent, or whose outcome is unknown."""
        return self.counts[State.ADMITTED] + self.counts[State.SENT]

    def status(self, name: str, *, runs: int, running: bool, seconds: float, note: str = "") -> JobStatus:
        """Make the status of the job.

        Args:
            name: name of the job.
            runs: how often work on the job has begun.
            running: whether a process works on the job.
            seconds: age of the oldest PIN among the recent ones.
            note: what a reader should know of the store's condition.
        """
        rate = self.recent / max(seconds, 1.0)
        return JobStatus(
            name=name,
            rows=sum(self.counts.values()),
            issued=self.counts[State.ISSUED],
            failed=self.counts[State.FAILED],
            bad=self.counts[State.BAD],
            left=self.left,
            in_flight=self.in_flight,
            possibly_orphaned=self.orphans,
            vanished=self.vanished,
            corrected=self.corrected,
            runs=runs,
            running=running,
            rate=rate,
            seconds_left=self.left / rate if rate else None,
            note=note,
        )
