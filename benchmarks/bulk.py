"""The cost of a bulk job: of its journal at a thousand PINs a second, and memory and CPU over a million requests."""

import asyncio
import gc
import re
import statistics
import tempfile
import time
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

from aiorescue import AuthCode, Pace, RescueClient
from aiorescue.bulk import issue
from aiorescue.rescue import RequestPinCode
from benchmarks.cost import CODE
from benchmarks.report import grid
from tests.lab.prepared_server import prepared_server

#: PINs a second at which the journal is measured, and the pace that reaches about as many.
RATE, _PACE = 1_000.0, 1_200.0


async def _job(url: str, count: int, *, rate: float | None, journal: Path | None = None) -> tuple[float, float]:
    """Run a job; returns the seconds of CPU for each PIN, and the PINs a second."""
    pace = None if rate is None else Pace(pins=rate)
    async with RescueClient(AuthCode(CODE), base_url=url, pace=pace) as client:
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        async for issued in issue(client, (RequestPinCode(tracking=f"C-{n}") for n in range(count)), journal=journal):
            assert issued.pin is not None
        return (time.process_time() - cpu) / count, count / (time.perf_counter() - began)


async def _journal(url: str, count: int, pairs: int) -> list[list[str]]:
    """Rows that compare a job with a journal to one without, at a fixed pace and without a pace."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for rate, goal in ((_PACE, "≤ 1.15"), (None, "")):
            taken = []
            for turn in range(pairs):
                journal = Path(folder) / f"{rate}-{turn}.journal"
                taken.append((await _job(url, count, rate=rate), await _job(url, count, rate=rate, journal=journal)))
            ratio = statistics.median(with_it[0] / without[0] for without, with_it in taken)
            reached = statistics.median(with_it[1] for _, with_it in taken)
            what = "as fast as they come" if rate is None else f"at {RATE:,.0f} PINs/s"
            rows.append([f"CPU with a journal, to without, {what} ({reached:,.0f}/s)", f"{ratio:.2f}", goal])
    return rows


def resident() -> int:
    """The resident memory of this process in KiB."""
    return int(re.search(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[1])  # type: ignore[index]


async def _memory(url: str, small: int, large: int) -> list[list[str]]:
    """Rows that compare a large job to a small one, in memory and in CPU for each PIN."""
    cheap, before = [], 0
    for _ in range(3):
        cheap.append((await _job(url, small, rate=None))[0])
        gc.collect()
        before = resident()
    dear, _ = await _job(url, large, rate=None)
    gc.collect()
    after = resident()
    # Small jobs before and after the large one, as the machine may become faster or slower. The first one warms up.
    cheap += [(await _job(url, small, rate=None))[0] for _ in range(2)]
    return [
        [f"memory, from {small:,} to {large:,} requests", f"{(after - before) / 1024:+.1f} MiB", "± 10 MiB"],
        [
            "the cost of a PIN, small job to large one",
            f"{dear / statistics.median(cheap[1:]):.2f}",
            "± 10 %",
        ],
    ]


def report(*, quick: bool) -> str:
    """Measure memory and CPU over many requests; returns Markdown."""
    with prepared_server() as url:
        return _table(_memory(url, 2_000, 10_000) if quick else _memory(url, 10_000, 1_000_000))


def journal_report(*, quick: bool) -> str:
    """Measure the journal; returns Markdown. Nothing may run beside it, as its thread must get CPU time at once."""
    with prepared_server() as url:
        return _table(_journal(url, 1_000 if quick else 2_000, 3))


def _table(rows: Coroutine[Any, Any, list[list[str]]]) -> str:
    return grid([["", "", "goal"], *asyncio.run(rows)])
