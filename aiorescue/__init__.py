"""LogMeIn Rescue and infoRouter's ticket service for asyncio.

Names are imported when they are first used, so that a program loads only the client that it needs.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
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


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("aiorescue.errors")
    if name == "__version__":
        return import_module("importlib.metadata").version("aiorescue")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "__version__"})
