"""`RescueClient`: the operations of LogMeIn Rescue as awaitables."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import date, timedelta
from ssl import SSLContext
from typing import Any, Final, TypeVar, Unpack

import attrs

from aiorescue import errors
from aiorescue.call.awaits import awaits
from aiorescue.call.client import MAX_CONNECTIONS, TIMEOUT, ServiceClient
from aiorescue.call.conversation import Conversation
from aiorescue.call.retry import RetryPolicy
from aiorescue.call.transport import ClientSession
from aiorescue.clock import Clock
from aiorescue.identity.credentials import AuthCode, Login, kind
from aiorescue.identity.identity import AnonymousIdentity, CodeIdentity, Identity
from aiorescue.identity.login import LoginIdentity
from aiorescue.operation import Binding, Operation
from aiorescue.pace.pace import Pace, PaceSetting
from aiorescue.rescue import (
    authentication,
    groups,
    hierarchy,
    invitations,
    pins,
    report_settings,
    report_state,
    reports,
    sessions,
    users,
)
from aiorescue.rescue.answers.report import Report, ReportArea, ReportNodeRef, ReportOutput, ReportType
from aiorescue.rescue.answers.report_stream import ReportStream
from aiorescue.rescue.catalogue import OPERATIONS
from aiorescue.rescue.raw import Raw, call_of
from aiorescue.rescue.report_request import ReportOptions, Wanted, get, stream, wanted

T = TypeVar("T")

BASE_URL = "https://secure.logmeinrescue.com"
#: Server sessions of one login: the service allows ten logins in three minutes.
SESSIONS: Final = 4


class RescueClient(ServiceClient):
    """A client of LogMeIn Rescue.

    Args:
        credentials: an `AuthCode`, a `Login`, or a sequence of them: then each call goes out as the one that is
            free soonest. None is enough to log in explicitly (`login`), or to ask for an auth code.
        base_url: the host; paths are added. ``http://`` is refused for a host that is not loopback.
        binding: preferred binding; an operation that lacks it uses the best that is documented for it.
        timeout: seconds for one request; for a report, for each wait for a piece of it.
        retry: how long a call keeps trying.
        pace: how fast the service may be called; ``"auto"`` finds out how fast PINs are handed out, None does
            not pace.
        max_connections: requests under way at once.
        http: your own session; its pool and settings are used, and it is never closed.
        ssl: an `ssl.SSLContext` that trusts a private authority, or shows a certificate of the client.
        proxy: URL of an HTTP proxy, as ``http://user:password@proxy.example.com:3128``.
        trust_env: use the proxy that ``https_proxy``, ``http_proxy`` and ``no_proxy`` of the environment name.
        sessions: server sessions that one `Login` may hold; calls in flight have one each.
        relogin: when the service says that a session has ended, log in once and repeat the call once.
        allow_plain_http: take ``http://`` for any host.
        clock: time, for tests.

    Raises:
        errors.InvalidRequest: an argument cannot be used.
    """

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
        allow_plain_http: bool = False,
        clock: Clock | None = None,
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
        )
        if sessions < 1:
            raise errors.InvalidRequest("sessions must be at least 1")
        self._sessions = sessions
        self._reporting: dict[Identity, asyncio.Lock] = {}
        given = _sequence(credentials)
        self._identities = [self._identity(one, number) for number, one in enumerate(given, 1)] or [AnonymousIdentity()]

    def _identity(self, credentials: AuthCode | Login, number: int) -> Identity:
        if isinstance(credentials, AuthCode):
            return CodeIdentity(credentials, f"auth code {number}")
        return LoginIdentity(
            credentials,
            login=authentication.Login(credentials.email, credentials.password),
            logout=authentication.Logout(),
            sessions=self._sessions,
            send=self._runner.send,
            clock=self._clock,
        )

    def _choose(self, operation: Operation[Any]) -> Identity:
        if type(operation) is authentication.Login:
            return self._who_logs_in(operation)
        return super()._choose(operation)

    def _who_logs_in(self, operation: authentication.Login) -> Identity:
        """The identity whose session an explicit login opens."""
        logins = [identity for identity in self._identities if isinstance(identity, LoginIdentity)]
        if operation.email is None or operation.password is None:
            return logins[0] if logins else self._identities[0]
        wanted = Login(operation.email, operation.password)
        for identity in logins:
            if identity.credentials == wanted:
                return identity
        if type(self._identities[0]) is not AnonymousIdentity:
            raise errors.InvalidRequest(
                "login: this client already calls as somebody else; use a client of its own for each caller",
                operation=operation.spec.name,
            )
        # A client without credentials becomes the one who logs in, if the service lets them.
        return self._identity(wanted, 1)

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
        """Set up a report and get it, on one server session. One a minute for each caller; the next one waits.

        All its rows are in memory; `stream_report` gives those of a long one piece by piece.

        With an auth code the service keeps the settings for the person: another program that gets reports for the
        same person at the same time changes them.

        Args:
            area: what it is about, or the name of that (``"SESSION"``).
            begin: first day, or moment. One without a zone is in that of the report.
            end: last day, or moment; it is part of the report.
            node: id of the node that it is about; -2 with ``EXTERNALROOT`` for all external technicians.
            node_ref: what kind of node that is.
            timezone: zone of the report's times, in minutes from UTC; it knows no daylight saving.
            type: all rows, or a summary; ignored where the area has no such variant.
            output: how the service writes it. TEXT escapes nothing, so that rows may have to be mended.
            delimiter: for TEXT: what closes each cell.

        Raises:
            errors.InvalidRequest: no such area, or an end before the begin; nothing was sent.
            errors.RescueError: see `call`.
        """
        return await self._report(
            wanted(
                area,
                begin,
                end,
                node=node,
                node_ref=node_ref,
                timezone=timezone,
                type=type,
                output=output,
                delimiter=delimiter,
            ),
            get,
        )

    async def reports(
        self,
        area: ReportArea | str,
        begin: date,
        end: date,
        *,
        window: timedelta = timedelta(days=7),
        **options: Unpack[ReportOptions],
    ) -> AsyncIterator[Report]:
        """The reports of a long time, window by window; each tells its `begin` and `end`. Also one a minute.

        Args:
            area: as in `report`.
            begin: first day, or moment.
            end: last day, or moment.
            window: what one report covers; the next one begins a second after its end.
            options: as in `report`; ``node`` must be given.
        """
        for piece in wanted(area, begin, end, **options).windows(window):
            yield await self._report(piece, get)

    @asynccontextmanager
    async def stream_report(
        self, area: ReportArea | str, begin: date, end: date, **options: Unpack[ReportOptions]
    ) -> AsyncIterator[ReportStream]:
        """A report of any length, row by row, in little memory: ``async with … as rows``, ``async for row in rows``.

        The answer is received whole, into a temporary file where it is long, under the rules of every call: one that
        is cut short is asked for again. What the file holds is decoded as it is read, so an error in the table comes
        with the row; then the rows before it were true, and there are more.

        Args:
            area: as in `report`.
            begin: first day, or moment.
            end: last day, or moment.
            options: as in `report`; ``node`` must be given.

        Raises:
            errors.RescueError: as in `report`.
        """
        rows = await self._report(wanted(area, begin, end, **options), stream)
        try:
            yield rows
        finally:
            await rows.aclose()

    async def _report(self, wanted: Wanted, how: Callable[[Conversation, Wanted], Awaitable[T]]) -> T:
        identity = self._choose(reports.GetReportV2(wanted.node))
        # The settings are the person's, so one report at a time for each.
        async with self._reporting.setdefault(identity, asyncio.Lock()), self._together(identity, "report") as calls:
            return await how(calls, wanted)

    # --- anything else ---

    async def raw(
        self, name: str, parameters: Mapping[str, str | int | bool] | None = None, *, binding: Binding | None = None
    ) -> Raw:
        """Call any operation by its wire name, such as the three that are known by name only.

        Nothing is checked or decoded as `call` does. A refusal that is known is raised; any other word, known or
        not, comes back. An operation that is not declared is never repeated after an unclear failure.

        Args:
            name: the operation (``"getDateFormat"``); its text page is taken to be ``/API/<name>.aspx``.
            parameters: by their wire names, which differ between SOAP and text pages; the auth code is added.
            binding: what to call it over; left out, the client's own.

        Raises:
            errors.InvalidRequest: not a name, or a parameter that holds the auth code; nothing was sent.
            errors.RescueError: see `call`.
        """
        began = self._clock.time()
        declared = OPERATIONS.get(name)
        answer = await self.call(
            call_of(name, parameters or {}, declared.spec if declared is not None else None), binding=binding
        )
        return attrs.evolve(answer, seconds=self._clock.time() - began)


def _sequence(credentials: AuthCode | Login | Sequence[AuthCode | Login] | None) -> Sequence[AuthCode | Login]:
    if credentials is None:
        return ()
    given = credentials if isinstance(credentials, Sequence) else [credentials]
    for one in given:
        if not isinstance(one, AuthCode | Login):
            raise errors.InvalidRequest(f"credentials must be aiorescue's AuthCode(…) or Login(…), not {kind(one)}")
    if len(set(given)) != len(given):
        raise errors.InvalidRequest("credentials name the same caller twice; each needs a pace of its own")
    return given
