"""Measures and traces statements, whether SQLAlchemy or the driver sends them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine, ExceptionContext
from sqlalchemy.event import listen

from fast_zero.core.observability import metrics, spans


@contextmanager
def observed(statement: str) -> Iterator[None]:
    """Measure and trace a statement that is sent directly to the driver."""
    began, span = time.perf_counter(), spans.begin_statement(statement)
    try:
        yield
        metrics.STATEMENTS.observe(time.perf_counter() - began)
    except BaseException as error:
        spans.failed(span, error)
        raise
    finally:
        span.end()


def observe(engine: Engine) -> None:
    """Measure and trace the statements that SQLAlchemy sends."""
    listen(engine, "before_cursor_execute", begin_statement)
    listen(engine, "after_cursor_execute", end_statement)
    listen(engine, "handle_error", fail_statement, insert=True)


# SQLAlchemy passes the connection, the cursor, the statement, its parameters, the execution
# context, and whether it is an `executemany`.
def begin_statement(*given: Any) -> None:  # noqa: ANN401  # see above
    context = given[4]
    context.began, context.span = time.perf_counter(), spans.begin_statement(given[2])


def end_statement(*given: Any) -> None:  # noqa: ANN401  # see above
    context = given[4]
    metrics.STATEMENTS.observe(time.perf_counter() - context.began)
    context.span.end()


def fail_statement(context: ExceptionContext) -> None:
    if begun := getattr(context.execution_context, "span", None):
        spans.failed(begun, context.original_exception)
        begun.end()
