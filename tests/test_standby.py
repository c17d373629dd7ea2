"""Reads from a standby: writes are visible at once, and no read fails when it stops."""

import asyncio
import signal

import httpx2
import pytest
from sqlalchemy import make_url

from fast_zero.operations import doctor
from tests.chaos import own_database
from tests.processes import serving, until
from tests.standby import followed, wait_for
from tests.writers import registered_client

READS = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT todos.id%'"


@pytest.fixture(scope="module")
def primary():
    with own_database() as database:
        yield database


@pytest.fixture
def standby(primary):
    with followed(primary) as standby:
        yield standby


def variables(primary, **others: str) -> dict[str, str]:
    return {"DATABASE_URL": primary.url, "SECRET_KEY": "k" * 48, "RUN_JOBS": "false"} | others


def served(primary, standby, *, measured: bool = False):
    settings = variables(primary, DATABASE_READ_URL=standby.url)
    folder = primary.folder.parent / "server"
    return serving(folder, "--workers", "2", measured=measured, **settings)


def reads_seen_by(database) -> int:
    with database.connect() as connection:
        return connection.execute(READS).fetchone()[0]


async def test_a_write_can_be_read_from_the_standby_at_once(primary, standby):
    with served(primary, standby) as server:
        async with registered_client(server.url) as client:
            for number in range(50):
                created = await client.post("/todos", json={"title": f"todo {number}"})
                # On another connection, and perhaps with another worker.
                read = await asyncio.to_thread(
                    httpx2.get,
                    f"{server.url}{created.headers['location']}",
                    headers={"Authorization": client.headers["Authorization"]},
                )
                assert read.json()["title"] == f"todo {number}"
        assert (reads_seen_by(primary), reads_seen_by(standby) > 0) == (0, True)


async def test_a_stopped_standby_fails_no_read_and_is_used_again_later(primary, standby):
    with served(primary, standby, measured=True) as server:
        async with registered_client(server.url) as client:
            statuses = set()

            async def read() -> None:
                while not stopped.is_set():
                    statuses.add((await client.get("/todos")).status_code)

            stopped = asyncio.Event()
            async with asyncio.TaskGroup() as group:
                for _ in range(4):
                    group.create_task(read())
                await asyncio.sleep(0.5)
                wait_for(primary, standby="")
                standby.signal(signal.SIGKILL)
                log = server.log
                await until(lambda: "reads fall back to the primary" in log.read_text())
                assert (await client.post("/todos", json={"title": "a"})).status_code == 201
                standby.start()
                await until(lambda: "the standby is available again" in log.read_text())
                stopped.set()

    assert statuses == {200}


async def test_a_standby_without_its_primary_serves_no_read(primary, standby):
    with served(primary, standby) as server:
        async with registered_client(server.url) as client:
            created = await client.post("/todos", json={"title": "old"})
            wait_for(primary, standby="")
            with standby.connect() as connection:
                connection.execute("ALTER SYSTEM SET primary_conninfo = ''")
                connection.execute("SELECT pg_reload_conf()")
            path = created.headers["location"]
            for number in range(20):
                await client.patch(path, json={"title": str(number)})
                assert (await client.get(path)).json()["title"] == str(number)


def test_the_doctor_checks_whether_the_standby_is_synchronous(primary, standby, settings):
    def examine(url: str) -> doctor.Finding:
        changes = {"database_url": make_url(primary.url), "database_read_url": make_url(url)}
        findings = doctor.examine(settings.model_copy(update=changes))
        return {finding.check: finding for finding in findings}["standby"]

    assert examine(standby.url).level == "ok"
    assert "is not a standby" in examine(primary.url).found
    assert examine("postgresql+psycopg://127.0.0.1:1/todos").level == "warning"
    wait_for(primary, standby="")
    assert examine(standby.url).level == "error"
