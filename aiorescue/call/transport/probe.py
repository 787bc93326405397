"""`probe`: whether a host can be reached at all, without credentials."""

from ssl import SSLError
from typing import NamedTuple

import aiohttp

from aiorescue import errors
from aiorescue.call.transport.tls import explain_tls


class Probed(NamedTuple):
    """What a host answered to a plain GET.

    Attributes:
        status: HTTP status.
        date: the Date header; empty if there is none.
        body: the beginning of the body, as much as was asked for.
    """

    status: int
    date: str
    body: bytes


async def probe(
    url: str, *, seconds: float, proxy: str | None = None, trust_env: bool = False, most: int = 0
) -> Probed:
    """Send a host a plain GET, without credentials. Any answer, a redirect too, proves that it can be reached.

    Args:
        url: the address.
        seconds: most time that the answer may take.
        proxy: URL of the HTTP proxy; None for none.
        trust_env: use the proxies that the environment names.
        most: bytes of the body to read at most.

    Raises:
        errors.ConnectionFailed: no answer; the message is the reason alone.
    """
    timeout = aiohttp.ClientTimeout(total=seconds)
    try:
        async with (
            aiohttp.ClientSession(trust_env=trust_env, timeout=timeout) as session,
            session.get(url, proxy=proxy, allow_redirects=False) as response,
        ):
            body = bytearray()
            while len(body) < most and (piece := await response.content.read(most - len(body))):
                body += piece
            return Probed(response.status, response.headers.get("Date", ""), bytes(body))
    except TimeoutError:
        raise errors.ConnectionFailed(f"no answer in {seconds:g} s") from None
    except (aiohttp.ClientError, ValueError) as problem:
        # aiohttp's own texts can hold the URL of a proxy and its password: only the cause is quoted.
        cause = getattr(problem, "certificate_error", None) or getattr(problem, "os_error", None)
        if isinstance(cause, SSLError):
            raise errors.ConnectionFailed(explain_tls(cause)) from None
        raise errors.ConnectionFailed(getattr(cause, "strerror", None) or type(problem).__name__) from None
