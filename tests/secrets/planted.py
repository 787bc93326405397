"""Secrets that are planted, how they are looked for, and all that can be seen from outside of a client's calls."""

import asyncio
import json
import logging
import pickle
import traceback
from base64 import b64encode
from collections.abc import Sequence
from html import escape
from typing import Any
from urllib.parse import quote, quote_plus

import attrs
import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from aiorescue import Binding, InfoRouterClient, RescueClient, errors, events
from aiorescue.operation import Operation
from aiorescue.otel import OpenTelemetry
from tests.lab.echo_server import EchoServer

CODE, PASSWORD, TICKET = "c0de-pl4nted&c", "pl4nted p<ss>w&rd 'é", "t1cket-pl4nted-7f8a"
ENDS = ["success", "failure", "timeout", "cancellation"]


def spellings(secret: str) -> set[bytes]:
    """What a secret looks like in plain text, URLs, XML, JSON, UTF-16, and within base64 at any place."""
    texts = {secret, quote(secret), quote_plus(secret), escape(secret), escape(secret, quote=False)}
    texts |= {json.dumps(secret)[1:-1], repr(secret)[1:-1]}
    coded = {text.encode() for text in texts} | {secret.encode("utf-16-le"), secret.encode("utf-16-be")}
    whole = secret.encode()
    # The first and the last characters of a base64 text depend on what stands beside the secret.
    return coded | {b64encode(b"\0" * place + whole)[4 if place else 0 : -4] for place in range(3)}


SPELLINGS = spellings(CODE) | spellings(PASSWORD) | spellings(TICKET)


def assert_no_secret(shown: str | bytes) -> None:
    content = shown if isinstance(shown, bytes) else shown.encode("utf-8", "backslashreplace")
    assert [spelling for spelling in SPELLINGS if spelling in content] == []


@attrs.define
class Watch:
    """All that can be seen from outside of the calls of a client."""

    caplog: pytest.LogCaptureFixture
    seen: list[events.Event] = attrs.field(factory=list)
    spans: InMemorySpanExporter = attrs.field(factory=InMemorySpanExporter)
    metrics: InMemoryMetricReader = attrs.field(factory=InMemoryMetricReader)
    problems: int = 0

    def listener(self) -> events.Listener:
        self.caplog.set_level(logging.DEBUG)
        tracing = TracerProvider()
        tracing.add_span_processor(SimpleSpanProcessor(self.spans))
        telemetry = OpenTelemetry(tracer_provider=tracing, meter_provider=MeterProvider([self.metrics]))

        def listen(event: events.Event) -> None:
            self.seen.append(event)
            telemetry(event)

        return listen

    def problem(self, problem: BaseException) -> None:
        self.problems += 1
        trace = traceback.TracebackException(type(problem), problem, problem.__traceback__, capture_locals=True)
        assert_no_secret("".join(trace.format()) + repr(problem) + repr(vars(problem)))
        assert_no_secret(pickle.dumps(problem))

    def check(self, client: RescueClient | InfoRouterClient) -> None:
        """Look for secrets in all that was seen of a client."""
        assert len(self.seen) > 50
        assert_no_secret(repr(self.seen))
        assert_no_secret("".join(span.to_json() for span in self.spans.get_finished_spans()))
        data = self.metrics.get_metrics_data()
        assert data is not None
        assert_no_secret(data.to_json())
        assert_no_secret("\n".join(record.getMessage() + repr(vars(record)) for record in self.caplog.records))
        assert_no_secret(repr(client) + repr(client.stats()))
        if isinstance(client, RescueClient):
            assert_no_secret(repr(client.identities))


async def ended(call: Any, echo: EchoServer, end: str, watch: Watch) -> None:
    """Let a call end in one of the ways, and look at its exception if it has one."""
    echo.arrived.clear()
    task = asyncio.ensure_future(call)
    if end == "cancellation":
        arrived = asyncio.ensure_future(echo.arrived.wait())
        await asyncio.wait([task, arrived], return_when=asyncio.FIRST_COMPLETED)
        arrived.cancel()
        task.cancel()
    try:
        await task
    except (errors.RescueError, asyncio.CancelledError) as problem:
        watch.problem(problem)


async def call_all(
    client: RescueClient | InfoRouterClient,
    operations: Sequence[Operation[Any]],
    echo: EchoServer,
    end: str,
    watch: Watch,
    *,
    timed_out: Sequence[Binding],
) -> None:
    """Call operations over all of their bindings, or those that are to time out; look for secrets; close the client."""
    for operation in operations:
        for binding in operation.spec.bindings:
            if end != "timeout" or binding in timed_out:
                await ended(client.call(operation, binding=binding), echo, end, watch)
    watch.check(client)
    assert_no_secret("\n".join(echo.posted_to))
    await client.aclose(timeout=0.1)  # the server of failures does not answer a logout either
