"""The command as a whole: help, statuses, the emulator, and what happens where typer is missing."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from aiorescue import AuthCode, RescueClient
from aiorescue.cli.app import run
from aiorescue.cli.status import MEANING, Status


def test_the_help_documents_every_exit_status(capsys):
    assert run(["--help"]) == Status.OK
    shown = " ".join(capsys.readouterr().out.split())
    assert set(MEANING) == set(Status)
    for status, meaning in MEANING.items():
        assert f"{status.value} {meaning}" in shown


def test_the_guide_has_the_table_of_exit_statuses():
    guide = (Path(__file__).parents[2] / "docs" / "guide.md").read_text("utf-8")
    for status, meaning in MEANING.items():
        assert f"| {status.value} | {meaning} |" in guide


def test_without_arguments_it_helps(capsys):
    assert run([]) == Status.OK
    assert "pins" in capsys.readouterr().out


@pytest.mark.parametrize("columns", [60, 79, 80])
def test_the_help_cuts_nothing_short_in_a_narrow_window(columns):
    names = ("pins", "call", "job submit", "job status", "verify", "inforouter", "")
    script = f"from aiorescue.cli.app import run\nfor name in {names!r}: run([*name.split(), '--help'])"
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env=os.environ | {"COLUMNS": str(columns)},
    )
    assert done.stdout
    assert not re.search(r"\w…|[\w:,]\.\.\.$", done.stdout.replace("CUSTOMER_SURVEY, …", ""), re.MULTILINE)
    for whole in ("--install-completion", "--change-report-settings", "isAnyTechAvailableOnChannel", "RESCUE_DATABASE"):
        assert whole in done.stdout
    assert "result comes as JSON." in " ".join(done.stdout.replace("│", "").split())


def test_a_port_that_is_taken_is_one_line_with_the_option_that_helps(here):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = here("emulator", "--port", str(port))
    assert done.status == Status.BAD_INPUT
    assert done.err == f"aiorescue: port {port} of 127.0.0.1 is taken; --port 0 takes a free one\n"


@pytest.mark.parametrize("arguments", [["pinz"], ["session"], ["session", "close", "abc"], ["emulator", "--port", "x"]])
def test_bad_usage_is_one_line(capsys, arguments):
    assert run(arguments) == Status.BAD_INPUT
    said = capsys.readouterr()
    assert said.err.startswith("aiorescue: ")
    assert said.err.count("\n") == 1
    assert not said.out


def test_what_a_name_or_an_answer_holds_commands_no_terminal(here):
    done = here("pins", "a\x1b[2J\nb.csv")
    assert done.err == "aiorescue: a\\x1b[2J\\x0ab.csv: No such file or directory\n"


@pytest.mark.parametrize("missing", ["typer", "rich"])
def test_where_the_extra_is_missing_one_line_says_how_to_install_it(missing):
    script = f"import sys; sys.modules[{missing!r}] = None; from aiorescue.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == Status.NOT_INSTALLED
    assert done.stderr == f"aiorescue: the command needs {missing}: pip install 'aiorescue[cli]'\n"


async def test_the_emulator_serves_until_ctrl_c_and_says_who_it_knows(alone):
    process = await alone.start("emulator", "--port", "0", "--pin-rate", "50", "--json")
    told = json.loads(await process.stdout.readuntil(b"\n}\n"))
    user = told["users"][0]
    assert (user["email"], user["password"]) == ("tech@example.com", "secret")
    async with aiohttp.ClientSession() as http, http.get(told["control"]) as answer:
        assert (await answer.json())["limits"]["pin_rate"] == 50
    done = await alone("session", "close", "12345678", RESCUE_BASE_URL=told["url"], RESCUE_AUTH_CODE=user["auth_code"])
    assert done.status == Status.OK
    process.send_signal(signal.SIGINT)
    assert (await alone.ended(process)).err == ""
    assert process.returncode == Status.OK


async def first_pin(alone, *arguments: str) -> str:
    process = await alone.start("emulator", "--port", "0", "--json", *arguments)
    told = json.loads(await process.stdout.readuntil(b"\n}\n"))
    async with RescueClient(AuthCode(told["users"][0]["auth_code"]), base_url=told["url"]) as rescue:
        pin = await rescue.request_pin_code()
    process.send_signal(signal.SIGINT)
    await alone.ended(process)
    return pin.code


async def test_the_seed_of_the_emulator_chooses_its_pins(alone):
    assert await first_pin(alone, "--seed", "7") == await first_pin(alone, "--seed", "7") != await first_pin(alone)


async def test_the_emulator_tells_people_url_credentials_and_control_plane(alone):
    process = await alone.start("emulator", "--port", "0", "--host", "localhost")
    lines = await process.stdout.readuntil(b"Ctrl-C")
    process.send_signal(signal.SIGTERM)
    await alone.ended(process)
    assert process.returncode == Status.OK
    for told in (b"http://localhost:", b"tech@example.com  ", b"secret", b"/_emulator"):
        assert told in lines


async def test_a_port_in_use_is_one_line(alone, service):
    done = await alone("emulator", "--port", str(service.port))
    assert done.status == Status.BAD_INPUT
    assert done.err.startswith("aiorescue: ")
    assert done.err.count("\n") == 1
