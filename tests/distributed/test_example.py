"""The example with two workers, and the compose file of the guide."""

import asyncio
import os
import re
import sys
from pathlib import Path

import yaml

from aiorescue.cli.app import run

ROOT = Path(__file__).parents[2]


async def test_the_example_gets_a_pin_for_each_customer_by_two_workers(database, rescue_emulator):
    rescue_emulator.limits.pin_rate = 20.0
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("RESCUE_")},
        "RESCUE_DATABASE": database,
        "RESCUE_BASE_URL": rescue_emulator.url,
        "RESCUE_AUTH_CODE_NORTH": "fixedtech0000",
        "RESCUE_AUTH_CODE_SOUTH": "fixedsecond0000",
        "RESCUE_PIN_RATE": "20",
        "CUSTOMERS": "40",
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, ROOT / "examples" / "two_workers.py"), env=environment, stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    lines = output.decode().splitlines()
    issued = {entry.tracking: entry.pin for entry in rescue_emulator.ledger}
    found = dict(line.split() for line in lines if line.startswith("CUSTOMER-"))
    assert process.returncode == 0
    assert found == issued
    assert len(found) == 40
    assert lines[-1] == "40 PINs"


def test_the_compose_file_of_the_guide_is_one_and_its_commands_exist():
    page = (ROOT / "docs" / "distributed.md").read_text("utf-8")
    block = re.search(r"^    services:\n(?:    .*\n|\n)+", page, re.MULTILINE)
    assert block is not None
    compose = yaml.safe_load(re.sub("^    ", "", block[0], flags=re.MULTILINE))
    assert compose["services"].keys() == {"db", "worker"}
    program, *command = compose["services"]["worker"]["command"].split()
    assert program == "aiorescue"
    assert run([*command, "--help"]) == 0
