"""Retries: the policy that a program sets, and the tenacity controller that carries it out.

Attempts return outcomes, and only an outcome of the transient class is retried. A cancellation is not an outcome, so it
ends the call at once.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.operation import Outcome, OutcomeClass, frozen
from aiorescue.operation.number import check_count, is_number
from aiorescue.pace.turns import Pacer, Priority

if TYPE_CHECKING:
    import tenacity


def _seconds(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    if not is_number(value) or value < 0:
        raise errors.InvalidRequest(f"RetryPolicy: {field.name} must be a number from 0 on, not {value!r}")


def _count(_: object, field: "attrs.Attribute[Any]", value: Any) -> None:
    check_count(f"RetryPolicy: {field.name}", value)


@frozen(kw_only=True)
class RetryPolicy:
    """How often, and for how long, a call is attempted.

    Attributes:
        attempts: number of attempts at most, the first included; 1 never retries. A request that the service
            rejected as too fast is not counted.
        total: seconds from the first request after which no other one is started; the wait for the pace before the
            first request does not count.
        first: seconds before the second attempt; doubled each time, and up to as much again at random.
        longest: most seconds between two attempts. A longer Retry-After of the service is still honoured.
    """

    attempts: int = attrs.field(default=4, validator=_count)
    total: float = attrs.field(default=120.0, validator=_seconds)
    first: float = attrs.field(default=0.5, validator=_seconds)
    longest: float = attrs.field(default=20.0, validator=_seconds)


class Budget:
    """The attempts and the time that a call has used up, by which the retry policy decides about another attempt.

    Attributes:
        pacer: the pace that the call waits for.
        attempts: requests that were sent, those included that were rejected as too fast, and logins in their place
            that failed. The retry policy's own count of attempts is tenacity's.
        orphans: requests with an ambiguous outcome, each of which may have been carried out.
        deadline: moment after which no request is begun; None before the first one.
        has_relogged_in: an ended session or ticket was replaced once.
    """

    pacer: Pacer
    attempts = 0
    orphans = 0
    deadline: float | None = None
    has_relogged_in = False

    def start(self, moment: float, total: float) -> None:
        """Begin a request; the first one sets the deadline, `total` seconds after its moment."""
        if self.deadline is None:
            self.deadline = moment + total

    def ready(self) -> float:
        """The moment at which the pace allows the next request."""
        return self.pacer.ready_at(Priority.RETRY)

    def allows(self, moment: float) -> bool:
        """Whether a request may still begin at that moment."""
        return self.deadline is None or moment <= self.deadline


def controller(
    policy: RetryPolicy, clock: Clock, before_sleep: Callable[[Budget, Outcome[Any], float], None]
) -> "tenacity.AsyncRetrying":
    """The tenacity controller of a retry policy, shared by all calls of a client.

    Use it in its callable form, which is the only one that is safe to share: of 50 tasks that shared one through
    ``async for`` and should have tried three times, 31 tried once. The controlled function takes the call's `Budget`
    as its first argument and returns an outcome.

    Args:
        policy: how often and for how long attempts are repeated.
        clock: the client's clock.
        before_sleep: called before each pause with the call, the outcome that is tried again, and the seconds.
    """
    import tenacity  # noqa: PLC0415 - with the first attempt that failed: a program that meets none starts sooner

    backoff = tenacity.wait_exponential(multiplier=policy.first, max=policy.longest) + tenacity.wait_random(
        0, policy.first
    )

    def wait(state: "tenacity.RetryCallState") -> float:
        outcome = _outcome(state)
        if outcome.more.get("repeated"):  # the service is not busy; the pace alone says when to ask again
            return 0.0
        return max(backoff(state), outcome.retry_after or 0.0)

    def stop(state: "tenacity.RetryCallState") -> bool:
        budget: Budget = state.args[0]
        begins = max(clock.time() + state.upcoming_sleep, budget.ready())
        return state.attempt_number >= policy.attempts or not budget.allows(begins)

    def report(state: "tenacity.RetryCallState") -> None:
        before_sleep(state.args[0], _outcome(state), state.upcoming_sleep)

    return tenacity.AsyncRetrying(
        retry=tenacity.retry_if_result(lambda outcome: outcome.outcome_class is OutcomeClass.TRANSIENT),
        wait=wait,
        stop=stop,
        sleep=clock.sleep,
        before_sleep=report,
        retry_error_callback=_outcome,
    )


def _outcome(state: "tenacity.RetryCallState") -> Outcome[object]:
    if state.outcome is None:
        raise AssertionError("tenacity asks only after an attempt")
    outcome: Outcome[object] = state.outcome.result()
    return outcome
