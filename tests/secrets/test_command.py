"""No secret of the command's environment is in its arguments, its output, its logs, or a file that it writes."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from aiorescue.emulator import Emulator
from aiorescue.emulator.people import EmulatedUser
from tests.secrets.planted import CODE, PASSWORD, assert_no_secret

COMMAND = Path(sys.executable).with_name("aiorescue")
CREDENTIALS = {
    "code": {"RESCUE_AUTH_CODE": CODE},
    "login": {"RESCUE_EMAIL": "me@example.com", "RESCUE_PASSWORD": PASSWORD},
}
COMMANDS = {
    "pins": ["pins", "customers.csv", "-o", "pins.csv", "--report", "run.html", "--json", "-vv"],
    "the output of a job": ["job", "export", "pins.csv.journal", "-o", "again.csv"],
    "a call that fails": ["call", "startSession", "session=1", "node=2", "-vv"],
    "doctor": ["doctor"],
    "verify": ["verify", "--report", "verify.json", "--json"],
}


async def _run(folder: Path, arguments: list[str], environment: dict[str, str]) -> bytes:
    """Run the command; returns all that it printed, after a look at its arguments while it ran."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RESCUE_")}
    process = await asyncio.create_subprocess_exec(
        COMMAND,
        *arguments,
        cwd=folder,
        env=clean | environment,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    arguments_seen = Path(f"/proc/{process.pid}/cmdline")
    if arguments_seen.exists():
        assert_no_secret(arguments_seen.read_bytes())
    printed, _ = await process.communicate()
    return printed


@pytest.mark.parametrize("credentials", CREDENTIALS)
async def test_no_secret_leaves_the_command(service: Emulator, tmp_path: Path, credentials: str):
    service.state.add_user(EmulatedUser("me@example.com", password=PASSWORD, auth_code=CODE))
    (tmp_path / "customers.csv").write_text("name,tracking\nJane,CASE-1\nJohn,CASE-2\n", "utf-8")
    environment = {"RESCUE_BASE_URL": service.url, **CREDENTIALS[credentials]}
    for arguments in COMMANDS.values():
        printed = await _run(tmp_path, arguments, environment)
        assert printed or arguments[0] == "job"
        assert b"Traceback" not in printed
        assert_no_secret(printed)
    files = [one for one in tmp_path.rglob("*") if one.is_file()]
    assert {"pins.csv", "again.csv", "run.html", "verify.json", "pins.csv.journal"} <= {one.name for one in files}
    for one in files:
        assert_no_secret(one.read_bytes())


async def test_a_refused_secret_is_not_shown(service: Emulator, tmp_path: Path):
    (tmp_path / "customers.csv").write_text("tracking\nCASE-1\n", "utf-8")
    for own in CREDENTIALS.values():
        printed = await _run(tmp_path, ["pins", "customers.csv", "-vv"], {"RESCUE_BASE_URL": service.url, **own})
        assert b"refused" in printed.lower() or b"invalid" in printed.lower()
        assert_no_secret(printed)
