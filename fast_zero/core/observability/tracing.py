"""Sends traces and metrics to an OpenTelemetry collector, over OTLP with HTTP.

Imported only if an endpoint is configured, since the SDK costs time to load and to run. The SDK
reads its other settings, such as OTEL_TRACES_SAMPLER, from the environment itself.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import Span, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind

import fast_zero

# They contain usernames and search terms. `http.route` is enough.
USER_INPUT = ("url.path", "url.query")
FLUSH_MILLISECONDS = 2000  # a collector that is down must not delay the exit


@contextmanager
def exported(endpoint: str, *, with_metrics: bool) -> Iterator[None]:
    """Export the traces, and optionally the metrics, of this process until the block ends."""
    name = os.environ.get("OTEL_SERVICE_NAME", "fast_zero")
    resource = Resource.create({"service.name": name, "service.version": fast_zero.__version__})
    tracers = TracerProvider(resource=resource, shutdown_on_exit=False)
    tracers.add_span_processor(RemovesUserInput())
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    trace.set_tracer_provider(tracers)
    with measured(endpoint, resource) if with_metrics else nullcontext():
        try:
            yield
        finally:
            tracers.force_flush(FLUSH_MILLISECONDS)
            tracers.shutdown()


class RemovesUserInput(SpanProcessor):
    """Removes user input from the spans that FastAPI starts."""

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:  # noqa: ARG002  # the SDK's signature
        if span.kind is SpanKind.SERVER:
            given = span.attributes or {}
            span.set_attributes({name: "REDACTED" for name in USER_INPUT if name in given})


@contextmanager
def measured(endpoint: str, resource: Resource) -> Iterator[None]:
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{endpoint}/v1/metrics"))
    meters = MeterProvider([reader], resource, shutdown_on_exit=False)
    metrics.set_meter_provider(meters)
    try:
        yield
    finally:
        meters.shutdown(FLUSH_MILLISECONDS)
