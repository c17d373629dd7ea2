"""Runs the jobs, in a server or in a separate process, and survives outages of the database."""

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

from fast_zero.core.database import (
    CONNECT_SECONDS,
    TCP_TIMEOUTS,
    Writer,
    conninfo,
    current_writer,
    in_use,
    revisions,
)
from fast_zero.core.jobs import Context, JobError, Jobs, PermanentFailure
from fast_zero.core.observability.spans import span
from fast_zero.core.settings import Settings

ATTEMPTS = 10
FIRST_DELAY_SECONDS = 5
LONGEST_DELAY_SECONDS = 3600
CONCURRENCY = 4
POLL_SECONDS = 5  # for scheduled jobs; new jobs are notified at once
RECONNECT_SECONDS = (0.5, 1, 2, 4)
STATEMENT_MILLISECONDS = 30_000
KEEP_FAILED_HOURS = 30 * 24
JOB = "job"  # the client of changes
SWEEP = "core.sweep_jobs"
SETTLED_SECONDS = 30
MOVED_SECONDS = 60
CLOCK_SECONDS = 1  # how often the clock is looked at
CARRIED = {"traceparent", "tracestate", "baggage"}
EVERY_TEN_MINUTES = "*/10 * * * *"
EVERY_MINUTE = "* * * * *"
# In one statement, so that if two workers sweep at once, only one requeues a job.
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
    """Retry with growing delays, for three and a half hours in total. Then the job has failed."""

    def get_retry_decision(self, *, exception: BaseException, job: Job) -> RetryDecision | None:
        if isinstance(exception, asyncio.CancelledError):  # the worker is stopping
            return RetryDecision(retry_at=datetime.now(UTC))
        if isinstance(exception, PermanentFailure) or job.attempts + 1 >= ATTEMPTS:
            return None
        return RetryDecision(retry_at=datetime.now(UTC) + delay(job.attempts))


def delay(attempts: int) -> timedelta:
    return timedelta(seconds=min(FIRST_DELAY_SECONDS * 3**attempts, LONGEST_DELAY_SECONDS))


async def run(
    context: Context,
    jobs: Jobs,
    periodic: Jobs | None = None,
    every_minute: Jobs | None = None,
    *,
    wait: bool = True,
) -> None:
    """Run jobs until cancelled, or without `wait` until none is due.

    A periodic job is not deferred: it runs every ten minutes, or every minute, in one of all
    workers.

    If the database is unavailable or not migrated yet, the worker retries, and logs it once.
    """
    failures = 0
    while True:
        began = time.monotonic()
        try:
            await check_database(context.settings)
            await work(context, jobs, periodic or {}, every_minute or {}, wait=wait)
            if not wait:
                return
            raise JobError("the worker has lost its connection")  # noqa: TRY301  # logged below
        except Exception as error:  # noqa: BLE001  # only a cancellation may end the loop
            if time.monotonic() - began > SETTLED_SECONDS:
                failures = 0
            level = logging.DEBUG if failures else logging.WARNING
            [reason, *_] = str(error).strip().splitlines() or [type(error).__name__]
            logger.log(level, "jobs cannot run: %s", reason)
        await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
        failures += 1


async def check_database(settings: Settings) -> None:
    """Check that the database is available, not being restored, and migrated."""
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


async def work(
    context: Context, jobs: Jobs, periodic: Jobs, every_minute: Jobs, *, wait: bool
) -> None:
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
        task = logged(name, function, context)
        app.task(name=name, queue=name, retry=Retry(), pass_context=True)(task)

    for cron, functions in ((EVERY_TEN_MINUTES, periodic), (EVERY_MINUTE, every_minute)):
        for name, function in functions.items():
            # Those of every minute come before other jobs: many emails may be waiting.
            priority = int(cron == EVERY_MINUTE)
            attempt = without_timestamp(function, context)
            job = app.task(name=name, queue=name, priority=priority)(attempt)
            app.periodic(cron=cron)(job)

    @app.periodic(cron=EVERY_MINUTE)
    @app.task(name=SWEEP, queue=SWEEP)  # no retry: it runs again every minute
    async def sweep_every_minute(timestamp: int) -> None:  # noqa: ARG001  # procrastinate passes it
        await sweep(app)

    async with app.open_async():
        await sweep(app)
        await unless_clock_moves(
            app.run_worker_async(
                queues=[*jobs, *periodic, *every_minute, SWEEP],
                wait=wait,
                concurrency=CONCURRENCY,
                fetch_job_polling_interval=POLL_SECONDS,
                delete_jobs=DeleteJobCondition.SUCCESSFUL,
                install_signal_handlers=False,
                shutdown_graceful_timeout=context.settings.shutdown_grace,
            )
        )


