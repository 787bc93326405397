"""LogMeIn Rescue and infoRouter's ticket service for asyncio.

Names are imported when they are first used: who needs one client does not pay for the other, nor for aiohttp.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from aiorescue import errors
    from aiorescue.call.identity import AuthCode, Login, Ticket
    from aiorescue.call.pace import Pace
    from aiorescue.call.redis_pace import RedisPace
    from aiorescue.call.retry import RetryPolicy
    from aiorescue.inforouter.client import InfoRouterClient
    from aiorescue.operation import Binding
    from aiorescue.rescue.client import RescueClient
    from aiorescue.rescue.pins import PinCode

__all__ = [
    "AuthCode",
    "Binding",
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
    "AuthCode": "aiorescue.call.identity",
    "Binding": "aiorescue.operation",
    "InfoRouterClient": "aiorescue.inforouter.client",
    "Login": "aiorescue.call.identity",
    "Pace": "aiorescue.call.pace",
    "PinCode": "aiorescue.rescue.pins",
    "RedisPace": "aiorescue.call.redis_pace",
    "RescueClient": "aiorescue.rescue.client",
    "RetryPolicy": "aiorescue.call.retry",
    "Ticket": "aiorescue.call.identity",
}


def __getattr__(name: str) -> Any:
    if name == "errors":
        return import_module("aiorescue.errors")
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(home), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
