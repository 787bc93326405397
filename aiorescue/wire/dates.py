"""Dates in the headers of responses, and the time until one of them by the clock of the server that wrote it."""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime


def seconds_until(header: str, date: str | None) -> float | None:
    """Seconds until the date of a header, negative if it is over; None if it cannot be read.

    Args:
        header: the value of the header, or of an attribute in it.
        date: the Date header of the same response, as the local clock may be wrong; None to go by the local clock.
    """
    moment = _moment(header)
    return None if moment is None else (moment - (_moment(date or "") or datetime.now(UTC))).total_seconds()


def _moment(text: str) -> datetime | None:
    try:
        # Python reads hyphens in a date, as in cookies of ASP.NET, only where a zone follows.
        moment = parsedate_to_datetime(re.sub(r"(?<=\w)-(?=\w)", " ", text, flags=re.ASCII))
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, LookupError, OverflowError):  # years, zones and fields of any size
        return None
