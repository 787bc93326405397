"""The call runner: one call from the operation to its result, through retry, pace, identity, wire and transport.

Three loops are nested, and each knows one reason to send again. Tenacity repeats attempts that failed for a transient
reason, within the bounds of the retry policy (`CallRunner._retry`). Inside one such attempt a request that the service
rejected as too fast is repeated at the pace's next turn, and one that met an ended session is repeated once with a new
one (`CallRunner._attempt`). A single request, with a login before it if need be, is `CallRunner._request`.
"""

import asyncio
import logging
from collections.abc import Coroutine
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from aiorescue import errors, wire
from aiorescue.call.arguments import check_binding
from aiorescue.call.call import BeforeSend, Call
from aiorescue.call.observer import NOTICEABLE, Observer
from aiorescue.call.options import NO_OPTIONS, CallOptions
from aiorescue.call.raised import CROSSED, SHARE_THE_PACE, exception_for
from aiorescue.call.reader import INLINE, AnswerReader
from aiorescue.call.repeats import REPEATED, repeats_of
from aiorescue.call.retry import Budget, RetryPolicy, controller
from aiorescue.call.transport import CLOSED, NOT_BEGUN, Transport
from aiorescue.call.under_way import UnderWay
from aiorescue.clock import Clock
from aiorescue.identity.identity import Identity, Lease, Sent
from aiorescue.identity.session import SessionLease
from aiorescue.identity.standing import SetAside
from aiorescue.identity.waiting import CalledOffError
from aiorescue.operation import (
    Binding,
    Effect,
    Family,
    Operation,
    Outcome,
    discreet,
    discreetly_awaited,
    forget,
    status,
)
from aiorescue.pace.pace import PacedAccount, Pacers
from aiorescue.pace.patience import Patience, QueuedTooLongError, sending
from aiorescue.pace.turns import Priority, Turn
from aiorescue.wire import Authorization, Response

if TYPE_CHECKING:
    from tenacity import AsyncRetrying

R = TypeVar("R")

