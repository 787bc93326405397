"""Report state: operations that ask what is set for the next report. `report_settings` has those that set it.

Of these pages little more than the address was seen: that they take an auth code, and how they write the value, is
inferred from the operations of `report_settings`. A value that cannot be read is an error that quotes it.
"""

import re
from collections.abc import Mapping
from datetime import datetime, time
from typing import Any

from aiorescue.operation import Binding, Evidence, Operation, Output, PageLayout, Spec, operation
from aiorescue.rescue.answers.values import hour_of, moment
from aiorescue.rescue.report_options import ReportArea, ReportOutput, ReportType
from aiorescue.rescue.reports import REPORT
from aiorescue.rescue.service import TEXT, TEXT_INFERRED, TEXT_SEEN, declare
from aiorescue.wire.numbers import LONGEST, whole_number

_TIME = r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?(?:[ ]?([AP])M)?"
_MOMENT = rf"([0-9]{{1,2}}/[0-9]{{1,2}}/[0-9]{{4}})(?:[ ]{_TIME})?"
#: What else may stand around two moments: a word, with a colon if it is a key. ``p.m.`` may belong to one of them.
_WORD = r"(?![ap]m\b)[a-z_]{2,}:?"
_PAIR = 2
#: How the key of the later one of two values begins.
_END = r"\be(?:nd|date|time)"
_NAME = r"^\s*[A-Za-z_]+:"
_KEY = rf"{_NAME}[ \t]*"


def _declare(name: str, bindings: Mapping[Binding, Evidence], page: str = "") -> Spec:
    """Declare a text page that answers with one setting below its OK."""
    return declare(name, bindings, Output("value"), words=REPORT, page=page, page_layout=PageLayout.VALUE)


def _text(values: Mapping[str, Any]) -> str:
    """The text below the OK; raises ValueError for one that is too long for any of these values."""
    text: str = values["value"]
    if len(text) > LONGEST:
        raise _unreadable("value of a setting", values)
    return text


def _value(values: Mapping[str, Any]) -> str:
    """The text below the OK, without the key that may stand before it. Raises ValueError as `_text`."""
    body = _text(values)
    key = re.match(_KEY, body)
    return body[key.end() :] if key else body


def _unreadable(what: str, values: Mapping[str, Any]) -> ValueError:
    return ValueError(f"the answer is OK but holds no {what}: {values['value'][:80]!r}")


def _pair(pattern: str, what: str, values: Mapping[str, Any]) -> tuple[re.Match[str], re.Match[str]]:
    """The two places of a text where a pattern is found, begin and end, in the order of their keys if it has such.

    Raises ValueError where anything else could be a value.
    """
    text = _text(values)
    found = list(re.finditer(pattern, text, re.IGNORECASE))
    around = re.split(r"[\s,;|\u2013-]+", re.sub(pattern, " ", text, flags=re.IGNORECASE))
    known = all(re.fullmatch(_WORD, word, re.IGNORECASE | re.ASCII) for word in around if word)
    if len(found) != _PAIR or not known:
        raise _unreadable(what, values)
    first, second = found
    before, between = text[: first.start()], text[first.end() : second.start()]
    is_reversed = re.search(_END, before, re.IGNORECASE) and not re.search(_END, between, re.IGNORECASE)
    return (second, first) if is_reversed else (first, second)


# --- what the report is about ---------------------------------------------------------------------


def _area(values: Mapping[str, Any]) -> ReportArea | str:
    """The area, or the service's own name of an area without a known number."""
    text = _value(values).strip()
    if not text:
        raise _unreadable("report area", values)
    try:
        return ReportArea(whole_number(text))
    except ValueError:
        named = text.upper().replace(" ", "_")
        return ReportArea[named] if named in ReportArea.__members__ else text


