"""Calls of both services over every binding through a network of which one answer in ten is disturbed."""

import asyncio
import random
from collections import Counter, defaultdict
from typing import Any

import attrs

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, RescueClient, RetryPolicy, errors, inforouter, rescue
from aiorescue.emulator import Emulator
from aiorescue.operation import Effect, Operation
from tests.lab.proxy import NOTICEABLE, Disturbance, Proxy
from tests.soak.leftovers import Client, leftovers
from tests.support import EXAMPLES

CODE, TECH = AuthCode("fixedtech0000"), Login("tech@example.com", "secret")
PINS = (
    rescue.RequestPinCode,
    rescue.RequestPinCodeV2,
    rescue.RequestPinCodeV3,
    rescue.RequestLensPinCode,
    rescue.RequestLensPinCodeV2,
)
#: Calls at once.
WORKERS = 48
#: Seconds that a request may take; a call has four of them, and the watch over it far more than that.
TIMEOUT, WATCH = 2.0, 100.0


@attrs.define
class Tally:
    """What came of the calls.

    Attributes:
        results: calls that ended with a result.
        errors: calls that ended with an exception of ours, by its type.
        pins: the PIN of each tracking field whose call had a result.
        orphans: PINs that may be unclaimed, by the results and the errors.
        foreign: tracking fields of requests that got a PIN which was issued for another one.
        twice: PINs that two requests got.
        different: reads whose result is not the one that an undisturbed call has.
        disturbed: disturbances that were carried out, by kind.
        unclaimed: PINs that were issued and that no request got.
    """

    results: int = 0
    errors: Counter[str] = attrs.field(factory=Counter)
    pins: dict[str, str] = attrs.field(factory=dict)
    orphans: int = 0
    foreign: list[str] = attrs.field(factory=list)
    twice: list[str] = attrs.field(factory=list)
    different: list[str] = attrs.field(factory=list)
    disturbed: dict[Disturbance, int] = attrs.field(factory=dict)
    unclaimed: int = 0

    def check(self) -> None:
        """Raise AssertionError if a promise was broken, other than one that no client can keep."""
        repeats = self.disturbed.get(Disturbance.REPEAT, 0) + self.disturbed.get(Disturbance.TOGETHER, 0)
        assert not self.twice, self.twice
        # Only what is another one each time can be known to have come before. A read cannot.
        assert len(self.different) <= repeats, self.different
        assert 0 <= self.unclaimed <= self.orphans, self
        assert not self.errors.keys() - {"ProtocolError", "RequestTimeout", "ConnectionFailed"}, self.errors
        assert not self.foreign or Disturbance.SWAP in self.disturbed, self.foreign

    def __str__(self) -> str:
        ends = ", ".join(f"{name} {count}" for name, count in self.errors.most_common())
        return (
            f"{self.results} results, {sum(self.errors.values())} errors ({ends or 'none'}),"
            f" {sum(self.disturbed.values())} answers disturbed, {len(self.different)} reads with another's answer,"
            f" {self.unclaimed} PINs unclaimed of {self.orphans} told"
        )


@attrs.frozen
class _Call:
    """A call that can be made again and again; a read has the answer that it must have."""

    client: Client
    operation: Operation[Any]
    binding: Binding
    expected: Any = None

    @property
    def is_pin(self) -> bool:
        return isinstance(self.operation, PINS)


