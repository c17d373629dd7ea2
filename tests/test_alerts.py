"""Alerting rules and dashboards, checked against the metrics and run by a real Prometheus."""

import contextlib
import json
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from pathlib import Path

import httpx2
import pytest
import yaml

from tests.chaos import own_database
from tests.processes import PATIENCE, fake_service, free_port, serving

ROOT = Path(__file__).parents[1]
OBSERVE = ROOT / "deploy/observe"
RULES = yaml.safe_load((OBSERVE / "rules.yml").read_text())
ALERTS = [rule for group in RULES["groups"] for rule in group["rules"] if "alert" in rule]
RECORDED = {
    rule["record"] for group in RULES["groups"] for rule in group["rules"] if "record" in rule
}
PROMETHEUS, ALERTMANAGER = shutil.which("prometheus"), shutil.which("prometheus-alertmanager")
PROMTOOL, AMTOOL = shutil.which("promtool"), shutil.which("amtool")
ACCOUNT = {"username": "ana", "email": "ana@example.com", "password": "a fine long sentence"}
# The durations in the rules, and what replaces them in the test.
SHORT_DURATIONS = {
    "6h": "20s",
    "1h": "10s",
    "30m": "10s",
    "5m": "5s",
    "10m": "5s",
    "2m": "5s",
    "1m": "0s",
}

without_prometheus = pytest.mark.skipif(
    None in {PROMETHEUS, ALERTMANAGER, PROMTOOL, AMTOOL},
    reason="Prometheus is not installed: apt install prometheus prometheus-alertmanager",
)


def expressions() -> Iterator[str]:
    for group in RULES["groups"]:
        yield from (rule["expr"] for rule in group["rules"])
    for file in OBSERVE.glob("dashboards/*.json"):
        for panel in json.loads(file.read_text())["panels"]:
            yield from (target["expr"] for target in panel["targets"])


@without_prometheus
@pytest.mark.parametrize(
    "command",
    [
        [PROMTOOL, "check", "rules", "rules.yml"],
        [PROMTOOL, "test", "rules", "rules_test.yml"],
        [PROMTOOL, "check", "config", "prometheus.yml"],
        [AMTOOL, "check-config", "alertmanager.yml"],
    ],
    ids=lambda command: " ".join(str(word).rpartition("/")[2] for word in command),
)
def test_the_alerting_rules_are_valid_and_pass_their_tests(command):
    result = subprocess.run(command, cwd=OBSERVE, capture_output=True, text=True, check=False)

    assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_links_to_its_section_of_the_runbook():
    runbook = (ROOT / "docs/runbook.md").read_text()
    anchors = {heading.lower() for heading in re.findall(r"^## (\w+)$", runbook, re.MULTILINE)}
    linked = {rule["annotations"]["runbook"].removeprefix("docs/runbook.md#") for rule in ALERTS}

    assert linked == anchors
    assert len(linked) == len(ALERTS)
    assert all(rule["annotations"]["summary"].endswith(".") for rule in ALERTS)


def test_every_metric_in_a_query_exists(data_dir):
    port = free_port()
    with serving(data_dir, METRICS_PORT=str(port)) as server:
        httpx2.post(f"{server.url}/auth/token", data={"username": "a", "password": "b"})
        exposition = ""
        while "fast_zero_jobs{" not in exposition:
            time.sleep(0.05)
            exposition = httpx2.get(f"http://127.0.0.1:{port}/metrics").text
    known = set(re.findall(r"^(\w+)[{ ]", exposition, re.MULTILINE)) | RECORDED
    used = {name for text in expressions() for name in re.findall(r"\bfast_zero[\w:]+", text)}

    assert len(used) > 15
    assert used <= known


@contextlib.contextmanager
def program(*arguments: object) -> Iterator[None]:
    with subprocess.Popen(
        list(map(str, arguments)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield
        finally:
            process.terminate()


@contextlib.contextmanager
def webhook() -> Iterator[tuple[str, list[dict]]]:
    alerts: list[dict] = []

    def listen(_request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, bytes]:
        alerts.extend(json.loads(body)["alerts"])
        return 200, b""

    with fake_service(listen) as url:
        yield f"{url}/", alerts


def shorten(text: str) -> str:
    text = re.sub(r"\[(\w+)\]", lambda match: f"[{SHORT_DURATIONS[match[1]]}]", text)
    return re.sub(r"for: (\w+)", lambda match: f"for: {SHORT_DURATIONS[match[1]]}", text)


@without_prometheus
def test_failing_requests_raise_an_alert_through_prometheus_and_alertmanager(tmp_path):
    metrics, scraper, manager = free_port(), free_port(), free_port()
    with own_database() as database, webhook() as (url, alerts), contextlib.ExitStack() as stack:
        (tmp_path / "rules.yml").write_text(shorten((OBSERVE / "rules.yml").read_text()))
        prometheus = (OBSERVE / "prometheus.yml").read_text().replace("15s", "1s")
        prometheus = prometheus.replace("app:9090", f"127.0.0.1:{metrics}")
        prometheus = prometheus.replace("alertmanager:9093", f"127.0.0.1:{manager}")
        (tmp_path / "prometheus.yml").write_text(prometheus)
        alerting = (
            (OBSERVE / "alertmanager.yml").read_text().replace("group_wait: 30s", "group_wait: 0s")
        )
        alerting = alerting.replace("http://localhost:9999/", url)
        (tmp_path / "alertmanager.yml").write_text(alerting)
        variables = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
        server = stack.enter_context(
            serving(database.folder.parent / "server", METRICS_PORT=str(metrics), **variables)
        )
        stack.enter_context(
            program(
                ALERTMANAGER,
                f"--config.file={tmp_path}/alertmanager.yml",
                f"--storage.path={tmp_path}/alertmanager",
                f"--web.listen-address=127.0.0.1:{manager}",
                "--cluster.listen-address=",
            )
        )
        stack.enter_context(
            program(
                PROMETHEUS,
                f"--config.file={tmp_path}/prometheus.yml",
                f"--storage.tsdb.path={tmp_path}/prometheus",
                f"--web.listen-address=127.0.0.1:{scraper}",
            )
        )
        database.stop("immediate")
        deadline = time.monotonic() + PATIENCE
        while not [alert for alert in alerts if alert["labels"]["alertname"] == "RequestsFail"]:
            assert httpx2.get(f"{server.url}/users").status_code == 503
            assert time.monotonic() < deadline, alerts
            time.sleep(0.1)
        database.start()

    [alert, *_] = [alert for alert in alerts if alert["labels"]["alertname"] == "RequestsFail"]
    assert alert["annotations"]["runbook"] == "docs/runbook.md#requestsfail"
