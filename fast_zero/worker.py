"""Roll-call of every room's jobs, done beside the requests or by `fast-zero worker`."""

import asyncio
import signal

from fast_zero.accounts import jobs as accounts
from fast_zero.core import database, job_runner
from fast_zero.core.jobs import Context, Jobs
from fast_zero.core.settings import Settings

JOBS: Jobs = {**accounts.JOBS}


async def work(context: Context) -> None:
    await job_runner.run(context, JOBS)


async def run_alone(settings: Settings) -> None:
    """Do jobs until SIGTERM or SIGINT; those that are running then have `shutdown_grace`."""
    loop = asyncio.get_running_loop()
    async with database.connected(settings) as state:
        working = loop.create_task(work(Context(settings, state["sessions"])))
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, working.cancel)
        await asyncio.wait([working])
