"""All measurements: ``python -m benchmarks [--quick] [NAME …]``. A full run writes `docs/benchmarks.md`."""

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import bulk, cost, pace_real, pace_simulation, stream

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


def _pace(quick: bool) -> str:  # noqa: FBT001 - the registry's signature
    return pace_simulation.report(quick=quick) + "\n\n![Pace](pace.svg)"


def _pace_real(quick: bool) -> str:  # noqa: FBT001 - the registry's signature
    return asyncio.run(pace_real.measure(quick=quick))


def _cost(quick: bool) -> str:  # noqa: FBT001 - the registry's signature
    return cost.report(quick=quick)


def _bulk(quick: bool) -> str:  # noqa: FBT001 - the registry's signature
    return bulk.report(quick=quick)


def _stream(quick: bool) -> str:  # noqa: FBT001 - the registry's signature
    return stream.report(quick=quick)


#: Each benchmark: its name, its title, and what measures and returns Markdown. To join, add a line.
BENCHMARKS: list[tuple[str, str, Callable[[bool], str]]] = [
    ("pace", "Pace, against hidden limits (simulated)", _pace),
    ("pace-real", "Pace, in real time on the emulator", _pace_real),
    ("cost", "Cost of a call", _cost),
    ("bulk", "Cost of a bulk job", _bulk),
    ("stream", "A report of 100 MiB", _stream),
]


def main(arguments: list[str]) -> int:
    """Measure what was asked for, or everything."""
    quick = "--quick" in arguments
    wanted = {one for one in arguments if not one.startswith("-")}
    unknown = wanted - {name for name, _, _ in BENCHMARKS}
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(n for n, _, _ in BENCHMARKS)}")
        return 2
    page = ["# Benchmarks", "`python -m benchmarks` measures this anew."]
    for name, title, measure in BENCHMARKS:
        if not wanted or name in wanted:
            section = f"## {title}\n\n{measure(quick)}"
            print(section + "\n", flush=True)
            page.append(section)
    if not (quick or wanted):
        PAGE.write_text("\n\n".join(page) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
