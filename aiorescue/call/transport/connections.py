"""The session of a client: its pool of connections, its own or a lent one."""

import warnings
import weakref
from collections.abc import Mapping

import aiohttp
from aiohttp import ClientSession
from aiohttp.hdrs import ACCEPT_ENCODING

from aiorescue import errors
from aiorescue.call.base_url import HEADERS, Route
from aiorescue.call.transport.request import checked_request
from aiorescue.call.transport.trust import Trust
from aiorescue.pace.turns import PrioritySemaphore

#: Seconds that an idle connection is kept. The server closes it after 15; below that no request meets a dying one.
KEEP_ALIVE = 10.0


def check_lent(http: object) -> None:
    """Check a session that a program lends; raises `errors.InvalidRequest` for anything else but None."""
    if http is not None and not isinstance(http, ClientSession):
        raise errors.InvalidRequest(f"http must be an aiohttp.ClientSession, not {type(http).__name__}")


def open_session(
    lent: ClientSession | None, route: Route, limit: int, trust: Trust, under_way: PrioritySemaphore
) -> ClientSession:
    """A session without a cookie jar, over a pool of its own or over the pool of a lent session.

    On a host name aiohttp's jar overrides the cookie of a request, and two logins become one. So a lent session with a
    jar is used through its pool and its settings, and one without is used itself, as is one that is closed.
    """
    if lent is None:
        connector = aiohttp.TCPConnector(
            limit=limit, keepalive_timeout=KEEP_ALIVE, ssl=True if route.ssl is None else route.ssl
        )
        return ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=route.headers(),
            request_class=checked_request(trust, under_way),
            proxy=route.proxy,
        )
    if is_used_itself(lent) or lent.closed:
        return lent
    session = ClientSession(
        connector=lent.connector,
        connector_owner=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        headers=_merged(lent.headers),
        trust_env=lent.trust_env,
        trace_configs=list(lent.trace_configs),
        request_class=checked_request(trust, under_way),
    )
    # Without its proxy, requests would go to the host directly. Not as arguments, of which aiohttp has deprecated some.
    for name in ("_default_proxy", "_default_proxy_auth", "_default_auth"):
        setattr(session, name, getattr(lent, name, None))
    return session


def when_left_open(owner: object, session: ClientSession, base_url: str) -> weakref.finalize:  # type: ignore[type-arg]
    """Warn, once, if a client is forgotten or the program ends before it was closed; its connections are closed then.

    aiohttp would log two errors and give two warnings, which name its session and its pool, and not the client.

    Args:
        owner: the part of the client that holds the session, and lives as long as the client does.
        session: a session that the client opened.
        base_url: the client's base URL.

    Returns:
        What must be detached when the session is closed.
    """
    return weakref.finalize(owner, _left_open, session, base_url)


def _left_open(session: ClientSession, base_url: str) -> None:
    if session.closed:
        return  # the pool was lent, and its owner has closed it
    close_elsewhere(session)
    warnings.warn(
        f"a client of {base_url} was not closed: use `async with`, or await its aclose()", ResourceWarning, stacklevel=2
    )


def close_elsewhere(session: ClientSession) -> None:
    """Close a session, and its pool unless that was lent, without the event loop that its connections belong to."""
    connector, is_owner = session.connector, session.connector_owner
    session.detach()
    if connector is not None and is_owner:
        # As its own finalizer does: its `close` would leave a task in that event loop, which nothing may run again.
        connector._close()  # noqa: SLF001


def is_used_itself(lent: ClientSession) -> bool:
    """Whether a lent session sends the client's requests itself, as it keeps no cookies."""
    return isinstance(lent.cookie_jar, aiohttp.DummyCookieJar)


def missing_headers(lent: ClientSession | None) -> Mapping[str, str]:
    """The headers that requests need where a lent session sends them itself, and would ask for compressed answers."""
    if lent is None or not is_used_itself(lent) or ACCEPT_ENCODING in lent.headers:
        return {}
    return {ACCEPT_ENCODING: HEADERS[ACCEPT_ENCODING]}


def limit_of(http: ClientSession | None) -> int | None:
    """The number of connections that a lent session's pool may have to one host; None for any number."""
    pool = None if http is None else http.connector
    return None if pool is None else min(filter(None, (pool.limit, pool.limit_per_host)), default=None)


def _merged(headers: Mapping[str, str]) -> dict[str, str]:
    given = {name.lower() for name in headers}
    return {**headers, **{name: value for name, value in HEADERS.items() if name.lower() not in given}}
