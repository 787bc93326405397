"""What happened when, and how long things took, in constant memory: counts by stretch of time and by duration."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from typing import Final

import attrs

#: Stretches of time that are kept at most; when a run outgrows them, each two become one.
_MOST: Final = 240
#: Seconds of the first stretches.
_SHORTEST: Final = 0.125
#: Upper ends of the classes of durations, in seconds; there is one more class above the last.
_ENDS: Final = tuple(digit * 10.0**power for power in range(-3, 4) for digit in (1, 2, 5))


@attrs.define
class Stretch:
    """What happened in one stretch of time.

    Attributes:
        issued: PINs that were issued.
        failed: rows that failed.
        rejected: requests that were rejected as too fast.
        waited: the longest wait for a turn, in seconds.
    """

    issued: int = 0
    failed: int = 0
    rejected: int = 0
    waited: float = 0.0

    def add(self, other: "Stretch") -> None:
        """Add another stretch, which then counts as part of this one."""
        self.issued += other.issued
        self.failed += other.failed
        self.rejected += other.rejected
        self.waited = max(self.waited, other.waited)


class Timeline:
    """Counts by stretches of equal length, which grow with the time that they have to cover."""

    def __init__(self) -> None:
        self.width = _SHORTEST
        self._stretches: list[Stretch] = []

    def at(self, seconds: float) -> Stretch:
        """The stretch that a moment lies in.

        Args:
            seconds: the moment, counted from the beginning of the run.
        """
        while seconds >= self.width * _MOST:
            self.width *= 2
            self._stretches = _joined(self._stretches, 2)
        place = int(max(seconds, 0.0) / self.width)
        while len(self._stretches) <= place:
            self._stretches.append(Stretch())
        return self._stretches[place]

    def bars(self, most: int, *, at_least: float) -> tuple[float, Sequence[Stretch]]:
        """Longer stretches for a picture, and their width in seconds.

        Args:
            most: the most stretches to return.
            at_least: PINs that a stretch should hold on average, so that the picture shows a rate and not single PINs.
        """
        issued = sum(stretch.issued for stretch in self._stretches)
        several = 1
        while len(self._stretches) > several and (
            len(self._stretches) > most * several or issued * several < at_least * len(self._stretches)
        ):
            several *= 2
        return self.width * several, _joined(self._stretches, several)


def _joined(stretches: Sequence[Stretch], several: int) -> list[Stretch]:
    """New stretches of which each covers several."""
    joined = []
    for first in range(0, len(stretches), several):
        one = Stretch()
        for stretch in stretches[first : first + several]:
            one.add(stretch)
        joined.append(one)
    return joined


class Durations:
    """Counts durations in classes of length.

    Attributes:
        count: number of durations that were added.
        longest: longest of them, in seconds.
    """

    def __init__(self) -> None:
        self.count = 0
        self.longest = 0.0
        self._classes = [0] * (len(_ENDS) + 1)

    def add(self, seconds: float) -> None:
        """Count one more duration, in seconds."""
        self.count += 1
        self.longest = max(self.longest, seconds)
        self._classes[bisect_left(_ENDS, seconds)] += 1

    def within(self, share: float) -> float:
        """A time in seconds that a share of all durations does not exceed; at most 2.5 times the smallest such time."""
        seen = 0
        for end, count in zip(_ENDS, self._classes, strict=False):
            seen += count
            if seen >= share * self.count:
                return min(end, self.longest)
        return self.longest

    def classes(self) -> Iterator[tuple[float | None, int]]:
        """Upper end (None for the open class) and count of each class, from the first to the last that is not empty."""
        filled = [place for place, count in enumerate(self._classes) if count]
        if filled:
            ends = (*_ENDS, None)
            for place in range(filled[0], filled[-1] + 1):
                yield ends[place], self._classes[place]
