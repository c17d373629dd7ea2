"""`fast-zero jobs`: list, retry and cancel background jobs."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from fast_zero.core.errors import NotFound
from fast_zero.core.terminal import messages, show
from fast_zero.operations.database_access import AsJson, run_in_transaction

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fast_zero.core.database import Session
    from fast_zero.core.settings import Settings


class Status(StrEnum):
    TODO = "todo"
    DOING = "doing"
    FAILED = "failed"
    CANCELLED = "cancelled"


cli = typer.Typer(help="Manage background jobs, such as sending email.", no_args_is_help=True)


@cli.command("list")
def list_jobs(
    *,
    status: Annotated[
        list[Status] | None, typer.Option(help="May be repeated. Default: all.")
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List jobs, newest first. Finished jobs are not kept.

    A failed job is retried after increasing delays. After the tenth failure it is kept for 30 days.
    """
    from fast_zero.core.jobs import queries

    statuses = [one.value for one in status or Status]
    rows = run_in_transaction(
        lambda session, _settings: queries.select_jobs(session, statuses, limit)
    )
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
    """Run failed, waiting or cancelled jobs as soon as a worker is free."""
    from fast_zero.core.jobs import queries

    change(queries.retry, job_ids, "will run as soon as a worker is free")


@cli.command("cancel")
def cancel_job(job_ids: list[int]) -> None:
    """Cancel waiting or failed jobs. They stay in the list for 30 days."""
    from fast_zero.core.jobs import queries

    change(queries.cancel, job_ids, "is cancelled")


def change(
    action: "Callable[[Session, int], Awaitable[bool]]", job_ids: list[int], done: str
) -> None:
    """Change all of the jobs, or none if one of them cannot be changed."""

    async def run(session: "Session", _settings: "Settings") -> None:
        for job_id in job_ids:
            if not await action(session, job_id):
                raise NotFound(f"There is no job {job_id}, or it is running or has ended.")

    run_in_transaction(run)
    for job_id in job_ids:
        messages.print(f"Job {job_id} {done}.")
