"""The life of one call, stage by stage: retry, pace, session, wire, transport. See DESIGN, "the rules of a call"."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import attrs

from aiorescue import errors, wire
from aiorescue.call.retry import Budget, RetryPolicy, controller
from aiorescue.call.transport import TOO_LARGE, Transport
from aiorescue.clock import Clock
from aiorescue.identity.identity import Identity, Lease, Sent
from aiorescue.operation import Binding, Effect, Family, Operation, Outcome, OutcomeClass
from aiorescue.pace.pace import Pacer, Pacers
from aiorescue.pace.turns import Priority
from aiorescue.wire import Authorization, Codec, Response

#: Bytes that are decoded on the event loop; what is longer would hold it up.
INLINE = 2**16

R = TypeVar("R")
BeforeSend = Callable[[], Awaitable[None]]

# Kept as names of their own: to look one up in its enum takes ten times as long.
_OK, _TRANSIENT, _THROTTLED = OutcomeClass.OK, OutcomeClass.TRANSIENT, OutcomeClass.THROTTLED
_AGAIN = Priority.RETRY


class Call(Budget):
    """One call under way."""

    def __init__(
        self,
        operation: Operation[Any],
        codec: Codec,
        identity: Identity,
        pacer: Pacer,
        *,
        priority: Priority,
        before_send: BeforeSend | None,
    ) -> None:
        self.pacer = pacer
        self.operation = operation
        self.codec = codec
        self.identity = identity
        self.priority = priority
        self.before_send = before_send
        # What the binding cannot carry is refused here, before anybody waits or logs in.
        self.draft = codec.draft(operation)


class CallRunner:
    """Makes calls for a client.

    Args:
        transport: where bytes go.
        clock: the time.
        policy: how long to keep trying.
        pacers: how fast to call.
        binding: the client's preferred binding.
        relogin: log in anew and repeat once when the service says that a session or ticket has ended.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        clock: Clock,
        policy: RetryPolicy,
        pacers: Pacers,
        binding: Binding,
        relogin: bool,
    ) -> None:
        self._transport = transport
        self._clock = clock
        self._policy = policy
        self._pacers = pacers
        self._binding = binding
        self._relogin = relogin
        self._controller = controller(policy, clock)
        self._codecs: dict[tuple[type[Operation[Any]], Binding | None], Codec] = {}  # None: the client's own binding

    def soonest(self, identities: Sequence[Identity], family: Family | None) -> Identity:
        """The identity that is free soonest."""
        return min(identities, key=lambda identity: self._pacers.of(identity, family).ready_at())

    async def call(
        self,
        operation: Operation[R],
        identity: Identity,
        *,
        binding: Binding | None = None,
        before_send: BeforeSend | None = None,
        priority: Priority = Priority.CALL,
    ) -> R:
        """The whole life of one call: a result, or the exception that tells why there is none."""
        kind = type(operation)
        codec = self._codecs.get((kind, binding)) or self._find(kind, binding)
        call = Call(
            identity.fill(operation),
            codec,
            identity,
            self._pacers.of(identity, kind.spec.family),
            priority=priority,
            before_send=before_send,
        )
        outcome = await self._attempt(call)
        if outcome.outcome_class is _TRANSIENT and self._policy.attempts > 1:
            outcome = await self._again(call, outcome)
        if outcome.outcome_class is _OK:
            value: Any = outcome.value
            return operation.with_orphans(value, call.orphans) if call.orphans else value
        raise _exception(outcome, call)

    def _find(self, kind: type[Operation[Any]], binding: Binding | None) -> Codec:
        spec = kind.spec
        found = wire.codec(kind, spec.choose(self._binding) if binding is None else spec.require(binding))
        self._codecs[kind, binding] = found
        return found

    async def _again(self, call: Call, first: Outcome[Any]) -> Outcome[Any]:
        """Hand over to tenacity, which is told of the first try's outcome: it costs nothing where all goes well."""
        pending: list[Outcome[Any]] = [first]

        async def attempt(call: Call) -> Outcome[Any]:
            return pending.pop() if pending else await self._attempt(call)

        outcome: Outcome[Any] = await self._controller(attempt, call)
        return outcome

    async def _attempt(self, call: Call) -> Outcome[Any]:
        """One try, at its pace; one that was rejected as too fast, or met a dead session, does not count."""
        pacer = call.pacer
        rejections = 0
        while True:
            # Once it was sent, it need not wait behind those that were not.
            priority = _AGAIN if rejections or call.attempts else call.priority
            sent = await pacer.slot(priority, rejections=rejections)
            accepted = None
            try:
                call.begin(sent, self._policy.total)
                outcome, dead = await self._once(call)
                if outcome.outcome_class is _OK or outcome.outcome_class is _THROTTLED:
                    accepted = outcome.outcome_class is _OK
            finally:
                pacer.answered(sent, accepted=accepted)
            if outcome.ambiguous:
                call.orphans += 1
                if call.operation.spec.effect is Effect.CREATES:
                    return attrs.evolve(outcome, outcome_class=OutcomeClass.FINAL, error=errors.AmbiguousOutcome)
            if outcome.outcome_class is _THROTTLED:
                rejections += 1
                ready = call.ready()
                if not call.allows(ready):
                    return attrs.evolve(outcome, retry_after=ready - self._clock.time())
                continue
            if dead and self._relogin and not call.healed:
                call.healed = True
                continue
            return outcome

    async def _once(self, call: Call) -> tuple[Outcome[Any], bool]:
        if call.before_send is not None:
            await call.before_send()
        lease = await call.identity.lease(call.operation)
        if not isinstance(lease, Lease):
            # Whatever became of the login, the call itself has not been sent.
            return attrs.evolve(lease, ambiguous=False), False
        outcome: Outcome[Any] | None = None
        response: Response | None = None
        dead = False
        try:
            draft = call.draft if lease.operation is call.operation else call.codec.draft(lease.operation)
            received = await self._transport.send(call.codec.authorize(draft, lease.authorization))
            if isinstance(received, Outcome):
                outcome = received
            else:
                response = received
                if len(response.body) <= INLINE and response.stream is None:
                    outcome = wire.read(call.codec, lease.operation, lease.authorization, response)
                else:
                    outcome = await _read_aside(call.codec, lease.operation, lease.authorization, response)
        finally:
            dead = call.identity.release(lease, outcome, response)
        return outcome, dead

    async def send(self, identity: Identity, operation: Operation[Any], authorization: Authorization) -> Sent:
        """A login or logout of a session: once, at its pace, and never in a URL."""
        spec = operation.spec
        codec = wire.codec(type(operation), spec.choose(self._binding.without_url))
        draft = codec.draft(operation)
        pacer = self._pacers.of(identity, spec.family)
        sent = await pacer.slot()
        try:
            received = await self._transport.send(codec.authorize(draft, authorization))
        finally:
            pacer.answered(sent, accepted=None)
        if isinstance(received, Outcome):
            return received, None
        return wire.read(codec, operation, authorization, received), received


