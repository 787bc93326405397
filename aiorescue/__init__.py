"""LogMeIn Rescue and infoRouter's ticket service for asyncio."""

from aiorescue import errors
from aiorescue.call.identity import AuthCode, Login, Ticket
from aiorescue.call.pace import Pace
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
    "RescueClient",
    "RetryPolicy",
    "Ticket",
    "errors",
]
