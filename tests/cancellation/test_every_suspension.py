"""Each kind of operation is cancelled at each of its suspensions: nothing is left, and the next call works."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import pytest

from aiorescue import AuthCode, Binding, InfoRouterClient, Login, Pace, RescueClient
from aiorescue.bulk import issue
from aiorescue.emulator import Emulator
from aiorescue.rescue import ReportArea, RequestPinCode
from tests.inforouter.library_server import Library, serve
from tests.lab.suspension import CancelledAt
from tests.soak.leftovers import leftovers, tasks_left
from tests.support import IMPATIENT

pytestmark = pytest.mark.every_loop

CODE, TECH = AuthCode("fixedtech0000"), Login("tech@example.com", "secret")
DAY = date(2026, 11, 1)
#: No operation here is suspended so often.
MOST = 400
#: When a task is cancelled: while it waits, when the result is there, or while it waits and then over and over.
how_cancelled = pytest.mark.parametrize(
    ("after_result", "again"),
    [(False, False), (True, False), (False, True)],
    ids=["waiting", "in the moment of the result", "again and again"],
)
DOCUMENT, CONTENT = "/Public/a.bin", bytes(range(256)) * 700

Work = Callable[[Any, Path], Coroutine[Any, Any, Any]]


@attrs.frozen
class Kind:
    """A kind of operation.

    Attributes:
        work: what is cancelled.
        make: makes the client.
        before: what is done before, on the same client.
    """

    work: Work
    make: Callable[[str], RescueClient]
    before: Callable[[Any, Emulator], Coroutine[Any, Any, Any]] | None = None


def rescue_with(credentials: AuthCode | Login, **options: Any) -> Callable[[str], RescueClient]:
    return lambda url: RescueClient(credentials, **{"base_url": url, "pace": None, "sessions": 1, **options})


async def pin(client: RescueClient, _: Path) -> None:
    await client.request_pin_code()


async def account(client: RescueClient, _: Path) -> None:
    await client.get_account()


async def report(client: RescueClient, _: Path) -> None:
    await client.report(ReportArea.SESSION, DAY, DAY, node=337366)


async def stream(client: RescueClient, _: Path) -> None:
    async with client.stream_report(ReportArea.SESSION, DAY, DAY, node=337366) as rows:
        async for _row in rows:
            pass


async def bulk(client: RescueClient, folder: Path) -> None:
    async with issue(client, [RequestPinCode(tracking=str(n)) for n in range(3)], journal=folder / "j.sqlite") as job:
        async for _issued in job:
            pass


async def closing(client: RescueClient, _: Path) -> None:
    call = asyncio.ensure_future(client.request_pin_code())
    try:
        await client.aclose()
    finally:
        await asyncio.gather(call, return_exceptions=True)


async def queued(client: RescueClient, _: Path) -> None:
    """A call that waits for the only connection or server session, which another call has."""
    other = asyncio.ensure_future(client.get_account())
    try:
        await asyncio.sleep(0)
        await client.request_pin_code()
    finally:
        await asyncio.gather(other, return_exceptions=True)


async def one_pin(client: RescueClient, _: Emulator) -> None:
    await client.request_pin_code()


async def ended_session(client: RescueClient, service: Emulator) -> None:
    await client.get_account()
    service.fault("expire", "getAccount")


async def failing_service(_: RescueClient, service: Emulator) -> None:
    service.fault("http", "requestPINCode", status=503)
    service.fault("drop_after", "requestPINCode")


KINDS = {
    "auth code": Kind(pin, rescue_with(CODE)),
    "first login": Kind(account, rescue_with(TECH)),
    "relogin": Kind(account, rescue_with(TECH, relogin=True), ended_session),
    "paced": Kind(pin, rescue_with(CODE, pace=Pace(pins=500.0)), one_pin),
    "queued for a connection": Kind(queued, rescue_with(CODE, max_connections=1)),
    "queued for a session": Kind(queued, rescue_with(TECH), one_pin),
    "retried": Kind(pin, rescue_with(CODE, retry=IMPATIENT), failing_service),
    "report": Kind(report, rescue_with(TECH)),
    "stream": Kind(stream, rescue_with(TECH)),
    "bulk": Kind(bulk, rescue_with(CODE)),
    "aclose": Kind(closing, rescue_with(TECH)),
}


async def cancelled_at(number: int, work: Coroutine[Any, Any, Any], *, after_result: bool, again: bool) -> bool:
    """Cancel a coroutine at a suspension; returns whether it was suspended so often."""
    watched = CancelledAt(work, number, after_result=after_result, again=again)
    task = asyncio.ensure_future(watched.run())
    await asyncio.wait([task], timeout=20)
    assert task.done(), f"it goes on although it was cancelled at suspension {number}"
    if watched.reached:
        # One that was cancelled when its last result had come may have nothing more to wait for.
        assert task.cancelled() or (after_result and task.exception() is None)
    else:
        task.result()
    return watched.reached


@how_cancelled
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
async def test_cancelled_at_each_suspension_nothing_is_left_and_the_next_call_works(
    service: Emulator, kind: Kind, after_result: bool, again: bool, tmp_path: Path
):
    for number in range(1, MOST):
        before = asyncio.all_tasks()
        service.clock.advance(200)  # so that neither reports nor logins are limited
        folder = tmp_path / str(number)
        folder.mkdir()
        client = kind.make(service.url)
        try:
            if kind.before is not None:
                await kind.before(client, service)
            work = kind.work(client, folder)
            reached = await cancelled_at(number, work, after_result=after_result, again=again)
            assert leftovers(client) == []
            if kind.work is not closing:
                async with asyncio.timeout(20):
                    await pin(client, folder)
                    await kind.work(client, folder) if kind.work is bulk else None
        finally:
            await client.aclose()
        assert tasks_left(before) == []
        assert client.stats().connections == 0
        if not reached:
            break
    else:
        pytest.fail("it is suspended more often than anything should be")
    assert number > 1


@pytest.fixture
async def library() -> AsyncIterator[Library]:
    async with serve() as served:
        served.chunk = 65_536
        yield served


async def upload(client: InfoRouterClient, folder: Path) -> None:
    (folder / "source").write_bytes(CONTENT)
    await client.upload(folder / "source", DOCUMENT)


async def download(client: InfoRouterClient, folder: Path) -> None:
    await client.download(DOCUMENT, folder / "target")
    assert (folder / "target").read_bytes() == CONTENT


async def download_into_pipe(client: InfoRouterClient, folder: Path) -> None:
    pipe, got = folder / "pipe", bytearray()
    with suppress(FileExistsError):
        os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    asyncio.get_running_loop().add_reader(reader, lambda: got.extend(os.read(reader, 2**20)))
    try:
        await client.download(DOCUMENT, pipe)
        while data := os.read(reader, 2**20):
            got.extend(data)
    finally:
        asyncio.get_running_loop().remove_reader(reader)
        os.close(reader)
    assert got == CONTENT


def open_files() -> list[str]:
    """Names of the files that this process has open, as far as the system tells."""
    names = []
    for descriptor in Path("/proc/self/fd").glob("*"):
        with suppress(FileNotFoundError):  # the one that lists them is closed again
            names.append(str(descriptor.readlink()))
    return names


@how_cancelled
@pytest.mark.parametrize("work", [upload, download, download_into_pipe], ids=lambda work: work.__name__)
async def test_a_transfer_cancelled_at_each_suspension_leaves_no_half_of_a_document(
    library: Library, work: Work, after_result: bool, again: bool, tmp_path: Path
):
    for number in range(1, MOST):
        before = asyncio.all_tasks()
        folder = tmp_path / str(number)
        folder.mkdir()
        library.documents[DOCUMENT] = b"before" if work is upload else CONTENT
        async with InfoRouterClient(Login("ann", "secret"), base_url=library.url, binding=Binding.HTTP_POST) as docs:
            transfer = work(docs, folder)
            reached = await cancelled_at(number, transfer, after_result=after_result, again=again)
            assert [path.name for path in folder.iterdir() if path.suffix == ".part"] == []
            assert [name for name in open_files() if ".part" in name] == []
            while str(folder / "pipe") in open_files():  # a thread that was opening it closes it
                await asyncio.sleep(0.001)
            assert library.documents[DOCUMENT] in (CONTENT, b"before")
            async with asyncio.timeout(20):
                await work(docs, folder)
        assert tasks_left(before) == []
        if not reached:
            break
    else:
        pytest.fail("it is suspended more often than anything should be")
    assert number > 2
