"""OpenTelemetry: a listener that makes spans and metrics of events. Needs the extra ``aiorescue[otel]``.

``RescueClient(…, on_event=OpenTelemetry())`` gives each call a span of kind INTERNAL, named after the operation, and
each of its requests a span of kind CLIENT below it, with the attributes of OpenTelemetry's HTTP conventions (semantic
conventions 1.23 and later). Neither URLs nor attributes hold a parameter or a secret.

Metrics: ``aiorescue.call.duration``, ``http.client.request.duration`` and ``aiorescue.call.wait`` in seconds;
``aiorescue.rejections``, ``aiorescue.logins`` and ``aiorescue.identities.refused`` as counts;
``aiorescue.sessions``, the open server sessions of each login, as a sum that goes up and down.
"""

from functools import singledispatchmethod
from urllib.parse import urlsplit

try:
    from opentelemetry import metrics, trace
except ImportError as problem:
    raise ImportError("aiorescue.otel needs OpenTelemetry: pip install 'aiorescue[otel]'") from problem

from aiorescue import events

__all__ = ["OpenTelemetry"]

_SCOPE = "aiorescue"
_SERVER_ERROR = 500


class OpenTelemetry:
    """A listener for ``on_event=``: spans for calls and attempts, and metrics.

    The metrics are durations, waits, rejections, logins, refused identities and open server sessions.
    One listener may serve several clients.

    Args:
        tracer_provider: where spans go; left out, the global provider.
        meter_provider: where metrics go; left out, the global provider.
    """

    def __init__(
        self,
        *,
        tracer_provider: trace.TracerProvider | None = None,
        meter_provider: metrics.MeterProvider | None = None,
    ) -> None:
        self._tracer = trace.get_tracer(_SCOPE, tracer_provider=tracer_provider)
        meter = metrics.get_meter(_SCOPE, meter_provider=meter_provider)
        self._call_duration = meter.create_histogram("aiorescue.call.duration", "s", "From a call to its result")
        self._request_duration = meter.create_histogram(
            "http.client.request.duration", "s", "Duration of HTTP client requests"
        )
        self._wait = meter.create_histogram("aiorescue.call.wait", "s", "Time that a call waits for its turn")
        self._rejections = meter.create_counter("aiorescue.rejections", "{request}", "Requests rejected as too fast")
        self._logins = meter.create_counter("aiorescue.logins", "{login}", "Logins, good and failed")
        self._sessions = meter.create_up_down_counter(
            "aiorescue.sessions", "{session}", "Open server sessions of logins"
        )
        self._refused = meter.create_counter("aiorescue.identities.refused", "{identity}", "Credentials refused")
        self._calls: dict[int, trace.Span] = {}
        self._attempts: dict[int, tuple[trace.Span, dict[str, str | int]]] = {}

    def __call__(self, event: events.Event) -> None:
        """Begin or end the spans of one event, and record its metrics."""
        self._on(event)

    @singledispatchmethod
    def _on(self, event: events.Event) -> None:
        """Handle one event by its type; types that no method is registered for are ignored."""

    @_on.register
    def _(self, event: events.CallBegan) -> None:
        self._calls[event.call] = self._tracer.start_span(
            f"aiorescue {event.operation}",
            kind=trace.SpanKind.INTERNAL,
            attributes={
                "rpc.service": event.service,
                "rpc.method": event.operation,
                "aiorescue.binding": event.binding,
                "aiorescue.identity": event.identity,
            },
        )

    @_on.register
    def _(self, event: events.AttemptBegan) -> None:
        url = urlsplit(event.url)
        attributes: dict[str, str | int] = {
            "http.request.method": event.method,
            "server.address": url.hostname or "",
            "server.port": url.port or (443 if url.scheme == "https" else 80),
        }
        resent = {"http.request.resend_count": event.attempt - 1} if event.attempt > 1 else {}
        call = self._calls.get(event.call)
        span = self._tracer.start_span(
            event.method,
            context=None if call is None else trace.set_span_in_context(call),
            kind=trace.SpanKind.CLIENT,
            attributes={**attributes, "url.full": event.url, **resent},
        )
        self._attempts[event.call] = span, attributes

    @_on.register
    def _(self, event: events.AttemptEnded) -> None:
        begun = self._attempts.pop(event.call, None)
        if begun is None:
            return
        span, attributes = begun
        if event.http_status is None:
            attributes["error.type"] = event.error or event.outcome
        else:
            attributes["http.response.status_code"] = event.http_status
            if event.http_status >= _SERVER_ERROR:
                attributes["error.type"] = str(event.http_status)
        span.set_attributes({**attributes, "aiorescue.outcome": event.outcome})
        if event.status:
            span.set_attribute("aiorescue.status", event.status)
        if event.error is not None or event.outcome == "cancelled":
            span.set_status(trace.StatusCode.ERROR, event.status or event.error or event.outcome)
        span.end()
        self._request_duration.record(event.seconds, attributes)

    @_on.register
    def _(self, event: events.Waited) -> None:
        self._wait.record(event.seconds, {"rpc.method": event.operation, "aiorescue.family": event.family})

    @_on.register
    def _(self, event: events.Rejected) -> None:
        self._rejections.add(1, {"rpc.method": event.operation, "aiorescue.family": event.family})

    @_on.register
    def _(self, event: events.CallEnded) -> None:
        attributes: dict[str, str | int] = {"rpc.method": event.operation, "aiorescue.outcome": event.outcome}
        if event.error is not None:
            attributes["error.type"] = event.error
        self._call_duration.record(event.seconds, attributes)
        span = self._calls.pop(event.call, None)
        if span is None:
            return
        span.set_attributes(
            {
                **attributes,
                "aiorescue.attempts": event.attempts,
                "aiorescue.rejections": event.rejections,
                "aiorescue.waited": event.waited,
            }
        )
        if event.error is not None:
            span.set_status(trace.StatusCode.ERROR, event.status or event.error)
        span.end()

    @_on.register
    def _(self, event: events.LoggedIn) -> None:
        self._logins.add(1, {"aiorescue.outcome": "ok" if event.error is None else "error"})

    @_on.register
    def _(self, event: events.SessionOpened) -> None:
        self._sessions.add(1, {"aiorescue.identity": event.identity})

    @_on.register
    def _(self, event: events.SessionEnded) -> None:
        self._sessions.add(-1, {"aiorescue.identity": event.identity})

    @_on.register
    def _(self, event: events.IdentityRefused) -> None:
        self._refused.add(1, {"aiorescue.status": event.status or ""})
