"""Events, logs, counts and OpenTelemetry: what a program can see of its calls, on the emulator over real sockets."""

import asyncio
import logging
import subprocess
import sys

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from aiorescue import AuthCode, Pace, RescueClient, RetryPolicy, errors, events
from aiorescue.bulk import issue
from aiorescue.emulator import Emulator
from aiorescue.otel import OpenTelemetry
from aiorescue.rescue import RequestPinCode
from tests.support import IMPATIENT

CODE = "fixedtech0000"


def client(service: Emulator, listener: events.Listener | None, **options) -> RescueClient:
    options = {"pace": None, "retry": IMPATIENT, **options}
    return RescueClient(AuthCode(CODE), base_url=service.url, on_event=listener, **options)


def names(seen: list[events.Event]) -> list[str]:
    return [type(event).__name__ for event in seen]


async def test_a_call_is_seen_from_its_beginning_to_its_end(service: Emulator):
    seen: list[events.Event] = []
    async with client(service, seen.append) as rescue:
        await rescue.request_pin_code(tracking="CASE-7")
    assert names(seen) == ["CallBegan", "AttemptBegan", "AttemptEnded", "CallEnded"]
    began, sent, answered, ended = seen
    assert (began.operation, began.identity, began.binding) == ("requestPINCode", "auth code 1", "soap11")
    assert (sent.attempt, sent.method, sent.url) == (1, "POST", f"{service.url}/API/API.asmx")
    assert (answered.outcome, answered.http_status, answered.error) == ("ok", 200, None)
    assert (ended.outcome, ended.attempts, ended.error) == ("ok", 1, None)
    assert len({event.call for event in seen}) == 1
    assert CODE not in repr(seen)
    assert "CASE-7" not in repr(seen)


async def test_a_retry_tells_what_it_repeats_and_how_long_it_pauses(service: Emulator):
    service.fault("http", "requestPINCode", status=503)
    seen: list[events.Event] = []
    async with client(service, seen.append) as rescue:
        await rescue.request_pin_code()
    assert names(seen) == [
        *("CallBegan", "AttemptBegan", "AttemptEnded", "Retrying", "AttemptBegan", "AttemptEnded", "CallEnded"),
    ]
    retrying = seen[3]
    assert (retrying.attempt, retrying.error, retrying.seconds) == (1, "ServiceError", 0.0)
    assert (seen[2].outcome, seen[2].http_status) == ("transient", 503)
    assert seen[-1].attempts == 2


async def test_a_rejection_and_the_wait_behind_it_are_seen():
    async with Emulator(pin_rate=20) as service:
        seen: list[events.Event] = []
        async with client(service, seen.append, pace=Pace(pins=200.0)) as rescue:
            await asyncio.gather(*(rescue.request_pin_code() for _ in range(3)))
            stats = rescue.stats()
    rejected = [event for event in seen if isinstance(event, events.Rejected)]
    assert rejected
    assert {event.family for event in rejected} == {"pins"}
    assert any(isinstance(event, events.Waited) for event in seen)
    assert (stats.calls, stats.rejections, stats.attempts) == (3, len(rejected), 3 + len(rejected))
    assert stats.waits > 0
    assert stats.waited > 0


async def test_an_explicit_login_is_seen_and_counted(service: Emulator):
    seen: list[events.Event] = []
    async with RescueClient(base_url=service.url, on_event=seen.append, pace=None) as rescue:
        with pytest.raises(errors.AuthenticationError):
            await rescue.login("tech@example.com", "wrong")
        await rescue.login("tech@example.com", "secret")
        assert rescue.stats().logins == 2
    logins = [(event.error, event.identity) for event in seen if isinstance(event, events.LoggedIn)]
    assert [error is None for error, _ in logins] == [False, True]
    assert "secret" not in repr(seen)


async def test_a_limit_that_falls_is_told_with_its_new_rate(caplog: pytest.LogCaptureFixture):
    seen: list[events.Event] = []
    async with Emulator(pin_rate=100) as service:
        with caplog.at_level(logging.INFO, logger="aiorescue.pace"):
            async with client(service, seen.append, pace=Pace(pins=100.0)) as rescue:
                await rescue.request_pin_code()
                service.limits.pin_rate = 10
                await asyncio.gather(*(rescue.request_pin_code() for _ in range(12)))
    changes = [event for event in seen if isinstance(event, events.PaceChanged)]
    assert changes
    assert (changes[0].identity, changes[0].family) == ("auth code 1", "pins")
    assert changes[-1].rate < 50
    assert "auth code 1" in caplog.text


async def test_a_job_is_seen_by_the_listeners_of_its_client(service: Emulator):
    seen: list[events.Event] = []
    own: list[events.Event] = []
    async with client(service, seen.append) as rescue:
        async for _ in issue(rescue, [RequestPinCode()], on_event=own.append):
            pass
    assert names(own) == ["JobProgressed"]
    assert own[0] in seen


