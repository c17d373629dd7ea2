"""Logging: coloured lines on a terminal, JSON elsewhere, with the request in each line.

Lines have the route and not the path, and only the last frame of a stack trace: a path may contain
an address, and a stack trace quotes user input.
"""

import json
import logging
import logging.config
import os
import sys
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from traceback import extract_tb
from typing import Any, TextIO

from opentelemetry import trace
from starlette.types import Scope
from uvicorn.logging import ColourizedFormatter

from fast_zero.core.settings import Settings


@dataclass
class RequestContext:
    """What is known about a request. Fields are added while it is processed."""

    request_id: str
    method: str
    scope: Scope  # the one that routing updates
    user_id: int | None = None

    @property
    def route(self) -> str:
        """The path template of the route; empty if no route has matched."""
        found: str = getattr(self.scope.get("route"), "path_format", "")
        return found

    def known(self) -> dict[str, object]:
        fields = {
            "request_id": self.request_id,
            "trace_id": trace_id(),
            "method": self.method,
            "route": self.route,
            "user_id": self.user_id,
        }
        return {name: value for name, value in fields.items() if value}


# Their messages at level `info` are not useful to operators.
NOISY_LOGGERS = ("alembic",)

current_request: ContextVar[RequestContext | None] = ContextVar("request", default=None)


def trace_id() -> str:
    found = trace.get_current_span().get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else ""


def configure(settings: Settings) -> None:
    """Configure logging of this process to standard error."""
    # No line contains these, so they need not be collected for each record.
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    terminal = sys.stderr.isatty()
    text = settings.log_format == "text" or (settings.log_format == "auto" and terminal)
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {
                "text": {"()": Text, "use_colors": terminal and "NO_COLOR" not in os.environ},
                "json": {"()": Json},
            },
            "handlers": {
                "standard error": {"()": StandardError, "formatter": "text" if text else "json"},
            },
            "loggers": {name: {"level": "WARNING"} for name in NOISY_LOGGERS},
            "root": {"level": settings.log_level.upper(), "handlers": ["standard error"]},
        }
    )


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Return the fields of a line besides its message: request, own fields, and error."""
    request = current_request.get()
    found: dict[str, Any] = request.known() if request else {}
    found |= getattr(record, "fields", {})
    if record.exc_info and record.exc_info[0]:
        kind, _, stack = record.exc_info
        [*_, last] = extract_tb(stack) or [None]
        place = f" at {os.path.basename(last.filename)}:{last.lineno}" if last else ""  # noqa: PTH119  # it is a string
        found["error"] = f"{kind.__name__}{place}"
    return found


def with_fields(values: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """Return the `extra` argument that adds fields to a log line."""
    return {"fields": values}


class StandardError(logging.StreamHandler[TextIO]):
    def flush(self) -> None:
        """Do nothing, since standard error is not buffered."""


class Json(logging.Formatter):
    encoder = json.JSONEncoder(default=str)

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **fields(record),
        }
        return self.encoder.encode(line)


class Text(ColourizedFormatter):
    def __init__(self, use_colors: bool) -> None:  # noqa: FBT001  # passed by name, from a dictionary
        super().__init__("%(asctime)s %(levelprefix)s %(message)s", "%H:%M:%S", "%", use_colors)

    def format(self, record: logging.LogRecord) -> str:
        values = " ".join(f"{name}={value}" for name, value in fields(record).items())
        copy = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
        return f"{super().format(copy)}  {values}".rstrip()
