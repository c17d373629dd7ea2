import asyncio
import secrets

import pytest
from prometheus_client import REGISTRY
from sqlalchemy import make_url, text

from fast_zero.core.database import connected, transaction
from fast_zero.core.observability import metrics
from fast_zero.core.observability.samples import Samples

CLOSED = make_url("postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/todos")
DEFER = """
SELECT procrastinate_defer_jobs_v1(
    ARRAY[ROW('q', 'q', 0, NULL, NULL, '{}', NULL)::procrastinate_job_to_defer_v1]
)
"""


def count_series() -> int:
    return sum(len(family.samples) for family in REGISTRY.collect())


def sample(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"fast_zero_{name}", labels) or 0


async def test_unknown_paths_are_one_series(anonymous):
    await anonymous.get("/nowhere")
    before = count_series()
    for _ in range(200):
        await anonymous.get(f"/{secrets.token_urlsafe(9)}/{secrets.token_urlsafe(9)}")

    assert count_series() == before


async def test_ids_and_unknown_methods_add_no_series(anonymous):
    for path in ("/users/1", "/users/99999"):
        await anonymous.get(path)
    await anonymous.request("BREW", "/users/1")
    before = count_series()
    for number in range(100):
        await anonymous.get(f"/users/{number + 1_000_000}")
        await anonymous.request(f"BREW{number}", "/users/1")

    assert count_series() == before


async def test_ten_thousand_users_add_no_series():
    metrics.time_request("GET", "", 404, 0.1)
    before = count_series()
    for number in range(10_000):
        metrics.time_request(f"M{number}", "", 404, 0.1)
    assert count_series() <= before + len(metrics.SECONDS) + 3  # those of method `other`


async def test_statements_are_timed_if_metrics_are_enabled(live):
    before = sample("database_statement_seconds_count")
    async with live() as client:
        await client.get("/readyz")
    assert sample("database_statement_seconds_count") == before

    async with live(metrics_port=1) as client:
        await client.get("/readyz")
    assert sample("database_statement_seconds_count") > before


async def test_waiting_for_a_connection_is_measured(live):
    before = sample("database_pool_wait_seconds_count")
    async with live(database_pool_size=1) as client:
        await asyncio.gather(*(client.get("/users") for _ in range(5)))

    assert sample("database_pool_wait_seconds_count") > before


@pytest.fixture
def samples(pool, sessions) -> Samples:
    return Samples({"pool": pool, "sessions": sessions})


async def test_the_jobs_are_counted(samples, connection):
    await connection.execute(text(DEFER))
    await connection.execute(text("UPDATE procrastinate_events SET at = at - interval '1 hour'"))
    await samples.collect_jobs()

    assert sample("jobs", status="todo") == 1
    assert sample("jobs", status="failed") == 0
    assert 3600 <= sample("oldest_job_seconds") < 3700


async def test_sampling_continues_if_the_database_is_unavailable(settings):
    async with connected(settings.model_copy(update={"database_url": CLOSED})) as state:
        samples = Samples(state)
        await samples.collect()
        await samples.collect()

    assert samples.rounds == 2


async def test_the_event_loop_and_the_pool_are_sampled(samples, monkeypatch):
    monkeypatch.setattr(metrics, "SAMPLE_SECONDS", 0.01)
    before = sample("event_loop_lag_seconds_count")
    sampled_once = asyncio.Event()

    async def notify() -> None:
        sampled_once.set()

    async with (
        metrics.sampled(samples.collect, notify),
        asyncio.timeout(30),
    ):
        await sampled_once.wait()

    assert sample("event_loop_lag_seconds_count") > before
    assert sample("database_pool_size") == samples.pool.max_size


async def test_statements_on_a_standby_are_observed_too(settings):
    changes = {"metrics_port": 9464, "database_read_url": settings.database_url}
    before = sample("database_statement_seconds_count")
    async with (
        connected(settings.model_copy(update=changes)) as state,
        transaction(state["reads"].kw["info"]["standby"].sessions) as session,
    ):
        await session.execute(text("SELECT 1"))

    assert sample("database_statement_seconds_count") == before + 1