def test_nothing_is_printed_by_a_program_that_configures_no_logging():
    program = (
        "import asyncio\nfrom aiorescue import AuthCode, RescueClient, RetryPolicy, errors\n"
        "async def main():\n    async with RescueClient(AuthCode('x'), base_url='http://127.0.0.1:9', "
        "retry=RetryPolicy(attempts=2, total=5.0, first=0.0)) as rescue:\n"
        "        await rescue.request_pin_code()\n"
        "try:\n    asyncio.run(main())\nexcept errors.ConnectionFailed:\n    print('failed')\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("failed\n", "")


async def test_a_failure_and_a_cancellation_end_their_calls(service: Emulator):
    service.fault("delay_before", "getAccount", seconds=60)
    seen: list[events.Event] = []
    async with client(service, seen.append) as rescue:
        with pytest.raises(errors.ActionFailed):
            await rescue.close_session(1)
        task = asyncio.ensure_future(rescue.get_account())
        while not any(getattr(event, "operation", "") == "getAccount" for event in seen):
            await asyncio.sleep(0)
        await asyncio.sleep(0.02)
        task.cancel()
        await asyncio.wait([task])
        stats = rescue.stats()
    ended = [event for event in seen if isinstance(event, events.CallEnded)]
    assert [event.outcome for event in ended] == ["error", "cancelled"]
    assert (ended[0].error, ended[0].status) == ("ActionFailed", "closeSessionRet_ActionFailed")
    assert (stats.calls, stats.failures, stats.under_way) == (2, 2, 0)
    assert stats.by_operation["closeSession"].failures == 1
    assert stats.by_identity["auth code 1"].calls == 2


async def test_a_view_has_a_listener_of_its_own_besides_the_clients(service: Emulator):
    seen: list[events.Event] = []
    seen_by_view: list[events.Event] = []
    async with client(service, seen.append) as rescue:
        view = rescue.with_options(on_event=seen_by_view.append)
        await view.get_account()
        await rescue.request_pin_code()
    assert {event.operation for event in seen_by_view} == {"getAccount"}
    assert {event.operation for event in seen} == {"getAccount", "requestPINCode"}


@pytest.mark.parametrize("problem", [RuntimeError, asyncio.CancelledError])
async def test_what_a_listener_raises_goes_to_the_log_and_no_further(
    service: Emulator, caplog: pytest.LogCaptureFixture, problem: type[BaseException]
):
    def broken(event: events.Event) -> None:
        raise problem(type(event).__name__)

    async with client(service, broken) as rescue:
        assert (await rescue.request_pin_code()).code
    assert {record.name for record in caplog.records} == {"aiorescue.events"}


async def test_without_a_listener_a_call_is_counted_and_not_watched(service: Emulator):
    async with client(service, None) as rescue:
        await rescue.request_pin_code()
        stats = rescue.stats()
    assert (stats.calls, stats.attempts, stats.failures) == (1, 1, 0)


async def test_logs_tell_retries_as_warnings_and_all_else_at_debug(service: Emulator, caplog: pytest.LogCaptureFixture):
    service.fault("word", "requestPINCode", word="Error")
    async with client(service, None) as rescue:
        with caplog.at_level(logging.WARNING, "aiorescue"):
            await rescue.request_pin_code()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "attempt 1 ended in ServiceError" in caplog.text
    caplog.clear()
    async with client(service, None) as rescue:
        with caplog.at_level(logging.DEBUG, "aiorescue"):
            await rescue.request_pin_code(tracking="CASE-7")
    assert {record.name for record in caplog.records} == {"aiorescue.call"}
    assert len(caplog.records) == 3
    assert CODE not in caplog.text
    assert "CASE-7" not in caplog.text


async def test_opentelemetry_sees_calls_attempts_and_metrics(service: Emulator):
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    listener = OpenTelemetry(tracer_provider=tracers, meter_provider=MeterProvider([reader]))
    service.fault("http", "requestPINCode", status=503)
    async with client(service, listener) as rescue:
        await rescue.request_pin_code()
    first, second, call = spans.get_finished_spans()
    assert (call.name, call.kind, call.status.status_code) == (
        "aiorescue requestPINCode",
        SpanKind.INTERNAL,
        StatusCode.UNSET,
    )
    for attempt in (first, second):
        assert (attempt.kind, attempt.parent.span_id) == (SpanKind.CLIENT, call.context.span_id)
        assert attempt.attributes["http.request.method"] == "POST"
        assert attempt.attributes["url.full"] == f"{service.url}/API/API.asmx"
    assert first.attributes["http.response.status_code"] == 503
    assert first.attributes["error.type"] == "503"
    assert first.status.status_code is StatusCode.ERROR
    assert "http.request.resend_count" not in first.attributes
    assert second.attributes["http.request.resend_count"] == 1
    metrics = reader.get_metrics_data().resource_metrics[0].scope_metrics[0].metrics
    assert {metric.name for metric in metrics} >= {"aiorescue.call.duration", "http.client.request.duration"}


async def test_a_cancelled_call_ends_its_spans(service: Emulator):
    spans = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    service.fault("delay_before", "getAccount", seconds=60)
    options = {"retry": RetryPolicy(attempts=1)}
    async with client(service, OpenTelemetry(tracer_provider=tracers), **options) as rescue:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await rescue.get_account()
    assert [span.status.status_code for span in spans.get_finished_spans()] == [StatusCode.ERROR, StatusCode.ERROR]
