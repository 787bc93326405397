"""Report settings: operations that set what the next report shows. `report_state` has those that ask for it.

The service keeps the settings in the server session of a login. For an auth code it keeps them with the user, so that
other programs of that user may change them.
"""

import re
from datetime import date, datetime, time
from typing import Annotated, Any, TypeVar

import attrs

from aiorescue import errors
from aiorescue.operation import Effect, Operation, Parameter, operation
from aiorescue.rescue.report_options import ReportArea, ReportOutput, ReportType
from aiorescue.rescue.reports import REPORT
from aiorescue.rescue.service import SOAP11_SEEN, TEXT, TEXT_SEEN, declare, on_page

T = TypeVar("T", date, datetime, time)

#: Delimiters that are in nearly every cell, or end the lines.
_IN_CELLS = r"[\r\n]|\A[^\W_]\Z|\A[ :/.@-]\Z"
REPORT_DATE = f"{REPORT} InvalidFormat InvalidDateRange"


def _date(value: date | str) -> date:
    """A day from a date or a text in ISO 8601; raises `errors.InvalidRequest`."""
    return _read(date, value)


def _datetime(value: datetime | str) -> datetime:
    """A moment from a datetime or a text in ISO 8601; raises `errors.InvalidRequest`."""
    return _read(datetime, value)


def _time(value: time | str) -> time:
    """A time of day from a time or a text in ISO 8601; raises `errors.InvalidRequest`."""
    return _read(time, value)


def _read(wanted: type[T], value: T | str) -> T:
    if isinstance(value, wanted):
        return value
    if not isinstance(value, str):
        raise errors.InvalidRequest(f"a {wanted.__name__} is wanted, or its text, not {type(value).__name__}")
    try:
        return wanted.fromisoformat(value)
    except ValueError:
        raise errors.InvalidRequest(f"{value[:40]!r} is no {wanted.__name__} in ISO 8601") from None


def _day(value: date) -> str:
    """A day in the service's form, ``M/D/YYYY``."""
    return f"{value.month}/{value.day}/{value.year}"


def _moment(value: datetime) -> str:
    """A moment in XML's form, to the second, without a zone: the service reads it in the zone that is set."""
    return value.replace(tzinfo=None, microsecond=0).isoformat()


def _page_moment(text: str) -> str:
    """A moment in XML's form rewritten in the text page's form, ``M/D/YYYY H:MM:SS``."""
    value = datetime.fromisoformat(text)
    return f"{_day(value)} {value.hour}:{value.minute:02}:{value.second:02}"


def _clock(value: time) -> str:
    """A time of day in the service's form, ``HH:MM:SS``."""
    return value.strftime("%H:%M:%S")


def _delimiter(value: str) -> str:
    if not value:
        raise errors.InvalidRequest("setDelimiter: delimiter must not be empty")
    given: Any = value
    if isinstance(given, str) and re.search(_IN_CELLS, given):
        raise errors.InvalidRequest(
            f"setDelimiter: a table whose cells end with {value[:40]!r} cannot be read, as dates, numbers, addresses or"
            " lines hold it; take another sign, such as ';', or several"
        )
    return value


@operation
class SetReportArea(Operation[None]):
    """Set what the report is about. Vendor: ``setReportArea``.

    SOAP takes names, of which only ``SESSION`` was seen, so only the text page and its numbers are declared.
    """

    area: Annotated[ReportArea, on_page("area", int, choices=tuple(ReportArea)[:11])]
    """One of the first eleven areas."""

    spec = declare("setReportArea", TEXT, words=REPORT, effect=Effect.IDEMPOTENT)


@operation
class SetReportAreaV2(Operation[None]):
    """Set what the report is about. Vendor: ``setReportArea_v2``.

    The parameters of its text page are not known, so only SOAP is declared.
    """

    area: Annotated[str, Parameter("eReportArea")] = "SESSION"
    """The service's own name of the area; ``SESSION`` is the only one that was seen."""

    spec = declare(
        "setReportArea_v2",
        SOAP11_SEEN,  # the prefix is inferred; another one is taken off as well
        words=REPORT,
        effect=Effect.IDEMPOTENT,
    )


@operation
class SetReportAreaV8(Operation[None]):
    """Set what the report is about, with the areas of version 8. Vendor: ``setReportArea_v8``.

    Text page only; areas 0, 8 and 16 were seen in use.
    """

    area: Annotated[ReportArea, on_page("area", int, choices=tuple(ReportArea))]
    """Any area."""

    spec = declare("setReportArea_v8", TEXT_SEEN, words=REPORT, effect=Effect.IDEMPOTENT)


