import pytest
from sqlalchemy import make_url, text

import fast_zero
from fast_zero.core.database import revisions
from fast_zero.core.http import health
from tests.core.expect import problem

CLOSED = make_url("postgresql+psycopg://ana:s3cr3t@127.0.0.1:1/todos")


async def test_liveness_does_not_need_the_database(live, statements):
    async with live(database_url=CLOSED) as client:
        response = await client.get("/livez")

    assert (response.status_code, response.json()) == (200, {"status": "alive"})


async def test_the_server_is_ready_if_the_database_is(anonymous):
    head, _ = revisions.known()
    response = await anonymous.get("/readyz")

    assert response.status_code == 200
    assert response.json() == {
        "status": "ready",
        "database": "answers",
        "revision": head,
        "worker": "absent",
    }


@pytest.mark.parametrize(("seconds", "worker"), [(5, "alive"), (60, "absent")])
async def test_readiness_reports_whether_a_worker_runs(anonymous, connection, seconds, worker):
    await connection.execute(
        text(
            "INSERT INTO procrastinate_workers (last_heartbeat)"
            " VALUES (now() - make_interval(secs => :seconds))"
        ),
        {"seconds": seconds},
    )

    assert (await anonymous.get("/readyz")).json()["worker"] == worker


async def test_the_release_is_reported(anonymous):
    response = await anonymous.get("/version")

    assert response.json() == {
        "version": fast_zero.__version__,
        "revision": revisions.known()[0],
    }


async def test_the_server_is_not_ready_without_its_database(live):
    async with live(database_url=CLOSED) as client:
        response = await client.get("/readyz")

    assert problem(response) == (503, "The database is not available. Try again in a moment.")
    assert response.headers["retry-after"] == "2"


async def test_the_server_is_not_ready_if_the_database_does_not_respond(live, engine, monkeypatch):
    monkeypatch.setattr(health, "TIMEOUT_SECONDS", 0.1)
    async with live() as client, engine.begin() as other:
        await other.execute(text("LOCK TABLE alembic_version"))
        response = await client.get("/readyz")

    assert problem(response) == (503, "The database does not answer.")


@pytest.mark.parametrize(("revision", "status"), [("older", 503), ("newer", 200)])
async def test_the_server_is_ready_for_a_newer_schema_but_not_for_an_older_one(
    anonymous, connection, monkeypatch, revision, status
):
    monkeypatch.setattr(revisions, "known", lambda: ("head", frozenset({"older"})))
    await connection.execute(
        text("UPDATE alembic_version SET version_num = :new"), {"new": revision}
    )

    assert (await anonymous.get("/readyz")).status_code == status


async def test_the_server_is_not_ready_for_a_database_without_migrations(anonymous, connection):
    await connection.execute(text("DROP TABLE alembic_version"))
    response = await anonymous.get("/readyz")

    assert problem(response) == (
        503,
        "The database is not migrated yet. Run: fast-zero migrate",
    )
