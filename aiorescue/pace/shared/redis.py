"""`RedisPace`: one pace for processes on many machines, kept in Redis. Needs the extra ``aiorescue[redis]``."""

from typing import Literal

import attrs

from aiorescue import errors
from aiorescue.clock import Clock
from aiorescue.operation import discreet, discreetly_made, frozen
from aiorescue.pace.pace import Pace, SharedPace, check_shared
from aiorescue.pace.shared.pacers import BookPacers


def _text(_: object, field: "attrs.Attribute[str]", value: object) -> None:
    if not isinstance(value, str):
        raise errors.InvalidRequest(f"RedisPace: {field.name} must be a text, not {type(value).__name__}")


@discreetly_made
@frozen
class RedisPace(SharedPace):
    """A pace that processes on many machines share: ``RescueClient(…, pace=RedisPace("redis://…"))``.

    Auth codes are known to Redis by a digest only, logins by the digest of their name. While Redis is away each
    process paces for itself, and a warning is logged once.

    Attributes:
        url: where Redis is, as redis-py takes it; it may hold a password and is never shown.
        pace: what the service allows each identity, or ``"auto"``; all who share must give an equal one.
        prefix: what the keys begin with; the version of what they hold follows.
    """

    url: str = attrs.field(repr=False, validator=_text)
    pace: Pace | Literal["auto"] = attrs.field(default=Pace(), kw_only=True, validator=check_shared)
    prefix: str = attrs.field(default="aiorescue:pace:", kw_only=True, validator=_text)

    @discreet
    def open(self, clock: Clock, service: str) -> BookPacers:
        """Pacers for one client of one service.

        Raises:
            ModuleNotFoundError: redis-py is not installed.
            errors.InvalidRequest: redis-py does not take the URL.
        """
        try:
            from aiorescue.pace.shared.redis_books import RedisBooks  # noqa: PLC0415 - redis-py may be missing
        except ModuleNotFoundError as missing:
            if (missing.name or "").partition(".")[0] != "redis":
                raise
            raise ModuleNotFoundError(
                "RedisPace needs redis-py: pip install 'aiorescue[redis]'", name=missing.name
            ) from None
        try:
            books = RedisBooks(self.url, f"{self.prefix}2:", clock)
        except (ValueError, AttributeError, TypeError):
            raise errors.InvalidRequest(
                "RedisPace: url must be like redis://host:6379/0, and its parameters those of redis-py;"
                " those of TLS, such as ssl_ca_certs, go with rediss://"
            ) from None
        # A value that does not show its URL.
        return BookPacers(self.pace, books, clock, service, place=attrs.evolve(self, pace=Pace()))
