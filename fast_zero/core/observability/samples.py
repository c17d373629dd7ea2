"""What is looked at from time to time for the metrics, since it does not tell of itself."""

from sqlalchemy import text

from fast_zero.core.database import State, transaction
from fast_zero.core.errors import DomainError
from fast_zero.core.observability import metrics
from fast_zero.core.security.password_queue import passwords

LOOKS_BETWEEN_JOBS = 15  # it is a statement, and the others cost nothing
STATES = ("todo", "doing", "failed")
# A job that waits for its turn again is as old as that turn.
STANDING = text("""
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
    """Looks at one process's pool and queue, and at the jobs that all processes share."""

    def __init__(self, state: State) -> None:
        self.pool = state["pool"]
        self.sessions = state["sessions"]
        self.looks = 0

    async def look(self) -> None:
        stats = self.pool.get_stats()
        metrics.POOL_SIZE.set(self.pool.max_size)
        metrics.POOL_IN_USE.set(stats["pool_size"] - stats["pool_available"])
        metrics.POOL_WAITING.set(stats["requests_waiting"])
        metrics.PASSWORDS_WAITING.set(passwords.waiting())
        if self.looks % LOOKS_BETWEEN_JOBS == 0:
            await self.look_at_jobs()
        self.looks += 1

    async def look_at_jobs(self) -> None:
        try:
            async with transaction(self.sessions) as session:
                rows = (await session.execute(STANDING)).all()
        except DomainError:  # the database is away, which other metrics tell
            return
        counts = {status: count for status, count, _ in rows}
        for status in STATES:
            metrics.JOBS.labels(status).set(counts.get(status, 0))
        waited = next((waited for status, _, waited in rows if status == "todo"), 0)
        metrics.OLDEST_JOB.set(max(float(waited or 0), 0))
