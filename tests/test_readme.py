"""The README and the docs are true: their Python runs, their commands are those of CI, and linked files exist."""

import ast
import asyncio
import re
from functools import partial
from pathlib import Path

import pytest

import aiorescue
from aiorescue.emulator import Emulator

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")
BLOCKS = [
    block
    for page in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
    for block in re.findall(r"```python\n(.*?)```", page.read_text("utf-8"), re.DOTALL)
]
#: The placeholders of secrets in the examples, and the credentials that the emulator accepts instead.
STAND_INS = {
    "4ahx…80u0": "fixedtech0000",
    'Login("tech@example.com", "…")': 'Login("tech@example.com", "secret")',
    'Login("jane", "…")': 'Login("tech@example.com", "secret")',
    'Login("ann", "…")': 'Login("tech@example.com", "secret")',
}


@pytest.mark.parametrize("block", BLOCKS, ids=lambda block: block.strip().splitlines()[-1][:40])
async def test_its_python_runs(service: Emulator, block: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.pdf").write_bytes(b"%PDF-1.7")
    for shown, real in STAND_INS.items():
        block = block.replace(shown, real)
    async with aiorescue.RescueClient(aiorescue.AuthCode("fixedtech0000"), base_url=service.url) as rescue:
        monkeypatch.setattr(aiorescue, "RescueClient", partial(aiorescue.RescueClient, base_url=service.url))
        monkeypatch.setattr(aiorescue, "InfoRouterClient", _at(service.url))
        names = {
            "RescueClient": aiorescue.RescueClient,
            "AuthCode": aiorescue.AuthCode,
            "Login": aiorescue.Login,
            "rescue": rescue,
            "customers": [("Jane Doe", "CASE-1")],
        }
        code = compile(block, "README.md", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        running = eval(code, names)
        if asyncio.iscoroutine(running):
            await running


def _at(url: str):
    client = aiorescue.InfoRouterClient
    return lambda credentials, *, base_url: client(credentials, base_url=url if base_url else base_url)


def first_command(section: str) -> list[str]:
    return re.search(rf"^## {section}$.*?^```\w*\n(.*?)^```$", README, re.DOTALL | re.MULTILINE)[1].splitlines()


@pytest.mark.parametrize("section", ["Quick start", "Tests"])
def test_its_commands_are_one_line_each(section: str):
    assert len(first_command(section)) == 1


def test_the_files_it_names_are_there():
    for name in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / name).exists(), name
    assert (ROOT / "examples" / "customers.csv").exists()
