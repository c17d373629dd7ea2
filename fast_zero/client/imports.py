"""Sends a file to import, and waits for what becomes of it."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fast_zero.client.api import Api
from fast_zero.client.errors import ClientError

MEDIA_TYPES = {".csv": "text/csv", ".ics": "text/calendar", ".json": "application/json"}
FORMATS = {
    "csv": "text/csv",
    "todoist_csv": "text/csv",
    "icalendar": "text/calendar",
    "todoist_json": "application/json",
}
ENDED = {"done", "failed"}
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 1.0

Report = Callable[[Any], None]


def start(api: Api, file: Path, params: dict[str, Any]) -> Any:  # noqa: ANN401  # as JSON
    """Send a file. `params` are those of the route; without a `format`, the ending says it."""
    form = params.get("format")
    media_type = FORMATS.get(form) if form else MEDIA_TYPES.get(file.suffix.lower())
    if media_type is None:
        raise ClientError(f"What is {file}? Give --format: {', '.join(FORMATS)}.")
    try:
        content = file.read_bytes()
    except OSError as error:
        raise ClientError(f"Cannot read {file}: {error.strerror}.") from None
    response = api.send(
        "POST", "/imports", params=params, content=content, headers={"Content-Type": media_type}
    )
    return api.json(response)


def wait_for_end(api: Api, started: Any, report: Report) -> Any:  # noqa: ANN401  # as JSON
    """Ask how an import goes until it has ended, and report it each time."""
    pause, current = FIRST_PAUSE, started
    while current["status"] not in ENDED:
        report(current)
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_PAUSE)
        current = api.get(f"/imports/{started['id']}")
    report(current)
    return current
