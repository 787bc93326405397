"""Settings of the next report, which the service keeps for each user, not for each server session."""

import re
from datetime import UTC, date, datetime, time, timedelta

import attrs

from aiorescue.emulator.clock import Calendar
from aiorescue.emulator.people import EmulatedUser
from aiorescue.emulator.rules.call import OK, ReceivedCall, Refusal, Result, Rules, handles, ok
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.rescue.report_options import ReportArea, ReportOutput, ReportType

_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAY_FIRST = "DD"
#: Largest offset of a time zone from UTC that is accepted, in minutes.
_FARTHEST_ZONE = 24 * 60
#: Areas that have a summary.
_SUMMARIES = (ReportArea.SESSION,)


@attrs.define
class UserReportSettings:
    """The report settings of one user.

    Attributes:
        begin: first day of the report; today at first.
        end: last day of the report; today at first.
        begin_time: time of day at which the first day begins.
        end_time: time of day at which the last day ends.
        area: what the report is about.
        type: all rows or a summary.
        timezone: minutes from UTC in which dates are set and shown.
        delimiter: text that closes each cell of a report in text.
        output: text or XML.
        date_format: order of day and month in dates on text pages; one that begins with DD puts the day first.
    """

    begin: date
    end: date
    begin_time: time = time(0, 0, 0)
    end_time: time = time(23, 59, 59)
    area: ReportArea = ReportArea.SESSION
    type: ReportType = ReportType.LISTALL
    timezone: int = 0
    delimiter: str = "|"
    output: ReportOutput = ReportOutput.TEXT
    date_format: str = "MMDDYY"

    def local(self, moment: datetime) -> datetime:
        """A date of UTC in the time zone that is set."""
        return moment + timedelta(minutes=self.timezone)

    def covers(self, moment: datetime) -> bool:
        """Whether a date of UTC lies within the days and times of the report."""
        local = self.local(moment).replace(microsecond=0)
        begin = datetime.combine(self.begin, self.begin_time, UTC)
        return begin <= local <= datetime.combine(self.end, self.end_time, UTC)