#: Whether the log of calls is written at a level.
_is_logged = logging.getLogger("aiorescue.call").isEnabledFor
#: Rejections of one call in a row that a pace which learns from each of them cannot explain.
_SUSPICIOUS = 3
_HTTP_OK = 200
#: Readers that a client keeps: more than any service has operations and bindings that one program uses.
_MOST_READERS = 512
#: Enum members kept in globals, as those in `operation.status` are.
_LOGINS, _EXPIRES, _CREATES = Family.LOGINS, Effect.EXPIRES, Effect.CREATES
#: Outcomes that tell the pace whether a request came too fast.
_ANSWERS = (status.OK, status.THROTTLED)
#: Outcomes after which the request is sent again.
_AGAIN = (status.THROTTLED, status.TRANSIENT)


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
        observer: counts calls, and makes events of them for listeners.
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
        observer: Observer,
    ) -> None:
        self._transport = transport
        self._under_way = under_way
        self._observer = observer
        self._clock = clock
        self._policy = policy
        self._pacers = pacers
        self._binding = binding
        self._repeats = repeats_of(transport.lent_pool, transport.base_url)
        self._relogin = relogin
        #: By operation type and the binding named for the call; None for the client's preferred one.
        self._readers: dict[tuple[type[Operation[Any]], Binding | None], AnswerReader] = {}

    @discreet
    def call(
        self,
        operation: Operation[R],
        identity: Identity,
        *,
        binding: Binding | None = None,
        before_send: BeforeSend | None = None,
        priority: Priority = Priority.CALL,
        options: CallOptions = NO_OPTIONS,
    ) -> Coroutine[Any, Any, R]:
        """Make one call, from its first turn in the pace to its result; what is returned must be awaited.

        What the service does not offer or take is refused here, before the call waits for anything.

        Args:
            operation: what to call.
            identity: the identity that calls.
            binding: the only binding to use; None for the client's preferred one, or the best that is documented.
            before_send: awaited before each request, when its turn has come.
            priority: place in the pace.
            options: options of the call, or of the view of the client that makes it.

        Raises:
            errors.RescueError: why there is no result.
        """
        operation_type, observer = type(operation), self._observer
        if binding is None and options.binding is not None:
            binding = operation_type.spec.choose(options.binding)
        name, identity_name = operation_type.spec.name, identity.name
        # A binding that is not offered is refused before credentials that are missing.
        reader = self._readers.get((operation_type, binding)) or self._find_reader(operation_type, binding)
        call = Call(
            identity.complete(operation),
            reader,
            identity,
            self._pacers.of(identity.account, operation_type.spec.family),
            priority=priority,
            before_send=before_send,
            counts=observer.known.get((name, identity_name)) or observer.counts(name, identity_name),
            timeout=options.timeout,
            patience=None if options.max_wait is None else Patience(options.max_wait, self._clock),
        )
        call.counts.calls += 1
        if options.hub is not None or observer.hub is not None or _is_logged(logging.DEBUG):
            call.watch = observer.watch(operation, reader.binding, identity_name, options.hub)
        # No coroutine of its own, whose frame would be entered again at each step of the call.
        return self._run(call)

    async def _run(self, call: Call) -> Any:
        """The result of a call. What it raises carries no local variable of the functions that it passed through."""
        try:
            outcome = await self._outcome(call)
            if outcome.outcome_class is not status.OK:
                raise exception_for(outcome, call)  # noqa: TRY301 - failures are counted wherever they come from
        except BaseException as problem:  # noqa: BLE001 - raised again below
            failure = self._failure(problem, call)
        else:
            if call.watch is not None:
                call.watch.ended(None, orphans=call.orphans)
            return call.operation.with_orphans(outcome.value, call.orphans) if call.orphans else outcome.value
        del call
        try:
            raise forget(failure)
        finally:
            del failure  # it would hold this frame, which holds it

    def _failure(self, problem: BaseException, call: Call) -> BaseException:
        """Count a call that failed. Returns what it raises: the problem, or that closing the client ended it."""
        if isinstance(problem, asyncio.CancelledError) and self._under_way.was_interrupted():
            problem = exception_for(CLOSED, call)
        call.counts.failures += 1
        if call.watch is not None:
            call.watch.ended(problem, orphans=call.orphans)
        return problem

    def _find_reader(self, operation_type: type[Operation[Any]], binding: Binding | None) -> AnswerReader:
        check_binding(binding)
        spec = operation_type.spec
        used = spec.choose(self._binding) if binding is None else spec.require(binding)
        while len(self._readers) >= _MOST_READERS:
            del self._readers[next(iter(self._readers))]  # the oldest, which is made again if it is wanted
        reader = self._readers.get((operation_type, used)) or AnswerReader(wire.codec(operation_type, used), used)
        self._readers[operation_type, used] = self._readers[operation_type, binding] = reader
        return reader

    async def _outcome(self, call: Call) -> Outcome[Any]:
        """Make the attempts of a call, and return the outcome of the last one.

        No attempt is made if the identity is set aside, before the call or while it waits for its turn.
        """
        is_login = call.operation.spec.family is _LOGINS
        began = self._clock.time() if is_login else 0.0
        try:
            outcome = call.identity.refusal(call.operation) or await self._attempt(call)
            if outcome.outcome_class is status.TRANSIENT and self._policy.attempts > 1:
                outcome = await self._retry(call, outcome)
        except CalledOffError as called_off:
            return called_off.outcome
        except QueuedTooLongError as problem:
            return call.queued_too_long(problem)
        finally:
            if call.refusals and self._transport.trust.is_lost:
                call.doubt_refusals()
        if is_login and call.attempts:  # a login that the program calls itself
            self._observer.logged_in(call.identity.name, self._clock.time() - began, outcome)
        if (rate := call.pacer.new_rate) is not None:
            call.pacer.new_rate = None
            self._observer.pace_changed(call.identity.name, call.operation.spec.family, rate)
        return outcome

    async def _retry(self, call: Call, first: Outcome[Any]) -> Outcome[Any]:
        """Let tenacity decide about further attempts; it costs 36 µs, so a call that needs no second one avoids it."""
        made_already = [first]

        async def attempt(call: Call) -> Outcome[Any]:
            return made_already.pop() if made_already else await self._attempt(call)

        outcome: Outcome[Any] = await self._controller(attempt, call)
        return outcome

    @cached_property
    def _controller(self) -> "AsyncRetrying":
        return controller(self._policy, self._clock, self._report_retry)

    def _report_retry(self, budget: Budget, outcome: Outcome[Any], seconds: float) -> None:
        if isinstance(budget, Call):
            watch = budget.watch
            if watch is None:
                watch = self._observer.late_watch(budget.operation, budget.reader.binding, budget.identity.name)
            watch.retrying(outcome, budget.attempts, seconds)

    async def _attempt(self, call: Call) -> Outcome[Any]:  # noqa: C901, PLR0912 - one branch an outcome class
        """One attempt in the sense of the retry policy, which counts neither rejections nor one ended session."""
        rejections = 0
        while True:
            arrived = self._clock.time()
            if call.patience is not None and call.identity.needs_login(call.operation):
                call.patience.check_login(self._pacers.of(call.identity.account, Family.LOGINS))
            async with call.turn(rejections, arrived) as turn:
                if (waited := turn.sent - arrived) >= NOTICEABLE:
                    call.count_wait(waited)
                if call.before_send is not None and await self._prepare(call, call.before_send, turn):
                    continue  # the turn has passed: the next one is taken
                call.start(turn.sent, self._policy.total)
                outcome, session_has_ended = NOT_BEGUN, False
                while outcome is NOT_BEGUN:  # again where another call met the end of its ticket while it waited
                    outcome, session_has_ended = await self._request(call, turn)
                if outcome.outcome_class in _ANSWERS:
                    turn.answered(accepted=outcome.outcome_class is status.OK)
            if outcome.ambiguous:
                outcome = call.count_orphan(outcome)
            match outcome.outcome_class:
                case status.OK:
                    return outcome
                case status.THROTTLED:  # the pacer has widened its gap: again at its next turn, if that comes in time
                    rejections += 1
                    call.counts.rejections += 1
                    again = call.pacer.again_at()
                    if not call.allows(again):
                        detail = outcome.detail + (SHARE_THE_PACE if rejections >= _SUSPICIOUS else "")
                        return attrs.evolve(outcome, detail=detail, retry_after=max(0.0, again - self._clock.time()))
                case status.AUTHENTICATION if session_has_ended and self._relogin and not call.has_relogged_in:
                    call.has_relogged_in = True  # again, once: the next request gets a session that is alive
                case status.TRANSIENT:
                    return outcome  # tenacity decides
                case _:
                    return outcome  # raised at once: AUTHENTICATION and FINAL

    async def _prepare(self, call: Call, before_send: BeforeSend, turn: Turn) -> bool:
        """Await `before_send`, once for each request. Returns True if that took so long that the turn has passed.

        A bulk job writes to its journal here. If a disk stalls, many requests wait for it. Each of them had its turn,
        but together they would be a burst.
        """
        if call.is_prepared:
            call.is_prepared = False  # in the turn before, which has passed
            return False
        await before_send()
        call.is_prepared = call.has_passed(turn, self._clock.time())
        return call.is_prepared

    async def _request(self, call: Call, turn: Turn) -> tuple[Outcome[Any], bool]:
        """Send one request, after a login if one is needed. Returns the outcome, and True if the session has ended.

        The outcome is `NOT_BEGUN` where its ticket ended while the request waited for a connection.
        """
        identity, patience = call.identity, call.patience
        needed_login = identity.needs_login(call.operation)
        lease = await (call.lease_in_time(patience, self._pacers) if patience else identity.lease(call.operation))
        if not isinstance(lease, Lease):
            if not isinstance(lease, SetAside):
                call.attempts += 1  # the login, which was sent in its place
            # The login failed. Whether it was carried out may be unknown, but the call itself has not been sent.
            return attrs.evolve(lease, ambiguous=False), False
        outcome: Outcome[Any] | None = None
        response: Response | None = None
        codec, watch, sent_before = call.reader.codec, call.watch, call.attempts
        try:
            draft = call.draft if lease.operation is call.operation else codec.draft(lease.operation)
            request = codec.authorize(draft, lease.authorization)
            waits = needed_login or self._transport.is_full
            if isinstance(lease, SessionLease) and not waits and call.has_passed(turn, self._clock.time()):
                # It waited for a busy session. Waiting for another turn, it would hold the session for nothing.
                await call.wait_again(turn, turn.keep_gap(), self._policy.total)
            begin = partial(call.begin_request, request, lease if waits else None, turn if waits else None, self._clock)
            received = await self._transport.send(request, call.timeout, patience, begin)
            if received is NOT_BEGUN and identity.is_current(lease):
                await call.wait_again(turn, turn.renew(), self._policy.total)
                begin = partial(call.begin_request, request, lease, None, self._clock)
                received = await self._transport.send(request, call.timeout, patience, begin)
            if isinstance(received, Outcome):
                outcome = received
            else:
                response = received
                if watch is not None:
                    watch.answered(response.status)
                outcome = await self._read(call, lease, response)
        except QueuedTooLongError as problem:  # no turn came, or no connection was free in time: nothing was sent
            outcome = call.queued_too_long(problem)
        finally:
            if call.attempts == sent_before and outcome is None:
                outcome = NOT_BEGUN  # it was cancelled while it waited
            session_has_ended = identity.release(lease, outcome, response)
            if watch is not None and call.attempts > sent_before:
                watch.attempt_ended(outcome)
        return outcome, session_has_ended

    async def _read(self, call: Call, lease: Lease, response: Response) -> Outcome[Any]:
        """The outcome of a response; connections lose trust after one that seems to answer another request."""
        trust, reader, effect = self._transport.trust, call.reader, lease.operation.spec.effect
        if len(response.body) <= INLINE and response.stream is None:
            outcome = reader.read(lease.operation, lease.authorization, response)
        else:
            if response.status == _HTTP_OK and effect is _EXPIRES:
                # A PIN's answer is short, so this is another request's: the PIN may come while this one is decoded.
                trust.lose()
            outcome = await reader.read_in_thread(lease.operation, lease.authorization, response)
        if outcome.outcome_class is not status.OK:
            return self._doubted(call, outcome, response)
        # No two PINs, tickets or links are equal: an answer that comes a second time belongs to another request.
        codec = reader.codec
        if effect is _EXPIRES and self._repeats.found(codec, response.body):
            trust.lose()
            return REPEATED
        # `found` does not see a second time of the first answer, nor of the id of what was created.
        if self._repeats.is_first(codec) if effect is _EXPIRES else effect is _CREATES and type(outcome.value) is int:
            trust.drop_used()
        return outcome

    def _doubted(self, call: Call, outcome: Outcome[Any], response: Response) -> Outcome[Any]:
        """The outcome of a response other than OK. It may belong to another request, and this one's may still come."""
        trust = self._transport.trust
        if outcome.error is errors.ProtocolError:
            trust.lose()
            return outcome
        trust.drop_used()  # else the next request would take it for its answer
        if outcome.ambiguous:
            return outcome
        if trust.has_crossed(response.status):
            return attrs.evolve(outcome, detail=outcome.detail + CROSSED, ambiguous=True)
        call.refusals += outcome.outcome_class in _AGAIN
        return outcome

    @discreetly_awaited
    async def send(
        self, account: PacedAccount, operation: Operation[Any], authorization: Authorization, *, at_once: bool = False
    ) -> Sent:
        """Send a login or logout for an identity: once, at the account's pace, and never in a URL. As in `Send`."""
        spec = operation.spec
        codec = wire.codec(type(operation), spec.choose(self._binding.without_url))
        draft = codec.draft(operation)
        async with self._pacers.of(account, spec.family).turn(at_once=at_once) as turn:
            with sending():
                received = await self._transport.send(codec.authorize(draft, authorization))
            if isinstance(received, Outcome) and not received.ambiguous:
                turn.give_back()
        if isinstance(received, Outcome):
            return received, None
        if len(received.body) <= INLINE:
            outcome = wire.read(codec, operation, authorization, received)
        else:
            outcome = await asyncio.to_thread(wire.read, codec, operation, authorization, received)
        if outcome.outcome_class is not status.OK:
            self._transport.trust.drop_used()  # as in `_read`
        return outcome, received
