"""Background jobs, which procrastinate stores in PostgreSQL.

A job is deferred by its name, in the transaction of the change that needs it, so it exists if and
only if the change is committed. `worker` runs the jobs.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException
from sqlalchemy import Delete, Select, Text, cast, column, delete, table
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.database import Session, Sessions, translate
from fast_zero.core.observability.spans import carry
from fast_zero.core.settings import Settings


class JobError(Exception):
    """A job failed. The message is logged, so it must not contain private data."""


class PermanentFailure(JobError):
    """A job failed, and a retry would not help."""


@dataclass(frozen=True)
class Context:
    """What a job may use: the settings, and sessions for its own transactions."""

    settings: Settings
    sessions: Sessions


# A job takes its context, and its arguments by name.
Jobs = Mapping[str, Callable[..., Awaitable[None]]]


JOBS = table("procrastinate_jobs", column("status", Text), column("args", JSONB))


DEFERRED_TOGETHER = 100
"""Jobs that one statement adds. To write one of 1,000 occupies the event loop for 50 ms."""

# Its log lines and stack traces quote the arguments of jobs. `worker` logs what is needed.
logging.getLogger("procrastinate").setLevel(logging.CRITICAL + 1)
# It defers jobs on the connections of sessions, and is never opened itself.
DEFERRING = App(connector=PsycopgConnector())


@dataclass(frozen=True)
class Deferral:
    """A job to run, by its name and with arguments that JSON can represent.

    The arguments are stored in plain text until the job is done, so they must not be secrets.
    """

    name: str
    arguments: Mapping[str, Any]


async def defer(session: Session, *deferrals: Deferral) -> None:
    """Add jobs, which run once the transaction of the session is committed.

    Raises RuntimeError without a transaction, since a job belongs to the change that needs it.
    """
    if not session.in_transaction():
        message = "a job has to be deferred in the transaction of the change that needs it"
        raise RuntimeError(message)
    connection = await (await session.connection()).get_raw_connection()
    carried = carry()
    by_name = attrgetter("name")
    for name, alike in groupby(sorted(deferrals, key=by_name), key=by_name):
        # The queue has the name of the job, so that a worker fetches only the jobs that it knows.
        task = DEFERRING.configure_task(name, queue=name, connection=connection.driver_connection)
        arguments = [{**one.arguments, **carried} for one in alike]
        try:
            for start in range(0, len(arguments), DEFERRED_TOGETHER):
                await task.batch_defer_async(*arguments[start : start + DEFERRED_TOGETHER])
        except ConnectorException as error:
            if translated := translate(error.__cause__):
                raise translated from error.__cause__
            raise


def delete_jobs_with(argument: str, values: Select[str]) -> Delete:
    """Delete the jobs with one of these values as argument, unless they are running."""
    return delete(JOBS).where(
        cast(JOBS.c.status, Text) != "doing", JOBS.c.args[argument].astext.in_(values)
    )
