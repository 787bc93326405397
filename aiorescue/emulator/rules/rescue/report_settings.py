"""What the next report shows: settings that the service keeps for each person, whatever session they set them in."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING

import attrs

from aiorescue.emulator.people import User
from aiorescue.emulator.rules.call import OK, Call, RefusedError, Room, Said, answers
from aiorescue.rescue.answers.report import ReportArea, ReportOutput, ReportType

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

_DAY = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: (\d{1,2}):(\d{2})(?::(\d{2}))?)?")
_TIME = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?")
_DAY_FIRST = "DD"
_FARTHEST_ZONE = 24 * 60
#: Of the other areas there is no summary.
_SUMMARIES = (ReportArea.SESSION,)


@attrs.define
class Settings:
    """The settings of one person; the days are today's at first."""

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
        """A moment in the zone that is set."""
        return moment + timedelta(minutes=self.timezone)

    def covers(self, moment: datetime) -> bool:
        """Whether the report is about that moment."""
        local = self.local(moment).replace(microsecond=0)
        begin = datetime.combine(self.begin, self.begin_time, UTC)
        return begin <= local <= datetime.combine(self.end, self.end_time, UTC)


class ReportSettings(Room):
    """Everybody's settings."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self._settings: dict[str, Settings] = {}

    def of(self, user: User) -> Settings:
        """A person's own."""
        found = self._settings.get(user.email)
        if found is None:
            today = self.state.now().date()
            found = self._settings[user.email] = Settings(today, today)
        return found

    def _own(self, call: Call) -> Settings:
        return self.of(self.state.access.caller(call))

    # --- what it is about -------------------------------------------------------------------------

    @answers("setReportArea", "setReportArea_v2", "setReportArea_v8")
    def set_area(self, call: Call) -> Said:
        """An area, by its number or over SOAP by its name."""
        settings, area = self._own(call), call.values["area"]
        if isinstance(area, str) and area in ReportArea.__members__:
            area = ReportArea[area]
        if area not in tuple(ReportArea):
            return Said("Error")
        settings.area = ReportArea(area)
        if settings.area not in _SUMMARIES:
            settings.type = ReportType.LISTALL
        return OK

    @answers("getReportArea", "getReportArea_v2", "getReportArea_v8")
    def get_area(self, call: Call) -> Said:
        """Its number."""
        return Said("OK", (f"AREA:{self._own(call).area.value}",))

    @answers("setReportType")
    def set_type(self, call: Call) -> Said:
        """All rows, or for some areas a summary."""
        settings, wanted = self._own(call), call.values["type"]
        if wanted not in tuple(ReportType):
            return Said("Error")
        if wanted == ReportType.SUMMARY and settings.area not in _SUMMARIES:
            return Said("NotSupported")
        settings.type = ReportType(wanted)
        return OK

    @answers("getReportType")
    def get_type(self, call: Call) -> Said:
        """Which of the two."""
        return Said("OK", (f"REPORTTYPE:{self._own(call).type}",))

    # --- when -------------------------------------------------------------------------------------

    @answers("setReportDate", "setReportDate_v2")
    def set_date(self, call: Call) -> Said:
        """The days; in version 2 with the times of day."""
        settings = self._own(call)
        begin, end = (_moment(settings, call.values[name]) for name in ("begin", "end"))
        if end < begin:
            return Said("InvalidDateRange")
        settings.begin, settings.end = begin.date(), end.date()
        if call.operation.spec.name.endswith("_v2"):
            settings.begin_time, settings.end_time = begin.time(), end.time()
        return OK

    @answers("getReportDate")
    def get_date(self, call: Call) -> Said:
        """The days."""
        settings = self._own(call)
        return Said("OK", (f"BDATE:{_day(settings.begin)}\nEDATE:{_day(settings.end)}",))

    @answers("setReportTime")
    def set_time(self, call: Call) -> Said:
        """The times of day at which the first day begins and the last one ends."""
        settings = self._own(call)
        settings.begin_time, settings.end_time = (_time(call.values[name]) for name in ("begin", "end"))
        return OK

    @answers("getReportTime")
    def get_time(self, call: Call) -> Said:
        """The times of day."""
        settings = self._own(call)
        return Said("OK", (f"BTIME:{settings.begin_time}\nETIME:{settings.end_time}",))

    @answers("setTimeZone")
    def set_zone(self, call: Call) -> Said:
        """Minutes from UTC."""
        settings, minutes = self._own(call), call.values["timezone"]
        if minutes is None or abs(minutes) > _FARTHEST_ZONE:
            return Said("Error")
        settings.timezone = minutes
        return OK

    @answers("getTimeZone")
    def get_zone(self, call: Call) -> Said:
        """Minutes from UTC."""
        return Said("OK", (f"TIMEZONE:{self._own(call).timezone}",))

    @answers("setDateFormat")
    def set_date_format(self, call: Call) -> Said:
        """Whether the day or the month comes first."""
        settings, wanted = self._own(call), call.values["date_format"]
        if not wanted:
            return Said("Error")
        settings.date_format = wanted
        return OK

    # --- how --------------------------------------------------------------------------------------

    @answers("setDelimiter")
    def set_delimiter(self, call: Call) -> Said:
        """What closes a cell."""
        settings, wanted = self._own(call), call.values["delimiter"]
        if not wanted:
            return Said("Error")
        settings.delimiter = wanted
        return OK

    @answers("getDelimiter")
    def get_delimiter(self, call: Call) -> Said:
        """What closes a cell."""
        return Said("OK", (f"DELIMITER:{self._own(call).delimiter}",))

    @answers("setOutput")
    def set_output(self, call: Call) -> Said:
        """XML or TEXT."""
        settings, wanted = self._own(call), call.values["output"].upper()
        if wanted not in tuple(ReportOutput):
            return Said("Error")
        settings.output = ReportOutput(wanted)
        return OK

    @answers("getOutput")
    def get_output(self, call: Call) -> Said:
        """XML or TEXT."""
        return Said("OK", (f"OUTPUT:{self._own(call).output}",))


def _day(value: date) -> str:
    return f"{value.month}/{value.day}/{value.year}"


def _moment(settings: Settings, text: str) -> datetime:
    """A day or a moment as text pages and SOAP write it. Raises RefusedError."""
    found = _DAY.fullmatch(text.strip())
    try:
        if found is None:
            return datetime.fromisoformat(text).replace(tzinfo=None)
        first, second, year, hour, minute, rest = (int(part or 0) for part in found.groups())
        month, day = (second, first) if settings.date_format.startswith(_DAY_FIRST) else (first, second)
        return datetime(year, month, day, hour, minute, rest)  # noqa: DTZ001 - it counts in the zone that is set
    except ValueError:
        raise RefusedError("InvalidFormat") from None


def _time(text: str) -> time:
    found = _TIME.fullmatch(text.strip())
    try:
        if found is None:
            return time.fromisoformat(text)
        hour, minute, second = (int(part or 0) for part in found.groups())
        return time(hour, minute, second)
    except ValueError:
        raise RefusedError("Error") from None
