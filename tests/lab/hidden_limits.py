"""Simulated services with a hidden rate limit, behind a simulated network; made for virtual time."""

import asyncio
import random
from collections import deque
from collections.abc import Callable
from typing import Protocol

import attrs


class Rule(Protocol):
    """A rate limit: decides on each call by the moment of its arrival."""

    def allows(self, now: float) -> bool:
        """Whether a call that arrives now is accepted; the decision is recorded."""


class MinimumInterval:
    """A minimum interval between a call and the last accepted one, or the last one of any outcome.

    Args:
        seconds: the interval that holds at a given moment.
        count_rejected: whether a rejected call starts the interval anew.
    """

    def __init__(self, seconds: Callable[[float], float], *, count_rejected: bool = False) -> None:
        self._seconds = seconds
        self._count_rejected = count_rejected
        self._last = float("-inf")

    def allows(self, now: float) -> bool:
        """Accept a call once the interval has passed."""
        allowed = now - self._last >= self._seconds(now)
        if allowed or self._count_rejected:
            self._last = now
        return allowed


class TokenBucket:
    """A token bucket: `rate` tokens are added a second, and at most `burst` are saved."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate, self._burst = rate, burst
        self._tokens, self._at = burst, 0.0

    def allows(self, now: float) -> bool:
        """Accept a call for a token."""
        self._tokens = min(self._burst, self._tokens + (now - self._at) * self._rate)
        self._at = now
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class FixedWindow:
    """At most `count` calls within each whole second of the service's clock."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._window, self._used = -1, 0

    def allows(self, now: float) -> bool:
        """Accept calls until the second is full."""
        if int(now) != self._window:
            self._window, self._used = int(now), 0
        self._used += 1
        return self._used <= self._count


class SlidingWindow:
    """At most `count` accepted calls within any second."""

    def __init__(self, count: int) -> None:
        self._accepted: deque[float] = deque(maxlen=count)

    def allows(self, now: float) -> bool:
        """Accept a call once the oldest of the last `count` accepted ones is a second old."""
        full = len(self._accepted) == self._accepted.maxlen
        if full and now - self._accepted[0] < 1:
            return False
        self._accepted.append(now)
        return True


@attrs.frozen(kw_only=True)
class Network:
    """A network with latency and jitter, on which some calls arrive late.

    Attributes:
        latency: mean seconds to the service and back.
        jitter: seconds by which a round trip may be longer or shorter.
        late_share: share of the calls that arrive late.
        late_by: seconds by which those arrive late.
    """

    latency: float
    jitter: float
    late_share: float = 0.0
    late_by: float = 0.3

    def there(self, chance: random.Random) -> float:
        """Seconds until a call arrives at the service."""
        late = self.late_by if chance.random() < self.late_share else 0.0
        return late + self.back(chance)

    def back(self, chance: random.Random) -> float:
        """Seconds until the answer arrives at the client."""
        return max(0.0, self.latency / 2 + chance.uniform(-self.jitter, self.jitter) / 2)


class LimitedService:
    """A service that accepts calls by a rule and records each decision.

    Args:
        rule: the hidden rate limit.
        network: lies between the client and the service.
        seed: of the network's random latencies; one seed always gives one course of events.
    """

    def __init__(self, rule: Rule, network: Network, seed: int) -> None:
        self._rule = rule
        self._network = network
        self._chance = random.Random(seed)
        self._decisions: list[tuple[float, bool]] = []

    async def call(self) -> bool:
        """Make one call: True if the service accepts it, False if it rejects it."""
        await asyncio.sleep(self._network.there(self._chance))
        now = asyncio.get_running_loop().time()
        accepted = self._rule.allows(now)
        self._decisions.append((now, accepted))
        await asyncio.sleep(self._network.back(self._chance))
        return accepted

    def count(self, start: float, end: float) -> tuple[int, int]:
        """How many calls were accepted and how many rejected between two moments."""
        inside = [accepted for moment, accepted in self._decisions if start <= moment < end]
        return sum(inside), len(inside) - sum(inside)
