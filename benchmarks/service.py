"""A service with a hidden limit, a network before and behind it: the simulation's counterpart."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

import attrs


class Rule(Protocol):
    """What the service allows."""

    def allows(self, now: float) -> bool:
        """Whether a call that arrives now is accepted."""


class MinimumInterval:
    """At least so many seconds since the last accepted call, or since the last call of any outcome.

    Args:
        seconds: at each moment.
        count_rejected: a rejected call starts the interval anew.
    """

    def __init__(self, seconds: Callable[[float], float], *, count_rejected: bool = False) -> None:
        self._seconds = seconds
        self._count_rejected = count_rejected
        self._last = float("-inf")

    def allows(self, now: float) -> bool:
        """After the interval."""
        allowed = now - self._last >= self._seconds(now)
        if allowed or self._count_rejected:
            self._last = now
        return allowed


class TokenBucket:
    """So many tokens a second, and at most so many saved."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, 0.0

    def allows(self, now: float) -> bool:
        """While there are tokens."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class FixedWindow:
    """So many in each second of the service's clock."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._window, self._used = -1, 0

    def allows(self, now: float) -> bool:
        """Until the window is full."""
        if int(now) != self._window:
            self._window, self._used = int(now), 0
        self._used += 1
        return self._used <= self._count


class SlidingWindow:
    """So many in any second."""

    def __init__(self, count: int) -> None:
        self._accepted: deque[float] = deque(maxlen=count)

    def allows(self, now: float) -> bool:
        """When the oldest has left."""
        full = len(self._accepted) == self._accepted.maxlen
        if full and now - self._accepted[0] < 1:
            return False
        self._accepted.append(now)
        return True


@attrs.frozen(kw_only=True)
class Network:
    """Seconds to the service and back: the mean, how far it may be off, and calls that are late on their way there."""

    latency: float
    jitter: float
    late_share: float = 0.0
    late_by: float = 0.3

    def there(self, chance: random.Random) -> float:
        """Seconds until a call has its effect."""
        late = self.late_by if chance.random() < self.late_share else 0.0
        return late + self.back(chance)

    def back(self, chance: random.Random) -> float:
        """Seconds until its answer arrives."""
        return max(0.0, self.latency / 2 + chance.uniform(-self.jitter, self.jitter) / 2)


class Service:
    """Answers calls, and counts."""

    def __init__(self, rule: Rule, network: Network, seed: int) -> None:
        self._rule = rule
        self._network = network
        self._chance = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self.answers: list[tuple[float, bool]] = []

    async def call(self) -> bool:
        """One call: whether it was accepted."""
        await asyncio.sleep(self._network.there(self._chance))
        now = asyncio.get_running_loop().time()
        accepted = self._rule.allows(now)
        self.answers.append((now, accepted))
        await asyncio.sleep(self._network.back(self._chance))
        return accepted

    def count(self, start: float, end: float) -> tuple[int, int]:
        """Accepted and rejected between two moments."""
        inside = [accepted for moment, accepted in self.answers if start <= moment < end]
        return sum(inside), len(inside) - sum(inside)
