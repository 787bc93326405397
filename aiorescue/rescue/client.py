"""`RescueClient`: the operations of LogMeIn Rescue as coroutine methods, and reports in one call."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from functools import partial
from ssl import SSLContext
from typing import TYPE_CHECKING, Any, Final, TypeVar, Unpack

import attrs

from aiorescue import errors
from aiorescue.call.arguments import another_login
from aiorescue.call.awaits import awaits, topics
from aiorescue.call.client import ServiceClient
from aiorescue.call.conversation import Conversation
from aiorescue.call.options import MAX_CONNECTIONS, TIMEOUT
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.transport import ClientSession
from aiorescue.clock import Clock
from aiorescue.identity.credentials import AuthCode, Login, several
from aiorescue.identity.identity import AnonymousIdentity, CodeIdentity, Identity
from aiorescue.identity.login import LoginIdentity
from aiorescue.identity.standing import REFUSED_FOR, Standing, checked_refused_for
from aiorescue.operation import Binding, Family, Operation, discreet
from aiorescue.operation.number import check_count
from aiorescue.pace.pace import Pace, PaceSetting
from aiorescue.rescue.answers.raw import Raw
from aiorescue.rescue.answers.report import Report
from aiorescue.rescue.answers.report_stream import ReportStream
from aiorescue.rescue.report_options import ReportArea, ReportNodeRef, ReportOptions, ReportOutput, ReportType
from aiorescue.rescue.report_turns import ReportTurns

if TYPE_CHECKING:
    from aiorescue.events import Listener
    from aiorescue.rescue import (
        authentication,
        groups,
        hierarchy,
        invitations,
        pins,
        raw,
        report_request,
        report_settings,
        report_state,
        reports,
        sessions,
        users,
    )
else:  # imported when they are first used: a program needs few of them, and all take a third of the import's time
    authentication, groups, hierarchy = topics("aiorescue.rescue", "authentication", "groups", "hierarchy")
    invitations, pins, raw, reports = topics("aiorescue.rescue", "invitations", "pins", "raw", "reports")
    report_request, report_settings = topics("aiorescue.rescue", "report_request", "report_settings")
    report_state, sessions, users = topics("aiorescue.rescue", "report_state", "sessions", "users")

T = TypeVar("T")

BASE_URL = "https://secure.logmeinrescue.com"
#: Server sessions of one login: the service allows ten logins in three minutes.
SESSIONS: Final = 4


class RescueClient(ServiceClient):
    """A client of LogMeIn Rescue.

    Args:
        credentials: an `AuthCode`, a `Login`, or a sequence of them, of which each call takes the identity that is free
            soonest. None is enough to log in explicitly (`login`), or to ask for an auth code.
        base_url: scheme and host of the service; the client adds the paths. ``http://`` is refused for a host that is
            not loopback.
        binding: preferred binding; an operation that is not offered on it uses its binding with the best evidence.
        timeout: seconds for one request; for a report, for each wait for a piece of it.
        retry: how long a call keeps trying.
        pace: how fast the service may be called; ``"auto"`` finds out how fast PINs are issued, None does not pace.
        max_connections: most requests in flight at once.
        http: an `aiohttp.ClientSession` of your own, with its pool and settings; the client never closes it.
        ssl: an `ssl.SSLContext` that trusts a private authority, or shows a certificate of the client.
        proxy: URL of an HTTP proxy, as ``http://user:password@proxy.example.com:3128``.
        trust_env: True to use the proxy that ``https_proxy``, ``http_proxy`` and ``no_proxy`` of the environment name.
        sessions: most server sessions of one `Login`; each call in flight has one to itself.
        relogin: True to log in once and repeat the call once when the service says that a session has ended.
        refused_for: seconds for which credentials that the service refuses are not sent again. Calls that come in that
            time go out as another identity if there is one, and otherwise raise at once. 0 remembers nothing, None
            remembers for ever.
        allow_plain_http: True to accept ``http://`` for any host.
        clock: source of time and of waiting, for tests; None for the system's.
        on_event: a listener, called with each `aiorescue.events.Event`; None for none.

    Raises:
        errors.InvalidRequest: an argument cannot be used.
    """

    _service = "LogMeIn Rescue"

    @discreet
    def __init__(
        self,
        credentials: AuthCode | Login | Sequence[AuthCode | Login] | None = None,
        *,
        base_url: str = BASE_URL,
        binding: Binding = Binding.SOAP11,
        timeout: float = TIMEOUT,
        retry: RetryPolicy = RetryPolicy(),
        pace: PaceSetting = Pace(),
        max_connections: int = MAX_CONNECTIONS,
        http: ClientSession | None = None,
        ssl: SSLContext | None = None,
        proxy: str | None = None,
        trust_env: bool = False,
        sessions: int = SESSIONS,
        relogin: bool = False,
        refused_for: float | None = REFUSED_FOR,
        allow_plain_http: bool = False,
        clock: Clock | None = None,
        on_event: "Listener | None" = None,
    ) -> None:
        super().__init__(
            base_url=base_url,
            binding=binding,
            timeout=timeout,
            retry=retry,
            pace=pace,
            max_connections=max_connections,
            http=http,
            ssl=ssl,
            proxy=proxy,
            trust_env=trust_env,
            relogin=relogin,
            allow_plain_http=allow_plain_http,
            clock=clock,
            on_event=on_event,
        )
        check_count("sessions", sessions)
        self._sessions, self._relogin = sessions, relogin
        self._refused_for = checked_refused_for(refused_for)
        self._explicit: LoginIdentity | None = None  # of the last explicit login on a client without credentials
        self._report_turns = ReportTurns()
        given = several(credentials)
        self._identities = [self._identity(one, number) for number, one in enumerate(given, 1)] or [AnonymousIdentity()]

    def _identity(self, credentials: AuthCode | Login, number: int) -> Identity:
        if isinstance(credentials, AuthCode):
            standing = Standing(self._clock, self._refused_for)
            return CodeIdentity(credentials, f"auth code {number}", standing, self._observer)
        return self._login_identity(credentials)

    def _login_identity(self, credentials: Login) -> LoginIdentity:
        return LoginIdentity(
            credentials,
            login=authentication.Login(credentials.email, credentials.password),
            logout=authentication.Logout(),
            probe=hierarchy.GetAccount(),
            base_url=self.base_url,
            sessions=self._sessions,
            refused_for=self._refused_for,
            logins=self._pacers.logins,
            may_log_in=partial(self._may_log_in, credentials.email),
            send=self._runner.send,
            clock=self._clock,
            observer=self._observer,
        )

    def _choose(self, operation: Operation[Any]) -> Identity:
        if operation.spec.family is Family.LOGINS:
            from aiorescue.rescue.authentication import Login as LoginOperation  # noqa: PLC0415 - loaded by its value

            if type(operation) is LoginOperation:  # and no raw call
                return self._identity_of_login(operation)
        return super()._choose(operation)

    def _identity_of_login(self, operation: "authentication.Login") -> Identity:
        """The identity that an explicit login logs in; raises `errors.InvalidRequest` if no identity can be."""
        logins = [identity for identity in self._identities if isinstance(identity, LoginIdentity)]
        if operation.email is None or operation.password is None:
            return logins[0] if logins else self._identities[0]
        wanted = Login(operation.email, operation.password)
        for identity in logins:
            if identity.credentials == wanted:
                return identity
        if type(self._identities[0]) is not AnonymousIdentity:
            raise another_login(operation)
        # A client without credentials takes on the identity of the login, if the service accepts it. That is kept for
        # the next login with these credentials, as it remembers a refusal.
        if self._explicit is None or self._explicit.credentials != wanted:
            self._explicit = self._login_identity(wanted)
        return self._explicit

    # --- authentication ---
    login = awaits(authentication.Login)
    logout = awaits(authentication.Logout)
    request_auth_code = awaits(authentication.RequestAuthCode)
    request_auth_code_sso = awaits(authentication.RequestAuthCodeSso)
    get_login_ticket = awaits(authentication.GetLoginTicket)
    get_dtc_login_ticket = awaits(authentication.GetDtcLoginTicket)
    # --- PIN codes ---
    request_pin_code = awaits(pins.RequestPinCode)
    request_pin_code_v2 = awaits(pins.RequestPinCodeV2)
    request_pin_code_v3 = awaits(pins.RequestPinCodeV3)
    request_lens_pin_code = awaits(pins.RequestLensPinCode)
    request_lens_pin_code_v2 = awaits(pins.RequestLensPinCodeV2)
    request_lens_pin_code_v3 = awaits(pins.RequestLensPinCodeV3)
    request_lens_pin_code_v4 = awaits(pins.RequestLensPinCodeV4)
    request_invitation_link = awaits(invitations.RequestInvitationLink)
    generate_email_text = awaits(invitations.GenerateEmailText)
    # --- sessions ---
    get_session = awaits(sessions.GetSession)
    get_session_v2 = awaits(sessions.GetSessionV2)
    get_session_v3 = awaits(sessions.GetSessionV3)
    start_session = awaits(sessions.StartSession)
    hold_session = awaits(sessions.HoldSession)
    close_session = awaits(sessions.CloseSession)
    cancel_action = awaits(sessions.CancelAction)
    transfer_session = awaits(sessions.TransferSession)
    is_any_tech_available_on_channel = awaits(sessions.IsAnyTechAvailableOnChannel)
    # --- hierarchy ---
    get_account = awaits(hierarchy.GetAccount)
    get_account_v2 = awaits(hierarchy.GetAccountV2)
    get_hierarchy = awaits(hierarchy.GetHierarchy)
    get_hierarchy_v2 = awaits(hierarchy.GetHierarchyV2)
    move_node = awaits(hierarchy.MoveNode)
    delete_node = awaits(hierarchy.DeleteNode)
    assign_channel = awaits(hierarchy.AssignChannel)
    unassign_channel = awaits(hierarchy.UnassignChannel)
    get_user = awaits(users.GetUser)
    get_user_v2 = awaits(users.GetUserV2)
    get_user_v3 = awaits(users.GetUserV3)
    create_user = awaits(users.CreateUser)
    create_users = awaits(users.CreateUsers)
    set_user = awaits(users.SetUser)
    set_user_v2 = awaits(users.SetUserV2)
    set_user_status_v7_1 = awaits(users.SetUserStatusV71)
    create_group = awaits(groups.CreateGroup)
    get_group = awaits(groups.GetGroup)
    get_group_v2 = awaits(groups.GetGroupV2)
    set_group = awaits(groups.SetGroup)
    set_group_v2 = awaits(groups.SetGroupV2)
    # --- reports ---
    get_chat = awaits(reports.GetChat)
    get_note = awaits(reports.GetNote)
    get_report = awaits(reports.GetReport)
    get_report_v2 = awaits(reports.GetReportV2)
    set_report_area = awaits(report_settings.SetReportArea)
    set_report_area_v2 = awaits(report_settings.SetReportAreaV2)
    set_report_area_v8 = awaits(report_settings.SetReportAreaV8)
    set_report_type = awaits(report_settings.SetReportType)
    set_report_date = awaits(report_settings.SetReportDate)
    set_report_date_v2 = awaits(report_settings.SetReportDateV2)
    set_report_time = awaits(report_settings.SetReportTime)
    set_time_zone = awaits(report_settings.SetTimeZone)
    set_delimiter = awaits(report_settings.SetDelimiter)
    set_output = awaits(report_settings.SetOutput)
    set_date_format = awaits(report_settings.SetDateFormat)
    get_report_area = awaits(report_state.GetReportArea)
    get_report_area_v2 = awaits(report_state.GetReportAreaV2)
    get_report_area_v8 = awaits(report_state.GetReportAreaV8)
    get_report_type = awaits(report_state.GetReportType)
    get_report_date = awaits(report_state.GetReportDate)
    get_report_time = awaits(report_state.GetReportTime)
    get_time_zone = awaits(report_state.GetTimeZone)
    get_delimiter = awaits(report_state.GetDelimiter)
    get_output = awaits(report_state.GetOutput)

    # --- reports in one call ---

    async def report(
        self,
        area: ReportArea | str,
        begin: date,
        end: date,
        *,
        node: int,
        node_ref: ReportNodeRef = ReportNodeRef.NODE,
        timezone: int = 0,
        type: ReportType = ReportType.LISTALL,  # noqa: A002 - the vendor's word
        output: ReportOutput = ReportOutput.XML,
        delimiter: str = "|",
    ) -> Report:
        """Set up a report and get it, on one server session. One report a minute for each identity; the next one waits.

        All rows are held in memory; `stream_report` reads a long report row by row.

        With an auth code the service keeps the settings for the user: another program that gets reports for that user
        at the same time changes them.

        Args:
            area: area of the report, or its name (``"SESSION"``).
            begin: first day, or moment. A moment without a zone is in the report's zone.
            end: last day, or moment, inclusive.
            node: id of the node that the report is about; -2 with ``EXTERNALROOT`` for all external technicians.
            node_ref: what `node` is.
            timezone: zone of the report's times, in minutes from UTC, without daylight saving.
            type: all rows, or a summary; ignored if the area has only one of them.
            output: format in which the service writes the report. TEXT escapes nothing, so that rows may have to be
                mended.
            delimiter: text that closes each cell in TEXT.

        Raises:
            errors.InvalidRequest: there is no such area, or the end lies before the begin; nothing was sent.
            errors.RescueError: see `call`.
        """
        options = ReportOptions(
            node=node, node_ref=node_ref, timezone=timezone, type=type, output=output, delimiter=delimiter
        )
        return await self._report(report_request.wanted(area, begin, end, **options), report_request.get)

    async def reports(
        self,
        area: ReportArea | str,
        begin: date,
        end: date,
        *,
        window: timedelta = timedelta(days=7),
        **options: Unpack[ReportOptions],
    ) -> AsyncIterator[Report]:
        """Split a long time into windows and yield the report of each, with its `begin` and `end`. One report a minute.

        Args:
            area: area of the reports, or its name (``"SESSION"``).
            begin: first day, or moment.
            end: last day, or moment, inclusive.
            window: time that one report covers; the next report begins a second after its end.
            options: further arguments of `report`; ``node`` must be given.

        Raises:
            errors.RescueError: see `report`.
        """
        for piece in report_request.wanted(area, begin, end, **options).windows(window):
            yield await self._report(piece, report_request.get)

    @asynccontextmanager
    async def stream_report(
        self, area: ReportArea | str, begin: date, end: date, **options: Unpack[ReportOptions]
    ) -> AsyncIterator[ReportStream]:
        """Get a report of any length and read it row by row, in bounded memory.

            async with rescue.stream_report("SESSION", begin, end, node=42) as rows:
                async for row in rows: ...

        First the whole answer is received, a long one into a temporary file, under the rules of every call: an answer
        that is cut short is requested again. Then the rows are decoded as they are read. So an error in the table is
        raised at its row, after the rows before it.

        Args:
            area: area of the report, or its name (``"SESSION"``).
            begin: first day, or moment.
            end: last day, or moment, inclusive.
            options: further arguments of `report`; ``node`` must be given.

        Raises:
            errors.RescueError: see `report`.
        """
        rows = await self._report(report_request.wanted(area, begin, end, **options), report_request.stream)
        try:
            yield rows
        finally:
            await rows.aclose()

    async def _report(
        self, wanted: "report_request.Wanted", how: "Callable[[Conversation, report_request.Wanted], Awaitable[T]]"
    ) -> T:
        identity = self._report_turns.soonest(self._identities, wanted.request, self._pacers)
        may_repeat = self._relogin and isinstance(identity, LoginIdentity)
        while True:
            try:
                async with self._together(identity, "report", turn=self._report_turns.of(identity)) as calls:
                    return await how(calls, wanted)
            except errors.NotLoggedIn:  # the settings went with the session: all of it again, once
                if not may_repeat:
                    raise
                may_repeat = False

    # --- anything else ---

    async def raw(
        self, name: str, parameters: Mapping[str, str | int | bool] | None = None, *, binding: Binding | None = None
    ) -> Raw:
        """Call any operation by its wire name, also one that aiorescue does not declare.

        Parameters are not checked and outputs are not decoded. A status word that is known as a refusal is raised; any
        other word is returned. An operation that is not declared is never repeated after an ambiguous failure.

        Args:
            name: the vendor's name of the operation (``"getDateFormat"``). The text page of one that is not declared is
                taken to be ``/API/<name>.aspx``.
            parameters: values by their wire names, which differ between SOAP and text pages; the client adds the auth
                code.
            binding: binding to call it over; left out, the client's own.

        Raises:
            errors.InvalidRequest: a name cannot be one, or a parameter holds the auth code; nothing was sent.
            errors.RescueError: see `call`.
        """
        began = self._clock.time()
        try:
            operation = raw.call_of(name, parameters or {})
        finally:
            del parameters  # in a traceback they would show a password
        answer = await self.call(operation, binding=binding)
        return attrs.evolve(answer, seconds=self._clock.time() - began)
