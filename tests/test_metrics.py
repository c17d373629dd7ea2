"""The metrics of a running server."""

import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.processes import PATIENCE, free_port, run, serving

ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "never to be seen 1"}


@pytest.fixture
def port():
    return free_port()


def scrape(port: int) -> dict[tuple[str, frozenset], float]:
    text = httpx2.get(f"http://127.0.0.1:{port}/metrics", timeout=PATIENCE).text
    return {
        (sample.name, frozenset(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(found: dict, name: str, *labels: str) -> float:
    return found[f"fast_zero_{name}", frozenset(labels)]


def test_one_process_exports_all_metrics(data_dir, port):
    with (
        serving(data_dir, measured=True, METRICS_PORT=str(port)) as server,
        httpx2.Client(base_url=server.url, timeout=PATIENCE) as client,
    ):
        client.post("/users", json=ACCOUNT)
        form = {"username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        client.post("/auth/token", data=form | {"password": "wrong"})
        token = client.post("/auth/token", data=form).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        todo = client.post("/todos", json={"title": "Buy bread"}).json()["id"]
        client.patch(f"/todos/{todo}", json={"state": "done"})
        client.delete(f"/todos/{todo}")
        client.get("/nowhere/at/all")
        found = scrape(port)
        while ("fast_zero_jobs", frozenset({"failed"})) not in found:  # looked at once a second
            time.sleep(0.05)
            found = scrape(port)

    counted = "http_request_seconds_count"
    assert value(found, counted, "POST", "/todos", "201") == 1
    assert value(found, counted, "PATCH", "/todos/{todo_id}", "200") == 1
    assert value(found, counted, "POST", "/auth/token", "401") == 1
    assert value(found, counted, "GET", "", "404") == 1
    assert value(found, "log_ins_total", "accepted") == 1
    assert value(found, "log_ins_total", "refused") == 1
    assert [
        value(found, "todos_written_total", operation)
        for operation in ("create", "update", "delete")
    ] == [1, 1, 1]
    assert value(found, "database_statement_seconds_count") >= 6
    assert value(found, "database_pool_size") == 10
    assert value(found, "revocations_listening") == 1
    assert value(found, "jobs", "failed") == 0
    assert value(found, "http_requests_in_flight") == 0


def test_metrics_of_workers_are_added_up_without_ended_ones(data_dir, port):
    with serving(data_dir, "--workers", "2", measured=True, METRICS_PORT=str(port)) as server:

        def greet(_number: int) -> int:
            return httpx2.get(f"{server.url}/", timeout=PATIENCE).status_code

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(greet, range(100))) == {200}
        found = scrape(port)
        while value(found, "database_pool_size") != 20:
            time.sleep(0.05)
            found = scrape(port)
        assert value(found, "http_request_seconds_count", "GET", "/", "200") == 100

        [dead, *_] = [one for one in server.workers() if "spawn_main" in " ".join(one.cmdline())]
        dead.send_signal(signal.SIGKILL)
        while value(scrape(port), "database_pool_size") == 20:
            time.sleep(0.05)
        found = scrape(port)

    assert value(found, "http_request_seconds_count", "GET", "/", "200") == 100


def test_a_port_in_use_is_reported(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = other.getsockname()[1]
        done = run(tmp_path / "data", "serve", "--port", "0", METRICS_PORT=str(taken))

    assert done.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{taken} for metrics" in done.stderr
    assert "Choose another METRICS_PORT." in done.stderr
