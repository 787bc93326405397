"""One job, two workers: PINs for a thousand customers, asked for by two processes that share a PostgreSQL.

RESCUE_DATABASE names the database, RESCUE_AUTH_CODE_NORTH and RESCUE_AUTH_CODE_SOUTH hold the codes of two technicians.
On several machines, `aiorescue job work` runs on each of them instead of the processes that this program starts.
"""

import asyncio
import os
import sys

from aiorescue.bulk import distributed
from aiorescue.rescue import RequestPinCode

DATABASE = os.environ["RESCUE_DATABASE"]
CUSTOMERS = int(os.environ.get("CUSTOMERS", "1000"))
PIN_RATE = os.environ.get("RESCUE_PIN_RATE", "1")


async def start_worker() -> asyncio.subprocess.Process:
    """A worker in a process of its own; it ends when no row is left. Kill one of the two: the other one goes on."""
    return await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "aiorescue", "job", "work", "--until-done", "--pin-rate", PIN_RATE)
    )


async def main() -> None:
    """Submit the job, start the workers, and print each PIN as it comes."""
    requests = (RequestPinCode(tracking=f"CUSTOMER-{number}", no_tech_console=True) for number in range(CUSTOMERS))
    await distributed.submit(DATABASE, "spring", requests, identities=["north", "south"])
    workers = [await start_worker() for _ in range(2)]
    async for issued in distributed.results(DATABASE, "spring", follow=True):
        print(issued.request.tracking, issued.pin.code if issued.pin else issued.error, flush=True)
    for worker in workers:
        await worker.wait()
    print(f"{(await distributed.status(DATABASE, 'spring')).issued} PINs")


asyncio.run(main())
