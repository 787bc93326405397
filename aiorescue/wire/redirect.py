"""Where a redirect leads, and whether it says that the request was not carried out.

ASP.NET answers a request without a login with a redirect to the login page, before it begins; and, with
``<customErrors mode="On">``, an exception in the middle of the work with one to the site's error page.
"""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, urlsplit

from aiorescue.operation import Spec

#: Statuses that move a request to another address of the same thing; a page that has done its work answers 302 or 303.
_MOVED = frozenset({301, 307, 308})
#: How ASP.NET's ``FormsAuthentication`` and its relatives lead to a login, which then leads back.
_LOGIN_PATH, _LOGIN_QUERY = re.compile(r"(?i)log-?[io]n|sign-?in"), re.compile(r"(?i)(?:^|&)returnurl=")
#: How ASP.NET names the page of an exception to the error page.
_ERROR_QUERY = re.compile(r"(?i)(?:^|&)aspxerrorpath=")
_LONGEST_SHOWN = 160


def is_not_carried_out(spec: Spec, status: int, headers: Mapping[str, str]) -> bool:
    """Whether a redirect was certainly made before the request was begun: to a login, or to its own path elsewhere.

    Args:
        spec: declaration of the operation that was called.
        status: HTTP status of the answer.
        headers: headers of the answer.
    """
    to = _parse(headers)
    if to is None or _ERROR_QUERY.search(to.query):
        return False
    if _LOGIN_PATH.search(to.path) or _LOGIN_QUERY.search(to.query):
        return True
    asmx = spec.service.asmx
    paths = (asmx, f"{asmx}/{spec.name}", spec.page or asmx)
    return status in _MOVED and to.path.lower().endswith(tuple(path.lower() for path in paths))


def shown(headers: Mapping[str, str]) -> str:
    """The address of a redirect, for a message: without its user and its query, which may hold secrets."""
    to = _parse(headers)
    if to is None:
        return ""
    address = to._replace(netloc=to.netloc.rpartition("@")[2], query="", fragment="").geturl()
    return address[:_LONGEST_SHOWN] if address.isprintable() else ""


def _parse(headers: Mapping[str, str]) -> SplitResult | None:
    """The address of a redirect; None if the header is missing or holds no URL."""
    try:
        return urlsplit(headers["Location"])
    except (KeyError, ValueError):
        return None
