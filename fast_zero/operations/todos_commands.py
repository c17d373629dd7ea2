"""`fast-zero todos`: list the todos of a user."""

from typing import TYPE_CHECKING, Annotated, Literal
from zoneinfo import ZoneInfo

import typer

from fast_zero.core.errors import Invalid, NotFound
from fast_zero.core.terminal import show
from fast_zero.operations.database_access import AnyUser, AsJson, run_for_user, validate

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fast_zero.core.database import PreparedRow, Session
    from fast_zero.core.settings import Settings
    from fast_zero.identity.models import User
    from fast_zero.search.filters import TodoFilter

cli = typer.Typer(help="List todos.", no_args_is_help=True)


@cli.callback()
def group() -> None:
    """Keep `list` a subcommand: Typer would merge a single command into its group."""


@cli.command("list")
def list_todos(
    user: AnyUser,
    *,
    project: Annotated[
        str | None,
        typer.Option(
            help="Only todos of this project: ID or name; none: those in the inbox. A number is an "
            "ID."
        ),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(help="Only todos with this label. Repeat it: with all of these."),
    ] = None,
    state: Annotated[
        list[str] | None,
        typer.Option(
            help="Only todos in this state: draft, todo, doing, done or trash. Repeat it for "
            "several states."
        ),
    ] = None,
    sort: Annotated[
        str | None,
        typer.Option(
            help="Keys with commas between, such as due,-priority. Default: oldest first."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the todos of an account: a table on a terminal, tab-separated lines in a pipe."""
    from fast_zero.core.pagination import MAX_LIMIT
    from fast_zero.search.filters import TodoFilter

    given = {"label": label or None, "state": state or None, "sort": sort}
    filters = {name: value for name, value in given.items() if value is not None}
    wanted = validate(TodoFilter, limit=MAX_LIMIT, **filters)

    async def collect(
        session: "Session", _settings: "Settings", owner: "User"
    ) -> "list[PreparedRow]":
        if project is not None:
            wanted.project_id = await find_project(session, owner.id, project)
        return await select_all(session, owner.id, wanted)

    found = run_for_user(user, collect)
    show([shown(todo, as_json=as_json) for todo in found], as_json=as_json)


async def find_project(session: "Session", owner_id: int, wanted: str) -> int | Literal["none"]:
    """Return the ID of a project that is given by ID or name."""
    from sqlalchemy import Text, literal, select, type_coerce

    from fast_zero.core.folding import folded
    from fast_zero.core.types import MAX_BIGINT
    from fast_zero.projects import queries
    from fast_zero.projects.models import Project

    if wanted == "none":
        return "none"
    statement = select(Project.id).where(queries.visible_to(owner_id))
    if wanted.isdecimal():
        named = Project.id == min(int(wanted), MAX_BIGINT)
    else:
        named = folded(type_coerce(Project.name, Text)) == folded(literal(wanted.strip(), Text))
    found: Sequence[int] = []
    if wanted.isprintable():  # bytes that are no text could not be sent
        found = (await session.scalars(statement.where(named).order_by(Project.id))).all()
    if not found:
        raise NotFound(f"There is no project {wanted}.")
    if len(found) > 1:
        ids = ", ".join(map(str, found))
        raise Invalid(f"Several projects are named {wanted}. Use one of the IDs {ids}.")
    return found[0]


async def select_all(
    session: "Session", owner_id: int, wanted: "TodoFilter"
) -> "list[PreparedRow]":
    """Select all pages of a list."""
    from fast_zero.search import queries
    from fast_zero.search.filters import TodoFilter, split_todos

    found: list[PreparedRow] = []
    page, filters = wanted, wanted.model_dump(exclude_none=True)
    while True:
        rows, cursor = split_todos(await queries.select_todos(session, owner_id, page), page)
        found += rows
        if cursor is None:
            return found
        page = TodoFilter.model_validate(filters | {"after": cursor})


def shown(todo: "PreparedRow", *, as_json: bool) -> dict[str, object]:
    """Return the columns of a todo. The title is last, since it may contain tabs."""
    columns = {name: todo[name] for name in ("id", "state", "share", "priority")}
    labels = todo["labels"] if as_json else ", ".join(todo["labels"])
    return columns | {"due": due_of(todo), "labels": labels, "title": todo["title"]}


def due_of(todo: "PreparedRow") -> str | None:
    """Return the day or the moment that a todo is due, as its owner entered it."""
    if todo["due_on"] is not None:
        return str(todo["due_on"])
    if todo["due_at"] is not None:
        moment = todo["due_at"].astimezone(ZoneInfo(todo["time_zone"]))
        return str(moment.isoformat(timespec="minutes"))
    return None
