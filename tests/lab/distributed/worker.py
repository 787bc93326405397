"""A worker process of distributed jobs.

python -m tests.lab.distributed.worker DATABASE URL RATE NAME=CODE…
"""

import asyncio
import sys

from aiorescue import AuthCode, Pace
from aiorescue.bulk import distributed

#: Names of identities whose auth codes the emulator knows.
CODES = ("tech", "second", "plain", "nolens")


def main(database: str, url: str, rate: str, *identities: str) -> None:
    """Work until the process is killed."""
    credentials = {name: AuthCode(code) for name, _, code in (one.partition("=") for one in identities)}
    asyncio.run(distributed.work(database, credentials, base_url=url, pace=Pace(pins=float(rate))))


if __name__ == "__main__":
    main(*sys.argv[1:])