@operation
class GetReportArea(Operation[ReportArea | str]):
    """What the report is about. Text page only. Vendor: ``getReportArea``.

    Returns:
        The area; a name that is not known is kept as it came.
    """

    spec = _declare("getReportArea", TEXT)
    result = staticmethod(_area)


@operation
class GetReportAreaV2(Operation[ReportArea | str]):
    """What the report is about. Text page only. Vendor: ``getReportArea_v2``.

    Returns:
        The area; a name that is not known is kept as it came.
    """

    spec = _declare("getReportArea_v2", TEXT_INFERRED)
    result = staticmethod(_area)


@operation
class GetReportAreaV8(Operation[ReportArea | str]):
    """What the report is about. Text page only. Vendor: ``getReportArea_v8``.

    Returns:
        The area; a name that is not known is kept as it came.
    """

    spec = _declare("getReportArea_v8", TEXT_INFERRED)
    result = staticmethod(_area)


@operation
class GetReportType(Operation[ReportType]):
    """How much the report shows. Text page only. Vendor: ``getReportType``.

    Returns:
        All rows, or a summary.
    """

    spec = _declare("getReportType", TEXT_SEEN)

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> ReportType:
        """The report type by its name, in any case."""
        text = _value(values).strip().upper()
        if text not in tuple(ReportType):
            raise _unreadable("report type", values)
        return ReportType(text)


# --- its time -------------------------------------------------------------------------------------


@operation
class GetReportDate(Operation[tuple[datetime, datetime]]):
    """The days of the report. Text page only. Vendor: ``getReportDate``.

    Returns:
        Begin and end, without a zone: they are in the one that is set.
    """

    spec = _declare("getReportDate", TEXT)

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> tuple[datetime, datetime]:
        """The two moments in the text."""
        first, second = _pair(_MOMENT, "two dates", values)
        return moment(first[0]), moment(second[0])


@operation
class GetReportTime(Operation[tuple[time, time]]):
    """The time of day at which the report begins and ends. Text page only. Vendor: ``getReportTime``.

    Returns:
        Begin and end.
    """

    spec = _declare("getReportTime", TEXT)

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> tuple[time, time]:
        """The two times of day in the text."""
        first, second = _pair(_TIME, "two times", values)
        return _time(first), _time(second)


def _time(found: re.Match[str]) -> time:
    hour, minute, second = (int(part or 0) for part in found.groups()[:3])
    return time(hour_of(hour, found[4]), minute, second)


@operation
class GetTimeZone(Operation[int]):
    """The zone of the report's times. Text page only. Vendor: ``getTimeZone``.

    Returns:
        Minutes from UTC.
    """

    spec = _declare("getTimeZone", TEXT, page="/API/getTimezone.aspx")

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> int:
        """The number in the text."""
        text = _value(values).strip()
        if re.fullmatch(r"[+-]?[0-9]{1,4}", text) is None:
            raise _unreadable("offset in minutes", values)
        return int(text)


# --- how it is written ----------------------------------------------------------------------------


@operation
class GetDelimiter(Operation[str]):
    """What closes each cell of a report in TEXT. Text page only. Vendor: ``getDelimiter``.

    Returns:
        The delimiter.
    """

    spec = _declare("getDelimiter", TEXT)

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> str:
        """The text without its key; only blanks around it are taken off, because a delimiter may be a tab."""
        delimiter = re.sub(_NAME, "", _text(values), count=1).strip(" ")
        if not delimiter:
            raise _unreadable("delimiter", values)
        return delimiter


@operation
class GetOutput(Operation[ReportOutput]):
    """How reports are written. Text page only. Vendor: ``getOutput``.

    Returns:
        XML or TEXT.
    """

    spec = _declare("getOutput", TEXT)

    @classmethod
    def result(cls, values: Mapping[str, Any]) -> ReportOutput:
        """The output format by its name, in any case."""
        text = _value(values).strip().upper()
        if text not in tuple(ReportOutput):
            raise _unreadable("output form", values)
        return ReportOutput(text)
