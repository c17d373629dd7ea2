import json
import logging
import os
import pty
import subprocess
import sys

import pytest
from fastapi.routing import iter_route_contexts
from starlette.types import Scope

from fast_zero.core.observability import logs

SCRIPT = """
import logging, sys
from fast_zero.core.observability import logs
from fast_zero.core.settings import Settings
logs.configure(Settings(_env_file=None))
logging.getLogger("speaker").warning("a sentence", extra=logs.with_fields({"number": 7}))
logging.getLogger("alembic").info("of interest to few")
try:
    raise ValueError("what somebody typed")
except ValueError:
    logging.getLogger("speaker").exception("it failed")
"""


def log_to_pipe(**variables: str) -> str:
    result = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == ""
    return result.stderr


def log_to_terminal(**variables: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT], env=os.environ | variables, stderr=theirs
    ):
        os.close(theirs)
        output = b""
        while True:
            try:
                part = os.read(ours, 1000)
            except OSError:  # the other side has closed
                break
            if not part:
                break
            output += part
    os.close(ours)
    return output.decode()


def test_a_pipe_gets_a_json_object_for_each_line():
    warning, error = map(json.loads, log_to_pipe().splitlines())

    assert warning["message"] == "a sentence"
    assert (warning["level"], warning["logger"], warning["number"]) == ("warning", "speaker", 7)
    assert warning["time"].endswith("+00:00")
    assert error["message"] == "it failed"


def test_an_exception_is_logged_with_type_and_location_but_without_its_message():
    output = log_to_pipe()

    assert json.loads(output.splitlines()[1])["error"] == "ValueError at <string>:9"
    assert "what somebody typed" not in output
    assert "Traceback" not in output


def test_a_terminal_gets_coloured_text():
    output = log_to_terminal()

    assert "\x1b[33mWARNING\x1b[0m:" in output
    assert "a sentence  number=7" in output
    assert "it failed  error=ValueError at <string>:9" in output
    assert "Traceback" not in output


def test_colours_can_be_disabled():
    assert "\x1b" not in log_to_terminal(NO_COLOR="1")


@pytest.mark.parametrize(("form", "begin"), [("text", "WARNING"), ("json", '{"time"')])
def test_the_format_can_be_chosen(form, begin):
    assert begin in log_to_pipe(LOG_FORMAT=form)


def test_a_line_has_the_fields_of_its_request():
    scope: Scope = {"route": type("Route", (), {"path_format": "/todos/{todo_id}"})}
    record = logging.makeLogRecord({"msg": "late", "levelname": "WARNING"})
    before = logs.current_request.set(logs.RequestContext("a1b2c3d4", "GET", scope, 7))
    try:
        line = json.loads(logs.Json().format(record))
    finally:
        logs.current_request.reset(before)

    assert line["request_id"] == "a1b2c3d4"
    assert (line["method"], line["route"], line["user_id"]) == ("GET", "/todos/{todo_id}", 7)


def test_every_route_is_logged_with_its_full_path_template(app):
    """The route in the scope lacks the prefix of an including router."""
    routes = [found for found in iter_route_contexts(app.routes) if found.path_format]

    assert len(routes) >= 60
    for route in routes:
        assert route.original_route.path_format == route.path_format
