"""A report as one call: its settings and the report itself, all in one conversation on one server session."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime, time, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Any, ClassVar, TypeVar, Unpack

import attrs

from aiorescue import errors, wire
from aiorescue.call.conversation import Conversation
from aiorescue.operation import Binding, Operation, frozen, operation
from aiorescue.operation.number import is_whole
from aiorescue.rescue.answers.report import Report
from aiorescue.rescue.answers.report_stream import ReportRows, ReportStream
from aiorescue.rescue.report_options import ReportArea, ReportNodeRef, ReportOptions, ReportOutput, ReportType
from aiorescue.rescue.report_settings import (
    SetDateFormat,
    SetDelimiter,
    SetOutput,
    SetReportArea,
    SetReportAreaV8,
    SetReportDateV2,
    SetReportTime,
    SetReportType,
    SetTimeZone,
)
from aiorescue.rescue.reports import GetReportV2, ReportRequestV2

#: The binding of all steps of a report: a text page may be streamed, and a POST never leaves parameters in a URL.
BINDING = Binding.TEXT_POST

_SECOND = timedelta(seconds=1)
_LAST = time(23, 59, 59)
#: Minutes of a day: no zone is as far from UTC.
_DAY = 24 * 60

R = TypeVar("R")
E = TypeVar("E", bound=StrEnum)


@operation
class FetchReportV2(ReportRequestV2[Report]):
    """getReport_v2 whose answer is split by the delimiter that was set, for `RescueClient.report`."""

    #: What closes each cell of a report as text; None to find out from the header.
    delimiter: ClassVar[str | None] = None
    spec = GetReportV2.spec

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> Report:
        """The report, with all its rows."""
        return Report.parse(values["sReport"], cls.delimiter)


@operation
class StreamReportV2(ReportRequestV2[ReportRows]):
    """getReport_v2 with rows that are decoded when they are read; their reader must close them."""

    #: What closes each cell of a report as text; None to find out from the header.
    delimiter: ClassVar[str | None] = None
    spec = GetReportV2.spec

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> ReportRows:
        """The rows of the report, which are decoded when they are read."""
        return ReportRows(values["sReport"], cls.delimiter)


@lru_cache(maxsize=64)
def _split_by(operation: type[R], delimiter: str | None) -> type[R]:
    """The operation type whose answer is split by a delimiter: answers are understood by types, without values."""
    namespace = {"__slots__": (), "delimiter": delimiter, "__module__": operation.__module__}
    return type(operation.__name__, (operation,), namespace)


@frozen(kw_only=True)
class Wanted:
    """A report to get, by the arguments of `RescueClient.report`."""

    area: ReportArea
    begin: datetime
    end: datetime
    node: int
    node_ref: ReportNodeRef
    timezone: int = 0
    type: ReportType
    output: ReportOutput
    delimiter: str = "|"

    def __attrs_post_init__(self) -> None:
        if self.end < self.begin:
            raise errors.InvalidRequest("report: the end lies before the begin")

    @property
    def request(self) -> GetReportV2:
        """The operation that asks for the report, once it is set up."""
        return GetReportV2(self.node, self.node_ref)

    def settings(self) -> Iterator[Operation[None]]:
        """The operations that set up the report: every setting, because an earlier report may have left any value."""
        beyond = self.area > ReportArea.FAILED_SESSIONS
        # The order in which the dates below are written; an older client was seen to send this value.
        yield SetDateFormat("MMDDYY")
        yield SetReportAreaV8(self.area) if beyond else SetReportArea(self.area)
        yield SetTimeZone(self.timezone)
        yield SetReportDateV2(self.begin, self.end)
        yield SetReportTime(self.begin.time(), self.end.time())
        # Behind the dates: one client's notes say that the type may be reset with them.
        yield SetReportType(self.type)
        yield SetOutput(self.output)
        if self.output is ReportOutput.TEXT:
            yield SetDelimiter(self.delimiter)

    @property
    def closing(self) -> str | None:
        """What closes the cells of the answer; None where it comes as XML."""
        return self.delimiter if self.output is ReportOutput.TEXT else None

    def windows(self, window: timedelta) -> Iterator["Wanted"]:
        """Split the report into consecutive reports of at most the length of a window, without gap or overlap."""
        given: Any = window
        if not isinstance(given, timedelta) or window < _SECOND:
            raise errors.InvalidRequest(f"reports: window must be a timedelta of at least a second, not {given!r}")
        # In whole seconds, as the service takes them: with parts of a second the last one could be left out.
        length, begin = timedelta(seconds=window // _SECOND), self.begin
        while self.end - begin >= length:
            yield attrs.evolve(self, begin=begin, end=begin + length - _SECOND)
            begin += length
        yield attrs.evolve(self, begin=begin)


def wanted(area: ReportArea | str, begin: date, end: date, **options: Unpack[ReportOptions]) -> Wanted:
    """Check the arguments of `RescueClient.report`; raises `errors.InvalidRequest`."""
    offset = options.get("timezone", 0)
    if not is_whole(offset) or abs(offset) >= _DAY:
        raise errors.InvalidRequest(f"report: timezone must be whole minutes from UTC, such as -240, not {offset!r}")
    options["node_ref"] = _one_of(ReportNodeRef, "node_ref", options.get("node_ref", ReportNodeRef.NODE))
    options["type"] = _one_of(ReportType, "type", options.get("type", ReportType.LISTALL))
    options["output"] = _one_of(ReportOutput, "output", options.get("output", ReportOutput.XML))
    found = Wanted(area=area_of(area), begin=moment_of(begin, offset), end=moment_of(end, offset, last=True), **options)
    # The service keeps each setting, so that none is sent before all can be.
    steps: tuple[Operation[Any], ...] = (*found.settings(), found.request)
    for step in steps:
        wire.codec(type(step), BINDING).draft(step)
    return found


def _one_of(known: type[E], name: str, value: E | str) -> E:
    try:
        return known(value)
    except ValueError:
        raise errors.InvalidRequest(f"report: {name} must be one of {', '.join(known)}, not {value!r}") from None


def area_of(area: ReportArea | int | str) -> ReportArea:
    """A report area by its number or name; raises `errors.InvalidRequest`."""
    try:
        return ReportArea[area.upper()] if isinstance(area, str) else ReportArea(area)
    except (KeyError, ValueError):
        known = ", ".join(one.name for one in ReportArea)
        raise errors.InvalidRequest(f"report: no area {area!r}; there are {known}") from None


def moment_of(value: date, offset: int, *, last: bool = False) -> datetime:
    """A moment in the report's zone.

    Args:
        value: a moment, or a day, which begins at midnight and ends at its last second.
        offset: the report's zone, in minutes from UTC.
        last: True for the end of the report.

    Raises:
        errors.InvalidRequest: the value is neither a moment nor a day, or lies outside of the calendar in that zone.
    """
    if not isinstance(value, date):
        raise errors.InvalidRequest(f"report: begin and end must be a date or a datetime, not {type(value).__name__}")
    if not isinstance(value, datetime):
        return datetime.combine(value, _LAST if last else time())
    try:
        if value.tzinfo is not None:
            value = value.astimezone(timezone(timedelta(minutes=offset)))
        return datetime(value.year, value.month, value.day, value.hour, value.minute, value.second)  # noqa: DTZ001 - see above
    except (OverflowError, TypeError, ValueError):  # the last two for `pandas.NaT`
        raise errors.InvalidRequest(f"report: {value} lies outside of the calendar in the report's zone") from None


async def get(calls: Conversation, wanted: Wanted) -> Report:
    """Set up a report and get it, with all its rows."""
    await _set(calls, wanted)
    operation: Operation[Report] = _split_by(FetchReportV2, wanted.closing)(wanted.node, wanted.node_ref)
    report = await calls.call(operation, binding=BINDING)
    return attrs.evolve(report, begin=wanted.begin, end=wanted.end)


async def stream(calls: Conversation, wanted: Wanted) -> ReportStream:
    """Set up a report and open it, to be read row by row. The stream must be closed after its last row."""
    await _set(calls, wanted)
    operation: Operation[ReportRows] = _split_by(StreamReportV2, wanted.closing)(wanted.node, wanted.node_ref)
    rows = await calls.call(operation, binding=BINDING)
    return ReportStream(rows, wanted.begin, wanted.end)


async def _set(calls: Conversation, wanted: Wanted) -> None:
    for setting in wanted.settings():
        try:
            await calls.call(setting, binding=BINDING)
        except errors.PreconditionFailed:
            # NOTSUPPORTED: the area has only one variant, so there is no type to set.
            if not isinstance(setting, SetReportType):
                raise
