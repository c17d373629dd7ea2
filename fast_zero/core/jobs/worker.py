"""Does the jobs, beside the requests or in a process of its own, whatever the database does."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from opentelemetry.trace import SpanKind
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import DeleteJobCondition, Job, Status

from fast_zero.core.database import CONNECT_SECONDS, VANISHED_HOST, conninfo, in_use, revisions
from fast_zero.core.jobs import Context, Hopeless, JobError, Jobs
from fast_zero.core.observability.spans import span
from fast_zero.core.settings import Settings

ATTEMPTS = 10
FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 3600
CONCURRENCY = 4
POLL_SECONDS = 5  # for jobs whose time has come; of new ones it hears at once
RECONNECT_SECONDS = (0.5, 1, 2, 4)
STATEMENT_MILLISECONDS = 30_000
KEEP_FAILED_HOURS = 30 * 24
SWEEP = "core.sweep_jobs"
SETTLED_SECONDS = 30
CARRIED = {"traceparent", "tracestate", "baggage"}
EVERY_TEN_MINUTES = "*/10 * * * *"
# In one statement, so that of two workers that sweep at once only one gives a job back.
RESCUE = """
UPDATE procrastinate_jobs
SET attempts = attempts + 1,
    scheduled_at = NULL,
    status = (
        CASE WHEN attempts + 1 < %(attempts)s THEN 'todo' ELSE 'failed' END
    )::procrastinate_job_status
WHERE status = 'doing' AND (
    worker_id IS NULL OR worker_id IN (
        SELECT id FROM procrastinate_workers WHERE last_heartbeat < now() - interval '30 seconds'
    )
)
RETURNING id, task_name, status::text
"""

logger = logging.getLogger(__name__)


class Retry(BaseRetryStrategy):
    """Try again later and later, for three and a half hours in all; then keep the job as failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):  # the worker is stopping
            return RetryDecision(retry_at=datetime.now(UTC))
        if isinstance(exception, Hopeless) or job.attempts + 1 >= ATTEMPTS:
            return None
        return RetryDecision(retry_at=datetime.now(UTC) + delay(job.attempts))


def delay(attempts: int) -> timedelta:
    return timedelta(seconds=min(FIRST_DELAY_SECONDS * 3**attempts, LONGEST_DELAY_SECONDS))


async def run(
    context: Context, jobs: Jobs, chores: Jobs | None = None, *, wait: bool = True
) -> None:
    """Do jobs until cancelled; without `wait`, until none is due.

    A chore is a job that nobody defers: it comes every ten minutes, to one of all workers.

    A database that is away or not migrated yet is tried again, and said once.
    """
    failures = 0
    while True:
        began = time.monotonic()
        try:
            await check_database(context.settings)
            await work(context, jobs, chores or {}, wait=wait)
            if not wait:
                return
            raise JobError("the worker has lost its connection")  # noqa: TRY301  # it is told below
        except Exception as error:  # noqa: BLE001  # nothing may end this but a cancellation
            if time.monotonic() - began > SETTLED_SECONDS:
                failures = 0
            level = logging.DEBUG if failures else logging.WARNING
            [reason, *_] = str(error).strip().splitlines() or [type(error).__name__]
            logger.log(level, "no jobs are done: %s", reason)
        await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
        failures += 1


async def check_database(settings: Settings) -> None:
    """See whether the database answers, can be used, and has the tables that the jobs know."""
    async with await psycopg.AsyncConnection.connect(
        conninfo(settings.direct_address()), **connection_options()
    ) as connection:
        await in_use.hold(connection)
        found = await connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
        revision = None
        if await found.fetchone() == (True,):
            [revision] = await (
                await connection.execute("SELECT version_num FROM alembic_version")
            ).fetchone() or [None]
        if revisions.is_behind(revision):
            raise JobError(revisions.BEHIND)


async def work(context: Context, jobs: Jobs, chores: Jobs, *, wait: bool) -> None:
    connector = PsycopgConnector(
        conninfo=conninfo(context.settings.direct_address()),
        kwargs=connection_options(),
        configure=in_use.hold,
        min_size=1,
        max_size=1,
        num_workers=1,
        timeout=CONNECT_SECONDS,
        reconnect_timeout=CONNECT_SECONDS,
    )
    app = App(connector=connector)
    for name, function in jobs.items():
        task = told(name, function, context)
        app.task(name=name, queue=name, retry=Retry(), pass_context=True)(task)

    for name, function in chores.items():
        chore = app.task(name=name, queue=name)(without_moment(function, context))
        app.periodic(cron=EVERY_TEN_MINUTES)(chore)

    @app.periodic(cron="* * * * *")
    @app.task(name=SWEEP, queue=SWEEP)  # no retry: it comes again anyway
    async def sweep_every_minute(timestamp: int) -> None:  # noqa: ARG001  # procrastinate gives it
        await sweep(app)

    async with app.open_async():
        await sweep(app)
        await app.run_worker_async(
            queues=[*jobs, *chores, SWEEP],
            wait=wait,
            concurrency=CONCURRENCY,
            fetch_job_polling_interval=POLL_SECONDS,
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
            install_signal_handlers=False,
            shutdown_graceful_timeout=context.settings.shutdown_grace,
        )


def without_moment(
    function: Callable[..., Awaitable[None]], context: Context
) -> Callable[..., Awaitable[None]]:
    async def do(timestamp: int) -> None:  # noqa: ARG001  # procrastinate gives it
        await function(context)

    return do


def told(
    name: str, function: Callable[..., Awaitable[None]], context: Context
) -> Callable[..., Awaitable[None]]:
    """Say in the log how a job failed, without what it was deferred with."""

    async def attempt(running: JobContext, **arguments: object) -> None:
        number = f"{name} {running.job.id}"
        carried = {key: str(arguments.pop(key)) for key in CARRIED & arguments.keys()}
        about = {"messaging.system": "procrastinate", "messaging.message.id": str(running.job.id)}
        began = time.monotonic()
        try:
            with span(f"job {name}", SpanKind.CONSUMER, about, carried):
                await function(context, **arguments)
        except Exception as error:
            reason = str(error) if isinstance(error, JobError) else type(error).__name__
            decision = Retry().get_retry_decision(exception=error, job=running.job)
            if decision:
                logger.warning("job %s failed and is tried again later: %s", number, reason)
            else:
                logger.error("job %s failed for good and is kept: %s", number, reason)  # noqa: TRY400  # the stack may quote emails
            raise
        logger.info("job %s is done after %.3f s", number, time.monotonic() - began)

    return attempt


async def sweep(app: App) -> None:
    """Give the jobs of workers that were killed to others, and forget the oldest failures."""
    for job in await app.connector.execute_query_all_async(RESCUE, attempts=ATTEMPTS):
        lost = f"job {job['task_name']} {job['id']} lost its worker"
        if job["status"] == Status.TODO.value:
            logger.warning("%s, and is done again", lost)
        else:
            logger.error("%s too often, and is kept", lost)
    await app.job_manager.delete_old_jobs(
        KEEP_FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


def connection_options() -> dict[str, Any]:
    return {
        "application_name": "fast_zero jobs",
        "connect_timeout": CONNECT_SECONDS,
        "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}",
        **VANISHED_HOST,
    }
