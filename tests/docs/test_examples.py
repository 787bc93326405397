"""The programs in `examples/` run as they are, in processes of their own, against real servers."""

import asyncio
import csv
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from aiorescue.emulator import Emulator
from tests.lab.bot_api import bot_api
from tests.lab.pages import ROOT

EXAMPLES = ROOT / "examples"


@pytest.fixture
def environment(service: Emulator, tmp_path: Path) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESCUE_")},
        "PYTHONPATH": str(ROOT),
        "RESCUE_BASE_URL": service.url,
        "RESCUE_AUTH_CODE": "fixedtech0000",
        "RESCUE_PIN_RATE": "1000",
        "INFOROUTER_BASE_URL": service.url,
        "INFOROUTER_USER": "tech@example.com",
        "INFOROUTER_PASSWORD": "secret",
        "XDG_RUNTIME_DIR": str(tmp_path),
    }


@asynccontextmanager
async def running(*command: str | Path, env: dict[str, str], cwd: Path) -> AsyncIterator[Process]:
    process = await asyncio.create_subprocess_exec(*command, env=env, cwd=cwd, stdout=PIPE, stderr=PIPE)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()


async def run(program: str, *arguments: str, env: dict[str, str], cwd: Path) -> tuple[int | None, str]:
    async with running(sys.executable, EXAMPLES / program, *arguments, env=env, cwd=cwd) as process:
        printed = b"".join(await process.communicate())
        return process.returncode, printed.decode()


@asynccontextmanager
async def web_service(env: dict[str, str], cwd: Path) -> AsyncIterator[tuple[aiohttp.ClientSession, Process]]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    uvicorn = (sys.executable, "-m", "uvicorn", "--app-dir", EXAMPLES, "--port", str(port), "fastapi_service:app")
    at = f"http://127.0.0.1:{port}"
    async with running(*uvicorn, env=env, cwd=cwd) as process, aiohttp.ClientSession(at) as http:
        assert process.stderr is not None
        while b"Uvicorn running on" not in (line := await process.stderr.readline()):
            assert line, "the service ended"
        yield http, process


async def test_the_web_service_issues_pins_and_tells_its_health(service: Emulator, environment, tmp_path: Path):
    async with web_service(environment, tmp_path) as (http, _):
        async with http.post("/pins", json={"name": "Jane Doe", "case": "CASE-7"}) as answer:
            assert (answer.status, await answer.json()) == (201, {"pin": service.ledger[0].pin})
        async with http.get("/pins/wait") as answer:
            assert await answer.json() == 0.0
        async with http.get("/health") as answer:
            assert (answer.status, (await answer.json())["identities"]) == (200, {"auth code 1": "ready"})
        async with http.post("/pins", json={"name": "Jane\x00"}) as answer:
            assert answer.status == 422
            assert "character that XML cannot carry" in (await answer.json())["problem"]
    assert len(service.ledger) == 1


async def test_the_web_service_is_unhealthy_when_its_code_is_refused(environment, tmp_path: Path):
    async with web_service(environment | {"RESCUE_AUTH_CODE": "mistyped"}, tmp_path) as (http, process):
        async with http.post("/pins", json={"name": "Jane Doe"}) as answer:
            assert answer.status == 503
        async with http.get("/health") as answer:
            assert (answer.status, (await answer.json())["identities"]) == (503, {"auth code 1": "refused"})
        process.send_signal(signal.SIGTERM)
        printed = b"".join(await process.communicate()).decode()
    assert "ERROR:pins:requestPINCodeV3: " in printed
    assert "mistyped" not in printed


async def test_the_web_service_finishes_its_calls_before_it_ends(service: Emulator, environment, tmp_path: Path):
    service.fault("delay_after", "requestPINCodeV3", seconds=1.0)
    async with web_service(environment, tmp_path) as (http, process):
        asking = asyncio.create_task(http.post("/pins", json={"name": "Jane Doe"}))
        while not service.ledger:
            await asyncio.sleep(0.01)
        process.send_signal(signal.SIGTERM)
        async with await asking as answer:
            assert (await answer.json())["pin"] == service.ledger[0].pin
        await process.communicate()


