"""The call runner: one call from the operation to its result, through retry, pace, identity, wire and transport.

Three loops are nested, and each knows one reason to send again. Tenacity repeats attempts that failed for a transient
reason, within the bounds of the retry policy (`CallRunner._retry`). Inside one such attempt a request that the service
rejected as too fast is repeated at the pace's next turn, and one that met an ended session is repeated once with a new
one (`CallRunner._attempt`). A single request, with a login before it if need be, is `CallRunner._request`.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import attrs

from aiorescue import errors, wire
from aiorescue.call.reader import INLINE, AnswerReader
from aiorescue.call.repeats import REPEATED, Repeats
from aiorescue.call.retry import Budget, RetryPolicy, controller
from aiorescue.call.transport import CLOSED, Transport
from aiorescue.call.under_way import UnderWay
from aiorescue.clock import Clock
from aiorescue.identity.identity import Identity, Lease, Sent
from aiorescue.operation import Binding, Effect, Family, Operation, Outcome, OutcomeClass, status
from aiorescue.pace.pace import Account, Pacers
from aiorescue.pace.turns import Pacer, Priority, Turn
from aiorescue.wire import Authorization, Response

R = TypeVar("R")
BeforeSend = Callable[[], Awaitable[None]]

#: An enum member kept in a global, as those in `operation.status` are.
_RETRY = Priority.RETRY
#: Outcomes that tell the pace whether a request came too fast.
_ANSWERS = (status.OK, status.THROTTLED)
#: Seconds, and share of the gap between two calls, after which a turn that was not used has passed.
_STALE, _STALE_SHARE = 0.05, 0.25


class Call(Budget):
    """One call under way.

    Attributes:
        is_late: what is to be done before its request was done, and took so long that the turn has passed.

    Args:
        operation: the operation, completed by the identity.
        reader: its codec, and what was learned of its answers.
        identity: the identity that calls.
        pacer: the pace of the identity's account for the operation's family.
        priority: place in the pace before the first request; later ones go out with `Priority.RETRY`.
        before_send: awaited before each request, when its turn has come.

    Raises:
        errors.InvalidRequest: the binding cannot carry the operation.
    """

    is_late = False

    def __init__(
        self,
        operation: Operation[Any],
        reader: AnswerReader,
        identity: Identity,
        pacer: Pacer,
        *,
        priority: Priority,
        before_send: BeforeSend | None,
    ) -> None:
        self.pacer = pacer
        self.operation = operation
        self.reader = reader
        self.identity = identity
        self.priority = priority
        self.before_send = before_send
        # What the binding cannot carry is refused here, before the call waits or logs in.
        self.draft = reader.codec.draft(operation)

    def count_orphan(self, outcome: Outcome[Any]) -> Outcome[Any]:
        """Count an ambiguous outcome. It is final where a repetition might create a second thing, as a second PIN."""
        self.orphans += 1
        if self.operation.spec.effect is Effect.CREATES:
            return attrs.evolve(outcome, outcome_class=OutcomeClass.FINAL, error=errors.AmbiguousOutcome)
        return outcome


class CallRunner:
    """Makes the calls of one client.

    Args:
        transport: sends requests and receives responses.
        under_way: the client's calls under way, which closing it interrupts.
        clock: the client's clock.
        policy: how often and for how long attempts are repeated.
        pacers: the pace of each account and family.
        binding: the client's preferred binding.
        relogin: whether a call that met an ended session or ticket is repeated once with a new one.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        under_way: UnderWay,
        clock: Clock,
        policy: RetryPolicy,
        pacers: Pacers,
        binding: Binding,
        relogin: bool,
    ) -> None:
        self._transport = transport
        self._under_way = under_way
        self._clock = clock
        self._policy = policy
        self._pacers = pacers
        self._binding = binding
        self._repeats = Repeats()
        self._relogin = relogin
        self._controller = controller(policy, clock)
        #: By operation type and the binding named for the call; None for the client's preferred one.
        self._readers: dict[tuple[type[Operation[Any]], Binding | None], AnswerReader] = {}

    def soonest(self, identities: Sequence[Identity], family: Family | None) -> Identity:
        """The identity whose pace allows a call of the family soonest."""
        return min(identities, key=lambda identity: self._pacers.of(identity.account, family).ready_at())

    def ready_at(self, identity: Identity, family: Family | None) -> float:
        """The moment at which a bulk call that an identity made now would be sent."""
        return self._pacers.of(identity.account, family).ready_at(Priority.BULK)

    async def call(
        self,
        operation: Operation[R],
        identity: Identity,
        *,
        binding: Binding | None = None,
        before_send: BeforeSend | None = None,
        priority: Priority = Priority.CALL,
    ) -> R:
        """Make one call, from its first turn in the pace to its result.

        Args:
            operation: what to call.
            identity: the identity that calls.
            binding: the only binding to use; None for the client's preferred one, or the best that is documented.
            before_send: awaited before each request, when its turn has come.
            priority: place in the pace.

        Raises:
            errors.RescueError: why there is no result.
        """
        operation_type = type(operation)
        call = Call(
            identity.complete(operation),
            self._readers.get((operation_type, binding)) or self._find_reader(operation_type, binding),
            identity,
            self._pacers.of(identity.account, operation_type.spec.family),
            priority=priority,
            before_send=before_send,
        )
        outcome: Outcome[Any]
        try:
            outcome = await self._attempt(call)
            if outcome.outcome_class is status.TRANSIENT and self._policy.attempts > 1:
                outcome = await self._retry(call, outcome)
        except asyncio.CancelledError:
            if not self._under_way.was_interrupted():
                raise
            outcome = CLOSED
        if outcome.outcome_class is status.OK:
            value: Any = outcome.value
            return operation.with_orphans(value, call.orphans) if call.orphans else value
        raise _exception(outcome, call)

    def _find_reader(self, operation_type: type[Operation[Any]], binding: Binding | None) -> AnswerReader:
        spec = operation_type.spec
        used = spec.choose(self._binding) if binding is None else spec.require(binding)
        reader = self._readers.get((operation_type, used)) or AnswerReader(wire.codec(operation_type, used))
        self._readers[operation_type, used] = self._readers[operation_type, binding] = reader
        return reader

    async def _retry(self, call: Call, first: Outcome[Any]) -> Outcome[Any]:
        """Let tenacity decide about further attempts; it costs 36 µs, so a call that needs no second one avoids it."""
        made_already = [first]

        async def attempt(call: Call) -> Outcome[Any]:
            return made_already.pop() if made_already else await self._attempt(call)

        outcome: Outcome[Any] = await self._controller(attempt, call)
        return outcome

    async def _attempt(self, call: Call) -> Outcome[Any]:
        """One attempt in the sense of the retry policy, which counts neither rejections nor one ended session."""
        rejections = 0
        while True:
            # A call that had a turn before does not stand in line again behind those that had none.
            priority = _RETRY if rejections or call.is_late or call.attempts else call.priority
            async with call.pacer.turn(priority, rejections=0 if call.is_late else rejections) as turn:
                if call.before_send is not None and await self._has_passed(call, call.before_send, turn):
                    continue
                call.begin(turn.sent, self._policy.total)
                outcome, session_has_ended = await self._request(call)
                if outcome.outcome_class in _ANSWERS:
                    turn.answered(accepted=outcome.outcome_class is status.OK)
            if outcome.ambiguous:
                outcome = call.count_orphan(outcome)
            match outcome.outcome_class:
                case status.OK:
                    return outcome
                case status.THROTTLED:
                    rejections += 1
                    ready = call.ready()
                    if not call.allows(ready):
                        return attrs.evolve(outcome, retry_after=ready - self._clock.time())
                case status.AUTHENTICATION if session_has_ended and self._relogin and not call.has_relogged_in:
                    call.has_relogged_in = True
                case status.TRANSIENT:
                    return outcome  # tenacity decides
                case _:
                    return outcome  # raised at once: AUTHENTICATION and FINAL

    async def _has_passed(self, call: Call, before_send: BeforeSend, turn: Turn) -> bool:
        """Await what is to be done before a request; returns whether its turn has passed, so that it needs another one.

        A disk that stalls lets many requests wait here. Each of them had its slot; all at once they would be a burst.
        """
        if call.is_late:
            call.is_late = False  # it was done in the turn before
            return False
        limit = max(_STALE, (call.ready() - turn.sent) * _STALE_SHARE)
        await before_send()
        call.is_late = self._clock.time() - turn.sent > limit
        return call.is_late

    async def _request(self, call: Call) -> tuple[Outcome[Any], bool]:
        """One request, with a login before it if need be. Returns its outcome, and whether it met an ended session."""
        lease = await call.identity.lease(call.operation)
        if not isinstance(lease, Lease):
            # The login failed. Whether it was carried out may be unknown, but the call itself has not been sent.
            return attrs.evolve(lease, ambiguous=False), False
        outcome: Outcome[Any] | None = None
        response: Response | None = None
        session_has_ended = False
        reader, operation, authorization = call.reader, lease.operation, lease.authorization
        try:
            draft = call.draft if operation is call.operation else reader.codec.draft(operation)
            received = await self._transport.send(reader.codec.authorize(draft, authorization))
            if isinstance(received, Outcome):
                outcome = received
            else:
                response = received
                if len(response.body) <= INLINE and response.stream is None:
                    outcome = reader.read(operation, authorization, response)
                else:
                    outcome = await reader.read_in_thread(operation, authorization, response)
                if outcome.outcome_class is status.OK and operation.spec.effect is Effect.EXPIRES:
                    outcome = self._unrepeated(outcome, response)
        finally:
            session_has_ended = call.identity.release(lease, outcome, response)
        return outcome, session_has_ended

    def _unrepeated(self, outcome: Outcome[Any], response: Response) -> Outcome[Any]:
        """The outcome of an answer that must differ from all others, unless it came before."""
        if not self._repeats.found(response.body):
            return outcome
        self._transport.distrust()
        return REPEATED

    async def send(self, account: Account, operation: Operation[Any], authorization: Authorization) -> Sent:
        """Send a login or logout for an identity: once, at the account's pace, and never in a URL."""
        spec = operation.spec
        codec = wire.codec(type(operation), spec.choose(self._binding.without_url))
        draft = codec.draft(operation)
        async with self._pacers.of(account, spec.family).turn():
            received = await self._transport.send(codec.authorize(draft, authorization))
        if isinstance(received, Outcome):
            return received, None
        return wire.read(codec, operation, authorization, received), received


def _exception(outcome: Outcome[Any], call: Call) -> errors.RescueError:
    """The exception for the outcome that a call has ended with."""
    spec = call.operation.spec
    word = f" ({outcome.word})" if outcome.word else ""
    if outcome.too_large and spec.streamed and not call.reader.codec.streamed:
        word = "; ask its text page (Binding.TEXT_POST), whose answers may be long"
    tries = f"; tried {call.attempts} times" if call.attempts > 1 else ""
    orphans = "; an earlier try may have been carried out" if call.orphans and not outcome.ambiguous else ""
    more = dict(outcome.more)
    if outcome.error is errors.RateLimited:
        more["retry_after"] = outcome.retry_after
    return outcome.error(
        f"{spec.name}: {': '.join(filter(None, (outcome.detail, outcome.quote))) or 'refused'}{word}{tries}{orphans}",
        operation=spec.name,
        status=outcome.word,
        attempts=call.attempts,
        possibly_orphaned=call.orphans,
        **more,
    )
