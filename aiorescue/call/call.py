"""`Call`: the state of one call under way, which the call runner changes."""

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import attrs

from aiorescue import errors
from aiorescue.call.observer import NOTICEABLE, Counts, Watch
from aiorescue.call.reader import AnswerReader
from aiorescue.call.retry import Budget
from aiorescue.clock import Clock
from aiorescue.identity.identity import Identity, Lease
from aiorescue.operation import Effect, Family, Needs, Operation, Outcome, OutcomeClass
from aiorescue.pace.pace import Pacers
from aiorescue.pace.patience import Patience, QueuedTooLongError
from aiorescue.pace.turns import Pacer, Priority, Turn
from aiorescue.wire import Request

BeforeSend = Callable[[], Awaitable[None]]

# Enum members kept in globals, as those in `operation.status` are.
_RETRY, _NOTHING = Priority.RETRY, Needs.NOTHING
#: Seconds, and share of the gap between two calls, after which a turn that was not used has passed.
_STALE, _STALE_SHARE = 0.05, 0.25


class Call(Budget):
    """The state of one call under way.

    Args:
        operation: the operation, completed by the identity.
        reader: codec of the operation, and what was learned of its answers.
        identity: the identity that calls.
        pacer: the pace of the identity's account for the operation's family.
        priority: place in the pace before the first request; later ones go out with `Priority.RETRY`.
        before_send: awaited before each request, when its turn has come.
        counts: counts of the operation and the identity, for `ServiceClient.stats`.
        timeout: seconds that one request may take; None for the client's timeout.
        patience: the time that the call may wait before it is sent; None for any time.

    Attributes:
        watch: makes the events of the call; None where nothing listens.
        is_prepared: True if `before_send` is done, but took so long that the turn has passed: the request goes out with
            the next turn, without another `before_send`.
        refusals: answers after which the request is sent again: it came too fast, or the failure may be over soon.

    Raises:
        errors.InvalidRequest: the binding cannot carry the operation.
    """

    watch: Watch | None = None
    is_prepared = False
    refusals = 0

    def __init__(
        self,
        operation: Operation[Any],
        reader: AnswerReader,
        identity: Identity,
        pacer: Pacer,
        *,
        priority: Priority,
        before_send: BeforeSend | None,
        counts: Counts,
        timeout: float | None,
        patience: Patience | None,
    ) -> None:
        self.counts = counts
        self.pacer = pacer
        self.operation = operation
        self.reader = reader
        self.identity = identity
        self.priority = priority
        self.before_send = before_send
        self.timeout = timeout
        self.patience = patience
        # What the binding cannot carry is refused here, before the call waits or logs in.
        self.draft = reader.codec.draft(operation)

    def count_wait(self, seconds: float) -> None:
        """Count the time that the call waited for a turn."""
        self.counts.waits += 1
        self.counts.waited += seconds
        if self.watch is not None:
            self.watch.waited(seconds)

    def turn(self, rejections: int, now: float) -> AbstractAsyncContextManager[Turn]:
        """The turn of the next request, to be entered.

        Raises (on entering):
            QueuedTooLongError: the call has stood in line for as long as it may.
            CalledOffError: the identity was set aside while the call stood in line.
        """
        # A call that had a turn before does not stand in line again behind those that had none.
        priority = _RETRY if rejections or self.is_prepared or self.attempts else self.priority
        if self.is_prepared:
            rejections = 0
        turn: AbstractAsyncContextManager[Turn]
        if self.patience is None:
            turn = self.pacer.turn(priority, rejections=rejections)
        else:
            turn = self.patience.turn(self.pacer, priority, rejections=rejections)
        if self.pacer.ready_at(priority) > now + NOTICEABLE and self.operation.spec.needs is not _NOTHING:
            turn = self.identity.waiting.enter(turn)
        return turn

    def has_passed(self, turn: Turn, now: float) -> bool:
        """Whether a turn was not used for so long that many calls with such turns would be a burst."""
        return now - turn.sent > max(_STALE, (self.ready() - turn.sent) * _STALE_SHARE)

    def begin_request(self, request: Request, lease: Lease | None, turn: Turn | None, clock: Clock) -> bool:
        """Count a request that a connection is free for now.

        Args:
            request: the request.
            lease: the lease, whose ticket may have ended, of a call that had to wait; None for a call that did not.
            turn: the turn, which may have passed, of a call that had to wait; None for a call that did not.
            clock: the client's clock.

        Returns:
            False if the ticket has ended, or the turn has passed, so that the request is not to be sent.
        """
        if lease is not None and not self.identity.is_current(lease):
            return False
        if turn is not None and self.has_passed(turn, clock.time()):
            return False
        self.attempts += 1
        self.counts.attempts += 1
        if self.watch is not None:
            self.watch.sending(request)
        return True

    async def wait_again(self, turn: Turn, wait: Awaitable[None], total: float) -> None:
        """Wait once more, since the turn passed while the call waited for a login, a server session or a connection.

        Where many calls wait for one login, or for a server that hangs, each of them had its turn, but together they
        would be a burst. The time in which the call may be repeated, `total` seconds, begins with its first request.

        Args:
            turn: the turn that has passed.
            wait: its `Turn.renew`, which takes another place in the pace, or its `Turn.keep_gap`.
            total: seconds.

        Raises:
            QueuedTooLongError: the call has waited for as long as it may.
        """
        await (wait if self.patience is None else self.patience.again(wait, self.pacer))
        if not self.attempts:
            self.deadline = turn.sent + total

    async def lease_in_time(self, patience: Patience, pacers: Pacers) -> Lease | Outcome[Any]:
        """What the next request goes out with, as `Identity.lease` gives it, within the patience of the call.

        Raises:
            QueuedTooLongError: the call has waited for a server session or a login for as long as it may.
        """
        logins = pacers.of(self.identity.account, Family.LOGINS)
        return await patience.within(self.identity.lease(self.operation), logins)

    def count_orphan(self, outcome: Outcome[Any]) -> Outcome[Any]:
        """Count an ambiguous outcome; it becomes final if a repetition might create a second user or group."""
        self.orphans += 1
        self.counts.orphans += 1
        if self.operation.spec.effect is Effect.CREATES:
            return attrs.evolve(outcome, outcome_class=OutcomeClass.FINAL, error=errors.AmbiguousOutcome)
        return outcome

    def doubt_refusals(self) -> None:
        """Count the refusals as possible orphans, because answers have come that no request asked for.

        So each refusal may have been the answer to an earlier request, while this one's PIN was issued nevertheless.
        """
        if self.operation.spec.effect is Effect.EXPIRES:
            self.orphans += self.refusals
            self.counts.orphans += self.refusals

    def queued_too_long(self, problem: QueuedTooLongError) -> Outcome[Any]:
        """The outcome of a call that waited for longer than `max_wait`; what was sent before still counts."""
        return Outcome(
            OutcomeClass.FINAL,
            error=errors.QueueTimeout,
            detail=problem.explain(0.0 if self.patience is None else self.patience.seconds),
            more={"position": problem.position, "expected_wait": problem.expected_wait},
        )
