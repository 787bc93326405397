"""The pace against hidden limits in virtual time: hours at the service take seconds, with repeatable results."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import attrs

from benchmarks.pace_peers import PEERS, Peer, aiorescue
from benchmarks.report import Row, bars, table
from tests.lab.hidden_limits import (
    FixedWindow,
    LimitedService,
    MinimumInterval,
    Network,
    Rule,
    SlidingWindow,
    TokenBucket,
)
from tests.lab.virtual_time import run

PICTURE = Path(__file__).parent.parent / "docs" / "pace.svg"

_SLOW = Network(latency=0.150, jitter=0.010)
_FAST = Network(latency=0.015, jitter=0.002)
_LATE = Network(latency=0.150, jitter=0.010, late_share=0.05, late_by=0.3)


@attrs.frozen(kw_only=True)
class Scenario:
    """A service with a hidden limit, and the goals that a pacer has there.

    Attributes:
        name: of the row in the table.
        rule: makes the hidden limit, anew for each run.
        network: between the pacer and the service.
        rate: calls per second that the limit allows.
        known: the rate that the pacer is given at its start; None if it must find it out.
        seconds: length of a run in virtual time.
        since: the second from which calls count.
        goal: least share of the permitted calls that must be made; None without a goal.
        most: greatest share of calls that may be rejected; None without a goal.
    """

    name: str
    rule: Callable[[], Rule]
    network: Network
    rate: float
    known: float | None
    seconds: float
    since: float = 0.0
    goal: float | None = None
    most: float | None = None


def _interval(seconds: float, *, count_rejected: bool = False) -> Callable[[], Rule]:
    return lambda: MinimumInterval(lambda _: seconds, count_rejected=count_rejected)


def _changing(first: float, then: float, at: float) -> Callable[[], Rule]:
    return lambda: MinimumInterval(lambda now: 1 / first if now < at else 1 / then)


def scenarios(hours: float) -> list[Scenario]:
    """The scenarios of the table; those without a length of their own run for `hours` of virtual time."""
    long = 3600 * hours

    def row(name: str, rule: Callable[[], Rule], network: Network, rate: float, **more: float | None) -> Scenario:
        options = {"known": rate, "seconds": long, "goal": 0.96, "most": 0.015} | more
        return Scenario(name=name, rule=rule, network=network, rate=rate, **options)  # type: ignore[arg-type]

    return [
        row("1/s, 150 ± 10 ms", _interval(1), _SLOW, 1, goal=0.98),
        row("10/s, 15 ± 2 ms", _interval(0.1), _FAST, 10),
        row("10/s, a rejection counts", _interval(0.1, count_rejected=True), _FAST, 10),
        row("1/s, 5 % of calls 300 ms late", _interval(1), _LATE, 1, goal=0.95),
        row("10/s, about to fall", _changing(10, 4, 60), _FAST, 10, seconds=60),
        row("fallen to 4/s", _changing(10, 4, 60), _FAST, 4, known=10, seconds=120, since=60, goal=0.93),
        row("risen from 4/s to 10/s, after 3 min", _changing(4, 10, 300), _FAST, 10, seconds=780, since=480),
        row(
            "bucket 50/s, burst 10, rate unknown, 30 s",
            _bucket,
            _FAST,
            50,
            known=None,
            seconds=30,
            goal=0.95,
        ),
        row("1/s, rate unknown, 10 min", _interval(1), _SLOW, 1, known=None, seconds=600, goal=None),
        row("10/s, rate unknown, 1 min", _interval(0.1), _FAST, 10, known=None, seconds=60, goal=None),
        row("10 in each second", lambda: FixedWindow(10), _FAST, 10),
        row("10 in any second", lambda: SlidingWindow(10), _FAST, 10),
        row("10 in any second, rate unknown, 10 min", lambda: SlidingWindow(10), _FAST, 10, known=None, seconds=600),
    ]


def _bucket() -> Rule:
    return TokenBucket(50, 10)


def measure(scenario: Scenario, peer: Peer, seed: int) -> tuple[float, float]:
    """Run one scenario; returns the accepted calls as a share of those permitted, and the share of rejected calls."""
    service = LimitedService(scenario.rule(), scenario.network, seed)

    async def drive() -> None:
        work = asyncio.ensure_future(peer(service, scenario.known))
        await asyncio.sleep(scenario.seconds)
        work.cancel()
        await asyncio.gather(work, return_exceptions=True)

    run(drive())
    accepted, rejected = service.count(scenario.since, scenario.seconds)
    permitted = scenario.rate * (scenario.seconds - scenario.since)
    return accepted / permitted, rejected / max(1, accepted + rejected)


def compared(index: int, *, quick: bool) -> Row:
    """Run one scenario with each pacer: ours with several seeds, of which the worst counts, the others with one."""
    scenario = scenarios(0.1 if quick else 1.0)[index]
    ours = [measure(scenario, aiorescue, seed) for seed in range(3 if quick else 6)]
    short = attrs.evolve(scenario, seconds=min(scenario.seconds, scenario.since + 600))
    peers = {name: measure(short, peer, 0) for name, peer in PEERS.items()}
    if scenario.known is None:  # the other peers cannot find a rate out
        peers = {name: peers[name] for name in ("backoff", "botocore adaptive")}
    return Row(
        scenario.name,
        min(share for share, _ in ours),
        max(rejected for _, rejected in ours),
        goal=scenario.goal,
        most=scenario.most,
        peers=peers,
    )


def rows(*, quick: bool) -> list[Row]:
    """Run all scenarios, on all cores."""
    with ProcessPoolExecutor(mp_context=get_context("spawn")) as cores:
        return list(cores.map(partial(compared, quick=quick), range(len(scenarios(1.0)))))


def report(*, quick: bool) -> str:
    """Run all scenarios; returns Markdown, and unless `quick`, draws the picture of the docs."""
    found = rows(quick=quick)
    if not quick:
        PICTURE.write_text(bars("Share of the permitted calls, and of rejected ones", found), "utf-8")
    return (
        "Share of the permitted calls · share of rejected ones; ours is the worst of all seeds. "
        "The peers know the rate, except where it is unknown.\n\n" + table(found) + "\n\n![Pace](pace.svg)"
    )
