"""`fast-zero posts`: moderate posts."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from fast_zero.core.errors import Invalid, NotFound
from fast_zero.core.terminal import messages, show
from fast_zero.operations.database_access import AsJson, find_user, run_in_transaction

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fast_zero.core.database import AnyRow, Session
    from fast_zero.core.settings import Settings

cli = typer.Typer(help="List and delete posts.", no_args_is_help=True)


@cli.command("list")
def list_posts(
    *,
    user: Annotated[
        str | None,
        typer.Option(
            help="Only posts of this user: ID, username or email address. A number is an ID."
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="Maximum number.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List the newest posts, regardless of visibility."""
    from fast_zero.administration import queries as administration_queries

    async def select(session: "Session", _settings: "Settings") -> "Sequence[AnyRow]":
        author_id = (await find_user(session, user)).id if user is not None else None
        return await administration_queries.select_newest(session, author_id, limit)

    columns = ("id", "author_id", "visibility", "reply_to", "text")
    show(
        [{name: getattr(post, name) for name in columns} for post in run_in_transaction(select)],
        as_json=as_json,
    )


@cli.command("delete")
def delete_post(
    post_id: int,
    *,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
) -> None:
    """Delete a post of any user. The replies to it stay."""
    from fast_zero.administration import queries as administration_queries

    if not yes and not (sys.stdin.isatty() and typer.confirm(f"Delete post {post_id} for good?")):
        raise Invalid("Nothing was deleted. Confirm with --yes.")
    if not run_in_transaction(
        lambda session, _settings: administration_queries.delete_post(session, post_id)
    ):
        raise NotFound(f"There is no post {post_id}.")
    messages.print(f"Post {post_id} is deleted.")
