"""One trace covers a request, its statements, the job and the email."""

import httpx2
import pytest

from tests.chaos import own_database
from tests.collector import collecting
from tests.core.mailbox import receiving
from tests.processes import PATIENCE, call, serving, until, working

ANA = {"username": "ana", "email": "ana@example.com", "password": "never to be seen 1"}
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}
SHORT_DELAY = {"OTEL_BSP_SCHEDULE_DELAY": "100"}  # milliseconds between exports


@pytest.fixture
def database():
    with own_database() as database:
        yield database


@pytest.fixture
def folder(database):
    return database.folder.parent / "server"


def variables(database, mailbox, collector) -> dict[str, str]:
    return {
        "DATABASE_URL": database.url,
        "SECRET_KEY": "k" * 48,
        "SMTP_URL": mailbox.url,
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        **SHORT_DELAY,
    }


async def register(server) -> None:
    async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
        response = await client.post("/users", json=ANA, headers=PARENT)
        assert response.status_code == 201
        refused = await client.post("/users", json=ANA | {"username": ["never to be seen 2"]})
        assert refused.status_code == 422
        missing = await client.get("/users/never to be seen 3/feed.json?a=never+to+be+seen+4")
        assert missing.status_code == 404
        conflict = await client.post("/users", json=ANA, headers=PARENT)
        assert conflict.status_code == 409


def check(collector) -> None:
    [request, _] = [span for span in collector.named("POST /users") if span.trace_id.hex() == TRACE]
    insert, *_ = [span for span in collector.named("INSERT") if span.trace_id.hex() == TRACE]
    [job] = collector.named("job accounts.send_link")
    [email] = collector.named("send a letter")

    assert {span.trace_id.hex() for span in (request, insert, job, email)} == {TRACE}
    assert request.parent_span_id.hex() == "b7ad6b7169203331"
    assert insert.parent_span_id == request.span_id
    assert email.parent_span_id == job.span_id
    assert job.parent_span_id != b""
    assert collector.named("GET /users/{username}/feed.json")
    exported = collector.all_bodies()
    for private in (ANA["email"], ANA["password"], "never to be seen", "never+to+be+seen"):
        assert private.encode() not in exported


async def test_a_trace_spans_from_the_request_to_the_email(database, folder):
    with collecting() as collector:
        async with receiving() as mailbox:
            environment = variables(database, mailbox, collector)
            with serving(folder, measured=True, **environment) as server:
                await register(server)
                await until(lambda: mailbox.emails)
                await until(lambda: collector.named("send a letter"))
        check(collector)
        assert "/v1/metrics" in collector.bodies
        lines = server.log.read_text()

    assert f'"trace_id": "{TRACE}"' in lines


async def test_a_trace_continues_in_a_worker_that_starts_later(database, folder):
    with collecting() as collector:
        async with receiving() as mailbox:
            environment = variables(database, mailbox, collector) | {
                "OTEL_METRICS_EXPORTER": "none"
            }
            with serving(folder, RUN_JOBS="false", **environment) as server:
                await register(server)
                await until(lambda: collector.named("POST /users"))
            assert server.process.poll() is not None
            with working(folder, **environment):
                await until(lambda: collector.named("send a letter"))
        check(collector)
        assert "/v1/metrics" not in collector.bodies


async def test_sampling_covers_the_job_and_follows_an_incoming_trace(database, folder):
    sampling_off = {
        "OTEL_TRACES_SAMPLER": "parentbased_traceidratio",
        "OTEL_TRACES_SAMPLER_ARG": "0",
    }
    with collecting() as collector:
        async with receiving() as mailbox:
            environment = variables(database, mailbox, collector) | sampling_off
            with serving(folder, **environment, OTEL_METRICS_EXPORTER="none") as server:
                async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
                    other = {**ANA, "username": "rui", "email": "rui@example.com"}
                    assert (await client.post("/users", json=other)).status_code == 201
                    await until(lambda: len(mailbox.emails) == 1)
                    unsampled = {"traceparent": PARENT["traceparent"][:-2] + "00"}
                    assert (await client.get("/users", headers=unsampled)).status_code == 200
                    assert (
                        await client.post("/users", json=ANA, headers=PARENT)
                    ).status_code == 201
                await until(lambda: collector.named("send a letter"))

    assert {span.trace_id.hex() for span in collector.spans()} == {TRACE}
    assert len(collector.named("POST /users")) == 1
    assert collector.named("GET /users") == []


async def test_an_exit_does_not_wait_for_an_unavailable_collector(database, folder):
    environment = {"DATABASE_URL": database.url, "SECRET_KEY": "k" * 48}
    unavailable = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"}
    with serving(folder, **environment, **unavailable) as server:
        async with httpx2.AsyncClient(base_url=server.url, timeout=PATIENCE) as client:
            assert (await client.get("/users")).status_code == 200
        assert server.stop() == 0


def test_an_invalid_endpoint_is_refused(tmp_path):
    result = call(tmp_path / "data", "migrate", OTEL_EXPORTER_OTLP_ENDPOINT="collector:4318")

    assert result.returncode == 1
    assert "OTEL_EXPORTER_OTLP_ENDPOINT: write http:// or https://" in result.stderr
