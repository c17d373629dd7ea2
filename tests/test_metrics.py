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


def value(samples: dict, name: str, *labels: str) -> float:
    return samples[f"fast_zero_{name}", frozenset(labels)]


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
        samples = scrape(port)
        while ("fast_zero_jobs", frozenset({"failed"})) not in samples:  # sampled once a second
            time.sleep(0.05)
            samples = scrape(port)

    requests = "http_request_seconds_count"
    assert value(samples, requests, "POST", "/todos", "201") == 1
    assert value(samples, requests, "PATCH", "/todos/{todo_id}", "200") == 1
    assert value(samples, requests, "POST", "/auth/token", "401") == 1
    assert value(samples, requests, "GET", "", "404") == 1
    assert value(samples, "log_ins_total", "accepted") == 1
    assert value(samples, "log_ins_total", "refused") == 1
    assert [
        value(samples, "todos_written_total", operation)
        for operation in ("create", "update", "delete")
    ] == [1, 1, 1]
    assert value(samples, "database_statement_seconds_count") >= 6
    assert value(samples, "database_pool_size") == 10
    assert value(samples, "revocations_listening") == 1
    assert value(samples, "jobs", "failed") == 0
    assert value(samples, "http_requests_in_flight") == 0


def test_metrics_of_workers_are_added_up_and_gauges_of_ended_workers_removed(data_dir, port):
    with serving(data_dir, "--workers", "2", measured=True, METRICS_PORT=str(port)) as server:

        def greet(_number: int) -> int:
            return httpx2.get(f"{server.url}/", timeout=PATIENCE).status_code

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(greet, range(100))) == {200}
        samples = scrape(port)
        while value(samples, "database_pool_size") != 20:
            time.sleep(0.05)
            samples = scrape(port)
        assert value(samples, "http_request_seconds_count", "GET", "/", "200") == 100

        [dead, *_] = [
            worker for worker in server.workers() if "spawn_main" in " ".join(worker.cmdline())
        ]
        dead.send_signal(signal.SIGKILL)
        while value(scrape(port), "database_pool_size") == 20:
            time.sleep(0.05)
        samples = scrape(port)

    assert value(samples, "http_request_seconds_count", "GET", "/", "200") == 100


def test_a_port_in_use_is_reported(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        result = run(tmp_path / "data", "serve", "--port", "0", METRICS_PORT=str(port))

    assert result.returncode == 1
    assert f"Cannot listen on 127.0.0.1:{port} for metrics" in result.stderr
    assert "Choose another METRICS_PORT." in result.stderr
