"""The log: coloured lines on a terminal, JSON elsewhere, and in each line which request it is of.

It names routes and not paths, and of a stack trace only where it ended: a path may hold an address,
and a trace quotes what somebody sent.
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
class Asked:
    """What is known of a request, more of it the farther it gets."""

    request_id: str
    method: str
    scope: Scope  # that which routing writes to
    actor_id: int | None = None

    @property
    def route(self) -> str:
        """The template of its path; empty while no route is found."""
        found: str = getattr(self.scope.get("route"), "path_format", "")
        return found

    def known(self) -> dict[str, object]:
        fields = {
            "request_id": self.request_id,
            "trace_id": trace_id(),
            "method": self.method,
            "route": self.route,
            "user_id": self.actor_id,
        }
        return {name: value for name, value in fields.items() if value}


# What they tell at `info` is of interest to their makers.
TALKATIVE = ("alembic",)

asked: ContextVar[Asked | None] = ContextVar("asked", default=None)


def trace_id() -> str:
    found = trace.get_current_span().get_span_context()
    return trace.format_trace_id(found.trace_id) if found.is_valid else ""


def configure(settings: Settings) -> None:
    """Send all that is logged in this process to standard error."""
    # What no line tells need not be found out for each.
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
            "loggers": {name: {"level": "WARNING"} for name in TALKATIVE},
            "root": {"level": settings.log_level.upper(), "handlers": ["standard error"]},
        }
    )


def fields(record: logging.LogRecord) -> dict[str, Any]:
    """Give what a line says beside its words: of its request, of itself, and of an error."""
    request = asked.get()
    found: dict[str, Any] = request.known() if request else {}
    found |= getattr(record, "fields", {})
    if record.exc_info and record.exc_info[0]:
        kind, _, stack = record.exc_info
        [*_, last] = extract_tb(stack) or [None]
        place = f" at {os.path.basename(last.filename)}:{last.lineno}" if last else ""  # noqa: PTH119  # a string it is
        found["error"] = f"{kind.__name__}{place}"
    return found


def with_fields(values: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """Make the `extra` of a line out of what it says beside its words."""
    return {"fields": values}


class StandardError(logging.StreamHandler[TextIO]):
    def flush(self) -> None:
        """Do nothing: each line is sent as it is written."""


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
    def __init__(self, use_colors: bool) -> None:  # noqa: FBT001  # a dictionary names it
        super().__init__("%(asctime)s %(levelprefix)s %(message)s", "%H:%M:%S", "%", use_colors)

    def format(self, record: logging.LogRecord) -> str:
        values = " ".join(f"{name}={value}" for name, value in fields(record).items())
        copy = logging.makeLogRecord({**record.__dict__, "exc_info": None, "exc_text": None})
        return f"{super().format(copy)}  {values}".rstrip()
