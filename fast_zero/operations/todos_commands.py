"""`fast-zero todos`: list the todos of a user."""

from typing import TYPE_CHECKING

import typer

from fast_zero.core.terminal import show
from fast_zero.operations.database_access import AnyUser, AsJson, run_for_user

if TYPE_CHECKING:
    from fast_zero.core.database import PreparedRow, Session
    from fast_zero.core.settings import Settings
    from fast_zero.identity.models import User

cli = typer.Typer(help="List todos.", no_args_is_help=True)


@cli.callback()
def group() -> None:
    """Keep `list` a subcommand: Typer would merge a single command into its group."""


@cli.command("list")
def list_todos(
    user: AnyUser,
    *,
    as_json: AsJson = False,
) -> None:
    """List the todos of an account: a table on a terminal, tab-separated lines in a pipe."""
    from fast_zero.core.pagination import MAX_LIMIT, encode_cursor
    from fast_zero.todos import queries
    from fast_zero.todos.schemas import TodoFilter

    async def collect(
        session: "Session", _settings: "Settings", owner: "User"
    ) -> "list[PreparedRow]":
        found: list[PreparedRow] = []
        page = TodoFilter(limit=MAX_LIMIT)
        while rows := await queries.select_todos(session, owner.id, page):
            found += rows
            after = encode_cursor(rows[-1]["id"])
            page = TodoFilter.model_validate({"limit": MAX_LIMIT, "after": after})
        return found

    columns = ("id", "state", "share", "title")
    found = run_for_user(user, collect)
    show([{name: todo[name] for name in columns} for todo in found], as_json=as_json)