def _clients(url: str, wait: float) -> list[Client]:
    options: dict[str, Any] = {"base_url": url, "timeout": TIMEOUT, "retry": RetryPolicy(first=wait, longest=wait)}
    return [
        RescueClient(CODE, pace=None, max_connections=WORKERS // 3, **options),
        RescueClient(TECH, pace=None, sessions=4, relogin=True, **options),
        InfoRouterClient(TECH, relogin=True, **options),
    ]


def _reads(client: Client) -> list[Operation[Any]]:
    if isinstance(client, InfoRouterClient):
        return [inforouter.IsValidTicket(), inforouter.ServerInfo()]
    return [one for one in EXAMPLES.values() if one.spec.effect is Effect.READ and "Ticket" not in one.spec.name]


async def _outcome(call: _Call) -> Any:
    """The result of a call, or the type and status of its exception."""
    try:
        return await call.client.call(call.operation, binding=call.binding)
    except errors.RescueError as problem:
        return type(problem), problem.status


async def _calls(clients: list[Client]) -> list[_Call]:
    """One call of each read over each binding, with its answer where that is always one answer, and as many of PINs."""
    found = []
    for client in clients:
        for operation in _reads(client):
            for binding in operation.spec.bindings:
                call = _Call(client, operation, binding)
                first, again = await _outcome(call), await _outcome(call)
                if first == again and not isinstance(first, tuple):
                    found.append(attrs.evolve(call, expected=first))
    pins = [
        _Call(client, operation(), binding)
        for client in clients
        if isinstance(client, RescueClient)
        for operation in PINS
        for binding in operation.spec.bindings
    ]
    return found + pins * (len(found) // len(pins) + 1)


async def _make(call: _Call, number: int, tally: Tally) -> None:
    operation = attrs.evolve(call.operation, tracking=f"CASE-{number}") if call.is_pin else call.operation
    try:
        async with asyncio.timeout(WATCH):
            result = await call.client.call(operation, binding=call.binding)
    except errors.RescueError as problem:
        tally.errors[type(problem).__name__] += 1
        tally.orphans += problem.possibly_orphaned
        return
    tally.results += 1
    if call.is_pin:
        tally.pins[f"CASE-{number}"] = result.code
        tally.orphans += result.possibly_orphaned
    elif result != call.expected:
        tally.different.append(f"{operation!r} over {call.binding.value}: {str(result)[:200]}")


def _compare(service: Emulator, tally: Tally, issued_before: int) -> None:
    """Compare the PINs of the requests with those that the service issued."""
    issued = defaultdict(set)
    for entry in service.ledger_between(issued_before, service.ledger.issued):
        issued[entry.tracking].add(entry.pin)
    tally.foreign = [tracking for tracking, pin in tally.pins.items() if pin not in issued[tracking]]
    tally.twice = [pin for pin, count in Counter(tally.pins.values()).items() if count > 1]
    tally.unclaimed = service.ledger.issued - issued_before - len(tally.pins)


async def run(
    calls: int,
    seed: int,
    *,
    share: float = 0.1,
    kinds: tuple[Disturbance, ...] = NOTICEABLE,
    pins_alone: bool = False,
) -> Tally:
    """Make so many calls. Raises AssertionError if something is left behind that should not be.

    Args:
        calls: how many.
        seed: seed of the choices of calls and disturbances.
        share: share of the answers that are disturbed.
        kinds: disturbances to choose from.
        pins_alone: make no other calls than requests for PINs.
    """
    chance, tally = random.Random(seed), Tally()
    tasks = asyncio.all_tasks()
    async with (
        # Its clock stands still, so that a read has one answer.
        Emulator(pin_rate=None, clock=lambda: 1e6, ledger_size=calls * 5 + 1000) as service,
        Proxy(service.url, share=0.0, kinds=kinds, delay=lambda: chance.random() / 20, seed=seed) as proxy,
    ):
        clients = _clients(proxy.url, wait=0.01)
        choices = [call for call in await _calls(clients) if call.is_pin or not pins_alone]
        issued_before, proxy.share = service.ledger.issued, share
        numbers = iter(range(calls))

        async def work() -> None:
            for number in numbers:
                await _make(chance.choice(choices), number, tally)

        await asyncio.gather(*(work() for _ in range(WORKERS)))
        _compare(service, tally, issued_before)
        await proxy.settle()
        proxy.share, tally.disturbed = 0.0, {kind: count for kind, count in proxy.disturbed.items() if count}
        await _leave(clients, choices, proxy)
    left = asyncio.all_tasks() - tasks
    assert not left, left
    return tally


async def _leave(clients: list[Client], choices: list[_Call], proxy: Proxy) -> None:
    """Check that nothing is left of the calls, that as many can be made again at once, and that a close closes all."""
    assert [leftovers(client) for client in clients] == [[] for _ in clients]
    assert all(client.stats().under_way == 0 for client in clients)
    last = Tally()
    await asyncio.gather(*(_make(call, -number, last) for number, call in enumerate(choices[:200])))
    assert not last.errors, last
    for client in clients:
        await client.aclose()
        assert client.stats().connections == 0
    async with asyncio.timeout(WATCH):
        while proxy.open_connections:
            await asyncio.sleep(0.01)
