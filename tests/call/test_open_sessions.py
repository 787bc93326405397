"""Open server sessions are counted, in `stats`, by events and as a metric.

One counts no more when the program, the client or the service has ended it.
"""

import asyncio

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader

from aiorescue import Login, RescueClient, errors, events
from aiorescue.emulator import Emulator
from aiorescue.otel import OpenTelemetry

LOGIN = Login("tech@example.com", "secret")


def changes(seen: list[events.Event]) -> list[str]:
    kinds = (events.SessionOpened, events.SessionEnded)
    return [type(event).__name__ for event in seen if isinstance(event, kinds) and event.identity == LOGIN.email]


async def test_a_session_that_the_service_ends_is_counted_until_a_call_finds_out(service: Emulator):
    seen: list[events.Event] = []
    async with RescueClient(LOGIN, base_url=service.url, on_event=seen.append) as rescue:
        assert rescue.stats().sessions == 0
        await rescue.get_account()
        assert (rescue.stats().sessions, changes(seen)) == (1, ["SessionOpened"])
        service.state.expire()
        with pytest.raises(errors.NotLoggedIn):
            await rescue.get_account()
        assert (rescue.stats().sessions, changes(seen)) == (0, ["SessionOpened", "SessionEnded"])
        await rescue.get_account()
        assert rescue.stats().sessions == 1
    assert (rescue.stats().sessions, changes(seen)) == (0, ["SessionOpened", "SessionEnded"] * 2)


async def test_a_session_that_was_idle_for_too_long_has_ended_at_the_next_call(service: Emulator):
    seen: list[events.Event] = []
    async with RescueClient(LOGIN, base_url=service.url, on_event=seen.append, clock=service.clock) as rescue:
        await rescue.get_account()
        service.clock.advance(20 * 60)
        await rescue.get_account()
        assert (rescue.stats().sessions, changes(seen)) == (1, ["SessionOpened", "SessionEnded", "SessionOpened"])


async def test_an_explicit_login_and_logout_are_counted_too(service: Emulator):
    async with RescueClient(base_url=service.url) as rescue:
        await rescue.login(LOGIN.email, LOGIN.password)
        assert rescue.stats().sessions == 1
        await rescue.login(LOGIN.email, LOGIN.password)
        assert rescue.stats().sessions == 1
        await rescue.logout()
        assert rescue.stats().sessions == 0


async def test_opentelemetry_has_the_open_sessions_as_a_metric(service: Emulator):
    reader = InMemoryMetricReader()

    def open_sessions() -> int | float | None:
        data = reader.get_metrics_data()
        every = data.resource_metrics[0].scope_metrics[0].metrics if data else []
        points = [point for metric in every if metric.name == "aiorescue.sessions" for point in metric.data.data_points]
        return points[0].value if points and points[0].attributes == {"aiorescue.identity": LOGIN.email} else None

    listener = OpenTelemetry(meter_provider=MeterProvider([reader]))
    service.latency = 0.05  # so that the calls are under way together
    async with RescueClient(LOGIN, base_url=service.url, on_event=listener) as rescue:
        await asyncio.gather(*(rescue.get_account() for _ in range(12)))
        assert open_sessions() == rescue.stats().sessions > 1
    assert open_sessions() == 0


async def test_a_client_logs_out_of_two_logins_that_were_made_at_once(service: Emulator):
    service.latency = 0.05
    async with RescueClient(base_url=service.url) as rescue:
        logins = (rescue.login(f"{name}@example.com", "secret") for name in ("tech", "second"))
        await asyncio.gather(*logins, return_exceptions=True)  # the second one is refused, once it was carried out
        assert rescue.stats().sessions == 2
    assert rescue.stats().sessions == 0
    assert service.requests.by_operation["logout"] == 2
