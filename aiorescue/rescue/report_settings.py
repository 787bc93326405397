"""What the next report shows: the settings, which the service keeps for the session or the person.

With a login they live in the server session; with an auth code they last, and other programs may change them.
How to ask for them is in `report_state`.
"""

from datetime import date, datetime, time
from typing import Annotated, TypeVar

import attrs

from aiorescue import errors
from aiorescue.operation import Effect, Operation, Parameter, operation
from aiorescue.rescue.answers.report import ReportArea, ReportOutput, ReportType
from aiorescue.rescue.service import SOAP11_SEEN, TEXT, TEXT_SEEN, declare, on_page

T = TypeVar("T", date, datetime, time)

WORDS = "OK Error NotLoggedIn Invalid_SecretAuthCode User_Deleted_Or_Disabled"
_DATE_WORDS = "InvalidFormat InvalidDateRange"


def _date(value: date | str) -> date:
    """A day, or its text in ISO 8601."""
    return _read(date, value)


def _datetime(value: datetime | str) -> datetime:
    """A moment, or its text in ISO 8601."""
    return _read(datetime, value)


def _time(value: time | str) -> time:
    """A time of day, or its text in ISO 8601."""
    return _read(time, value)


def _read(kind: type[T], value: T | str) -> T:
    if isinstance(value, kind):
        return value
    if not isinstance(value, str):
        raise errors.InvalidRequest(f"a {kind.__name__} is wanted, or its text, not {type(value).__name__}")
    try:
        return kind.fromisoformat(value)
    except ValueError:
        raise errors.InvalidRequest(f"{value[:40]!r} is no {kind.__name__} in ISO 8601") from None


def _day(value: date) -> str:
    """``M/D/YYYY``."""
    return f"{value.month}/{value.day}/{value.year}"


def _moment(value: datetime) -> str:
    """XML's form, to the second, without a zone: it counts in the zone that is set."""
    return value.replace(tzinfo=None, microsecond=0).isoformat()


def _page_moment(text: str) -> str:
    """The same as the text page writes it: ``M/D/YYYY H:MM:SS``."""
    value = datetime.fromisoformat(text)
    return f"{_day(value)} {value.hour}:{value.minute:02}:{value.second:02}"


def _clock(value: time) -> str:
    """``HH:MM:SS``."""
    return value.strftime("%H:%M:%S")


def _delimiter(value: str) -> str:
    if not value:
        raise errors.InvalidRequest("setDelimiter: delimiter must not be empty")
    return value


@operation
class SetReportArea(Operation[None]):
    """Set what the report is about. Vendor: ``setReportArea``.

    SOAP takes names, of which only ``SESSION`` was seen, so only the text page and its numbers are declared.

    Args:
        area: one of the first eleven areas.
    """

    area: Annotated[ReportArea, on_page("area", int, choices=tuple(ReportArea)[:11])]

    spec = declare("setReportArea", TEXT, words=WORDS, effect=Effect.IDEMPOTENT)


@operation
class SetReportAreaV2(Operation[None]):
    """Set what the report is about. Vendor: ``setReportArea_v2``.

    The parameters of its text page are not known, so only SOAP is declared.

    Args:
        area: the service's own name of the area; ``SESSION`` is the only one that was seen.
    """

    area: Annotated[str, Parameter("eReportArea")] = "SESSION"

    # The prefix is inferred; another one is taken off as well
    spec = declare("setReportArea_v2", SOAP11_SEEN, words=WORDS, effect=Effect.IDEMPOTENT)


@operation
class SetReportAreaV8(Operation[None]):
    """Set what the report is about, with the areas of version 8. Vendor: ``setReportArea_v8``.

    Text page only; areas 0, 8 and 16 were seen in use.

    Args:
        area: any area.
    """

    area: Annotated[ReportArea, on_page("area", int, choices=tuple(ReportArea))]

    spec = declare("setReportArea_v8", TEXT_SEEN, words=WORDS, effect=Effect.IDEMPOTENT)


@operation
class SetReportType(Operation[None]):
    """Set how much the report shows. Text page only. Vendor: ``setReportType``.

    An area without that variant answers ``NOTSUPPORTED`` (`errors.PreconditionFailed`).

    Args:
        type: all rows, or a summary.
    """

    type: Annotated[ReportType, on_page("type", choices=tuple(ReportType))]

    spec = declare("setReportType", TEXT_SEEN, words=WORDS, page_words="NotSupported", effect=Effect.IDEMPOTENT)


