"""Pages of the documentation as programs: their blocks of Python and of commands run in order, on a real emulator.

What a reader would do, the runner does:

- A block of Python whose first line is a comment with a file's name (``# app.py``) is saved under that name.
- A block with test functions and no name is saved as a test file, and pytest runs it when the page ends.
- Any other block of Python runs at once, with top-level ``await``; names live as long as the page.
  `rescue` (an open client), `customers`, `RescueClient`, `AuthCode`, `Login` and `errors` are there from the beginning.
- In a block of the language ``console``, a line after ``$`` is a command, and the lines below it are what it prints. In
  what is printed, ``…`` stands for any text, and a number with a decimal point for any such number. A command that ends
  in ``&`` runs until the page ends. Below ``^C`` is what a command prints that is interrupted after its first PIN.
  Exported variables stay.

Shown secrets are replaced by those of the emulator, and ports that a page names by free ones.
"""

import ast
import asyncio
import inspect
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Self
from unittest import mock

import attrs

import aiorescue
from aiorescue.emulator import Emulator

ROOT = Path(__file__).parent.parent.parent
#: Seconds for one command of a page.
_PATIENCE = 240.0
#: Credentials as pages show them, and as the emulator knows them.
_STAND_INS = {
    "4ahx…80u0": "fixedtech0000",
    'Login("tech@example.com", "…")': 'Login("tech@example.com", "secret")',
    'Login("jane", "…")': 'Login("tech@example.com", "secret")',
    'Login("ann", "…")': 'Login("tech@example.com", "secret")',
}
_FENCE = re.compile(r"^```(python|console)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
#: A number with a decimal point, but no part of an address or a version.
_DECIMAL = r"(?<![\d.])\d+\.\d+(?!\.?\d)"
#: Patterns for an ellipsis: within a line, and as a line of its own, which stands for any number of lines.
_FREE = {"…": r"[\s\S]*", "\n…": r"(?:\n[\s\S]*)?", "…\n": r"(?:[\s\S]*\n)?"}
_FILE_NAME = re.compile(r"# ([\w/]+\.py)\n")


@attrs.frozen
class Block:
    """A fenced block of code on a page.

    Attributes:
        language: ``"python"`` or ``"console"``.
        text: the code.
        line: the line on which it begins, from 0.
    """

    language: str
    text: str
    line: int

    @property
    def file_name(self) -> str | None:
        """Name of the file that the block is saved as, or None if it runs at once."""
        if self.language == "console":
            return None
        if named := _FILE_NAME.match(self.text):
            return named[1]
        return f"test_line_{self.line}.py" if re.search(r"^(async )?def test_", self.text, re.MULTILINE) else None


def blocks_of(page: str) -> list[Block]:
    """The blocks of Python and of commands on a page, in their order."""
    return [Block(found[1], found[2], page.count("\n", 0, found.start(2))) for found in _FENCE.finditer(page)]


def commands_of(block: str) -> Iterator[tuple[str, str]]:
    """Each command of a console block, with what it shall print."""
    for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = part.splitlines()
        long = next(number for number, line in enumerate(lines, 1) if not line.endswith("\\"))
        yield "\n".join(lines[:long]), "\n".join(lines[long:])


def matches(printed: str, shown: str) -> bool:
    """Whether a command printed what the page shows."""
    pattern = "".join(
        _FREE.get(part) or (_DECIMAL if re.fullmatch(_DECIMAL, part) else re.escape(part))
        for part in re.split(rf"(\n…(?=\n|$)|^…\n|…|{_DECIMAL})", shown.strip())
    )
    lines = "\n".join(line.rstrip() for line in printed.strip().splitlines())
    return re.fullmatch(pattern, lines) is not None


class PageRun:
    """One run of a page.

    Args:
        path: the page.
        folder: where its files are written and its commands run.
    """

    def __init__(self, path: Path, folder: Path) -> None:
        self._path, self._folder = path, folder
        self._things = ExitStack()
        self._exported = folder / ".exported"
        self._ports: dict[str, int] = {}
        self._tests: list[Block] = []
        self._names: dict[str, Any] = {"__name__": "__page__"}
        self._given: dict[str, Any] = {}

    def __enter__(self) -> Self:
        self._things.__enter__()
        self._service = self._things.enter_context(Emulator(pin_rate=None))
        self._service.limits.report_interval = 0.0
        self._loop = self._things.enter_context(asyncio.Runner())
        clients: Mapping[str, Any] = {
            "RescueClient": partial(aiorescue.RescueClient, base_url=self._service.url),
            "InfoRouterClient": _at(self._service.url),
        }
        self._things.enter_context(mock.patch.multiple(aiorescue, **clients))
        rescue = aiorescue.RescueClient(aiorescue.AuthCode("fixedtech0000"), pace=None)
        self._things.callback(lambda: self._loop.run(rescue.aclose()))
        self._given = {name: getattr(aiorescue, name) for name in ("RescueClient", "AuthCode", "Login", "errors")}
        self._given |= {"rescue": rescue, "customers": [("Jane Doe", "CASE-1")]}
        (self._folder / "examples").symlink_to(ROOT / "examples")
        (self._folder / "report.pdf").write_bytes(b"%PDF-1.7")
        self._exported.write_text("", "utf-8")
        return self

    def __exit__(self, *_: object) -> None:
        self._things.close()

    def run(self) -> None:
        """Run every block of the page. Raises what a block raises, AssertionError for a command that fails."""
        for block in blocks_of(self._with_own_ports(self._path.read_text("utf-8"))):
            if block.language == "console":
                for command, shown in commands_of(block.text):
                    self._command(command, shown, block)
            elif block.file_name is not None:
                self._save(block)
            else:
                self._python(block)
        if self._tests:
            self._command(_PYTEST + " test_line_*.py", "…", self._tests[0])

    def _with_own_ports(self, page: str) -> str:
        for port in re.findall(r"--port (\d{4,5})", page):
            if port not in self._ports:
                with socket.create_server(("127.0.0.1", 0)) as free:
                    self._ports[port] = free.getsockname()[1]
        for shown, own in self._ports.items():
            page = re.sub(rf"\b{shown}\b", str(own), page)
        return page

    def _python(self, block: Block) -> None:
        text = block.text
        for shown, real in _STAND_INS.items():
            text = text.replace(shown, real)
        code = compile("\n" * block.line + text, self._path, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        self._names |= self._given  # a block before may have closed a `rescue` of its own
        running = eval(code, self._names)
        if inspect.iscoroutine(running):
            self._loop.run(running)

    def _save(self, block: Block) -> None:
        assert block.file_name is not None
        path = self._folder / block.file_name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, "utf-8")
        compile(block.text, path, "exec")
        if block.file_name.startswith("test_line_"):
            path.write_text(_TEST_HEAD + block.text, "utf-8")
            self._tests.append(block)

    def _command(self, command: str, shown: str, block: Block) -> None:
        where = f"{self._path.name}, line {block.line}: $ {command}"
        if command.endswith("&"):
            self._start(command.removesuffix("&"), where)
            return
        interrupted = shown.startswith("^C\n")
        begin, end = ("exec ", "") if interrupted else ("", f"\nstatus=$?\nexport -p > {self._exported}\nexit $status")
        pins = self._pins_issued() if interrupted else 0
        process = subprocess.Popen(
            ["bash", "-c", f"source {self._exported}\n{begin}{command}{end}"],
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        with process:
            try:
                if interrupted:
                    _wait_until(lambda: self._pins_issued() > pins, where)
                    process.send_signal(signal.SIGINT)
                printed = "".join(process.communicate(timeout=_PATIENCE))
            finally:
                process.kill()
        shown = shown.removeprefix("^C\n")
        assert matches(printed, shown), f"{where}\nprinted:\n{printed}\nthe page shows:\n{shown}"
        expected = 128 + signal.SIGINT if interrupted else 0
        assert process.returncode == expected, f"{where}\nexit status {process.returncode}:\n{printed}"

    def _pins_issued(self) -> int:
        """PINs issued so far by the emulator that the page's commands call."""
        url = re.findall(r'RESCUE_BASE_URL="([^"]+)"', self._exported.read_text("utf-8"))[0]
        with urllib.request.urlopen(f"{url}/_emulator/ledger?limit=1") as answer:
            return int(answer.headers["Ledger-Issued"])

    def _start(self, command: str, where: str) -> None:
        """Start a server that stays until the page ends, and wait until it listens."""
        script = f"source {self._exported}\nexec {command}"
        log = self._things.enter_context((self._folder / ".server.log").open("a"))
        server = subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        self._things.callback(_end, server)
        port = int(re.findall(r"--port (\d+)", command)[0])
        _wait_until(lambda: _listens(port) or server.poll() is not None, where)
        assert server.poll() is None, f"{where} ended:\n{(self._folder / '.server.log').read_text('utf-8')}"

    def _environment(self) -> dict[str, str]:
        commands = Path(sys.executable).parent
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith(("RESCUE_", "PYTEST_"))},
            "PATH": f"{commands}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "COLUMNS": "120",
        }


#: Without settings of a folder above, which are no reader's.
_PYTEST = f"{sys.executable} -m pytest -q -p no:cacheprovider -c {os.devnull} --rootdir . -o asyncio_mode=auto"
#: Names that a test on a page uses without importing them, as the page's reader has them already.
_TEST_HEAD = "from aiorescue import AuthCode, Login, RescueClient, errors\n"


def _at(url: str) -> Any:
    client = aiorescue.InfoRouterClient
    return lambda credentials, *, base_url: client(credentials, base_url=url if base_url else base_url)


def _wait_until(happened: Callable[[], bool], where: str) -> None:
    give_up = time.monotonic() + _PATIENCE
    while not happened():
        assert time.monotonic() < give_up, f"{where}: waited in vain"
        time.sleep(0.05)


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _end(server: "subprocess.Popen[bytes]") -> None:
    server.send_signal(signal.SIGTERM)
    server.wait(_PATIENCE)
