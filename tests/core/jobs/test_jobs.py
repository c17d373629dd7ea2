"""Jobs in a real database, run by procrastinate's own worker."""

import asyncio
import logging
import secrets
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager

import psycopg
import pytest
from sqlalchemy import func, select, text

from fast_zero.core import jobs
from fast_zero.core.database import conninfo, in_use, migrations, revisions
from fast_zero.core.errors import Unavailable
from fast_zero.core.jobs import Context, Deferral, PermanentFailure, worker
from tests.core.expect import PATIENCE, wait_until
from tests.migrating import upgrade

SECRET = "ana@example.com"
SCHEDULES = ("EVERY_TEN_MINUTES", "EVERY_MINUTE")
BREAD = Deferral("tests.note", {"what": "bread"})


@pytest.fixture
async def store(engine, commit):
    """Run statements that all connections see; return the rows of the last one."""

    async def store(*statements):
        rows = []
        async with engine.begin() as connection:
            for statement in statements:
                result = await connection.execute(
                    text(statement) if isinstance(statement, str) else statement
                )
                rows = [tuple(row) for row in result] if result.returns_rows else []
        return rows

    return store


@pytest.fixture
def context(settings, committing) -> Context:
    return Context(settings, committing)


@pytest.fixture
def defer_job(committing, commit) -> Callable[..., Awaitable[None]]:
    """Defer a job that all connections see."""

    async def defer_job(name="tests.note", **arguments):
        async with committing.begin() as session:
            await jobs.defer(session, Deferral(name, arguments))

    return defer_job


SELECT_JOBS = (
    "SELECT task_name, status::text, attempts FROM procrastinate_jobs"
    " WHERE task_name LIKE 'tests.%'"
)
LAST_JOB = "SELECT last_value FROM procrastinate_jobs_id_seq"
MAKE_JOBS_DUE = "UPDATE procrastinate_jobs SET scheduled_at = NULL WHERE scheduled_at IS NOT NULL"


async def test_a_job_is_deferred_in_the_transaction_of_its_change(sessions, deferred):
    arguments = {"what": "bread", "count": 2, "nothing": None}
    async with sessions.begin() as session:
        await jobs.defer(session, Deferral("tests.note", arguments))

    assert await deferred() == [("tests.note", arguments)]


async def test_a_job_is_rolled_back_with_its_change(sessions, deferred):
    async with sessions.begin() as session:
        await jobs.defer(session, BREAD)
        await session.rollback()

    assert await deferred() == []


async def test_missing_job_types_are_reported_as_a_missing_migration(session):
    await session.execute(text("ALTER TYPE procrastinate_job_to_defer_v1 RENAME TO gone"))

    with pytest.raises(Unavailable, match="not migrated yet"):
        await jobs.defer(session, BREAD)

    await session.rollback()


async def test_jobs_of_one_name_are_deferred_in_one_statement(sessions, deferred, statements):
    async with sessions.begin() as session:
        with statements() as sent:
            await jobs.defer(session, *(Deferral("tests.note", {"n": n}) for n in (1, 2)))

    assert len(sent) == 1
    assert await deferred() == [("tests.note", {"n": 1}), ("tests.note", {"n": 2})]


async def test_no_job_is_deferred_outside_of_a_transaction(session, deferred):
    with pytest.raises(RuntimeError, match="in the transaction"):
        await jobs.defer(session, BREAD)

    assert await deferred() == []


async def test_a_job_runs_with_its_arguments_and_is_deleted(defer_job, store, context):
    done = []

    async def note(given, **arguments):
        done.append((given, arguments))

    await defer_job(what="bread", list=3)
    await worker.run(context, {"tests.note": note}, wait=False)

    assert done == [(context, {"what": "bread", "list": 3})]
    assert await store(SELECT_JOBS) == []


async def test_a_failed_job_is_retried_with_growing_delays(defer_job, store, context, caplog):
    async def fail(_context, **_arguments):
        raise ValueError(SECRET)

    await defer_job(what=SECRET)
    delays = []
    for _ in range(worker.ATTEMPTS):
        await worker.run(context, {"tests.note": fail}, wait=False)
        delays += await store(
            "SELECT round(extract(epoch FROM scheduled_at - now()))::int FROM procrastinate_jobs"
            " WHERE status = 'todo'"
        )
        await store(MAKE_JOBS_DUE)

    seconds = [delay for (delay,) in delays]
    assert seconds == sorted(seconds)
    assert len(seconds) == worker.ATTEMPTS - 1
    assert seconds[0] in range(1, 6)
    assert seconds[-1] in range(3500, 3601)
    assert await store(SELECT_JOBS) == [("tests.note", "failed", worker.ATTEMPTS)]
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING] * (worker.ATTEMPTS - 1) + [logging.ERROR]
    assert "failed permanently: ValueError" in caplog.text
    assert SECRET not in caplog.text


