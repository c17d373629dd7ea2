"""Statements about jobs, for who runs the server. What a job was deferred with stays untold."""

from collections.abc import Sequence

from sqlalchemy import text

from fast_zero.core.database import AnyRow, Session

# A job that waits after a failure has a moment from which it is done again.
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
    """Select jobs of some statuses, the newest first."""
    return (await session.execute(SELECT, {"statuses": list(statuses), "limit": limit})).all()


async def retry(session: Session, job_id: int) -> bool:
    """Let a job be done now, with all its attempts before it; one that runs is left alone."""
    return (await session.execute(RETRY, {"id": job_id})).first() is not None


async def cancel(session: Session, job_id: int) -> bool:
    """Let a job be done no more, unless it runs already or has ended."""
    return (await session.execute(CANCEL, {"id": job_id})).first() is not None
