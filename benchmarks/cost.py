"""The CPU cost of a call: a PIN with 64 calls in flight, as a ratio to a bare request, beside other clients.

Each figure is the median of pairs (bare, candidate) taken in turn, so that a busy machine slows both.
"""

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import aiohttp
import httpx
import requests
import tenacity
import xmltodict
import zeep
from zeep.transports import AsyncTransport

from aiorescue import AuthCode, Binding, RescueClient, rescue, wire
from aiorescue.emulator import Emulator
from aiorescue.rescue import PinRequest, RequestLensPinCodeV2, RequestPinCode
from aiorescue.wire import Authorization
from benchmarks.report import grid
from tests.lab.prepared_server import prepared_server

IN_FLIGHT = 64
CODE = "4ahx80u0"
FIELDS = {"custom_fields": ["Jane Doe", "jane.doe@example.com"], "tracking": "CASE-7", "no_tech_console": True}
Call = Callable[[], Awaitable[object]]


async def _cpu(call: Call, count: int, in_flight: int) -> float:
    """Make calls, as many at a time as are to be in flight; returns the seconds of CPU for each."""
    work = iter(range(count))

    async def worker() -> None:
        for _ in work:
            await call()

    gc.collect()
    began = time.process_time()
    await asyncio.gather(*(worker() for _ in range(in_flight)))
    return (time.process_time() - began) / count


async def _ratio(
    bare: Call, candidate: Call, count: int, pairs: int, *, slower: int = 1, in_flight: int = IN_FLIGHT
) -> tuple[float, float]:
    """Measure a candidate beside the bare request, in pairs.

    Returns:
        The median of the ratios candidate / bare, and the CPU of the bare request in microseconds.

    Args:
        bare: makes the bare request.
        candidate: makes a call.
        count: calls of each in a pair.
        pairs: how many pairs.
        slower: divides the number of the candidate's calls, to save time.
        in_flight: calls of each that are under way at a time.
    """
    await _cpu(bare, in_flight * 2, in_flight)
    await _cpu(candidate, in_flight * 2, in_flight)
    taken = [
        (await _cpu(bare, count, in_flight), await _cpu(candidate, count // slower, in_flight)) for _ in range(pairs)
    ]
    return statistics.median(b / a for a, b in taken), statistics.median(a for a, _ in taken) * 1e6


def _bare(session: aiohttp.ClientSession, url: str, operation: PinRequest, binding: Binding) -> Call:
    """A function that sends the bytes of an operation with aiohttp and reads the answer, undecoded."""
    request = wire.codec(type(operation), binding).encode(operation, Authorization(code=CODE))
    target = f"{url}{request.path}{'?' if request.query else ''}{request.query}"

    async def call() -> bytes:
        async with session.request(request.method, target, data=request.body, headers=request.headers) as response:
            return await response.read()

    return call


def _by_hand(session: aiohttp.ClientSession, url: str) -> Call:
    """A function that gets a PIN as one would write it by hand: a template, aiohttp, xmltodict, tenacity."""
    request = wire.codec(RequestLensPinCodeV2, Binding.SOAP11).encode(
        RequestLensPinCodeV2(**FIELDS), Authorization(code=CODE)
    )
    template = (request.body or b"").decode().replace("Jane Doe", "{name}").replace("CASE-7", "{case}")

    @tenacity.retry(stop=tenacity.stop_after_attempt(4), retry=tenacity.retry_if_exception_type(aiohttp.ClientError))
    async def call() -> str:
        body = template.format(name="Jane Doe", case="CASE-7")
        async with session.post(f"{url}/API/API.asmx", data=body.encode(), headers=request.headers) as response:
            answer = xmltodict.parse(await response.text())
        found = answer["soap:Envelope"]["soap:Body"]["requestLensPINCodeV2Response"]
        if found["requestLensPINCodeV2Result"] != "requestPINCode_OK":
            raise RuntimeError(found["requestLensPINCodeV2Result"])
        return str(found["sPINCode"])

    return call


async def _peers(url: str, wsdl: Path, count: int, pairs: int) -> list[list[str]]:
    operation = RequestLensPinCodeV2(**FIELDS)
    request = wire.codec(RequestLensPinCodeV2, Binding.SOAP11).encode(operation, Authorization(code=CODE))
    endpoint, headers = f"{url}/API/API.asmx", dict(request.headers)
    loop = asyncio.get_running_loop()
    soap = zeep.AsyncClient(str(wsdl), transport=AsyncTransport())
    service = soap.bind("API", "APISoap")
    named = {"sCField0": "Jane Doe", "sCField1": "jane.doe@example.com", "sTracking0": "CASE-7", "bNoTechConsole": True}
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session,
        httpx.AsyncClient(limits=httpx.Limits(max_connections=100, max_keepalive_connections=100)) as other,
        RescueClient(AuthCode(CODE), base_url=url, pace=None) as client,
    ):
        with requests.Session() as threaded, ThreadPoolExecutor(IN_FLIGHT) as threads:
            threaded.mount("http://", requests.adapters.HTTPAdapter(pool_maxsize=IN_FLIGHT))
            candidates: dict[str, tuple[Call, int]] = {
                "**aiorescue**": (lambda: client.request_lens_pin_code_v2(**FIELDS), 1),
                "aiohttp + xmltodict + tenacity by hand": (_by_hand(session, url), 1),
                "httpx, bytes only": (lambda: other.post(endpoint, content=request.body, headers=headers), 8),
                "requests in threads, bytes only": (
                    lambda: loop.run_in_executor(
                        threads, lambda: threaded.post(endpoint, data=request.body, headers=headers)
                    ),
                    8,
                ),
                "zeep AsyncClient": (lambda: service.requestLensPINCodeV2(**named, sAuthCode=CODE), 16),
            }
            bare = _bare(session, url, operation, Binding.SOAP11)
            rows = []
            for name, (call, slower) in candidates.items():
                ours = "aiorescue" in name
                ratio, base = await _ratio(bare, call, count, pairs * 3 if ours else pairs, slower=slower)
                goal = "≤ 1.25" if ours else ""
                rows.append([name, f"{ratio:.2f}", f"{base:.0f} µs", goal])
    return rows


async def _bindings(url: str, count: int, pairs: int) -> list[list[str]]:
    rows = []
    async with (
        aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=100)) as session,
        RescueClient(AuthCode(CODE), base_url=url, pace=None) as client,
    ):
        operations: dict[Binding, Any] = {
            Binding.SOAP11: RequestPinCode(**FIELDS),
            Binding.SOAP12: RequestPinCode(**FIELDS),
            Binding.HTTP_GET: rescue.StartSession(12345678, 1),
            Binding.HTTP_POST: rescue.StartSession(12345678, 1),
            Binding.TEXT_GET: RequestPinCode(**FIELDS),
            Binding.TEXT_POST: RequestPinCode(**FIELDS),
        }
        for binding, operation in operations.items():
            bare = _bare(session, url, operation, binding)
            ratio, _ = await _ratio(bare, lambda o=operation, b=binding: client.call(o, binding=b), count, pairs * 2)
            rows.append([binding.name, f"{ratio:.2f}", "≤ 1.35"])
    return rows


