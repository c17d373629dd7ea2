"""`fast-zero smoke`, with a working deployment and with broken ones."""

import contextlib
import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import httpx2
import pytest

from tests import clusters
from tests.processes import PATIENCE, call, fake_service, on_a_terminal, run, serving

STEPS = [
    "live",
    "ready",
    "version",
    "register",
    "log in",
    "create",
    "list",
    "change",
    "delete",
    "clean up",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(clusters.copy_to(tmp_path_factory.mktemp("smoke") / "data")) as server:
        yield server


def smoke(tmp_path, *arguments: str):
    return call(tmp_path / "data", "smoke", *arguments)


@contextlib.contextmanager
def proxied(url: str, modify) -> Iterator[str]:
    """Run a proxy below a path that modifies some responses."""

    def forward(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        path = request.path.removeprefix("/below")
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        response = httpx2.request(
            request.command, url + path, content=body, headers=headers, timeout=PATIENCE
        )
        return modify(request.command, path) or (response.status_code, response.content)

    with fake_service(forward) as address:
        yield f"{address}/below"


def test_a_working_deployment_passes_and_leaves_no_data(server, tmp_path):
    before = httpx2.get(f"{server.url}/users").json()
    result = run(tmp_path / "data", "smoke", server.url)

    lines = [line.split("\t") for line in result.stdout.splitlines()]
    assert result.returncode == 0, result.stdout
    assert [line[0] for line in lines] == STEPS
    assert {line[2] for line in lines} == {"200", "201"}
    assert "\x1b" not in result.stdout
    assert httpx2.get(f"{server.url}/users").json() == before


def test_a_terminal_gets_a_table_and_the_option_json_gives_json(server, tmp_path):
    table = on_a_terminal(tmp_path / "data", "smoke", server.url)
    steps = json.loads(smoke(tmp_path, server.url, "--json").stdout)

    assert "┃" in table
    assert [step["name"] for step in steps] == STEPS
    assert {step["problem"] for step in steps} == {""}
    assert all(step["milliseconds"] > 0 for step in steps)


@pytest.mark.parametrize("step", range(len(STEPS)), ids=STEPS)
def test_a_failed_step_is_reported_and_the_account_is_deleted(server, tmp_path, step):
    requests = []

    def modify(*request: str) -> tuple[int, bytes] | None:
        requests.append(request)
        return (500, b'{"detail": "out of order"}') if len(requests) == step + 1 else None

    with proxied(server.url, modify) as url:
        result = smoke(tmp_path, url, "--json")

    steps = json.loads(result.stdout)
    failed = [entry for entry in steps if entry["problem"]]
    assert result.returncode == 1
    assert [entry["name"] for entry in failed] == [STEPS[step]]
    assert failed[0]["status"] == 500
    assert "out of order" in failed[0]["problem"]
    cleans_up = step > STEPS.index("log in")
    assert (steps[-1]["name"] == "clean up") == cleans_up


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"<html>", "is this fast_zero?"), (b'{"todos": []}', "does not contain the new todo alone")],
)
def test_an_invalid_response_is_reported(server, tmp_path, content, problem):
    def modify(method: str, path: str) -> tuple[int, bytes] | None:
        return (200, content) if (method, path) == ("GET", "/todos?limit=10") else None

    with proxied(server.url, modify) as url:
        result = smoke(tmp_path, url)

    assert result.returncode == 1
    assert problem in result.stdout


def test_an_unreachable_server_is_reported(tmp_path):
    result = smoke(tmp_path, "http://127.0.0.1:1")

    assert result.returncode == 1
    assert result.stdout.startswith("live\tGET /livez\t\t")
    assert "refused" in result.stdout


@pytest.mark.parametrize("url", ["todo.example.com", "ftp://todo.example.com", "https://", "x?y=1"])
def test_an_invalid_url_is_refused(tmp_path, url):
    result = smoke(tmp_path, url)

    assert result.returncode == 2
    assert "is not a URL" in " ".join(result.stderr.split())
