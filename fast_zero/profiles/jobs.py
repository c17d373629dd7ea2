from fast_zero.core.jobs import Context, Jobs
from fast_zero.profiles import tallies


async def add_up(context: Context) -> None:
    async with context.sessions.begin() as session:
        await tallies.add_up(session)


PERIODIC_JOBS: Jobs = {"feed.add_up": add_up}