def _exception(outcome: Outcome[Any], call: Call) -> errors.RescueError:
    spec = call.operation.spec
    said = f" ({outcome.word})" if outcome.word else ""
    if spec.streamed and not call.codec.streamed and outcome.detail.startswith(TOO_LARGE):
        said = "; ask its text page (Binding.TEXT_POST), whose answers may be long"
    tries = f"; tried {call.attempts} times" if call.attempts > 1 else ""
    unseen = "; an earlier try may have been carried out" if call.orphans and not outcome.ambiguous else ""
    more = dict(outcome.more)
    if outcome.error is errors.RateLimited:
        more["retry_after"] = outcome.retry_after
    return outcome.error(
        f"{spec.name}: {': '.join(filter(None, (outcome.detail, outcome.quote))) or 'refused'}{said}{tries}{unseen}",
        operation=spec.name,
        status=outcome.word,
        attempts=call.attempts,
        possibly_orphaned=call.orphans,
        **more,
    )


async def _read_aside(
    codec: Codec, operation: Operation[Any], authorization: Authorization, response: Response
) -> Outcome[Any]:
    """`wire.read` in a thread. A long text is the result's if there is one, else it is closed here."""
    taken = False
    try:
        outcome = await asyncio.to_thread(wire.read, codec, operation, authorization, response)
        taken = outcome.outcome_class is OutcomeClass.OK
    finally:
        if response.stream is not None and not taken:
            response.stream.discard()
    return outcome