async def _in_flight(url: str, count: int, pairs: int) -> list[list[str]]:
    rows = []
    bare_operation = RequestLensPinCodeV2(**FIELDS)
    for in_flight in (1, 8, 64, 256):
        async with (
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=in_flight)) as session,
            RescueClient(AuthCode(CODE), base_url=url, pace=None, max_connections=in_flight) as client,
        ):
            ratio, base = await _ratio(
                _bare(session, url, bare_operation, Binding.SOAP11),
                lambda client=client: client.request_lens_pin_code_v2(**FIELDS),
                count,
                pairs * 2,
                in_flight=in_flight,
            )
        rows.append([str(in_flight), f"{ratio:.2f}", f"{base:.0f} µs", "≤ 1.20"])
    return rows


def _imports(folder: str) -> list[list[str]]:
    """Rows about the time that imports take, of modules that were compiled before, as a second start finds them."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = folder

    def seconds(statement: str) -> float:
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", statement], check=True, env=environment)  # noqa: S603 - our interpreter
        return time.perf_counter() - began

    ours = {"import aiorescue": "≤ 1.15", "from aiorescue import RescueClient": "≤ 1.35"}
    taken = [(seconds("import aiohttp"), *map(seconds, ours)) for _ in range(8)][1:]
    ratios = [statistics.median(one[index] / one[0] for one in taken) for index in range(1, len(ours) + 1)]
    return [
        [f"`{statement}`, to `import aiohttp`", f"{ratio:.2f}", goal]
        for (statement, goal), ratio in zip(ours.items(), ratios, strict=True)
    ]


_WHY_LESS = (
    "The calls of one turn of the event loop are all made ready, and then written in a row, which costs less than to"
    " write each when it is ready. So a GET of ours may cost less than a bare one."
)


def report(*, quick: bool) -> str:
    """Measure clients, bindings and imports; returns Markdown."""
    count, pairs = (640, 3) if quick else (2_048, 5)

    async def wsdl(folder: str, url: str) -> Path:
        async with (
            Emulator() as service,
            aiohttp.ClientSession() as session,
            session.get(f"{service.url}/API/API.asmx?WSDL") as response,
        ):
            path = Path(folder) / "api.wsdl"
            path.write_text((await response.text()).replace(service.url, url), "utf-8")
            return path

    with prepared_server() as url, tempfile.TemporaryDirectory() as folder:
        peers = asyncio.run(_peers(url, asyncio.run(wsdl(folder, url)), count, pairs))
        in_flight = asyncio.run(_in_flight(url, count, pairs))
        bindings = asyncio.run(_bindings(url, count, pairs))
        imports = _imports(folder)
    return "\n\n".join(
        [
            "CPU of a PIN request at 64 in flight, as a ratio to a bare aiohttp POST and read of the same bytes.",
            grid([["client", "ratio", "bare", "goal"], *peers]),
            grid([["calls in flight", "**aiorescue**", "bare", "goal"], *in_flight]),
            grid([["binding", "ratio", "goal"], *bindings]),
            _WHY_LESS,
            grid([["", "", "goal"], *imports]),
        ]
    )
