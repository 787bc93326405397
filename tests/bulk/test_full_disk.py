"""A disk that is full: the job ends with an error that says so, and goes on when there is room.

A quota on the size of a file (``RLIMIT_FSIZE``) stands for the full disk: it needs no rights, and a write meets it
halfway, as it meets the end of a disk.
"""

import asyncio
import json
import sys
from pathlib import Path

import pytest

from aiorescue.bulk import Journal, State
from aiorescue.emulator import Emulator

ROWS = 400
WORKER = f"""
import asyncio, json, resource, sys
from aiorescue import AuthCode, RescueClient, errors
from aiorescue.bulk import issue
from aiorescue.rescue import RequestPinCode

async def main(url, journal, quota):
    if quota:
        resource.setrlimit(resource.RLIMIT_FSIZE, (quota, resource.RLIM_INFINITY))
    async with RescueClient(AuthCode("fixedtech0000"), base_url=url, pace=None) as client:
        work = (RequestPinCode(tracking=f"CASE-{{number}}", custom_fields=["x" * 60]) for number in range({ROWS}))
        try:
            async for issued in issue(client, work, journal=journal, in_flight=8):
                print(json.dumps([issued.request.tracking, issued.pin.code]), flush=True)
        except errors.JournalError as problem:
            print(problem, file=sys.stderr)
            sys.exit(3)

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3])))
"""


async def work(service: Emulator, journal: Path, quota: int) -> tuple[int, dict[str, str], str]:
    """Run the job in a process; its exit status, the PINs that it saw, and what it said of an error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", WORKER, service.url, str(journal), str(quota)),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, dict(json.loads(line) for line in out.splitlines()), err.decode()


@pytest.mark.parametrize("quota", [70_000, 100_001, 150_000])
async def test_a_job_whose_disk_is_full_says_so_loses_no_pin_and_goes_on_when_there_is_room(
    service: Emulator, tmp_path: Path, quota: int
):
    journal = tmp_path / "pins.journal"
    status, seen, said = await work(service, journal, quota)
    assert status == 3, said
    assert len(said.splitlines()) == 1
    assert "pins.journal" in said
    kept = {row.key[1:]: row.pin async for row in Journal.reading(journal).rows(State.ISSUED)}
    assert seen.items() <= kept.items()
    status, later, said = await work(service, journal, 0)
    assert (status, said) == (0, "")
    assert later.keys() == {f"CASE-{number}" for number in range(ROWS)}
    assert seen.items() <= later.items()
    told = (await Journal.reading(journal).status()).possibly_orphaned
    assert 0 <= len(service.ledger) - ROWS <= told
