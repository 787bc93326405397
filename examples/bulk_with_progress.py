"""A bulk job with a progress bar of its own.

    python examples/bulk_with_progress.py examples/customers.csv

The command ``aiorescue pins`` does all this and more; this shows how a program does it. Run it again after a Ctrl-C
or a crash, and it goes on where it stopped.

Environment: ``RESCUE_AUTH_CODE``, one or several separated by commas; ``RESCUE_BASE_URL`` for the emulator;
``RESCUE_PIN_RATE`` if the service allows more than one PIN a second.
"""

import asyncio
import csv
import os
import sys
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from aiorescue import AuthCode, Pace, RescueClient
from aiorescue.bulk import issue
from aiorescue.rescue import RequestPinCodeV3


def requests_of(path: Path) -> list[RequestPinCodeV3]:
    """A request for each row. The tracking field names a request, also in a later run."""
    with path.open(encoding="utf-8", newline="") as file:
        return [
            RequestPinCodeV3(
                custom_fields=[row["custom_field_0"], row["custom_field_1"]],
                tracking=row["tracking"],
                no_tech_console=True,
            )
            for row in csv.DictReader(file)
        ]


def write(path: Path, rows: list[tuple[str, str]]) -> None:
    """Write a CSV file of tracking fields and PIN codes."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["tracking", "pin"])
        writer.writerows(rows)


async def main(path: Path) -> int:
    """Issue a PIN for each row, and write ``pins.csv``; 1 if some rows failed."""
    requests = requests_of(path)
    codes = [AuthCode(code) for code in os.environ["RESCUE_AUTH_CODE"].split(",")]
    base_url = os.environ.get("RESCUE_BASE_URL", "https://secure.logmeinrescue.com")
    pace = Pace(pins=float(os.environ.get("RESCUE_PIN_RATE", "1")))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    failed = 0
    pins: dict[str, str] = {}
    with Progress(*columns, console=console) as progress:
        bar = progress.add_task("PIN codes", total=len(requests))
        async with RescueClient(codes, base_url=base_url, pace=pace) as rescue:
            async for issued in issue(rescue, requests, journal="pins.journal"):
                if issued.pin is None:
                    failed += 1
                    console.print(f"{issued.request.tracking}: {issued.error}")
                else:
                    pins[issued.request.tracking] = issued.pin.code
                progress.advance(bar)
    await asyncio.to_thread(write, Path("pins.csv"), [(one.tracking, pins.get(one.tracking, "")) for one in requests])
    console.print(f"{len(pins)} PIN codes in pins.csv, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main(Path(sys.argv[1]))))
