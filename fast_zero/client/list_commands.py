"""`fast-zero list`."""

from typing import TYPE_CHECKING, Annotated, Any

import typer

from fast_zero.client.completion import complete_label, complete_project
from fast_zero.client.errors import ClientError, RefusedError
from fast_zero.client.todo_commands import AsJson
from fast_zero.core.terminal import console, messages, print_json

if TYPE_CHECKING:
    from fast_zero.client.api import Api

DEFAULT_LIMIT = 100
DEFAULT_SORT = "due,-priority"

Wanted = Annotated[
    str | None,
    typer.Argument(
        metavar="[FILTER]",
        help='Only todos that this finds, such as "due<=friday and not label:errands".',
    ),
]
Search = Annotated[
    str | None, typer.Option("--search", "-q", help="Only titles that contain this text.")
]
Project = Annotated[
    str | None,
    typer.Option(
        "--project",
        "-p",
        help="Only todos of this project: name or ID; none: those in the inbox.",
        autocompletion=complete_project,
    ),
]
Label = Annotated[
    list[str] | None,
    typer.Option(
        "--label",
        "-l",
        help="Only todos with this label. Repeat it: with all of these.",
        autocompletion=complete_label,
    ),
]
Saved = Annotated[
    str | None,
    typer.Option("--saved", help="Only todos that this saved filter finds: name or ID."),
]
Everything = Annotated[
    bool, typer.Option("--all", "-a", help="Also those that are done or in the state trash.")
]
Sort = Annotated[
    str | None,
    typer.Option(
        help="Keys with commas between, such as -priority,title. Default: that of the saved "
        f"filter, or {DEFAULT_SORT}."
    ),
]
Limit = Annotated[int, typer.Option(min=1, help="Most todos to list.")]

cli = typer.Typer()


@cli.command("list")
def list_todos(
    wanted: Wanted = None,
    *,
    search: Search = None,
    project: Project = None,
    label: Label = None,
    saved: Saved = None,
    everything: Everything = False,
    sort: Sort = None,
    limit: Limit = DEFAULT_LIMIT,
    as_json: AsJson = False,
) -> None:
    """List your open todos, by due: a table on a terminal, tab-separated lines in a pipe."""
    from fast_zero.client import display, names, text
    from fast_zero.client.api import Api

    with Api.open() as api:
        params: dict[str, Any] = {
            "filter": wanted,
            "title": search,
            "label": label,
            "state": None if everything else list(text.OPEN),
            "saved_filter": names.find_filter(api, saved) if saved else None,
            "project_id": (names.find_project(api, project) or "none") if project else None,
            "sort": sort or (None if saved else DEFAULT_SORT),
        }
        found = select(api, params, limit + 1)  # one more shows whether there are more
        todos = found[:limit]
        if as_json:
            print_json(todos)
        else:
            display.show_todos(todos, names.of_projects(api, todos))
    if not as_json and console.is_terminal and not todos:
        messages.print("Nothing." if everything else "Nothing to do. --all lists what is done.")
    if len(found) > limit:
        messages.print(f"There are more than {limit}. List more with --limit.")


def select(api: "Api", params: dict[str, Any], limit: int) -> list[Any]:
    """Return todos. Of a filter with a mistake, say where it is."""
    from fast_zero.client import display

    given = {name: value for name, value in params.items() if value is not None}
    try:
        return list(api.items("/todos", "todos", limit, **given))
    except RefusedError as error:
        raise ClientError(display.filter_fault(error, given.get("filter", ""))) from None