@operation
class SetReportDate(Operation[None]):
    """Set the days of the report. Vendor: ``setReportDate``.

    Sent as ``M/D/YYYY``: the service reads it in another order after `SetDateFormat`.

    Args:
        begin: first day.
        end: last day.
    """

    begin: Annotated[date, Parameter("sBeginDate", "bdate", encode=_day)] = attrs.field(converter=_date)
    end: Annotated[date, Parameter("sEndDate", "edate", encode=_day)] = attrs.field(converter=_date)

    # The prefix is inferred; another one is taken off as well
    spec = declare(
        "setReportDate",
        SOAP11_SEEN | TEXT,
        # over SOAP none was seen
        words=f"{WORDS} {_DATE_WORDS}",
        effect=Effect.IDEMPOTENT,
    )


@operation
class SetReportDateV2(Operation[None]):
    """Set begin and end of the report to the second. Vendor: ``setReportDate_v2``.

    Args:
        begin: first moment, in the zone that is set; a zone of its own is ignored.
        end: last moment.
    """

    begin: Annotated[datetime, Parameter("dBeginDate", "bdate", encode=_moment, encode_on_page=_page_moment)] = (
        attrs.field(converter=_datetime)
    )
    end: Annotated[datetime, Parameter("dEndDate", "edate", encode=_moment, encode_on_page=_page_moment)] = attrs.field(
        converter=_datetime
    )

    # The prefix is inferred; another one is taken off as well
    spec = declare(
        "setReportDate_v2",
        SOAP11_SEEN | TEXT_SEEN,
        # over SOAP none was seen
        words=f"{WORDS} {_DATE_WORDS}",
        effect=Effect.IDEMPOTENT,
    )


@operation
class SetReportTime(Operation[None]):
    """Set the time of day at which the report begins and ends. Vendor: ``setReportTime``.

    Args:
        begin: first time.
        end: last time.
    """

    begin: Annotated[time, Parameter("sBeginTime", "btime", encode=_clock)] = attrs.field(converter=_time)
    end: Annotated[time, Parameter("sEndTime", "etime", encode=_clock)] = attrs.field(converter=_time)

    # The prefix is inferred; another one is taken off as well
    spec = declare("setReportTime", SOAP11_SEEN | TEXT, words=WORDS, effect=Effect.IDEMPOTENT)


@operation
class SetTimeZone(Operation[None]):
    """Set the zone of the report's times. Vendor: ``setTimeZone`` (``setTimezone.aspx``).

    Args:
        timezone: minutes from UTC (``-240``); it knows no daylight saving.
    """

    timezone: Annotated[int, Parameter("sTimezone", "timezone", int)]

    # The prefix is inferred; another one is taken off as well
    spec = declare(
        "setTimeZone", SOAP11_SEEN | TEXT, page="/API/setTimezone.aspx", words=WORDS, effect=Effect.IDEMPOTENT
    )


@operation
class SetDelimiter(Operation[None]):
    """Set what closes each cell of a report in TEXT. Vendor: ``setDelimiter``.

    Args:
        delimiter: one character or more; the service begins with ``|``.
    """

    delimiter: Annotated[str, Parameter("sDelimiter", "delimiter")] = attrs.field(default="|", converter=_delimiter)

    # The prefix is inferred; another one is taken off as well
    spec = declare("setDelimiter", SOAP11_SEEN | TEXT, words=WORDS, effect=Effect.IDEMPOTENT)


@operation
class SetOutput(Operation[None]):
    """Set how reports are written, and lists of sessions on text pages. Vendor: ``setOutput``.

    Both forms are read here; TEXT escapes nothing.

    Args:
        output: XML or TEXT; the service begins with TEXT.
    """

    output: Annotated[ReportOutput, Parameter("eOutput", "output", choices=tuple(ReportOutput))]

    # The prefix is inferred; another one is taken off as well
    spec = declare("setOutput", SOAP11_SEEN | TEXT, words=WORDS, effect=Effect.IDEMPOTENT)


@operation
class SetDateFormat(Operation[None]):
    """Set the order of day and month in `SetReportDate`. Text page only. Vendor: ``setDateFormat``.

    Args:
        date_format: ``DDMMYY`` is the only value that was seen.
    """

    date_format: Annotated[str, on_page("dateformat")]

    spec = declare("setDateFormat", TEXT_SEEN, words=WORDS, effect=Effect.IDEMPOTENT)
