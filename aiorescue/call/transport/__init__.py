"""The transport: requests out, responses in. No other room imports aiohttp's client."""

from aiohttp import ClientSession

from aiorescue.call.transport.failures import CLOSED, NOT_BEGUN
from aiorescue.call.transport.transport import Transport

__all__ = ["CLOSED", "NOT_BEGUN", "ClientSession", "Transport"]
