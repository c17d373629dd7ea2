"""Statements about jobs, for operators. They do not return the arguments of jobs."""

from collections.abc import Sequence

from sqlalchemy import text

from fast_zero.core.database import AnyRow, Session

# A job that waits for a retry has the time of the retry in `scheduled_at`.
SELECT = text("""
SELECT job.id, job.task_name AS task, job.status::text, job.attempts,
    job.scheduled_at AS next_try,
    (SELECT max(event.at) FROM procrastinate_events AS event WHERE event.job_id = job.id) AS changed
FROM procrastinate_jobs AS job
WHERE job.status::text = ANY (:statuses)
ORDER BY job.id DESC LIMIT :limit
""")
RETRY = text("""
UPDATE procrastinate_jobs SET status = 'todo', attempts = 0, scheduled_at = NULL
WHERE id = :id AND status IN ('todo', 'failed', 'cancelled', 'aborted') AND NOT abort_requested
RETURNING id
""")
CANCEL = text("""
UPDATE procrastinate_jobs SET status = 'cancelled', scheduled_at = NULL
WHERE id = :id AND status IN ('todo', 'failed') RETURNING id
""")


async def select_jobs(session: Session, statuses: Sequence[str], limit: int) -> Sequence[AnyRow]:
    """Select the jobs with one of the statuses, newest first."""
    return (await session.execute(SELECT, {"statuses": list(statuses), "limit": limit})).all()


async def retry(session: Session, job_id: int) -> bool:
    """Schedule a job for now, and reset its attempts. A running job is not changed."""
    return (await session.execute(RETRY, {"id": job_id})).first() is not None


async def cancel(session: Session, job_id: int) -> bool:
    """Cancel a job, unless it is running or has ended."""
    return (await session.execute(CANCEL, {"id": job_id})).first() is not None
