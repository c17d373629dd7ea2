"""`fast-zero jobs`: what workers have done, do and will do, for who runs the server."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fast_zero.core.errors import NotFound
from fast_zero.core.terminal import show, talk
from fast_zero.operations.acting import AsJson, act

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fast_zero.core.database import Session
    from fast_zero.core.settings import Settings


class Status(StrEnum):
    TODO = "todo"
    DOING = "doing"
    FAILED = "failed"
    CANCELLED = "cancelled"


cli = typer.Typer(help="Look after jobs, such as sending email.", no_args_is_help=True)


@cli.command("list")
def list_jobs(
    *,
    status: Annotated[
        list[Status] | None, typer.Option(help="May be given more than once; without it, all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="How many.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List jobs, the newest first. Those that are done are not kept.

    A job that failed is tried again later and later, and after the tenth time kept for 30 days.
    """
    from fast_zero.core.jobs import queries

    statuses = [one.value for one in status or Status]
    rows = act(lambda session, _settings: queries.select_jobs(session, statuses, limit))
    moments = ("next_try", "changed")
    show(
        [
            {
                **{name: getattr(job, name) for name in ("id", "task", "status", "attempts")},
                **{name: moment(getattr(job, name)) for name in moments},
            }
            for job in rows
        ],
        as_json=as_json,
    )


def moment(at: object) -> str | None:
    return None if at is None else f"{at:%Y-%m-%dT%H:%M:%S%z}"


@cli.command("retry")
def retry_job(job_ids: list[int]) -> None:
    """Do jobs that failed, wait or were cancelled as soon as a worker is free."""
    from fast_zero.core.jobs import queries

    change(queries.retry, job_ids, "is done as soon as a worker is free")


@cli.command("cancel")
def cancel_job(job_ids: list[int]) -> None:
    """Do jobs no more that wait or failed. They stay in the list for 30 days."""
    from fast_zero.core.jobs import queries

    change(queries.cancel, job_ids, "is cancelled")


def change(
    action: "Callable[[Session, int], Awaitable[bool]]", job_ids: list[int], done: str
) -> None:
    """Change all of the jobs, or none where one of them cannot be."""

    async def run(session: "Session", _settings: "Settings") -> None:
        for job_id in job_ids:
            if not await action(session, job_id):
                raise NotFound(f"There is no job {job_id}, or it is running or has ended.")

    act(run)
    for job_id in job_ids:
        talk.print(f"Job {job_id} {done}.")
