"""The job that adds partitions to the log of changes, and drops those that are old enough."""

from sqlalchemy import text

from fast_zero.core.jobs import Context, Jobs

MONTHS_AHEAD = 2
# Who reads the log waits for this job while it waits for a lock. It runs again soon.
LOCK_TIMEOUT = text("SET LOCAL lock_timeout = '1s'")
ADD = text("SELECT add_partitions_of_changes(:months)")
DROP = text("SELECT drop_partitions_of_changes(:days)")


async def rotate(context: Context) -> None:
    for statement, values in (
        (ADD, {"months": MONTHS_AHEAD}),
        (DROP, {"days": context.settings.changes_days}),
    ):
        async with context.sessions.begin() as session:
            await session.execute(LOCK_TIMEOUT)
            await session.execute(statement, values)


PERIODIC_JOBS: Jobs = {"changes.rotate": rotate}
