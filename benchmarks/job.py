"""A bulk job beside its calls: many identities, the staging of an input, and reading a finished job back."""

import asyncio
import gc
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterator
from pathlib import Path
from typing import Any

from aiorescue import AuthCode, Pace, RescueClient
from aiorescue.bulk import InputRow, Journal, issue
from aiorescue.rescue import RequestPinCode
from benchmarks.report import grid
from tests.lab.prepared_server import prepared_server

#: PINs a second of all identities together, and numbers of identities that share it.
RATE, IDENTITIES = 200.0, (10, 100, 1_000)


def _requests(count: int, run: str) -> Iterator[RequestPinCode]:
    return (RequestPinCode(custom_fields=[f"Jane Doe {n}"], tracking=f"{run}-{n}") for n in range(count))


async def _requests_async(count: int, run: str) -> AsyncIterator[RequestPinCode]:
    for request in _requests(count, run):
        yield request


async def _with_identities(url: str, number: int, seconds: float) -> tuple[float, float, int]:
    """Run a job as many identities for some time.

    Returns:
        The least time that the pace permits as a share of the time that it took, microseconds of CPU for each PIN, and
        the most tasks that ran.
    """
    codes = [AuthCode(f"code{n:08}") for n in range(number)]
    each = RATE / number
    turns, tasks = max(round(each * seconds), 1), 0
    async with RescueClient(codes, base_url=url, pace=Pace(pins=each)) as client:
        count, before = number * (turns + 1), len(asyncio.all_tasks())  # the first of each leaves at once
        gc.collect()
        began, cpu = time.perf_counter(), time.process_time()
        async for issued in issue(client, _requests(count, str(number))):
            assert issued.pin is not None
            if not issued.position % 64:
                tasks = max(tasks, len(asyncio.all_tasks()) - before)
        taken, used = time.perf_counter() - began, time.process_time() - cpu
    return turns / each / taken, used / count * 1e6, tasks


async def _identities(url: str, seconds: float) -> list[list[str]]:
    await _with_identities(url, 11, 0.5)  # warms up
    rows: list[list[str]] = []
    first = 0.0
    for number in IDENTITIES:
        share, cost, tasks = await _with_identities(url, number, seconds)
        first = first or cost
        goals = "≥ 95 %" if number == IDENTITIES[0] else "≥ 95 %, ≤ 1.3"
        rows.append([f"{number:,}", f"{share:.1%}", f"{cost / first:.2f}", f"{tasks}", goals])
    return rows


def identities_report(*, quick: bool) -> str:
    """Measure jobs as ten, a hundred and a thousand identities; returns Markdown."""
    with prepared_server() as url:
        rows = asyncio.run(_identities(url, 4.0 if quick else 15.0))
    head = ["identities", "of the permitted rate", "CPU of a PIN, to ten identities", "tasks at most", "goal"]
    return f"{RATE:.0f} PINs a second in all.\n\n{grid([head, *rows])}"


def _rows(count: int) -> Iterator[InputRow]:
    for number, request in enumerate(_requests(count, "C")):
        yield InputRow(number + 2, (f"Jane Doe {number}", request.tracking), request)


async def _timed(work: Coroutine[Any, Any, object]) -> float:
    """Seconds of CPU that work takes."""
    gc.collect()
    began = time.process_time()
    await work
    return time.process_time() - began


async def _stage(journal: Path, count: int) -> None:
    async with Journal(journal, "job") as store:
        await store.stage(_rows(count), columns=["name", "tracking"])


async def _read(store: Journal) -> None:
    async for _ in store.rows():
        pass


async def _staging(count: int) -> list[list[str]]:
    with tempfile.TemporaryDirectory() as folder:
        journal = Path(folder) / "j"
        await _stage(Path(folder) / "warm", 1_000)
        rows = [("staging an input", await _timed(_stage(journal, count)))]
        rows.append(("staging it again", await _timed(_stage(journal, count))))
        async with Journal(journal, "job") as store:
            rows.append(("export of all rows", await _timed(_read(store))))
            rows.append(("status", await _timed(store.status())))
    return [[what, f"{count / cpu:,.0f}", f"{cpu / count * 1e6:.1f} µs", ""] for what, cpu in rows]


async def _run(client: RescueClient, requests: Any, journal: Path) -> None:
    async for issued in issue(client, requests, journal=journal):
        assert issued.pin is not None


async def _read_back(url: str, count: int) -> list[list[str]]:
    rows = []
    async with RescueClient(AuthCode("4ahx80u0"), base_url=url, pace=None) as client:
        with tempfile.TemporaryDirectory() as folder:
            journal = Path(folder) / "j"
            await _run(client, _requests(count, "C"), journal)
            for what, requests in (
                ("an iterable", _requests(count, "C")),
                ("an async iterable", _requests_async(count, "C")),
            ):
                cpu = await _timed(_run(client, requests, journal))
                name = f"a finished job is run again, requests from {what}"
                rows.append([name, f"{count / cpu:,.0f}", f"{cpu / count * 1e6:.1f} µs", "≥ 15,000"])
    return rows


def staging_report(*, quick: bool) -> str:
    """Measure staging, export, status, and reading a finished job back; returns Markdown."""
    count, finished = (20_000, 2_000) if quick else (200_000, 20_000)
    with prepared_server() as url:
        rows = asyncio.run(_staging(count)) + asyncio.run(_read_back(url, finished))
    return grid([["", "rows for a second of CPU", "CPU of a row", "goal"], *rows])
