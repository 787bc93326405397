"""What answers that were read anyway show of times: the order of day and month, and the zone."""

from datetime import UTC, datetime, timedelta
from typing import Final

from aiorescue import errors
from aiorescue.cli.check.live.answers import TriedCall
from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.rescue.answers.sessions import Session, SessionStatus

#: No month has a higher number.
MONTHS: Final = 12
#: What all zones are a multiple of, and how far a time may be from that.
_QUARTER, _NEAR = timedelta(minutes=15), timedelta(minutes=5)


def order_read(tried: TriedCall | None) -> Check:
    """What the days that are set at present show of the order of day and month, without changing them."""
    name = "order of day and month in getReportDate"
    if tried is None or (tried.problem is not None and not isinstance(tried.problem, errors.ProtocolError)):
        return Check(name, Comparison.NOT_TRIED, "getReportDate brought no days")
    if tried.problem is not None:
        return Check(name, Comparison.DIFFERS, "the days are not written month first")
    if any(each.day > MONTHS for each in tried.value):
        return Check(name, Comparison.AS_DECLARED, "month first")
    return Check(name, Comparison.NOT_TRIED, "the days that are set can be read either way: --change-report-settings")


def zone_read(tried: TriedCall | None) -> Check:
    """What the sessions that wait show of the zone of their times: each says when it began, and how long it waits."""
    name = "zone of times in getSession_V3"
    listed = tried.value if tried is not None and tried.problem is None else []
    now = datetime.now(UTC).replace(tzinfo=None)
    offsets = {_offset(each, now) for each in listed if _waits(each)}
    if len(offsets) != 1 or None in offsets:
        return Check(
            name, Comparison.NOT_TRIED, "no session waits whose times agree: let a customer wait, and try again"
        )
    minutes = int((offsets.pop() or timedelta()) / timedelta(minutes=1))
    if not minutes:
        return Check(name, Comparison.AS_DECLARED, "UTC")
    sign, hours, rest = "-" if minutes < 0 else "+", *divmod(abs(minutes), 60)
    return Check(name, Comparison.DIFFERS, f"UTC{sign}{hours:02}:{rest:02}, and not UTC as in the emulator")


def _waits(session: Session) -> bool:
    return session.status is SessionStatus.WAITING and not session.technician_id and session.started is not None


def _offset(session: Session, now: datetime) -> timedelta | None:
    """By how much the times of a session are ahead of UTC; None if that is no offset of a zone."""
    ahead = (session.started or now) + timedelta(seconds=session.waiting) - now
    quarters = round(ahead / _QUARTER)
    return quarters * _QUARTER if abs(ahead - quarters * _QUARTER) < _NEAR else None