async def test_a_permanent_failure_is_not_retried(defer_job, store, context, caplog):
    async def give_up(_context, **_arguments):
        raise PermanentFailure("nobody is there")

    await defer_job(what=SECRET)
    await worker.run(context, {"tests.note": give_up}, wait=False)

    assert await store(SELECT_JOBS) == [("tests.note", "failed", 1)]
    assert "failed permanently: nobody is there" in caplog.text
    assert SECRET not in caplog.text


async def test_a_job_without_a_function_waits_for_a_worker_that_has_it(defer_job, store, context):
    await defer_job("tests.unheard_of")
    await worker.run(context, {}, wait=False)

    assert await store(SELECT_JOBS) == [("tests.unheard_of", "todo", 0)]


async def test_a_job_of_a_killed_worker_is_retried(defer_job, store, context, caplog):
    done = []

    async def note(_context, **_arguments):
        done.append(True)

    await defer_job()
    await store(
        "WITH dead AS (INSERT INTO procrastinate_workers (last_heartbeat)"
        " VALUES (now() - interval '1 hour') RETURNING id)"
        " UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT id FROM dead)",
    )
    await worker.run(context, {"tests.note": note}, wait=False)

    assert done
    assert "lost its worker and will be retried" in caplog.text


async def test_a_job_that_loses_its_worker_too_often_fails(defer_job, store, context, caplog):
    await defer_job()
    await store(
        f"UPDATE procrastinate_jobs SET status = 'doing', attempts = {worker.ATTEMPTS - 1}",
    )
    await worker.run(context, {}, wait=False)

    assert "lost its worker too often and has failed permanently" in caplog.text
    assert await store(SELECT_JOBS) == [("tests.note", "failed", worker.ATTEMPTS)]


@asynccontextmanager
async def running(context, functions, periodic=None, every_minute=None):
    """Run jobs until the block ends."""
    working = asyncio.create_task(worker.run(context, functions, periodic, every_minute))
    try:
        yield working
    finally:
        working.cancel()
        await asyncio.wait([working], timeout=PATIENCE)


async def test_a_job_interrupted_by_the_shutdown_is_retried(defer_job, store, context):
    started = asyncio.Event()

    async def hang(_context, **_arguments):
        started.set()
        await asyncio.Event().wait()

    without_grace = Context(
        context.settings.model_copy(update={"shutdown_grace": 0}), context.sessions
    )
    await defer_job()
    async with running(without_grace, {"tests.note": hang}):
        await started.wait()

    assert await store(SELECT_JOBS) == [("tests.note", "todo", 1)]


@pytest.mark.parametrize("schedule", SCHEDULES)
async def test_a_periodic_job_runs_without_being_deferred(context, monkeypatch, schedule):
    monkeypatch.setattr(worker, schedule, "* * * * * *")  # every second
    done = asyncio.Event()

    async def sweep(_context):
        done.set()

    periodic = {name: {"tests.sweep": sweep} if name == schedule else {} for name in SCHEDULES}
    async with running(context, {}, *periodic.values()):
        await asyncio.wait_for(done.wait(), PATIENCE)


@pytest.mark.parametrize("days", [2, -2])
async def test_minutes_between_are_left_out_when_the_clock_moves(
    context, store, monkeypatch, caplog, days
):
    """It also moves when a machine was suspended. The jobs of every minute go on at once."""
    clock, ahead = time.time, [0]
    monkeypatch.setattr(time, "time", lambda: clock() + ahead[0])
    monkeypatch.setattr(worker, "CLOCK_SECONDS", 0.05)
    ran: asyncio.Queue[float] = asyncio.Queue()

    async def remind(_context):
        ran.put_nowait(time.time())

    [(before,)] = await store(LAST_JOB)
    # A job of its own, since each is deferred once a minute.
    async with running(context, {}, {}, {f"tests.remind_{days}": remind}):
        first = await asyncio.wait_for(ran.get(), PATIENCE)
        ahead[0] = days * 86_400
        second = await asyncio.wait_for(ran.get(), PATIENCE)

    assert round((second - first) / 86_400) == days
    assert "jobs cannot run: the clock was moved, or the machine was suspended" in caplog.text
    [(last,)] = await store(LAST_JOB)
    assert last - before < 100


