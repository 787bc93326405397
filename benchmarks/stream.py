"""Reading a report of 100 MiB: speed, memory, and how long the event loop is held up.

Each way of reading runs in a process of its own, so that its memory can be told from that of the others.
"""

import asyncio
import multiprocessing
import re
import time
from collections.abc import Callable, Coroutine, Sized
from datetime import date
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import aiohttp
import attrs
import xmltodict

from aiorescue import AuthCode, RescueClient
from aiorescue.rescue import ReportOutput
from benchmarks.report import grid
from tests.lab.report_server import report_server

MIB = 2**20
DAY = date(2012, 2, 16)
#: Goals: seconds for which the loop may be held up at most, and MiB by which memory may grow.
LONGEST, MEMORY = 0.02, 32


@attrs.frozen
class Run:
    """The result of one way of reading.

    Attributes:
        rows: number of rows that were read.
        seconds: time from the request to the last row.
        memory: MiB by which the process grew at its peak.
        gaps: seconds between turns of the event loop, shortest first.
    """

    rows: int
    seconds: float
    memory: float
    gaps: list[float]

    @property
    def longest(self) -> float:
        """Seconds of the longest block of the event loop."""
        return self.gaps[-1]

    @property
    def usual(self) -> float:
        """Seconds below which 99 % of the gaps are."""
        return self.gaps[int(len(self.gaps) * 0.99)]


#: Reads a report and returns its rows. They are kept until the measurement ends: freeing them takes time, too, but a
#: program chooses when.
Way = Callable[[str, int], Coroutine[Any, Any, Sized]]


def _client(url: str) -> RescueClient:
    return RescueClient(AuthCode("4ahx80u0"), base_url=url, pace=None)


async def _stream(url: str, size: int, output: ReportOutput = ReportOutput.XML) -> Sized:
    count = 0
    async with (
        _client(url) as client,
        client.stream_report("SESSION", DAY, DAY, node=size, output=output) as rows,
    ):
        async for _ in rows:
            count += 1
    return range(count)


async def _stream_text(url: str, size: int) -> Sized:
    return await _stream(url, size, ReportOutput.TEXT)


async def _report(url: str, size: int) -> Sized:
    async with _client(url) as client:
        return await client.report("SESSION", DAY, DAY, node=size)


async def _whole(url: str, size: int) -> str:
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{url}/API/getReport_v2.aspx", data={"node": str(size), "authcode": "4ahx80u0"}) as response,
    ):
        return (await response.text()).partition("\r\n\r\n")[2]


async def _by_hand(url: str, size: int) -> Sized:
    found = xmltodict.parse(await _whole(url, size))
    return [{field["@id"]: field.get("#text") for field in row["field"]} for row in found["report"]["data"]["row"]]


async def _tree(url: str, size: int) -> Sized:
    root = ET.fromstring(await _whole(url, size))  # noqa: S314 - our own server's
    return [{field.get("id"): field.text for field in row} for row in root.iter("row")]


#: Each way of reading by its name: whether it has goals, and by what the size of its report is divided to save time.
WAYS: dict[str, tuple[Way, bool, int]] = {
    "**`stream_report`**, XML": (_stream, True, 1),
    "**`stream_report`**, TEXT": (_stream_text, True, 1),
    "**`report`**: all rows in a list": (_report, False, 1),
    "aiohttp + ElementTree, on the loop, a quarter of it": (_tree, False, 4),
    "aiohttp + xmltodict, on the loop, a quarter of it": (_by_hand, False, 4),
}


def _memory(key: str) -> float:
    return int(re.search(rf"{key}:\s+(\d+)", Path("/proc/self/status").read_text())[1]) / 1024  # type: ignore[index]


def _run(way: str, url: str, size: int, results: "multiprocessing.Queue[Run]") -> None:
    results.put(asyncio.run(_measure(WAYS[way][0], url, size)))


async def _measure(way: Way, url: str, size: int) -> Run:
    await way(url, MIB)  # loads and allocates what is needed once
    before = _memory("VmRSS")
    gaps: list[float] = []

    async def watch() -> None:
        last = time.perf_counter()
        while True:
            await asyncio.sleep(0.001)
            now = time.perf_counter()
            gaps.append(now - last - 0.001)
            last = now

    watcher = asyncio.ensure_future(watch())
    began = time.perf_counter()
    rows = await way(url, size)
    seconds = time.perf_counter() - began
    await asyncio.sleep(0.002)  # the watcher's last turn
    watcher.cancel()
    return Run(len(rows), seconds, _memory("VmHWM") - before, sorted(gaps))


def measure(way: str, url: str, size: int) -> Run:
    """Measure one way of reading in a process of its own."""
    context = multiprocessing.get_context("spawn")
    results: multiprocessing.Queue[Run] = context.Queue()
    process = context.Process(target=_run, args=(way, url, size, results))
    process.start()
    run = results.get()
    process.join()
    return run


def report(*, quick: bool) -> str:
    """Measure all ways of reading; returns Markdown."""
    size = (10 if quick else 100) * MIB
    lines = [["way", "rows", "MiB/s", "memory", "longest block of the loop", "99 % are below", "goal"]]
    with report_server() as url:
        for way, (_, bounded, part) in WAYS.items():
            run = measure(way, url, size // part)
            good = run.longest <= LONGEST and run.memory <= MEMORY
            goal = f"≤ {LONGEST * 1e3:.0f} ms, ≤ {MEMORY} MiB {'✓' if good else '✗'}" if bounded else ""
            lines.append(
                [
                    way,
                    f"{run.rows:,}",
                    f"{size / part / MIB / run.seconds:.1f}",
                    f"{run.memory:+.0f} MiB",
                    f"{run.longest * 1e3:,.1f} ms",
                    f"{run.usual * 1e3:,.1f} ms",
                    goal,
                ]
            )
    about = f"A report of {size // MIB} MiB from a server on this machine, from the request to the last row."
    return f"{about}\n\n{grid(lines)}"
