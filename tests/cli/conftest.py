"""The real command, in a process of its own, against an emulator over a real socket."""

import asyncio
import csv
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from aiorescue.cli.app import run
from aiorescue.emulator import Emulator

COMMAND = Path(sys.executable).with_name("aiorescue")
CODE = "fixedtech0000"


@attrs.frozen
class Done:
    """A command that has ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@attrs.frozen
class Runner:
    """Runs the command in a folder, against a service, with an environment of its own."""

    folder: Path
    environment: dict[str, str]

    async def start(self, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        return await self.start_on(asyncio.subprocess.PIPE, *arguments, **environment)

    async def start_on(self, stderr: int, *arguments: str, **environment: str) -> asyncio.subprocess.Process:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RESCUE_")}
        return await asyncio.create_subprocess_exec(
            COMMAND,
            *arguments,
            cwd=self.folder,
            env={name: value for name, value in {**clean, **self.environment, **environment}.items() if value},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=stderr,
        )

    async def __call__(self, *arguments: str, **environment: str) -> Done:
        return await self.ended(await self.start(*arguments, **environment))

    async def ended(self, process: asyncio.subprocess.Process) -> Done:
        out, err = await process.communicate()
        assert process.returncode is not None
        return Done(process.returncode, out.decode(), err.decode())

    def write(self, text: str | bytes, name: str = "customers.csv") -> Path:
        path = self.folder / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    def rows(self, name: str = "pins.csv") -> list[dict[str, str]]:
        with (self.folder / name).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, strict=True))


@pytest.fixture(autouse=True)
def _signals_are_heeded() -> Iterator[None]:
    """Let commands begin with the defaults of signals: they inherit what ``nohup`` or a shell's ``&`` ignores."""
    ignored = [one for one in (signal.SIGHUP, signal.SIGINT) if signal.getsignal(one) is signal.SIG_IGN]
    for number in ignored:
        signal.signal(number, signal.SIG_DFL)
    try:
        yield
    finally:
        for number in ignored:
            signal.signal(number, signal.SIG_IGN)


@pytest.fixture
def command(service: Emulator, tmp_path: Path) -> Runner:
    return Runner(tmp_path, {"RESCUE_BASE_URL": service.url, "RESCUE_AUTH_CODE": CODE})


@pytest.fixture
def alone(tmp_path: Path) -> Runner:
    """The command in a process of its own, without a service and without credentials."""
    return Runner(tmp_path, {})


@attrs.frozen
class Here:
    """Runs the command in this process, under the watch of blockbuster, without a service and without credentials."""

    folder: Path
    captured: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str) -> Done:
        status = run(arguments)
        return Done(status, *self.captured.readouterr())


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Here:
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("RESCUE_")]:
        monkeypatch.delenv(name)
    return Here(tmp_path, capsys)


@pytest.fixture
def until() -> Callable[[Callable[[], bool]], Awaitable[None]]:
    """Waits for a condition; the timeout of the test is the limit."""

    async def wait(condition: Callable[[], bool]) -> None:
        while not condition():
            await asyncio.sleep(0.005)

    return wait


@pytest.fixture
def slow_service(service: Emulator) -> Emulator:
    """Twenty PINs a second, so that there is time to interrupt."""
    service.limits.pin_rate = 20.0
    return service
