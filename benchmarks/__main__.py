"""Runs benchmarks: ``python -m benchmarks [--quick] [NAME …]``. A complete run writes `docs/benchmarks.md`."""

import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

from benchmarks import bulk, cost, distributed, emulator, job, pace_real, pace_simulation, stream
from benchmarks.aside import give_way

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"


class Report(Protocol):
    """A benchmark."""

    def __call__(self, *, quick: bool) -> str:
        """Measure, and return the result as Markdown; `quick` takes less time and is less exact."""


#: The name of each benchmark, its title, and the function that measures. A new one is one more line.
BENCHMARKS: dict[str, tuple[str, Report]] = {
    "pace": ("Pace, against hidden limits (simulated)", pace_simulation.report),
    "pace-real": ("Pace, in real time on the emulator", pace_real.report),
    "cost": ("Cost of a call", cost.report),
    "bulk": ("Cost of a bulk job", bulk.report),
    "journal": ("Cost of its journal", bulk.journal_report),
    "identities": ("A job as many identities", job.identities_report),
    "staging": ("Staging an input, and reading a job back", job.staging_report),
    "distributed": ("A job on several workers", distributed.report),
    "stream": ("A report of 100 MiB", stream.report),
    "emulator": ("Throughput of the emulator", emulator.report),
}

#: The first waits for the clock most of the time, so the second runs beside it: it measures the CPU time of its own
#: process, and gives way to the first.
_WAITING, _BESIDE = "pace-real", "bulk"

_INTRODUCTION = "`pip install -e '.[benchmarks]'` and `python -m benchmarks` measure this anew."


def main(arguments: list[str]) -> int:
    """Run the benchmarks that are named, or all; returns the exit status."""
    quick = "--quick" in arguments
    wanted = {one for one in arguments if not one.startswith("-")}
    if options := {one for one in arguments if one.startswith("-")} - {"--quick"}:
        print(f"python -m benchmarks [--quick] [NAME …], with the names {', '.join(BENCHMARKS)}")
        return 0 if options <= {"--help", "-h"} else 2
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
