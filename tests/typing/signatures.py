"""Types and signatures that an editor shows for the Rescue client; checked by mypy --strict, never run."""

from asyncio import Queue
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import assert_type

from aiorescue import (
    AuthCode,
    Binding,
    HostPace,
    InfoRouterClient,
    Login,
    Pace,
    PinCode,
    RedisPace,
    RescueClient,
    RetryPolicy,
    Ticket,
    errors,
)
from aiorescue.bulk import Issued, issue
from aiorescue.inforouter import TicketHolder
from aiorescue.rescue import (
    Account,
    CloseSession,
    GetGroup,
    Group,
    Hierarchy,
    Operation,
    Raw,
    Report,
    ReportStream,
    RequestLensPinCodeV2,
    RequestLensPinCodeV3,
    SentPinCode,
    Session,
    User,
)


async def results(rescue: RescueClient, docs: InfoRouterClient) -> None:
    assert_type(await rescue.request_lens_pin_code_v2(custom_fields=["Jane Doe"], tracking="CASE-7"), PinCode)
    assert_type(await rescue.request_pin_code(no_tech_console=True), PinCode)
    assert_type(await rescue.request_pin_code_v3(node=7), PinCode)
    assert_type(await rescue.request_auth_code("tech@example.com", "secret"), str)
    assert_type(await rescue.call(RequestLensPinCodeV2(), binding=Binding.SOAP12), PinCode)
    assert_type(await docs.authenticate_user(), TicketHolder)
    assert_type(await docs.is_valid_ticket(), bool)
    assert_type(await rescue.get_session_v3(7), list[Session])
    assert_type(await rescue.get_hierarchy(), Hierarchy)
    assert_type(await rescue.get_user(7), User)
    assert_type(await rescue.is_any_tech_available_on_channel(7), bool)
    assert_type(await rescue.create_group(7), int)
    assert_type(await rescue.get_note(7), str)
    assert_type(await rescue.get_account(), Account)
    assert_type(GetGroup.result({}), Group)
    assert_type(RequestLensPinCodeV3.result({}), SentPinCode)
    assert_type(await rescue.report("SESSION", date(2024, 1, 1), date(2024, 1, 31), node=7, timezone=-240), Report)
    async for report in rescue.reports("SESSION", date(2024, 1, 1), date(2024, 12, 31), node=7):
        assert_type(report, Report)
    async with rescue.stream_report("SESSION", date(2024, 1, 1), date(2024, 1, 31), node=7, timezone=60) as rows:
        assert_type(rows, ReportStream)
        assert_type(rows.columns, tuple[str, ...])
        async for row in rows:
            assert_type(row, Mapping[str, str | int | datetime | timedelta | None])
    assert_type(await rescue.raw("getDateFormat", {"a": 1}, binding=Binding.TEXT_POST), Raw)
    await rescue.set_report_date(date(2024, 1, 1), "2024-01-31")
    await rescue.close_session(42)
    await rescue.start_session(session=42, node=7)
    await rescue.call(CloseSession(42))


async def bounds(rescue: RescueClient, docs: InfoRouterClient) -> None:
    view = rescue.with_options(binding=Binding.TEXT_POST, timeout=5, max_wait=2.5)
    assert_type(view, RescueClient)
    assert_type(docs.with_options(timeout=5.0), InfoRouterClient)
    assert_type(await view.request_pin_code(), PinCode)
    assert_type(await rescue.call(RequestLensPinCodeV2(), timeout=1, max_wait=0), PinCode)
    assert_type(rescue.expected_wait(RequestLensPinCodeV2), float)
    assert_type(rescue.expected_wait(RequestLensPinCodeV2()), float)
    try:
        await view.close_session(42)
    except errors.QueueTimeout as problem:
        assert_type(problem.position, int)
        assert_type(problem.expected_wait, float)


async def queued(rescue: RescueClient, queue: Queue[Operation[PinCode]]) -> PinCode:
    await queue.put(RequestLensPinCodeV2(tracking="CASE-7"))
    return await rescue.call(await queue.get())


async def results_in_wider_types(rescue: RescueClient) -> list[object]:
    pins: list[PinCode | None] = [await rescue.call(RequestLensPinCodeV2())]
    return [*pins, *[await rescue.call(operation) for operation in (CloseSession(42), GetGroup(7))]]


async def mistakes(rescue: RescueClient) -> None:
    await rescue.report("SESSION", date(2024, 1, 1), date(2024, 1, 31))  # type: ignore[call-arg]
    rescue.stream_report("SESSION", date(2024, 1, 1), date(2024, 1, 31))  # type: ignore[call-arg]
    rescue.stream_report("SESSION", date(2024, 1, 1), date(2024, 1, 31), node="7")  # type: ignore[arg-type]
    rescue.with_options(max_wait="5")  # type: ignore[arg-type]
    rescue.expected_wait("requestPINCode")  # type: ignore[arg-type]
    await rescue.set_time_zone("0")  # type: ignore[arg-type]
    await rescue.close_session()  # type: ignore[call-arg]
    await rescue.close_session("42")  # type: ignore[arg-type]
    await rescue.close_session(42, node=7)  # type: ignore[call-arg]
    await rescue.request_pin_code("Jane Doe")  # type: ignore[call-arg]
    await rescue.request_pin_code(tracking=7)  # type: ignore[arg-type]


async def jobs(rescue: RescueClient, requests: Sequence[RequestLensPinCodeV2]) -> None:
    async for issued in issue(rescue, requests, journal="pins.sqlite"):
        assert_type(issued, Issued[RequestLensPinCodeV2])
        assert_type(issued.pin, PinCode | None)


def clients() -> None:
    RescueClient()
    RescueClient(AuthCode("code"), pace=Pace(pins=10.0), retry=RetryPolicy(attempts=2))
    RescueClient([AuthCode("one"), Login("tech@example.com", "secret")], pace="auto", relogin=True)
    RescueClient(pace=None)
    RescueClient(pace=HostPace(pace=Pace(pins=10.0), directory="/run/pace"))
    RescueClient(pace=HostPace(pace="auto"))
    RescueClient(pace=RedisPace("redis://localhost", pace="auto"))
    HostPace(Pace())  # type: ignore[call-arg]
    HostPace(pace=None)  # type: ignore[arg-type]
    RescueClient(Ticket("3f2a"))  # type: ignore[arg-type]
    RescueClient(pace="fast")  # type: ignore[arg-type]
    InfoRouterClient(Login("user", "secret"), base_url="https://docs.example.com")
    InfoRouterClient(Ticket("3f2a"), base_url="https://docs.example.com")
    InfoRouterClient(AuthCode("code"), base_url="https://docs.example.com")  # type: ignore[arg-type]


# A wrong name is found: were it not, mypy would call these comments needless.
from aiorescue import RescueClientele  # type: ignore[attr-defined]  # noqa: E402, F401
from aiorescue.rescue import CloseSessions  # type: ignore[attr-defined]  # noqa: E402, F401
