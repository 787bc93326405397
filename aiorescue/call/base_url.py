"""The check of a base URL, what a client may send credentials to, and the route to its host."""

import base64
import ipaddress
import re
import unicodedata
import urllib.request
from collections.abc import Mapping
from ssl import SSLContext
from types import MappingProxyType
from typing import Any

import attrs
from yarl import URL

from aiorescue import errors
from aiorescue.operation import frozen

#: Control characters as a URL can hold them: escaped.
_ESCAPED_CONTROL = re.compile(r"%(?:[01][0-9a-f]|7f)", re.IGNORECASE)
#: A host name as resolvers take it, after IDNA; addresses are checked by `ipaddress`.
_HOST = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(?:\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?", re.IGNORECASE)
_LONGEST_SHOWN = 80
#: Ends of paths that the client adds itself.
_PAGES = (".asmx", ".aspx")

#: Headers of every request. Nothing is compressed: the service ignores the request for it, and the length of an answer
#: would not limit its size.
HEADERS = MappingProxyType({"User-Agent": "aiorescue", "Accept-Encoding": "identity"})


def check_base_url(base_url: str, *, allow_plain_http: bool) -> str:
    """Check a base URL, and return it without its closing slash.

    Raises:
        errors.InvalidRequest: credentials must not be sent to that URL.
    """
    url = _parse("base_url", base_url, ("https", "http"))
    if url.user is not None or url.password is not None or url.raw_query_string or url.raw_fragment:
        raise errors.InvalidRequest("base_url must hold no user, password, query or fragment; pass credentials apart")
    if url.path.rstrip("/").lower().endswith(_PAGES):
        raise errors.InvalidRequest("base_url is the address of the service without the path of a page: https://host")
    if url.scheme == "http" and not allow_plain_http and not _is_loopback(url.host or ""):
        raise errors.InvalidRequest(
            f"base_url is http://{url.host}, which would send credentials unencrypted;"
            " use https:// (in Python, allow_plain_http=True takes it all the same)"
        )
    return str(url).rstrip("/")


def check_proxy(proxy: str) -> URL:
    """Parse the URL of a proxy, with the user and the password that it may have.

    Raises:
        errors.InvalidRequest: the text is no URL of an HTTP proxy.
    """
    url = _parse("proxy", proxy, ("http", "https"))
    if url.raw_query_string or url.raw_fragment or url.path not in ("", "/"):
        raise errors.InvalidRequest("proxy must be like http://user:password@host:port, without a path or query")
    return url


def _parse(name: str, given: Any, schemes: tuple[str, ...]) -> URL:
    """Parse the URL given for an argument; messages show nothing of it that may be a password."""
    like = f"{schemes[0]}://host"
    if not isinstance(given, str):
        raise errors.InvalidRequest(f"{name} must be text like {like}, not {type(given).__name__}")
    shown = given.rpartition("@")[2][:_LONGEST_SHOWN]
    unwanted = next((one for one in given if one.isspace() or unicodedata.category(one).startswith("C")), None)
    escaped = _ESCAPED_CONTROL.search(given)
    if unwanted is not None or escaped is not None:
        what = escaped[0] if unwanted is None and escaped else f"{unwanted!r}"
        raise errors.InvalidRequest(f"{name} must hold no spaces and no control characters, and has {what}: {shown!r}")
    try:
        url = URL(given)
        host, port = url.raw_host, url.port
    except ValueError:
        host = port = None
    if not host or not port or url.scheme not in schemes or not _is_host(host):
        raise errors.InvalidRequest(f"{name} must be like {like}, not {shown!r}")
    return url


def _is_host(host: str) -> bool:
    return _HOST.fullmatch(host) is not None or _address(host) is not None


def _is_loopback(host: str) -> bool:
    """Whether a host is this machine for certain: other names below ``.localhost`` are for resolvers to decide."""
    address = _address(host)
    return host == "localhost" or (address is not None and address.is_loopback)


def _address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


@frozen
class Route:
    """How the host is reached.

    Attributes:
        host: name or address of the host, with its port if that is not the usual one.
        ssl: the certificates that are trusted and shown; None for the system's.
        proxy: the proxy to go through; None for none.
        authorization: headers with the user and the password that the proxy wants.
        tunnels: True if the proxy is asked for a tunnel (CONNECT), and only that request has those headers.
    """

    host: str
    ssl: SSLContext | None = None
    proxy: URL | None = None
    authorization: Mapping[str, str] = attrs.field(factory=dict, repr=False)
    tunnels: bool = True

    def headers(self) -> dict[str, str]:
        """Headers of every request, also those for a proxy, which aiohttp 3.12 leaves out on kept connections."""
        return {"Host": self.host, "Accept": "*/*", **HEADERS, **({} if self.tunnels else self.authorization)}

    def proxy_headers(self) -> Mapping[str, str] | None:
        """Headers of the CONNECT request that asks the proxy for a tunnel; None without a tunnel."""
        return self.authorization if self.tunnels and self.authorization else None


def _by_proxy(direct: Route, proxy: str, base_url: str) -> Route:
    """The route through a proxy in place of a direct one."""
    url, authorization = check_proxy(proxy), {}
    if url.user is not None or url.password is not None:
        pair = f"{url.user or ''}:{url.password or ''}".encode()
        authorization["Proxy-Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    tunnels = base_url.startswith("https:")
    return attrs.evolve(direct, proxy=url.with_user(None), authorization=authorization, tunnels=tunnels)


def find_route(base_url: str, *, ssl: SSLContext | None, proxy: str | None, trust_env: bool, lent: bool) -> Route:
    """The route to a host.

    Args:
        base_url: checked by `check_base_url`.
        ssl: the certificates that are trusted and shown; None for the system's.
        proxy: URL of the proxy; None for none, or for the one that the environment names.
        trust_env: whether ``https_proxy``, ``http_proxy``, ``all_proxy`` and ``no_proxy`` of the environment count.
        lent: whether the program lends a session, which has a route of its own.

    Raises:
        errors.InvalidRequest: an argument cannot be used.
    """
    if ssl is not None and not isinstance(ssl, SSLContext):
        raise errors.InvalidRequest(f"ssl must be an ssl.SSLContext, not {type(ssl).__name__}")
    if lent and (ssl is not None or proxy is not None or trust_env):
        raise errors.InvalidRequest("the session given as http= goes its own way: set ssl, proxy and trust_env there")
    url = URL(base_url)
    direct = Route(url.host_port_subcomponent or "", ssl)
    if proxy is not None:
        return _by_proxy(direct, proxy, base_url)
    if trust_env:
        found = urllib.request.getproxies()
        proxy = found.get(url.scheme) or found.get("all")
        if proxy and not urllib.request.proxy_bypass(url.host or ""):
            return _by_proxy(direct, proxy if "://" in proxy else f"http://{proxy}", base_url)
    return direct
