"""A worker process of distributed jobs.

python -m tests.lab.distributed.worker [--login] DATABASE URL RATE NAME[=CODE]…
"""

import asyncio
import sys

from aiorescue import AuthCode, Login, Pace
from aiorescue.bulk import distributed
from tests.lab.distributed.service import code_of

#: Names of identities whose auth codes the emulator knows.
CODES = ("tech", "second", "plain", "nolens")


def main(database: str, url: str, rate: str, *identities: str, login: bool = False) -> None:
    """Work until the process is killed."""
    credentials: dict[str, AuthCode | Login] = {}
    for name, _, code in (one.partition("=") for one in identities):
        credentials[name] = Login(f"{name}@example.com", "secret") if login else AuthCode(code or code_of(name))
    asyncio.run(distributed.work(database, credentials, base_url=url, pace=Pace(pins=float(rate))))


if __name__ == "__main__":
    given = [one for one in sys.argv[1:] if one != "--login"]
    main(*given, login="--login" in sys.argv)
