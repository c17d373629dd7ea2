"""Work that is done after the response, and surely: jobs in PostgreSQL, kept by procrastinate.

A job is deferred by its name, in the transaction of the change that asks for it, so it is there if
and only if the change is. `job_runner` does them.
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
    """A job could not be done now. Its text goes into the log, so it holds nothing private."""


class Hopeless(JobError):
    """Trying again would not help."""


@dataclass(frozen=True)
class Context:
    """What a job may use: the settings, and transactions of its own."""

    settings: Settings
    sessions: Sessions


# A job takes its context, and by name what it was deferred with.
Jobs = Mapping[str, Callable[..., Awaitable[None]]]


JOBS = table("procrastinate_jobs", column("status", Text), column("args", JSONB))


# Its lines and stack traces quote the arguments of jobs. `job_runner` logs what matters.
logging.getLogger("procrastinate").setLevel(logging.CRITICAL + 1)
# It defers on the connections of sessions, and is never opened.
DEFERRING = App(connector=PsycopgConnector())


@dataclass(frozen=True)
class Deferral:
    """A job to be done, by its name and with what JSON can carry.

    It is stored as it is until the job is done, so it must be no secret.
    """

    name: str
    arguments: Mapping[str, Any]


async def defer(session: Session, *deferrals: Deferral) -> None:
    """Let jobs be done once the transaction of the session is committed.

    Raises RuntimeError where there is no transaction: the change that asks for a job belongs to it.
    """
    if not session.in_transaction():
        message = "a job is deferred within the transaction of what asks for it"
        raise RuntimeError(message)
    connection = await (await session.connection()).get_raw_connection()
    carried = carry()
    by_name = attrgetter("name")
    for name, alike in groupby(sorted(deferrals, key=by_name), key=by_name):
        # Its queue has the same name: a worker that does not know it leaves it to those who do.
        task = DEFERRING.configure_task(name, queue=name, connection=connection.driver_connection)
        try:
            await task.batch_defer_async(*({**one.arguments, **carried} for one in alike))
        except ConnectorException as error:
            if translated := translate(error.__cause__):
                raise translated from error.__cause__
            raise


def forgetting(argument: str, values: Select[str]) -> Delete:
    """Delete the jobs that hold one of the values, whether they were still to be done or failed."""
    return delete(JOBS).where(
        cast(JOBS.c.status, Text) != "doing", JOBS.c.args[argument].astext.in_(values)
    )
