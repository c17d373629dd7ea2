"""Roll-call of every room's jobs, done beside the requests or by `fast-zero worker`."""

import asyncio
import signal

from fast_zero.accounts import jobs as accounts
from fast_zero.core import database
from fast_zero.core.jobs import Context, Jobs, worker
from fast_zero.core.settings import Settings
from fast_zero.email_links import jobs as email_links
from fast_zero.notifications import jobs as notifications
from fast_zero.profiles import jobs as profiles

END_SECONDS = 2  # for what is noted of the jobs that were stopped

JOBS: Jobs = {**email_links.JOBS, **accounts.JOBS, **notifications.JOBS}
CHORES: Jobs = {**accounts.CHORES, **profiles.CHORES, **notifications.CHORES}


async def work(context: Context) -> None:
    await worker.run(context, JOBS, CHORES)


async def run_alone(settings: Settings) -> None:
    """Do jobs until SIGTERM or SIGINT; those that are running then have `shutdown_grace`."""
    loop = asyncio.get_running_loop()
    told_to_end = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, told_to_end.set)
    async with database.connected(settings) as state:
        working = loop.create_task(work(Context(settings, state["sessions"])))
        await told_to_end.wait()
        working.cancel()
        # No longer: a database that fell silent would never let it end.
        await asyncio.wait([working], timeout=settings.shutdown_grace + END_SECONDS)