class ReportSettings(Rules):
    """The report settings of all users, and the operations that set and get them.

    Args:
        access: tells which user calls.
        calendar: the emulator's dates.
    """

    def __init__(self, access: Access, calendar: Calendar) -> None:
        self._access, self._calendar = access, calendar
        self._settings: dict[str, UserReportSettings] = {}

    def of(self, user: EmulatedUser) -> UserReportSettings:
        """The settings of a user."""
        found = self._settings.get(user.email)
        if found is None:
            today = self._calendar.now().date()
            found = self._settings[user.email] = UserReportSettings(today, today)
        return found

    def _own(self, call: ReceivedCall) -> UserReportSettings:
        return self.of(self._access.user(call))

    # --- area and type ----------------------------------------------------------------------------

    @handles("setReportArea", "setReportArea_v2", "setReportArea_v8")
    def set_area(self, call: ReceivedCall) -> Result:
        """Set the area, given by its number or over SOAP by its name."""
        settings, area = self._own(call), call.values["area"]
        if isinstance(area, str) and area in ReportArea.__members__:
            area = ReportArea[area]
        if area not in tuple(ReportArea):
            return Result("Error")
        settings.area = ReportArea(area)
        if settings.area not in _SUMMARIES:
            settings.type = ReportType.LISTALL
        return OK

    @handles("getReportArea", "getReportArea_v2", "getReportArea_v8")
    def get_area(self, call: ReceivedCall) -> Result:
        """Answer with the number of the area."""
        return ok(value=f"AREA:{self._own(call).area.value}")

    @handles("setReportType")
    def set_type(self, call: ReceivedCall) -> Result:
        """Set whether the report has all rows or is a summary, which only some areas have."""
        settings, wanted = self._own(call), call.values["type"]
        if wanted not in tuple(ReportType):
            return Result("Error")
        if wanted == ReportType.SUMMARY and settings.area not in _SUMMARIES:
            return Result("NotSupported")
        settings.type = ReportType(wanted)
        return OK

    @handles("getReportType")
    def get_type(self, call: ReceivedCall) -> Result:
        """Answer with the type, all rows or summary."""
        return ok(value=f"REPORTTYPE:{self._own(call).type}")

    # --- dates ------------------------------------------------------------------------------------

    @handles("setReportDate", "setReportDate_v2")
    def set_date(self, call: ReceivedCall) -> Result:
        """Set first and last day; in version 2 with times of day."""
        settings = self._own(call)
        begin, end = (_moment(settings, call.values[name]) for name in ("begin", "end"))
        if end < begin:
            return Result("InvalidDateRange")
        settings.begin, settings.end = begin.date(), end.date()
        if call.name.endswith("_v2"):
            settings.begin_time, settings.end_time = begin.time(), end.time()
        return OK

    @handles("getReportDate")
    def get_date(self, call: ReceivedCall) -> Result:
        """Answer with the first and the last day."""
        settings = self._own(call)
        return ok(value=f"BDATE:{_day(settings.begin)}\nEDATE:{_day(settings.end)}")

    @handles("setReportTime")
    def set_time(self, call: ReceivedCall) -> Result:
        """Set the times of day at which the first day begins and the last day ends."""
        settings = self._own(call)
        settings.begin_time, settings.end_time = (_time(call.values[name]) for name in ("begin", "end"))
        return OK

    @handles("getReportTime")
    def get_time(self, call: ReceivedCall) -> Result:
        """Answer with the times of day."""
        settings = self._own(call)
        return ok(value=f"BTIME:{settings.begin_time}\nETIME:{settings.end_time}")

    @handles("setTimeZone")
    def set_zone(self, call: ReceivedCall) -> Result:
        """Set the time zone, in minutes from UTC."""
        settings, minutes = self._own(call), call.values["timezone"]
        if minutes is None or abs(minutes) > _FARTHEST_ZONE:
            return Result("Error")
        settings.timezone = minutes
        return OK

    @handles("getTimeZone")
    def get_zone(self, call: ReceivedCall) -> Result:
        """Answer with the time zone, in minutes from UTC."""
        return ok(value=f"TIMEZONE:{self._own(call).timezone}")

    @handles("setDateFormat")
    def set_date_format(self, call: ReceivedCall) -> Result:
        """Set whether the day or the month comes first in dates."""
        settings, wanted = self._own(call), call.values["date_format"]
        if not wanted:
            return Result("Error")
        settings.date_format = wanted
        return OK

    # --- output -----------------------------------------------------------------------------------

    @handles("setDelimiter")
    def set_delimiter(self, call: ReceivedCall) -> Result:
        """Set the delimiter, which closes each cell of a report in text."""
        settings, wanted = self._own(call), call.values["delimiter"]
        if not wanted:
            return Result("Error")
        settings.delimiter = wanted
        return OK

    @handles("getDelimiter")
    def get_delimiter(self, call: ReceivedCall) -> Result:
        """Answer with the delimiter, which closes each cell of a report in text."""
        return ok(value=f"DELIMITER:{self._own(call).delimiter}")

    @handles("setOutput")
    def set_output(self, call: ReceivedCall) -> Result:
        """Set the output, XML or TEXT."""
        settings, wanted = self._own(call), call.values["output"].upper()
        if wanted not in tuple(ReportOutput):
            return Result("Error")
        settings.output = ReportOutput(wanted)
        return OK

    @handles("getOutput")
    def get_output(self, call: ReceivedCall) -> Result:
        """Answer with the output, XML or TEXT."""
        return ok(value=f"OUTPUT:{self._own(call).output}")


def _day(value: date) -> str:
    return f"{value.month}/{value.day}/{value.year}"


def _moment(settings: UserReportSettings, text: str) -> datetime:
    """Parse a day, with or without a time, in the form of text pages or of SOAP; raises Refusal("InvalidFormat")."""
    found = _DAY.fullmatch(text.strip())
    try:
        if found is None:
            return datetime.fromisoformat(text).replace(tzinfo=None)
        first, second, year, hour, minute, rest = (int(part or 0) for part in found.groups())
        month, day = (second, first) if settings.date_format.startswith(_DAY_FIRST) else (first, second)
        return datetime(year, month, day, hour, minute, rest)  # noqa: DTZ001 - in the time zone that is set
    except ValueError:
        raise Refusal("InvalidFormat") from None


def _time(text: str) -> time:
    found = _TIME.fullmatch(text.strip())
    try:
        if found is None:
            return time.fromisoformat(text)
        hour, minute, second = (int(part or 0) for part in found.groups())
        return time(hour, minute, second)
    except ValueError:
        raise Refusal("Error") from None
