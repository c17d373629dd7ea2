"""Metrics that are sampled, since no event updates them."""

from sqlalchemy import text

from fast_zero.core.database import State, transaction
from fast_zero.core.errors import DomainError
from fast_zero.core.observability import metrics
from fast_zero.core.security.password_queue import passwords

JOBS_EVERY = 15  # rounds; it needs a statement, the other metrics cost nothing
STATES = ("todo", "doing", "failed")
# The age of a job that waits for a retry counts from the time of that retry.
JOB_COUNTS = text("""
SELECT status::text,
       count(*),
       extract(epoch FROM now() - min(coalesce(scheduled_at, at))) AS waited
FROM procrastinate_jobs AS jobs
LEFT JOIN LATERAL (
    SELECT min(at) AS at FROM procrastinate_events WHERE job_id = jobs.id
) AS events ON status = 'todo'
GROUP BY status
""")


class Samples:
    """Samples the pool and the password queue of this process, and the jobs of all processes."""

    def __init__(self, state: State) -> None:
        self.pool = state["pool"]
        self.sessions = state["sessions"]
        self.rounds = 0

    async def collect(self) -> None:
        stats = self.pool.get_stats()
        metrics.POOL_SIZE.set(self.pool.max_size)
        metrics.POOL_IN_USE.set(stats["pool_size"] - stats["pool_available"])
        metrics.POOL_WAITING.set(stats["requests_waiting"])
        metrics.PASSWORDS_WAITING.set(passwords.waiting())
        if self.rounds % JOBS_EVERY == 0:
            await self.collect_jobs()
        self.rounds += 1

    async def collect_jobs(self) -> None:
        try:
            async with transaction(self.sessions) as session:
                rows = (await session.execute(JOB_COUNTS)).all()
        except DomainError:  # the database is unavailable, which other metrics show
            return
        counts = {status: count for status, count, _ in rows}
        for status in STATES:
            metrics.JOBS.labels(status).set(counts.get(status, 0))
        waited = next((waited for status, _, waited in rows if status == "todo"), 0)
        metrics.OLDEST_JOB.set(max(float(waited or 0), 0))
