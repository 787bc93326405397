"""The order of day and month, and what a report shows: report settings of the account are changed and set back."""

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta
from typing import Any, Final

import attrs

from aiorescue import RescueClient, errors
from aiorescue.cli.check.live.answers import word_of
from aiorescue.cli.check.live.result import Check, Comparison
from aiorescue.cli.check.live.times import MONTHS
from aiorescue.cli.status import Status
from aiorescue.operation import Binding, Operation
from aiorescue.rescue import (
    GetDelimiter,
    GetOutput,
    GetReportArea,
    GetReportDate,
    GetReportTime,
    GetReportType,
    GetTimeZone,
    ReportArea,
    SetDelimiter,
    SetOutput,
    SetReportArea,
    SetReportDate,
    SetReportDateV2,
    SetReportTime,
    SetReportType,
    SetTimeZone,
)
from aiorescue.rescue.answers.values import moment

_STATE = (GetReportArea, GetReportType, GetReportDate, GetReportTime, GetTimeZone, GetDelimiter, GetOutput)
#: Days that can only be days: no month has such a number.
_FIRST, _LAST = date(2026, 1, 13), date(2026, 1, 28)
_DAYS: Final = timedelta(days=30)
_SET, _WRITTEN, _UNUSED, _BACK = (
    *("order of day and month in setReportDate", "order of day and month in reports"),
    *("an unused PIN in reports", "report settings set back"),
)


@attrs.define
class ReportSettingsCheck:
    """Sets up a report and gets it, between a look at the settings and setting them back.

    Attributes:
        client: makes the calls; it has one identity, and one server session if that is a login.
        node: the node that the report is about.
        tracking: the tracking field of a PIN that was issued and not used; empty if none was.
        trouble: the exit status that the service asks for, if the settings could not be set back.
    """

    client: RescueClient
    node: int
    tracking: str
    trouble: Status = Status.OK

    async def checks(self) -> AsyncIterator[Check]:
        """Make the calls, and yield a check for each question."""
        before: dict[type[Operation[Any]], Any] = {}
        try:
            for operation in _STATE:
                before[operation] = await self._call(operation())
        except errors.RescueError as problem:
            why = f"the present settings cannot be read, so that nothing was changed ({word_of(problem)})"
            for name in (_SET, _WRITTEN, _UNUSED):
                yield Check(name, Comparison.NOT_TRIED, why)
            return
        try:
            yield await self._order_set()
            for check in await self._report():
                yield check
        finally:
            back = await self._set_back(before)
        yield back

    async def _call(self, operation: Operation[Any]) -> Any:
        return await self.client.call(operation, binding=Binding.TEXT_POST)

    async def _order_set(self) -> Check:
        try:
            await self._call(SetReportDate(_FIRST, _LAST))
            days = [each.date() for each in await self._call(GetReportDate())]
        except errors.ProtocolError:
            return Check(_SET, Comparison.DIFFERS, "the days come back in another order")
        except errors.InvalidParameter as problem:
            return Check(_SET, Comparison.DIFFERS, f"the service refuses month first ({word_of(problem)})")
        except errors.RescueError as problem:
            return Check(_SET, Comparison.NOT_TRIED, word_of(problem))
        if days == [_FIRST, _LAST]:
            return Check(_SET, Comparison.AS_DECLARED, "month first, and so they come back")
        return Check(_SET, Comparison.DIFFERS, "other days come back than were set")

    async def _report(self) -> list[Check]:
        """What the sessions of the last month show."""
        today = datetime.now().astimezone().date()
        try:
            report = await self.client.report(
                ReportArea.SESSION, today - _DAYS, today + timedelta(days=1), node=self.node
            )
        except errors.RescueError as problem:
            return [
                Check(name, Comparison.NOT_TRIED, f"no report ({word_of(problem)})") for name in (_WRITTEN, _UNUSED)
            ]
        cells = [cell for row in report for cell in row.values()]
        checks = [_order_of(cells)]
        if not self.tracking:
            return [*checks, Check(_UNUSED, Comparison.NOT_TRIED, "no PIN was spent: --spend-pins")]
        if any(isinstance(cell, str) and self.tracking in cell for cell in cells):
            return [*checks, Check(_UNUSED, Comparison.DIFFERS, "it is a row of the SESSION report")]
        return [*checks, Check(_UNUSED, Comparison.AS_DECLARED, "it is in no row of the SESSION report")]

    async def _set_back(self, before: dict[type[Operation[Any]], Any]) -> Check:
        begin, end = before[GetReportDate]
        first, last = before[GetReportTime]
        area = before[GetReportArea]
        settings: list[Operation[Any]] = [
            *([SetReportArea(area)] if isinstance(area, ReportArea) else []),
            SetTimeZone(before[GetTimeZone]),
            SetReportDateV2(_joined(begin, first), _joined(end, last)),
            SetReportTime(first, last),
            SetReportType(before[GetReportType]),
            SetOutput(before[GetOutput]),
            SetDelimiter(before[GetDelimiter]),
        ]
        left = []
        for each in settings:
            try:
                await self._call(each)
            except errors.PreconditionFailed:
                continue  # an area without variants has no type to set
            except errors.RescueError as problem:
                left.append(f"{each.spec.name} ({word_of(problem)})")
        if left:
            self.trouble = Status.SERVICE
            return Check(_BACK, Comparison.NOT_TRIED, f"these could not be set back, look at them: {', '.join(left)}")
        return Check(_BACK, Comparison.AS_DECLARED, "area, type, days, times, zone, output and delimiter are as before")


def _joined(day: datetime, clock: time) -> datetime:
    """A moment of the report: its day with its time of day, where the day says no time of its own."""
    return day if day.time() != time() else datetime.combine(day.date(), clock)


def _order_of(cells: list[Any]) -> Check:
    """What the times in a report show of the order of day and month. One that was read is a `datetime`."""
    if any(isinstance(cell, str) and _is_day_first(cell) for cell in cells):
        return Check(_WRITTEN, Comparison.DIFFERS, "day first")
    if any(isinstance(cell, datetime) and cell.day > MONTHS for cell in cells):
        return Check(_WRITTEN, Comparison.AS_DECLARED, "month first")
    return Check(_WRITTEN, Comparison.NOT_TRIED, "no session of the last month began on a day above the 12th")


def _is_day_first(cell: str) -> bool:
    """Whether a text is a time whose first number can only be a day."""
    first, slash, rest = cell.strip().partition("/")
    if not (slash and first.isdigit() and MONTHS < int(first) <= 31):  # noqa: PLR2004 - days of a month
        return False
    second, slash, end = rest.partition("/")
    try:
        return bool(slash) and bool(moment(f"{second}/{first}/{end}"))
    except ValueError:
        return False
