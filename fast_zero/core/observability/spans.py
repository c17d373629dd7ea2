"""What is traced beside requests: statements, jobs and emails, as parts of one trace.

Only OpenTelemetry's API is needed here. It does nothing until `tracing` gives it somewhere to send
to, and nothing of what goes into a span is what somebody typed.
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
    """Trace what happens within, in the trace of `carried`, or else of what goes on around it."""
    with tracer.start_as_current_span(
        name,
        context=propagate.extract(carried) if carried else None,
        kind=kind,
        attributes=attributes,
        record_exception=False,  # its words may quote an address
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
    """Give what lets another process go on with this trace (W3C Trace Context); else nothing."""
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
        "db.query.text": statement,  # with names in place of values
    }
    return tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes)
