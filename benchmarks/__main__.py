"""All measurements: ``python -m benchmarks [--quick] [NAME …]``. A full run writes `docs/benchmarks.md`."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from benchmarks import bulk, cost, pace_real, pace_simulation, stream
from benchmarks.aside import give_way

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


class Report(Protocol):
    """Measures, and tells as Markdown."""

    def __call__(self, *, quick: bool) -> str:
        """All of it; in less time if quick."""


#: Each benchmark: its name, its title, and what measures it. To join, add a line.
BENCHMARKS: dict[str, tuple[str, Report]] = {
    "pace": ("Pace, against hidden limits (simulated)", pace_simulation.report),
    "pace-real": ("Pace, in real time on the emulator", pace_real.report),
    "cost": ("Cost of a call", cost.report),
    "bulk": ("Cost of a bulk job", bulk.report),
    "journal": ("Cost of its journal", bulk.journal_report),
    "stream": ("A report of 100 MiB", stream.report),
}

#: Waits for the clock most of the time: the next one, which looks at the CPU time of its own process, gives way to it.
_WAITING, _BESIDE = "pace-real", "bulk"

_INTRODUCTION = "`pip install -e '.[benchmarks]'` and `python -m benchmarks` measure this anew."


def main(arguments: list[str]) -> int:
    """Measure what was asked for, or everything."""
    quick = "--quick" in arguments
    wanted = {one for one in arguments if not one.startswith("-")}
    unknown = wanted - BENCHMARKS.keys()
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
        return 2
    chosen = [name for name in BENCHMARKS if not wanted or name in wanted]
    sections: dict[str, str] = {}

    def show(name: str, found: str) -> None:
        sections[name] = f"## {BENCHMARKS[name][0]}\n\n{found}"
        print(sections[name] + "\n", flush=True)

    with ProcessPoolExecutor(1, get_context("spawn"), initializer=give_way) as beside:
        running = beside.submit(BENCHMARKS[_BESIDE][1], quick=quick) if _BESIDE in chosen else None
        if _WAITING in chosen:
            show(_WAITING, BENCHMARKS[_WAITING][1](quick=quick))
        if running is not None:
            show(_BESIDE, running.result())
    for name in chosen:
        if name not in sections:
            show(name, BENCHMARKS[name][1](quick=quick))
    if not (quick or wanted):
        page = ["# Benchmarks", _INTRODUCTION, *(sections[name] for name in chosen)]
        PAGE.write_text("\n\n".join(page) + "\n", "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
