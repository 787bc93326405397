"""The transport: requests out, responses in. No other room imports aiohttp's client."""

from aiohttp import ClientSession

from aiorescue.call.transport.failures import CLOSED, TURN_PASSED
from aiorescue.call.transport.transport import Transport

__all__ = ["CLOSED", "TURN_PASSED", "ClientSession", "Transport"]
