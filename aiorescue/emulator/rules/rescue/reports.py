"""Reports about closed support sessions and logins, and the chats and notes of support sessions."""

from collections.abc import Callable, Iterator, Mapping, Sequence

from aiorescue.emulator.clock import Calendar
from aiorescue.emulator.rules.call import Limits, ReceivedCall, Refusal, Result, Rules, handles, ok
from aiorescue.emulator.rules.rescue.access import Access
from aiorescue.emulator.rules.rescue.hierarchy import Hierarchy
from aiorescue.emulator.rules.rescue.report_settings import ReportSettings, UserReportSettings
from aiorescue.emulator.rules.rescue.sessions import Sessions
from aiorescue.emulator.rules.rescue.support_session import (
    ACTIVE,
    ON_HOLD,
    TRANSFERRING,
    WAITING,
    ChatLine,
    SupportSession,
)
from aiorescue.emulator.rules.rescue.tables import ReportTable
from aiorescue.operation import frozen
from aiorescue.rescue.answers.nodes import NodeType
from aiorescue.rescue.report_options import ReportArea, ReportOutput, ReportType

Row = Sequence[object]

_EXTERNAL = "EXTERNAL"

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
#: The columns of each area; those of sessions, surveys and performance were seen at the service, others are invented
#: in their style.
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


def _duration(seconds: float) -> str:
    """Write a number of seconds as HH:MM:SS."""
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60:02}:{minutes % 60:02}:{rest:02}"


@frozen
class _ReportSource:
    """What a report is made from.

    Attributes:
        settings: report settings of the user who calls.
        sessions: the closed support sessions of the node within the days of the report.
    """

    settings: UserReportSettings
    sessions: Sequence[SupportSession]