async def unless_clock_moves(work: Awaitable[None]) -> None:
    """Work, but stop and raise JobError when the clock was moved or the machine was suspended.

    Otherwise procrastinate would defer each periodic job for every minute between, before anything
    else, or none until the former time.
    """
    try:
        async with asyncio.timeout(None) as limit:
            watching = asyncio.create_task(expire_when_clock_moves(limit))
            try:
                await work
            finally:
                watching.cancel()
    except TimeoutError:
        if not limit.expired():
            raise
        raise JobError("the clock was moved, or the machine was suspended") from None


async def expire_when_clock_moves(limit: asyncio.Timeout) -> None:
    offset = time.time() - time.monotonic()
    while abs(time.time() - time.monotonic() - offset) < MOVED_SECONDS:  # noqa: ASYNC110  # a clock sets no event
        await asyncio.sleep(CLOCK_SECONDS)
    limit.reschedule(asyncio.get_running_loop().time())


def without_timestamp(
    function: Callable[..., Awaitable[None]], context: Context
) -> Callable[..., Awaitable[None]]:
    async def run_periodic(timestamp: int) -> None:  # noqa: ARG001  # procrastinate passes it
        current_writer.set(Writer(JOB))
        await function(context)

    return run_periodic


def logged(
    name: str, function: Callable[..., Awaitable[None]], context: Context
) -> Callable[..., Awaitable[None]]:
    """Log how a job ended, without its arguments."""

    async def attempt(running: JobContext, **arguments: object) -> None:
        label = f"{name} {running.job.id}"
        carried = {key: str(arguments.pop(key)) for key in CARRIED & arguments.keys()}
        about = {"messaging.system": "procrastinate", "messaging.message.id": str(running.job.id)}
        began = time.monotonic()
        current_writer.set(Writer(JOB))
        try:
            with span(f"job {name}", SpanKind.CONSUMER, about, carried):
                await function(context, **arguments)
        except Exception as error:
            reason = str(error) if isinstance(error, JobError) else type(error).__name__
            decision = Retry().get_retry_decision(exception=error, job=running.job)
            if decision:
                logger.warning("job %s failed and will be retried: %s", label, reason)
            else:
                logger.error("job %s failed permanently: %s", label, reason)  # noqa: TRY400  # the stack trace may quote emails
            raise
        logger.info("job %s succeeded after %.3f s", label, time.monotonic() - began)

    return attempt


async def sweep(app: App) -> None:
    """Requeue the jobs of workers that were killed, and delete the oldest failed jobs."""
    for job in await app.connector.execute_query_all_async(RESCUE, attempts=ATTEMPTS):
        lost = f"job {job['task_name']} {job['id']} lost its worker"
        if job["status"] == Status.TODO.value:
            logger.warning("%s and will be retried", lost)
        else:
            logger.error("%s too often and has failed permanently", lost)
    await app.job_manager.delete_old_jobs(
        KEEP_FAILED_HOURS, include_failed=True, include_cancelled=True, include_aborted=True
    )


def connection_options() -> dict[str, Any]:
    return {
        "application_name": "fast_zero jobs",
        "connect_timeout": CONNECT_SECONDS,
        # procrastinate fetches jobs in a function. A plan that it keeps from when few were waiting
        # takes minutes for 30,000.
        "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}"
        " -c plan_cache_mode=force_custom_plan",
        **TCP_TIMEOUTS,
    }
