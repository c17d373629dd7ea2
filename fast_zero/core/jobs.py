"""Work that is done after the answer, and surely: jobs in PostgreSQL, kept by procrastinate.

A job is deferred by its name, in the same statement or transaction as the change that asks for
it, so it is there if and only if the change is. `job_runner` does them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Delete,
    Integer,
    Select,
    Text,
    cast,
    column,
    delete,
    func,
    null,
    table,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, TIMESTAMP, array
from sqlalchemy.types import UserDefinedType

from fast_zero.core.database import Sessions
from fast_zero.core.settings import Settings
from fast_zero.core.spans import carry


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


class JobToDefer(UserDefinedType[object]):
    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        return "procrastinate_job_to_defer_v1"


def deferral(name: str, **arguments: object) -> ColumnElement[Any]:
    """Defer a job once for each row of the statement that selects this.

    An argument is what JSON can carry, or an expression of the statement. It is stored as it is
    until the job is done, so it must be no secret.
    """
    # procrastinate's own function. Its Python would need a connection, and to be imported where
    # requests are answered.
    pairs = [part for pair in (arguments | carry()).items() for part in pair]
    job = func.row(
        cast(name, Text),  # its queue: a worker that does not know it leaves it to those who do
        cast(name, Text),
        cast(0, Integer),
        cast(null(), Text),
        cast(null(), Text),
        func.jsonb_build_object(*map(json_part, pairs), type_=JSONB),
        cast(null(), TIMESTAMP(timezone=True)),
    )
    jobs = cast(array([job]), ARRAY(JobToDefer))
    return func.procrastinate_defer_jobs_v1(jobs, type_=ARRAY(BigInteger))


def forgetting(argument: str, values: Select[str]) -> Delete:
    """Delete the jobs that hold one of the values, whether they were still to be done or failed."""
    return delete(JOBS).where(
        cast(JOBS.c.status, Text) != "doing", JOBS.c.args[argument].astext.in_(values)
    )


def json_part(value: object) -> object:
    """Give PostgreSQL the type of a text, which it cannot guess here."""
    return cast(value, Text) if isinstance(value, str) else value