async def test_a_job_of_every_minute_comes_before_others(context, defer_job, monkeypatch):
    monkeypatch.setattr(worker, "EVERY_MINUTE", "* * * * * *")  # every second
    monkeypatch.setattr(worker, "CONCURRENCY", 1)
    order, done = [], asyncio.Event()

    async def note(_context, **_arguments):
        order.append("note")
        await asyncio.sleep(0.2)

    async def remind(_context):
        order.append("remind")
        done.set()

    for number in range(50):
        await defer_job(number=number)
    async with running(context, {"tests.note": note}, {}, {"tests.remind": remind}):
        await asyncio.wait_for(done.wait(), PATIENCE)

    assert order.count("note") < 50


async def test_a_worker_that_was_idle_fetches_one_of_many_jobs(settings):
    """With the plan for an empty queue, PostgreSQL would compare each job with each other one.

    That would take minutes, and the limit of the worker for statements would end it.
    """
    fetch = "SELECT id FROM procrastinate_fetch_job_v2(ARRAY['tests.many'], %s)"
    async with await psycopg.AsyncConnection.connect(
        conninfo(settings.direct_address()), **worker.connection_options()
    ) as connection:
        await connection.execute("ANALYZE procrastinate_jobs")
        started = "INSERT INTO procrastinate_workers DEFAULT VALUES RETURNING id"
        values = await (await connection.execute(started)).fetchone()
        for _ in range(10):  # after five, a plan is kept
            assert await (await connection.execute(fetch, values)).fetchone() == (None,)
        await connection.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name)"
            " SELECT 'tests.many', 'tests.many' FROM generate_series(1, 50000)"
        )
        assert await (await connection.execute(fetch, values)).fetchone() != (None,)
        await connection.rollback()


async def test_jobs_wait_for_a_database_that_is_not_migrated(settings, database_url, caplog):
    name = f"fast_zero_jobs_{secrets.token_hex(4)}"
    async with await psycopg.AsyncConnection.connect(
        database_url.replace("+psycopg", ""), autocommit=True
    ) as connection:
        await connection.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        url = settings.database_address().set(database=name)
        elsewhere = Context(settings.model_copy(update={"database_url": url}), lambda: None)
        async with running(elsewhere, {}):
            await wait_until(lambda: revisions.BEHIND in caplog.text)
            await upgrade(url, PATIENCE)
            await has_worker(url)
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


async def has_worker(url) -> None:
    with migrations.create_migration_engine(url).connect() as connection:
        while not connection.scalar(text("SELECT count(*) FROM procrastinate_workers")):
            connection.rollback()
            await asyncio.sleep(0.05)


async def test_jobs_continue_after_their_connections_were_killed(defer_job, store, context, caplog):
    done = []

    async def note(_context, **_arguments):
        done.append(True)

    async with running(context, {"tests.note": note}):
        await defer_job()
        await wait_until(lambda: len(done) == 1)
        await store(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE application_name = 'fast_zero jobs' AND datname = current_database()"
        )
        await defer_job()
        await wait_until(lambda: len(done) == 2)


async def test_no_job_runs_while_a_backup_is_restored(defer_job, context, engine, caplog):
    done = []

    async def note(_context, **_arguments):
        done.append(True)

    await defer_job()
    async with engine.connect() as restore:
        await restore.execute(select(func.pg_advisory_xact_lock(in_use.LOCK)))
        async with running(context, {"tests.note": note}):
            await wait_until(lambda: "jobs cannot run: a backup is being restored" in caplog.text)
            assert done == []
            await restore.commit()
            await wait_until(lambda: len(done) == 1)
            locked = await restore.scalar(select(func.pg_try_advisory_xact_lock(in_use.LOCK)))
            assert locked is False


async def test_an_outage_is_logged_once_and_the_worker_continues(settings, caplog):
    closed_port = settings.database_address().set(host="127.0.0.1", port=1, query={})
    unreachable = Context(settings.model_copy(update={"database_url": closed_port}), lambda: None)
    async with running(unreachable, {}) as working:
        await wait_until(lambda: "jobs cannot run" in caplog.text)
        await asyncio.sleep(1)
        assert not working.done()

    warnings = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(warnings) == 1
