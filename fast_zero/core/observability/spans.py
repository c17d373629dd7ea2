"""Spans of statements, jobs and emails, which belong to the trace of a request.

This module needs only OpenTelemetry's API, which does nothing until `tracing` sets up an exporter.
Spans contain no user input.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import propagate, trace
from opentelemetry.trace import Span, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

tracer = trace.get_tracer("fast_zero")


@contextmanager
def span(
    name: str,
    kind: SpanKind,
    attributes: Mapping[str, AttributeValue],
    carried: Mapping[str, str] | None = None,
) -> Iterator[None]:
    """Trace the block as a child of the context in `carried`, or else of the current span."""
    with tracer.start_as_current_span(
        name,
        context=propagate.extract(carried) if carried else None,
        kind=kind,
        attributes=attributes,
        record_exception=False,  # its message may quote an address
        set_status_on_exception=False,
    ) as begun:
        try:
            yield
        except BaseException as error:
            failed(begun, error)
            raise


def failed(begun: Span, error: BaseException) -> None:
    begun.set_attribute("error.type", type(error).__name__)
    begun.set_status(StatusCode.ERROR)


def carry() -> dict[str, str]:
    """Return the trace context for another process (W3C Trace Context), or an empty dictionary."""
    carried: dict[str, str] = {}
    propagate.inject(carried)
    return carried


def begin_statement(statement: str) -> Span:
    if not trace.get_current_span().is_recording():
        return trace.INVALID_SPAN
    operation = statement.split(maxsplit=1)[0].upper()
    attributes = {
        "db.system.name": "postgresql",
        "db.operation.name": operation,
        "db.query.text": statement,  # with placeholders instead of values
    }
    return tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes)
