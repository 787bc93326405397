"""A report as CSV and as a summary by pandas.

    python examples/report_to_pandas.py 2026-11-01 2026-11-30 337366

The arguments are the first day, the last day, and the id of a node of the hierarchy: a technician, a group or a
channel.

Environment: ``RESCUE_AUTH_CODE``; ``RESCUE_BASE_URL`` for the emulator.
"""

import asyncio
import os
import sys
from datetime import date

import pandas as pd

from aiorescue import AuthCode, RescueClient


async def sessions(begin: date, end: date, node: int) -> pd.DataFrame:
    """The sessions of a node, one a row; the columns hold numbers, times and durations where their titles say so."""
    code = AuthCode(os.environ["RESCUE_AUTH_CODE"])
    base_url = os.environ.get("RESCUE_BASE_URL", "https://secure.logmeinrescue.com")
    async with RescueClient(code, base_url=base_url) as rescue:
        report = await rescue.report("SESSION", begin, end, node=node)
    if report.mended:
        print(f"look at rows {report.mended}: their cells were not clear", file=sys.stderr)
    return pd.DataFrame(list(report), columns=list(report.columns))


def main(begin: str, end: str, node: str) -> None:
    """Write ``sessions.csv``, and print how many sessions each technician had, and how long they took."""
    frame = asyncio.run(sessions(date.fromisoformat(begin), date.fromisoformat(end), int(node)))
    frame.to_csv("sessions.csv", index=False, encoding="utf-8-sig")
    by_technician = frame.groupby("Technician Name")["Total Time"].agg(["count", "mean"])
    print(by_technician.to_string())


if __name__ == "__main__":
    main(*sys.argv[1:])
