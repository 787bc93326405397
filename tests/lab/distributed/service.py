"""An emulator in a process of its own, with as many identities as are wanted.

python -m tests.lab.distributed.service IDENTITIES RATE
"""

import asyncio
import sys

from aiorescue.emulator import Emulator
from aiorescue.emulator.people import EmulatedUser


def name_of(number: int) -> str:
    """The name of an identity; its e-mail address is at example.com, and its password is the emulator's usual one."""
    return f"caller{number}"


def code_of(name: str) -> str:
    """The auth code of an identity."""
    return f"fixed{name}0000"


async def serve(identities: int, rate: float) -> None:
    """Serve until the process is killed; prints the base URL."""
    async with Emulator(pin_rate=rate) as service:
        for name in map(name_of, range(identities)):
            service.state.access.add(EmulatedUser(f"{name}@example.com", auth_code=code_of(name)))
        print(service.url, flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), float(sys.argv[2])))