class Reports(Rules):
    """Reports, and the chats and notes of support sessions.

    Args:
        access: tells which user calls, and who logged in.
        hierarchy: names of technicians and channels.
        sessions: the support sessions.
        settings: the report settings.
        limits: interval between the reports of a user.
        calendar: the emulator's clock and dates.
    """

    def __init__(
        self,
        access: Access,
        hierarchy: Hierarchy,
        sessions: Sessions,
        settings: ReportSettings,
        *,
        limits: Limits,
        calendar: Calendar,
    ) -> None:
        self._access, self._hierarchy, self._support_sessions = access, hierarchy, sessions
        self._settings, self._limits, self._calendar = settings, limits, calendar
        self._last: dict[str, float] = {}
        self._areas: Mapping[ReportArea, Callable[[_ReportSource], Iterator[Row]]] = {
            ReportArea.SESSION: self._sessions,
            ReportArea.LOGIN: self._logins,
            ReportArea.MISSED_SESSIONS: self._missed,
            ReportArea.PERFORMANCE: self._performance,
            ReportArea.CHAT_LOG: self._chats,
            ReportArea.CUSTOM_FIELDS: self._fields,
            ReportArea.TRANSFERRED_SESSIONS: self._transfers,
            ReportArea.TRANSFERRED_SESSIONS_EXTENDED: self._transfers_with_chat,
        }

    @handles("getReport", "getReport_v2")
    def report(self, call: ReceivedCall) -> Result:
        """Answer with the report that was set up; a call too soon is an Error, as the service has no word for it."""
        user = self._access.user(call)
        now = self._calendar.clock()
        if now - self._last.get(user.email, float("-inf")) < self._limits.report_interval:
            return Result("Error")
        settings = self._settings.of(user)
        source = _ReportSource(settings, list(self._sessions_in(call, settings)))
        self._last[user.email] = now
        area = settings.area
        if settings.type is ReportType.SUMMARY:
            area = ReportArea.PERFORMANCE
        rows = [[str(cell) for cell in row] for row in self._areas.get(area, _nothing)(source)]
        as_xml = settings.output is ReportOutput.XML
        return ok(sReport=ReportTable(COLUMNS[area], rows, settings.delimiter, as_xml))

    def _sessions_in(self, call: ReceivedCall, settings: UserReportSettings) -> Iterator[SupportSession]:
        """The closed sessions of the node that began within the days and times of the report."""
        ref = call.values["node_ref"]
        if ref.startswith(_EXTERNAL):
            return
        try:
            found = list(self._support_sessions.about(call.values["node"] or 0, channel=ref == "CHANNEL"))
        except Refusal:
            raise Refusal("Error") from None
        yield from (
            session for session in found if session.closed and settings.covers(self._calendar.when(session.started))
        )

    # --- areas ------------------------------------------------------------------------------------

    def _time(self, settings: UserReportSettings, clock: float) -> str:
        value = settings.local(self._calendar.when(clock))
        half = "PM" if value.hour >= 12 else "AM"  # noqa: PLR2004 - a clock
        return f"{value.month}/{value.day}/{value.year} {value.hour % 12 or 12}:{value:%M:%S} {half}"

    def _brief(self, source: _ReportSource, session: SupportSession) -> tuple[object, ...]:
        return (
            self._time(source.settings, session.started),
            self._time(source.settings, session.ended or session.started),
            session.id,
            self._hierarchy.name_of(session.technician),
            session.technician or "",
            session.channel or "",
            self._hierarchy.name_of(session.channel),
        )

    def _sessions(self, source: _ReportSource) -> Iterator[Row]:
        for session in source.sessions:
            ended = session.ended or session.started
            active = session.time_in(ACTIVE, ended)
            times = (self._time(source.settings, clock) for clock in (session.started, ended, ended))
            durations = (
                *(0, session.time_in(WAITING, ended), ended - session.started, active, active),
                *(session.time_in(ON_HOLD, ended), session.time_in(TRANSFERRING, ended), 0, 0),
            )
            yield (
                *(
                    *times,
                    self._hierarchy.name_of(session.technician),
                    session.technician or "",
                    session.id,
                    "Applet",
                    session.word,
                ),
                *(*session.fields, session.tracking, "", "", "RC" if session.picked else "", ""),
                *(session.channel, self._hierarchy.name_of(session.channel), "", *map(_duration, durations)),
            )

    def _logins(self, source: _ReportSource) -> Iterator[Row]:
        for clock, user in self._access.history:
            if source.settings.covers(self._calendar.when(clock)):
                node = self._hierarchy.node_of(user.email, NodeType.TECHNICIAN)
                yield self._time(source.settings, clock), user.shown, node or "", user.email

    def _missed(self, source: _ReportSource) -> Iterator[Row]:
        for session in source.sessions:
            if session.picked is None:
                waited = _duration(session.time_in(WAITING, session.ended or 0))
                yield (*self._brief(source, session), session.word, waited)

    def _performance(self, source: _ReportSource) -> Iterator[Row]:
        for node in sorted({session.technician for session in source.sessions if session.picked is not None}):
            own = [session for session in source.sessions if session.technician == node and session.picked is not None]
            active = sum(session.time_in(ACTIVE, session.ended or 0) for session in own)
            pick_up = sum((session.picked or 0) - session.started for session in own)
            hold = sum(session.time_in(ON_HOLD, session.ended or 0) for session in own)
            durations = (0, pick_up / len(own), active, active / len(own), hold)
            yield (self._hierarchy.name_of(node), node, len(own), *map(_duration, durations))

    def _chats(self, source: _ReportSource) -> Iterator[Row]:
        for session in source.sessions:
            if session.chat:
                yield (*self._brief(source, session), self._log(session))

    def _fields(self, source: _ReportSource) -> Iterator[Row]:
        for session in source.sessions:
            yield (*self._brief(source, session), *session.fields)

    def _transfers(self, source: _ReportSource) -> Iterator[Row]:
        for session in source.sessions:
            for clock, by, to, comment in session.transfers:
                yield self._time(source.settings, clock), session.id, by, to, comment

    def _transfers_with_chat(self, source: _ReportSource) -> Iterator[Row]:
        logs = {session.id: self._log(session) for session in source.sessions}
        for row in self._transfers(source):
            yield (*row, logs[int(str(row[1]))])

    # --- chats and notes --------------------------------------------------------------------------

    def _log(self, session: SupportSession) -> str:
        def text_of(line: ChatLine) -> str:
            moment = self._calendar.when(line.time)
            half = "PM" if moment.hour >= 12 else "AM"  # noqa: PLR2004 - a clock
            return f"{moment.hour % 12 or 12}:{moment:%M} {half} {line.name}: {line.text}"

        return "\n".join(map(text_of, session.chat))

    @handles("getChat")
    def chat(self, call: ReceivedCall) -> Result:
        """Answer with the chat of a session, which may be empty; an unknown session is an Error, as was seen."""
        self._access.user(call)
        session = self._support_sessions.by_id.get(call.values["session"])
        return Result("Error") if session is None else ok(sChatLog=self._log(session))

    @handles("getNote")
    def note(self, call: ReceivedCall) -> Result:
        """Answer with the technician's note on a session."""
        self._access.user(call)
        if call.values["session"] is None:
            return Result("InvalidParam_Session")
        session = self._support_sessions.by_id.get(call.values["session"])
        return Result("Error") if session is None else ok(sNote=session.note)


def _nothing(_: _ReportSource) -> Iterator[Row]:
    return iter(())
