"""What is tried again, how often and when: tenacity, told about outcomes.

Only a transient outcome is retried. A cancellation is no outcome, so it ends the call at once.
"""

from collections.abc import Callable
from typing import Any

import attrs
import tenacity

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.operation import Outcome, OutcomeClass
from aiorescue.pace.pace import Pacer
from aiorescue.pace.turns import Priority


def _at_least(least: float) -> Callable[[object, "attrs.Attribute[Any]", Any], None]:
    def check(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
        if not value >= least:
            raise errors.InvalidRequest(f"RetryPolicy: {field.name} must be at least {least:g}, not {value!r}")

    return check


@attrs.frozen(kw_only=True)
class RetryPolicy:
    """How long a call keeps trying.

    Attributes:
        attempts: tries at most, the first included; 1 never retries. A call that the service rejected as too
            fast is not counted.
        total: seconds from the first try after which no other one is started; waiting for the pace before the
            first try does not count.
        first: seconds before the second try; doubled each time, and up to as much again at random.
        longest: seconds between two tries, at most. A longer Retry-After of the service's is still honoured.
    """

    attempts: int = attrs.field(default=4, validator=_at_least(1))
    total: float = attrs.field(default=120.0, validator=_at_least(0))
    first: float = attrs.field(default=0.5, validator=_at_least(0))
    longest: float = attrs.field(default=20.0, validator=_at_least(0))


class Budget:
    """What a call may still spend, once its first try has begun."""

    pacer: Pacer
    attempts = 0
    orphans = 0  # tries that may have been carried out unseen
    deadline: float | None = None
    healed = False  # a dead session was replaced once

    def begin(self, moment: float, total: float) -> None:
        """A try begins; the first one has all of the time."""
        self.attempts += 1
        if self.deadline is None:
            self.deadline = moment + total

    def ready(self) -> float:
        """When the pace allows the next try."""
        return self.pacer.ready_at(Priority.RETRY)

    def allows(self, moment: float) -> bool:
        """Whether something may still be started at that moment."""
        return self.deadline is None or moment <= self.deadline


def controller(policy: RetryPolicy, clock: Clock) -> tenacity.AsyncRetrying:
    """The tries after the first. Shared by all calls of a client: only the callable form is safe for that.

    The controlled function takes the call's `Budget` first and returns an outcome.
    """
    backoff = tenacity.wait_exponential(multiplier=policy.first, max=policy.longest) + tenacity.wait_random(
        0, policy.first
    )

    def wait(state: tenacity.RetryCallState) -> float:
        asked = _outcome(state).retry_after
        return max(backoff(state), asked or 0.0)

    def stop(state: tenacity.RetryCallState) -> bool:
        budget: Budget = state.args[0]
        begins = max(clock.time() + state.upcoming_sleep, budget.ready())
        return state.attempt_number >= policy.attempts or not budget.allows(begins)

    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_result(lambda outcome: outcome.outcome_class is OutcomeClass.TRANSIENT),
        wait=wait,
        stop=stop,
        sleep=clock.sleep,
        retry_error_callback=_outcome,
    )


def _outcome(state: tenacity.RetryCallState) -> Outcome[object]:
    if state.outcome is None:
        raise AssertionError("tenacity asks only after a try")
    outcome: Outcome[object] = state.outcome.result()
    return outcome
