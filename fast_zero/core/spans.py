"""What is traced beside requests: statements, jobs and letters, as parts of one trace.

Only OpenTelemetry's API is needed here. It does nothing until `tracing` gives it somewhere to send
to, and nothing of what goes into a span is what somebody typed.
"""

import os
import random
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

from opentelemetry import propagate, trace
from opentelemetry.trace import NonRecordingSpan, Span, SpanContext, SpanKind, StatusCode
from opentelemetry.util.types import AttributeValue

tracer = trace.get_tracer("fast_zero")
# What stands for a trace that nobody keeps: any number will do.
UNKEPT = NonRecordingSpan(SpanContext(trace_id=1, span_id=1, is_remote=False))


left_out: ContextVar[bool] = ContextVar("left_out", default=False)


def share_of_requests(*, with_metrics: bool) -> float:
    """Tell what part of the requests `Draw` lets be traced, by OpenTelemetry's own settings.

    1 is all: then the SDK's sampler decides, span by span, as it does where FastAPI also measures
    requests, which have to be looked at for that.
    """
    if with_metrics or os.environ.get("OTEL_TRACES_SAMPLER") != "parentbased_traceidratio":
        return 1
    try:
        return float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", "1"))
    except ValueError:  # as the SDK takes it
        return 1


class Draw:
    """Decides before all else whether a request is traced: one that is not costs nothing then.

    A request that brings a trace with it was decided on elsewhere. The jobs of one that is left out
    are left out, too.
    """

    def __init__(self, share: float) -> None:
        self.share = share

    def leaves_out(self, headers: Iterable[tuple[bytes, bytes]]) -> bool:
        if self.share == 1 or b"traceparent" in [name for name, _ in headers]:
            return False
        if random.random() < self.share:  # noqa: S311  # no secret
            return False
        left_out.set(True)
        return True


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
    propagate.inject(carried, trace.set_span_in_context(UNKEPT) if left_out.get() else None)
    return carried


def is_traced() -> bool:
    """Tell whether what happens now is part of a trace that is kept."""
    return not left_out.get() and trace.get_current_span().is_recording()


@contextmanager
def statement(text: str) -> Iterator[None]:
    """Trace a statement for as long as the block takes."""
    begun = begin_statement(text)
    try:
        yield
    except BaseException as error:
        failed(begun, error)
        raise
    finally:
        begun.end()


def begin_statement(statement: str) -> Span:
    if not is_traced():
        return trace.INVALID_SPAN
    operation = statement.split(maxsplit=1)[0].upper()
    attributes = {
        "db.system.name": "postgresql",
        "db.operation.name": operation,
        "db.query.text": statement,  # with names in place of values
    }
    return tracer.start_span(operation, kind=SpanKind.CLIENT, attributes=attributes)
