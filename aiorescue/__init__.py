"""An asyncio client for LogMeIn Rescue and for infoRouter's ticket service.

A first call::

    async with RescueClient(AuthCode("4ahx…80u0")) as rescue:
        pin = await rescue.request_pin_code_v3(custom_fields=["Jane Doe"], no_tech_console=True)
        print(pin.code)

`RescueClient` and `InfoRouterClient` have a method for each operation, and `errors` has what they raise. Beyond that,
`aiorescue.rescue` has the operations as values, `aiorescue.bulk` runs jobs of many PIN requests,
`aiorescue.emulator` plays both services on this machine, and `aiorescue.events` tells what a client does.

Names are imported when they are first used, so that a program loads only the client that it needs.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import Any

    from aiorescue import errors
    from aiorescue.call.retry import RetryPolicy
    from aiorescue.identity.credentials import AuthCode, Login, Ticket
    from aiorescue.inforouter.client import InfoRouterClient
    from aiorescue.operation import Binding
    from aiorescue.pace.pace import Pace
    from aiorescue.pace.shared.host import HostPace
    from aiorescue.pace.shared.redis import RedisPace
    from aiorescue.rescue.client import RescueClient
    from aiorescue.rescue.pins import PinCode

    #: Version of the installed package.
    __version__: str

__all__ = [
    "AuthCode",
    "Binding",
    "HostPace",
    "InfoRouterClient",
    "Login",
    "Pace",
    "PinCode",
    "RedisPace",
    "RescueClient",
    "RetryPolicy",
    "Ticket",
    "errors",
]

_HOMES = {
    "AuthCode": "aiorescue.identity.credentials",
    "Binding": "aiorescue.operation",
    "HostPace": "aiorescue.pace.shared.host",
    "InfoRouterClient": "aiorescue.inforouter.client",
    "Login": "aiorescue.identity.credentials",
    "Pace": "aiorescue.pace.pace",
    "PinCode": "aiorescue.rescue.pins",
    "RedisPace": "aiorescue.pace.shared.redis",
    "RescueClient": "aiorescue.rescue.client",
    "RetryPolicy": "aiorescue.call.retry",
    "Ticket": "aiorescue.identity.credentials",
}


if not TYPE_CHECKING:  # a type checker would take any name for one of ours

    def __getattr__(name: str) -> Any:
        if name == "errors":
            return import_module("aiorescue.errors")
        if name == "__version__":
            return import_module("importlib.metadata").version("aiorescue")
        home = _HOMES.get(name)
        if home is None:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        if name.endswith("Client"):
            # From here and not from deep within our modules: an interpreter keeps its frames in pieces of 16 KiB, and
            # where one ended, thousands of short calls in aiohttp's import would each ask the system for another piece.
            import_module("aiohttp")
        value = globals()[name] = getattr(import_module(home), name)
        return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
