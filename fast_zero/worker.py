"""Collects the jobs of all rooms. They run beside the API, or in `fast-zero worker`."""

import asyncio
import signal

from fast_zero.accounts import jobs as accounts
from fast_zero.changes import jobs as changes
from fast_zero.core import database
from fast_zero.core.jobs import Context, Jobs, worker
from fast_zero.core.settings import Settings
from fast_zero.email_links import jobs as email_links
from fast_zero.imports import jobs as imports
from fast_zero.notifications import jobs as notifications
from fast_zero.profiles import jobs as profiles
from fast_zero.push import jobs as push
from fast_zero.reminders import jobs as reminders
from fast_zero.trash import jobs as trash

END_SECONDS = 2  # to record the state of the jobs that were stopped

JOBS: Jobs = {
    **email_links.JOBS,
    **accounts.JOBS,
    **notifications.JOBS,
    **push.JOBS,
    **reminders.JOBS,
    **imports.JOBS,
}
PERIODIC_JOBS: Jobs = {
    **accounts.PERIODIC_JOBS,
    **trash.PERIODIC_JOBS,
    **changes.PERIODIC_JOBS,
    **profiles.PERIODIC_JOBS,
    **notifications.PERIODIC_JOBS,
    **imports.PERIODIC_JOBS,
}


async def work(context: Context) -> None:
    await worker.run(context, JOBS, PERIODIC_JOBS, reminders.EVERY_MINUTE)


async def run_alone(settings: Settings) -> None:
    """Run jobs until SIGTERM or SIGINT. Running jobs then have `shutdown_grace` seconds to end."""
    loop = asyncio.get_running_loop()
    stop_requested = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop_requested.set)
    async with database.connected(settings) as state:
        working = loop.create_task(work(Context(settings, state["sessions"])))
        await stop_requested.wait()
        working.cancel()
        # With a timeout: if the database has stopped responding, the task would never end.
        await asyncio.wait([working], timeout=settings.shutdown_grace + END_SECONDS)
