"""The job that deletes for good what was in the trash for long enough."""

from datetime import timedelta

from fast_zero.core.database import lock_lists
from fast_zero.core.jobs import Context, Jobs
from fast_zero.trash import queries


async def purge(context: Context) -> None:
    age = timedelta(days=context.settings.trash_days)
    async with context.sessions.begin() as session:
        owners = await queries.select_owners(session, age)
    for owner_id in owners:
        while await purge_some(context, owner_id, age):
            pass


async def purge_some(context: Context, owner_id: int, age: timedelta) -> bool:
    """Delete some of what is older than `age`; return whether there may be more."""
    async with context.sessions.begin() as session:
        await lock_lists(session, owner_id)
        await queries.lift_time_limit(session)  # a project may contain any number of todos
        return await queries.delete_older(session, owner_id, age)


PERIODIC_JOBS: Jobs = {"trash.purge": purge}
