"""Reports from the emulator's own history, chats and notes."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from aiorescue.emulator.rules.call import Call, RefusedError, Room, Said, answers
from aiorescue.emulator.rules.rescue import cases
from aiorescue.emulator.rules.rescue.cases import Case
from aiorescue.emulator.rules.rescue.report_settings import Settings
from aiorescue.emulator.rules.rescue.tables import as_text, as_xml
from aiorescue.rescue.answers.nodes import NodeType
from aiorescue.rescue.answers.report import ReportArea, ReportOutput, ReportType

if TYPE_CHECKING:
    from aiorescue.emulator.state import State

Row = Sequence[object]

_EXTERNAL = "EXTERNAL"
_TECHNICIANS = (NodeType.TECHNICIAN,)

_SESSION = (
    *("Start Time", "End Time", "Last Action Time", "Technician Name", "Technician ID", "Session ID", "Session Type"),
    *("Status", "Name", *(f"Custom field {i}" for i in range(1, 6)), "Tracking ID", "Customer IP", "Device ID"),
    *("Incident Tools Used", "Resolved Unresolved", "Channel ID", "Channel Name", "Calling Card", "Connecting Time"),
    *("Waiting Time", "Total Time", "Active Time", "Work Time", "Hold Time", "Time in Transfer", "Rebooting Time"),
    "Reconnecting Time",
)
_BRIEF = ("Start Time", "End Time", "Session ID", "Technician Name", "Technician ID", "Channel ID", "Channel Name")
_SURVEY = ("Source", "Session ID", "Date", "Name", "Technician Name", "Technician ID")
_TRANSFERS = ("Start Time", "Session ID", "Transferred By", "Transferred To", "Transferred Comment")
#: The columns of each area; those of the session area, the surveys and the performance were seen, others are made up
#: in the same form.
COLUMNS: Mapping[ReportArea, tuple[str, ...]] = {
    ReportArea.SESSION: _SESSION,
    ReportArea.CUSTOMER_SURVEY: _SURVEY,
    ReportArea.LOGIN: ("Start Time", "Technician Name", "Technician ID", "Technician Email"),
    ReportArea.MISSED_SESSIONS: (*_BRIEF, "Status", "Waiting Time"),
    ReportArea.PERFORMANCE: (
        *("Technician Name", "Technician ID", "Number of Sessions", "Total Login Time"),
        *("Average Pick-up Time", "Total Active Time", "Average Active Time", "Total Hold Time"),
    ),
    ReportArea.CHAT_LOG: (*_BRIEF, "Chatlog"),
    ReportArea.CUSTOM_FIELDS: (*_BRIEF, "Name", *(f"Custom field {i}" for i in range(1, 6))),
    ReportArea.TRANSFERRED_SESSIONS: _TRANSFERS,
    ReportArea.TECHNICIAN_SURVEY: _SURVEY,
    ReportArea.COLLABORATION_CHAT_LOG: (*_BRIEF, "Chatlog"),
    ReportArea.FAILED_SESSIONS: (*_BRIEF, "Status"),
    ReportArea.TRANSFERRED_SESSIONS_EXTENDED: (*_TRANSFERS, "Chatlog"),
}


def seconds(value: float) -> str:
    """A duration as HH:MM:SS."""
    minutes, rest = divmod(int(value), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


@attrs.frozen
class _Asked:
    """What a report is asked about."""

    settings: Settings
    cases: Sequence[Case]


class Reports(Room):
    """Reports, one at a time for each person."""

    def __init__(self, state: "State") -> None:
        super().__init__(state)
        self._last: dict[str, float] = {}
        self._areas: Mapping[ReportArea, Callable[[_Asked], Iterator[Row]]] = {
            ReportArea.SESSION: self._sessions,
            ReportArea.LOGIN: self._logins,
            ReportArea.MISSED_SESSIONS: self._missed,
            ReportArea.PERFORMANCE: self._performance,
            ReportArea.CHAT_LOG: self._chats,
            ReportArea.CUSTOM_FIELDS: self._fields,
            ReportArea.TRANSFERRED_SESSIONS: self._transfers,
            ReportArea.TRANSFERRED_SESSIONS_EXTENDED: self._transfers_with_chat,
        }

    @answers("getReport", "getReport_v2")
    def report(self, call: Call) -> Said:
        """The report that was set up; too early a call is an Error, as the service has no word for it."""
        user = self.state.access.caller(call)
        now = self.state.clock()
        if now - self._last.get(user.email, float("-inf")) < self.state.limits.report_interval:
            return Said("Error")
        settings = self.state.settings.of(user)
        asked = _Asked(settings, list(self._asked(call, settings)))
        self._last[user.email] = now
        area = settings.area
        if settings.type is ReportType.SUMMARY:
            area = ReportArea.PERFORMANCE
        rows = [[str(cell) for cell in row] for row in self._areas.get(area, _nothing)(asked)]
        if settings.output is ReportOutput.XML:
            return Said("OK", (as_xml(COLUMNS[area], rows),))
        return Said("OK", (as_text(COLUMNS[area], rows, settings.delimiter),))

    def _asked(self, call: Call, settings: Settings) -> Iterator[Case]:
        """The sessions that are over, began within the time, and belong to the node."""
        ref = call.values["node_ref"]
        if ref.startswith(_EXTERNAL):
            return
        try:
            found = list(self.state.cases.about(call.values["node"] or 0, channel=ref == "CHANNEL"))
        except RefusedError:
            raise RefusedError("Error") from None
        yield from (case for case in found if case.closed and settings.covers(self.state.when(case.started)))

    # --- areas ------------------------------------------------------------------------------------

    def _time(self, settings: Settings, clock: float) -> str:
        value = settings.local(self.state.when(clock))
        half = "PM" if value.hour >= 12 else "AM"  # noqa: PLR2004 - a clock
        return f"{value.month}/{value.day}/{value.year} {value.hour % 12 or 12}:{value:%M:%S} {half}"

    def _name(self, node: int) -> str:
        place = self.state.hierarchy.places.get(node)
        return place.name if place is not None else ""

    def _brief(self, asked: _Asked, case: Case) -> tuple[object, ...]:
        return (
            self._time(asked.settings, case.started),
            self._time(asked.settings, case.ended or case.started),
            case.id,
            self._name(case.technician),
            case.technician or "",
            case.channel or "",
            self._name(case.channel),
        )

    def _sessions(self, asked: _Asked) -> Iterator[Row]:
        for case in asked.cases:
            ended = case.ended or case.started
            active = case.time_in(cases.ACTIVE, ended)
            times = (self._time(asked.settings, clock) for clock in (case.started, ended, ended))
            durations = (
                *(0, case.time_in(cases.WAITING, ended), ended - case.started, active, active),
                *(case.time_in(cases.ON_HOLD, ended), case.time_in(cases.TRANSFERRING, ended), 0, 0),
            )
            yield (
                *(*times, self._name(case.technician), case.technician or "", case.id, "Applet", case.word),
                *(*case.fields, case.tracking, "", "", "RC" if case.picked else "", ""),
                *(case.channel, self._name(case.channel), "", *map(seconds, durations)),
            )

    def _logins(self, asked: _Asked) -> Iterator[Row]:
        for clock, user in self.state.access.history:
            if asked.settings.covers(self.state.when(clock)):
                node = self.state.hierarchy.node_of(user.email, *_TECHNICIANS)
                yield self._time(asked.settings, clock), user.shown, node or "", user.email

    def _missed(self, asked: _Asked) -> Iterator[Row]:
        for case in asked.cases:
            if case.picked is None:
                waited = seconds(case.time_in(cases.WAITING, case.ended or 0))
                yield (*self._brief(asked, case), case.word, waited)

    def _performance(self, asked: _Asked) -> Iterator[Row]:
        for node in sorted({case.technician for case in asked.cases if case.picked is not None}):
            own = [case for case in asked.cases if case.technician == node and case.picked is not None]
            active = sum(case.time_in(cases.ACTIVE, case.ended or 0) for case in own)
            pick_up = sum((case.picked or 0) - case.started for case in own)
            hold = sum(case.time_in(cases.ON_HOLD, case.ended or 0) for case in own)
            durations = (0, pick_up / len(own), active, active / len(own), hold)
            yield (self._name(node), node, len(own), *map(seconds, durations))

    def _chats(self, asked: _Asked) -> Iterator[Row]:
        for case in asked.cases:
            if case.chat:
                yield (*self._brief(asked, case), self._log(case))

    def _fields(self, asked: _Asked) -> Iterator[Row]:
        for case in asked.cases:
            yield (*self._brief(asked, case), *case.fields)

    def _transfers(self, asked: _Asked) -> Iterator[Row]:
        for case in asked.cases:
            for clock, by, to, comment in case.transfers:
                yield self._time(asked.settings, clock), case.id, by, to, comment

    def _transfers_with_chat(self, asked: _Asked) -> Iterator[Row]:
        logs = {case.id: self._log(case) for case in asked.cases}
        for row in self._transfers(asked):
            yield (*row, logs[int(str(row[1]))])

    # --- chats and notes --------------------------------------------------------------------------

    def _log(self, case: Case) -> str:
        def line(said: cases.Said) -> str:
            moment = self.state.when(said.time)
            half = "PM" if moment.hour >= 12 else "AM"  # noqa: PLR2004 - a clock
            return f"{moment.hour % 12 or 12}:{moment:%M} {half} {said.name}: {said.text}"

        return "\n".join(map(line, case.chat))

    @answers("getChat")
    def chat(self, call: Call) -> Said:
        """The log of a session, which may be empty; an unknown session is an Error, as was seen."""
        self.state.access.caller(call)
        case = self.state.cases.cases.get(call.values["session"])
        return Said("Error") if case is None else Said("OK", (self._log(case),))

    @answers("getNote")
    def note(self, call: Call) -> Said:
        """The technician's note on a session."""
        self.state.access.caller(call)
        if call.values["session"] is None:
            return Said("InvalidParam_Session")
        case = self.state.cases.cases.get(call.values["session"])
        return Said("Error") if case is None else Said("OK", (case.note,))


def _nothing(_: _Asked) -> Iterator[Row]:
    return iter(())
