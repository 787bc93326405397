"""The life of one call, stage by stage: retry, pace, session, wire, transport. See DESIGN, "the rules of a call"."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar, cast

import attrs

from aiorescue import errors, wire
from aiorescue.call.clock import Clock
from aiorescue.call.identity import Identity, Lease, Sent
from aiorescue.call.line import Rank
from aiorescue.call.pace import Pacers
from aiorescue.call.retry import Budget, RetryPolicy, controller
from aiorescue.call.transport import TOO_LARGE, Transport
from aiorescue.operation import Binding, Effect, Family, Kind, Operation, Outcome
from aiorescue.wire import Response, Stamp

#: Bytes that are decoded on the event loop; what is longer would hold it up.
INLINE = 2**16

R = TypeVar("R")
BeforeSend = Callable[[], Awaitable[None]]


@attrs.frozen(eq=False)
class Call:
    """One call under way."""

    operation: Operation[Any]
    binding: Binding
    identity: Identity
    before_send: BeforeSend | None
    rank: Rank


class Caller:
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

    def soonest(self, identities: Sequence[Identity], family: Family | None) -> Identity:
        """The identity that is free soonest."""
        if len(identities) == 1:
            return identities[0]
        return min(identities, key=lambda identity: self._pacers.of(identity, family).ready_at())

    async def call(
        self,
        operation: Operation[R],
        identity: Identity,
        *,
        binding: Binding | None = None,
        before_send: BeforeSend | None = None,
        bulk: bool = False,
    ) -> R:
        """The whole life of one call: a result, or the exception that tells why there is none."""
        spec = operation.spec
        chosen = spec.choose(self._binding) if binding is None else spec.require(binding)
        call = Call(identity.fill(operation), chosen, identity, before_send, Rank.BULK if bulk else Rank.CALL)
        if chosen.is_get or (spec.service.validates and not chosen.is_soap):
            # What a form or a query cannot carry is refused before anybody logs in.
            wire.codec(type(operation), chosen).encode(call.operation, Stamp())
        budget = Budget()
        outcome = await self._attempt(budget, call)
        if outcome.kind is Kind.TRANSIENT and self._policy.attempts > 1:
            outcome = await self._again(budget, call, outcome)
        if outcome.kind is Kind.OK:
            value = cast("R", outcome.value)
            return operation.with_orphans(value, budget.orphans) if budget.orphans else value
        raise self._exception(outcome, call, budget)

    async def _again(self, budget: Budget, call: Call, first: Outcome[Any]) -> Outcome[Any]:
        """Hand over to tenacity, which is told of the first try's outcome: it costs nothing where all goes well."""
        pending: list[Outcome[Any]] = [first]

        async def attempt(budget: Budget) -> Outcome[Any]:
            return pending.pop() if pending else await self._attempt(budget, call)

        outcome: Outcome[Any] = await self._controller(attempt, budget)
        return outcome

    async def _attempt(self, budget: Budget, call: Call) -> Outcome[Any]:
        """One try, at its pace; one that was rejected as too fast, or met a dead session, does not count."""
        pacer = self._pacers.of(call.identity, call.operation.spec.family)
        rejections = 0
        budget.ready = lambda: pacer.ready_at(Rank.AGAIN)
        while True:
            # Once it was sent, it need not wait behind those that were not.
            rank = Rank.AGAIN if rejections or budget.attempts else call.rank
            sent = await pacer.slot(rank, rejections=rejections)
            accepted = None
            try:
                budget.begin(self._clock, self._policy)
                outcome, dead = await self._once(call)
                if outcome.kind in (Kind.OK, Kind.THROTTLED):
                    accepted = outcome.kind is Kind.OK
            finally:
                pacer.answered(sent, accepted=accepted)
            if outcome.ambiguous:
                budget.orphans += 1
                if call.operation.spec.effect is Effect.CREATES:
                    return attrs.evolve(outcome, kind=Kind.FINAL, error=errors.AmbiguousOutcome)
            if outcome.kind is Kind.THROTTLED:
                rejections += 1
                ready = pacer.ready_at(Rank.AGAIN)
                if not budget.allows(ready):
                    return attrs.evolve(outcome, retry_after=ready - self._clock.time())
                continue
            if dead and self._relogin and not budget.healed:
                budget.healed = True
                continue
            return outcome

    async def _once(self, call: Call) -> tuple[Outcome[Any], bool]:
        if call.before_send is not None:
            await call.before_send()
        lease = await call.identity.lease(call.operation)
        if not isinstance(lease, Lease):
            # Whatever became of the login, the call itself has not been sent.
            return attrs.evolve(lease, ambiguous=False), False
        outcome, response = None, None
        dead = False
        try:
            outcome, response = await self._exchange(lease.operation, call.binding, lease.stamp)
        finally:
            dead = call.identity.release(lease, outcome, response)
        return outcome, dead

    async def _exchange(self, operation: Operation[Any], binding: Binding, stamp: Stamp) -> Sent:
        codec = wire.codec(type(operation), binding)
        response = await self._transport.send(codec.encode(operation, stamp))
        if isinstance(response, Outcome):
            return response, None
        if len(response.body) > INLINE or response.long is not None:
            return await _read_aside(codec, operation, stamp, response), response
        return wire.read(codec, operation, stamp, response), response

    async def send(self, identity: Identity, operation: Operation[Any], stamp: Stamp) -> Sent:
        """A login or logout of a session: once, at its pace, and never in a URL."""
        spec = operation.spec
        pacer = self._pacers.of(identity, spec.family)
        sent = await pacer.slot()
        try:
            return await self._exchange(operation, spec.choose(self._binding.without_url), stamp)
        finally:
            pacer.answered(sent, accepted=None)

    def _exception(self, outcome: Outcome[Any], call: Call, budget: Budget) -> errors.RescueError:
        spec = call.operation.spec
        said = f" ({outcome.word})" if outcome.word else ""
        if spec.long and outcome.detail.startswith(TOO_LARGE) and not call.binding.is_text:
            said = "; ask its text page (Binding.TEXT_POST), whose answers may be long"
        tries = f"; tried {budget.attempts} times" if budget.attempts > 1 else ""
        unseen = "; an earlier try may have been carried out" if budget.orphans and not outcome.ambiguous else ""
        more = dict(outcome.more)
        if outcome.error is errors.RateLimited:
            more["retry_after"] = outcome.retry_after
        return outcome.error(
            f"{spec.name}: {outcome.detail or 'refused'}{said}{tries}{unseen}",
            operation=spec.name,
            status=outcome.word,
            attempts=budget.attempts,
            possibly_orphaned=budget.orphans,
            **more,
        )


async def _read_aside(codec: wire.Codec, operation: Operation[Any], stamp: Stamp, response: Response) -> Outcome[Any]:
    """`wire.read` in a thread. A long text is the result's if there is one, else it is closed here."""
    taken = False
    try:
        outcome = await asyncio.to_thread(wire.read, codec, operation, stamp, response)
        taken = outcome.kind is Kind.OK
    finally:
        if response.long is not None and not taken:
            response.long.discard()
    return outcome
