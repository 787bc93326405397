"""A look at the books of `HostPace` from outside: what the processes of this machine have learned of a limit."""

import sys
import time
from pathlib import Path

from aiorescue.operation import Family, frozen
from aiorescue.pace.limit import UNKNOWN, Limit
from aiorescue.pace.pace import PacedAccount
from aiorescue.pace.shared.host_state import FORMAT, LARGEST, read
from aiorescue.pace.shared.pacers import digest_of
from aiorescue.pace.shared.packed import unpack

#: Seconds after which what was learned of a limit is not reported any more.
_YOUNG = 3600.0
_MINUTE = 60.0


@frozen
class SharedRate:
    """A pace that processes of this machine share.

    Attributes:
        rate: calls per second that they keep at present.
        processes: processes that have called within the last minute.
    """

    rate: float
    processes: int


def look(account: PacedAccount, service: str, family: Family, *, directory: Path | None = None) -> SharedRate | None:
    """Read the pace that processes share, without taking part in it. Blocks.

    Args:
        account: the account that they call as.
        service: base URL of the service.
        family: the rate family.
        directory: folder of the books; None for that of the present user.

    Returns:
        The pace that was used last; None if none was within the last hour, and on Windows.
    """
    if sys.platform == "win32":
        return None
    from aiorescue.pace.shared.host_books import users_folder  # noqa: PLC0415 - cannot be imported on Windows

    folder, now = directory or users_folder(), time.monotonic()
    latest: tuple[float, SharedRate] | None = None
    for path in folder.glob(f"{digest_of(account, service)}-{family.value}-*.slots{FORMAT}.json"):
        try:
            with path.open("rb") as file:
                books = read(file.read(LARGEST))
        except OSError:
            continue
        moments = [moment for _, moment in books.slots]
        limit = unpack(books.limit, Limit(gap=UNKNOWN))
        if not moments or limit is None or not limit.gap or not now - _YOUNG < max(moments) < now + _YOUNG:
            continue
        found = SharedRate(1 / limit.gap, sum(moment > now - _MINUTE for moment in moments))
        if latest is None or max(moments) > latest[0]:
            latest = max(moments), found
    return None if latest is None else latest[1]