@operation
class SetReportType(Operation[None]):
    """Set how much the report shows. Text page only. Vendor: ``setReportType``.

    An area without that variant answers ``NOTSUPPORTED`` (`errors.PreconditionFailed`).
    """

    type: Annotated[ReportType, on_page("type", choices=tuple(ReportType))]
    """All rows, or a summary."""

    spec = declare("setReportType", TEXT_SEEN, words=REPORT, page_words="NotSupported", effect=Effect.IDEMPOTENT)


# Over SOAP no status word of the following operations was seen: their prefixes are inferred; another one is taken off
# as well.


@operation
class SetReportDate(Operation[None]):
    """Set the days of the report. Vendor: ``setReportDate``.

    Sent as ``M/D/YYYY``: the service reads it in another order after `SetDateFormat`.
    """

    begin: Annotated[date, Parameter("sBeginDate", "bdate", encode=_day)] = attrs.field(converter=_date)
    """First day."""
    end: Annotated[date, Parameter("sEndDate", "edate", encode=_day)] = attrs.field(converter=_date)
    """Last day."""

    spec = declare(
        "setReportDate",
        SOAP11_SEEN | TEXT,
        words=REPORT_DATE,  # over SOAP none was seen
        effect=Effect.IDEMPOTENT,
    )


@operation
class SetReportDateV2(Operation[None]):
    """Set begin and end of the report to the second. Vendor: ``setReportDate_v2``."""

    begin: Annotated[datetime, Parameter("dBeginDate", "bdate", encode=_moment, encode_on_page=_page_moment)] = (
        attrs.field(converter=_datetime)
    )
    """First moment, in the zone that is set; a zone of its own is ignored."""
    end: Annotated[datetime, Parameter("dEndDate", "edate", encode=_moment, encode_on_page=_page_moment)] = attrs.field(
        converter=_datetime
    )
    """Last moment, in the zone that is set; a zone of its own is ignored."""

    spec = declare(
        "setReportDate_v2",
        SOAP11_SEEN | TEXT_SEEN,
        words=REPORT_DATE,  # over SOAP none was seen
        effect=Effect.IDEMPOTENT,
    )


@operation
class SetReportTime(Operation[None]):
    """Set the time of day at which the report begins and ends. Vendor: ``setReportTime``."""

    begin: Annotated[time, Parameter("sBeginTime", "btime", encode=_clock)] = attrs.field(converter=_time)
    """First time."""
    end: Annotated[time, Parameter("sEndTime", "etime", encode=_clock)] = attrs.field(converter=_time)
    """Last time."""

    spec = declare("setReportTime", SOAP11_SEEN | TEXT, words=REPORT, effect=Effect.IDEMPOTENT)


@operation
class SetTimeZone(Operation[None]):
    """Set the zone of the report's times. Vendor: ``setTimeZone`` (``setTimezone.aspx``)."""

    timezone: Annotated[int, Parameter("sTimezone", "timezone", int)]
    """Minutes from UTC (``-240``), without daylight saving."""

    spec = declare(
        "setTimeZone", SOAP11_SEEN | TEXT, words=REPORT, page="/API/setTimezone.aspx", effect=Effect.IDEMPOTENT
    )


@operation
class SetDelimiter(Operation[None]):
    """Set what closes each cell of a report in TEXT. Vendor: ``setDelimiter``."""

    delimiter: Annotated[str, Parameter("sDelimiter", "delimiter")] = attrs.field(default="|", converter=_delimiter)
    """One character or more, of which cells hold none; the service begins with ``|``."""

    spec = declare("setDelimiter", SOAP11_SEEN | TEXT, words=REPORT, effect=Effect.IDEMPOTENT)


@operation
class SetOutput(Operation[None]):
    """Set how reports are written, and lists of sessions on text pages. Vendor: ``setOutput``.

    aiorescue reads XML and TEXT alike, but TEXT escapes nothing.
    """

    output: Annotated[ReportOutput, Parameter("eOutput", "output", choices=tuple(ReportOutput))]
    """XML or TEXT; the service begins with TEXT."""

    spec = declare("setOutput", SOAP11_SEEN | TEXT, words=REPORT, effect=Effect.IDEMPOTENT)


@operation
class SetDateFormat(Operation[None]):
    """Set the order of day and month in `SetReportDate`. Text page only. Vendor: ``setDateFormat``."""

    date_format: Annotated[str, on_page("dateformat")]
    """``MMDDYY`` or ``DDMMYY``: clients were seen to send these two."""

    spec = declare("setDateFormat", TEXT_SEEN, words=REPORT, effect=Effect.IDEMPOTENT)