@pytest.mark.timeout(300)  # importing aiogram takes seven seconds of CPU, a minute where many share it
async def test_the_chatbot_answers_with_a_pin_and_says_sorry_when_there_is_none(
    service: Emulator, environment, tmp_path: Path
):
    async with bot_api() as telegram:
        env = environment | {"BOT_API": telegram.url, "BOT_TOKEN": "1:test"}
        async with running(sys.executable, EXAMPLES / "chatbot.py", env=env, cwd=tmp_path) as bot:
            telegram.say(42, "Jane", "/help")
            assert await telegram.sent.get() == (
                42,
                f"Your PIN is {service.ledger[0].pin}. Please enter it at the support page.",
            )
            assert (service.ledger[0].tracking, service.ledger[0].custom_fields[0]) == ("telegram-42", "Jane")
            service.limits.pins_left = 0
            telegram.say(43, "Ann", "/help")
            assert await telegram.sent.get() == (43, "Sorry, that did not work. Please call us.")

            service.limits.pins_left = None
            service.fault("delay_after", "requestPINCodeV3", seconds=1.0)
            telegram.say(44, "Bob", "/help")
            while len(service.ledger) < 2:
                await asyncio.sleep(0.01)
            bot.send_signal(signal.SIGTERM)
            printed = b"".join(await bot.communicate()).decode()
            assert bot.returncode == 0, printed
            assert telegram.sent.get_nowait()[0] == 44, "who has asked before the end gets an answer"
            assert "TelegramNetworkError" not in printed
            assert "fixedtech0000" not in printed


async def test_the_bulk_job_shows_failures_and_goes_on(service: Emulator, environment, tmp_path: Path):
    customers = str(EXAMPLES / "customers.csv")
    service.limits.pins_left = 5
    status, printed = await run("bulk_with_progress.py", customers, env=environment, cwd=tmp_path)
    assert status == 1, printed
    service.limits.pins_left = None
    status, printed = await run("bulk_with_progress.py", customers, env=environment, cwd=tmp_path)
    assert (status, "20 PIN codes in pins.csv, 0 failed" in printed) == (0, True), printed
    rows = list(csv.DictReader((tmp_path / "pins.csv").read_text("utf-8").splitlines()))
    assert {row["tracking"]: row["pin"] for row in rows} == {one.tracking: one.pin for one in service.ledger}
    assert len(service.ledger) == len(rows) == 20, "nothing is issued twice"


async def test_the_report_is_written_and_summed_up(environment, tmp_path: Path):
    status, printed = await run(
        "report_to_pandas.py", "2026-11-01", "2026-11-30", "337366", env=environment, cwd=tmp_path
    )
    assert status == 0, printed
    assert "count" in printed
    assert (tmp_path / "sessions.csv").read_text("utf-8-sig").startswith("Start Time,")


async def test_the_document_arrives_whole_or_the_reason_is_shown(environment, tmp_path: Path):
    (tmp_path / "report.pdf").write_bytes(b"x" * 700_000)
    status, printed = await run(
        "upload_with_progress.py", "report.pdf", "/Public/report.pdf", env=environment, cwd=tmp_path
    )
    assert (status, "report.pdf: 700000 bytes" in printed) == (0, True), printed
    status, printed = await run(
        "upload_with_progress.py", "report.pdf", "/Nowhere/a.pdf", env=environment, cwd=tmp_path
    )
    assert (status, "not uploaded:" in printed) == (1, True), printed


def test_each_program_is_listed():
    listed = (EXAMPLES / "README.md").read_text("utf-8")
    for path in EXAMPLES.glob("*.py"):
        assert f"]({path.name})" in listed, path.name
