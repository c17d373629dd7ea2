"""Does the jobs, beside the requests or in a process of its own, whatever the database does.

Imported only where jobs are done: procrastinate takes a tenth of a second to load.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
from procrastinate import App, BaseRetryStrategy, JobContext, PsycopgConnector, RetryDecision
from procrastinate.jobs import DeleteJobCondition, Job, Status
from procrastinate.manager import JobManager

from fast_zero.core import revisions
from fast_zero.core.database import CONNECT_SECONDS, VANISHED_HOST
from fast_zero.core.jobs import Context, Hopeless, JobError, Jobs
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

logger = logging.getLogger(__name__)
# Its lines and stack traces quote the arguments of jobs. What matters is logged here.
logging.getLogger("procrastinate").setLevel(logging.CRITICAL + 1)
# An outage is told once, by us.
logging.getLogger("psycopg.pool").setLevel(logging.ERROR)


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


async def run(context: Context, jobs: Jobs, *, wait: bool = True) -> None:
    """Do jobs until cancelled; without `wait`, until none is due.

    A database that is away or not migrated yet is tried again, and said once.
    """
    failures = 0
    while True:
        try:
            await check_database(context.settings)
            failures = 0
            await work(context, jobs, wait=wait)
            if not wait:
                return
            raise JobError("the worker has lost its connection")  # noqa: TRY301  # it is told below
        except Exception as error:  # noqa: BLE001  # nothing may end this but a cancellation
            level = logging.DEBUG if failures else logging.WARNING
            [reason, *_] = str(error).strip().splitlines() or [type(error).__name__]
            logger.log(level, "no jobs are done: %s", reason)
        await asyncio.sleep(RECONNECT_SECONDS[min(failures, len(RECONNECT_SECONDS) - 1)])
        failures += 1


async def check_database(settings: Settings) -> None:
    """See whether the database answers and has the tables that the jobs know."""
    async with await psycopg.AsyncConnection.connect(
        conninfo(settings), **connection_options()
    ) as connection:
        found = await connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
        revision = None
        if await found.fetchone() == (True,):
            [revision] = await (
                await connection.execute("SELECT version_num FROM alembic_version")
            ).fetchone() or [None]
        if revisions.is_behind(revision):
            raise JobError(revisions.BEHIND)


async def work(context: Context, jobs: Jobs, *, wait: bool) -> None:
    connector = PsycopgConnector(
        conninfo=conninfo(context.settings),
        kwargs=connection_options(),
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

    @app.periodic(cron="* * * * *")
    @app.task(name=SWEEP, queue=SWEEP, queueing_lock=SWEEP)  # no retry: it comes again anyway
    async def sweep_every_minute(timestamp: int) -> None:  # noqa: ARG001  # procrastinate gives it
        await sweep(app.job_manager)

    async with app.open_async():
        await sweep(app.job_manager)
        await app.run_worker_async(
            queues=[*jobs, SWEEP],
            wait=wait,
            concurrency=CONCURRENCY,
            fetch_job_polling_interval=POLL_SECONDS,
            delete_jobs=DeleteJobCondition.SUCCESSFUL,
            install_signal_handlers=False,
            shutdown_graceful_timeout=context.settings.shutdown_grace,
        )


def told(
    name: str, function: Callable[..., Awaitable[None]], context: Context
) -> Callable[..., Awaitable[None]]:
    """Say in the log how a job failed, without what it was deferred with."""

    async def attempt(running: JobContext, **arguments: object) -> None:
        number = f"{name} {running.job.id}"
        try:
            await function(context, **arguments)
        except Exception as error:
            reason = str(error) if isinstance(error, JobError) else type(error).__name__
            decision = Retry().get_retry_decision(exception=error, job=running.job)
            if decision:
                logger.warning("job %s failed and is tried again later: %s", number, reason)
            else:
                logger.error("job %s failed for good and is kept: %s", number, reason)  # noqa: TRY400  # the stack may quote letters
            raise

    return attempt


async def sweep(manager: JobManager) -> None:
    """Give the jobs of workers that were killed to others, and forget the oldest failures."""
    for job in await manager.get_stalled_jobs():
        if job.attempts + 1 >= ATTEMPTS:
            logger.error("job %s %s outlived its worker too often", job.task_name, job.id)
            await manager.finish_job(job, Status.FAILED, delete_job=False)
        else:
            logger.warning("job %s %s has lost its worker; it is done again", job.task_name, job.id)
            await manager.retry_job(job)
    await manager.delete_old_jobs(KEEP_FAILED_HOURS, include_failed=True, include_aborted=True)


def conninfo(settings: Settings) -> str:
    url = settings.database_address().set(drivername="postgresql")
    return url.render_as_string(hide_password=False)


def connection_options() -> dict[str, Any]:
    return {
        "application_name": "fast_zero jobs",
        "connect_timeout": CONNECT_SECONDS,
        "options": f"-c statement_timeout={STATEMENT_MILLISECONDS}",
        **VANISHED_HOST,
    }
