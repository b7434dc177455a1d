"""Spans of requests, sent to an OpenTelemetry collector. The context travels as W3C's headers.

What a client sends as `traceparent` reaches the Executors in any case; here each process adds
a span of its own. The libraries come with the extra `otel`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from jina_cli.errors import MissingExtra
from jina_cli.wire.messages import Answering, Request, Response, Status
from jina_cli.wire.parts import closing


class Exporter:
    """Sends the spans and measurements of one process to collectors.

    Args:
        runtime: Name of the process: `service.name` of all it sends.
        traces_to: `host:port` of a collector of spans; empty for none.
        metrics_to: The same for measurements.

    Raises:
        MissingExtra: OpenTelemetry is not installed.
    """

    def __init__(self, runtime: str, *, traces_to: str, metrics_to: str) -> None:
        try:
            from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        except ImportError as error:
            raise MissingExtra("telemetry over OpenTelemetry", "otel") from error
        self._resource = Resource.create({SERVICE_NAME: runtime})
        self._closing: list[Any] = []
        self.tracer: Any = self._traces(traces_to) if traces_to else None
        if metrics_to:
            self._measurements(metrics_to)

    def close(self) -> None:
        """Send what is left."""
        for provider in self._closing:
            provider.shutdown()

    def _traces(self, address: str) -> Any:
        from opentelemetry import trace
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=self._resource)
        exporter = OTLPSpanExporter(endpoint=f"http://{address}", insecure=True)
        provider.add_span_processor(BatchSpanProcessor(exporter))
        trace.set_tracer_provider(provider)  # of `self.tracer` in Executors
        self._closing.append(provider)
        return provider.get_tracer("jina")

    def _measurements(self, address: str) -> None:
        from opentelemetry import metrics
        from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader

        exporter = OTLPMetricExporter(endpoint=f"http://{address}", insecure=True)
        reader = PeriodicExportingMetricReader(exporter)
        provider = MeterProvider(resource=self._resource, metric_readers=[reader])
        metrics.set_meter_provider(provider)
        self._closing.append(provider)


class Traced:
    """Answers within a span, whose context goes on with the request.

    Args:
        own: What answers.
        tracer: Of OpenTelemetry.
        name: Of the process; a span is named after it and the endpoint.
    """

    def __init__(self, own: Answering, tracer: Any, name: str) -> None:
        self._own = own
        self._tracer = tracer
        self._name = name

    @property
    def answering(self) -> Answering:
        return Answering(answer=self._answer, stream=self._stream)

    async def _answer(self, request: Request) -> Response:
        from opentelemetry.trace import use_span

        with self._span(request) as (span, inner), use_span(span):
            response = await self._own.answer(inner)
            _mark(span, response.status)
            return response

    async def _stream(self, request: Request) -> AsyncIterator[Response]:
        with self._span(request) as (span, inner):
            async with closing(self._own.stream(inner)) as parts:
                async for part in parts:
                    _mark(span, part.status)
                    yield part

    @contextmanager
    def _span(self, request: Request) -> Iterator[tuple[Any, Request]]:
        from opentelemetry import propagate, trace

        around = propagate.extract(request.metadata)
        span = self._tracer.start_span(
            f"{self._name} {request.endpoint}",
            context=around,
            kind=trace.SpanKind.SERVER,
            attributes={"jina.request_id": request.request_id, "jina.endpoint": request.endpoint},
        )
        headers: dict[str, str] = dict(request.metadata)
        propagate.inject(headers, context=trace.set_span_in_context(span, around))
        try:
            yield span, replace(request, metadata=headers)
        finally:
            span.end()


def _mark(span: Any, status: Status) -> None:
    if status.ok:
        return
    from opentelemetry.trace import StatusCode as SpanStatus

    span.set_status(SpanStatus.ERROR, status.description)
    span.set_attribute("jina.status", status.code.value)
