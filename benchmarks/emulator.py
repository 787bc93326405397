"""What the emulator can do: calls a second on one core, and its memory after many requests.

The emulator runs in a process of its own, which is asked for its CPU time and memory; the requests are prepared bytes.
"""

import asyncio
import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection

import aiohttp

from aiorescue import Binding, wire
from aiorescue.emulator import Emulator
from aiorescue.rescue import RequestPinCode
from aiorescue.wire import Authorization
from benchmarks.bulk import resident
from benchmarks.report import grid

#: The auth code of a technician whom the emulator knows.
CODE = "fixedtech0000"
_IN_FLIGHT = 16


def _serve(pipe: Connection) -> None:
    """Serve until the pipe says None; answer anything else with the CPU time and the memory so far."""

    async def serve() -> None:
        async with Emulator(pin_rate=None) as service:
            pipe.send(service.url)
            while await asyncio.to_thread(pipe.recv) is not None:
                pipe.send((time.process_time(), resident()))

    asyncio.run(serve())


@contextmanager
def _emulator() -> Iterator[tuple[str, Connection]]:
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=_serve, args=(theirs,))
    process.start()
    try:
        yield ours.recv(), ours
    finally:
        ours.send(None)
        process.join()


def _measured(pipe: Connection) -> tuple[float, int]:
    """Seconds of CPU and KiB of memory of the emulator's process."""
    pipe.send("measure")
    taken: tuple[float, int] = pipe.recv()
    return taken


async def _ask(url: str, binding: Binding, count: int) -> None:
    """Ask for PINs over one binding, some at a time."""
    request = wire.codec(RequestPinCode, binding).encode(RequestPinCode(tracking="CASE-7"), Authorization(code=CODE))
    work = iter(range(count))
    async with aiohttp.ClientSession() as session:

        async def worker() -> None:
            for _ in work:
                async with session.post(f"{url}{request.path}", data=request.body, headers=request.headers) as response:
                    answer = await response.read()
                    assert b"OK" in answer, answer

        await asyncio.gather(*(worker() for _ in range(_IN_FLIGHT)))


def report(*, quick: bool) -> str:
    """Measure throughput over two bindings, and memory; returns Markdown."""
    count, many = (2_000, 10_000) if quick else (10_000, 100_000)
    rows = []
    with _emulator() as (url, pipe):
        for binding in (Binding.SOAP11, Binding.TEXT_POST):
            asyncio.run(_ask(url, binding, 500))
            before, _ = _measured(pipe)
            asyncio.run(_ask(url, binding, count))
            after, _ = _measured(pipe)
            rows.append([f"PINs a second on one core, {binding.name}", f"{count / (after - before):,.0f}"])
        asyncio.run(_ask(url, Binding.TEXT_POST, many))
        _, before_more = _measured(pipe)
        asyncio.run(_ask(url, Binding.TEXT_POST, many))
        _, after_more = _measured(pipe)
    rows.append([f"memory after {many:,} requests", f"{before_more / 1024:.0f} MiB"])
    rows.append([f"and after {many:,} more", f"{(after_more - before_more) / 1024:+.1f} MiB"])
    return grid([["the emulator", ""], *rows])
