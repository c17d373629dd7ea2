"""`fast-zero edit`."""

import sys
from typing import Annotated

import typer

from fast_zero.client.completion import complete_label, complete_project
from fast_zero.client.errors import ClientError
from fast_zero.client.todo_commands import AsJson, TodoId
from fast_zero.core.terminal import console, messages, print_json

cli = typer.Typer()


@cli.command("edit")
def edit_todo(
    todo_id: TodoId,
    *,
    title: Annotated[str | None, typer.Option(help="Its title.")] = None,
    description: Annotated[str | None, typer.Option(help="Its description.")] = None,
    state: Annotated[str | None, typer.Option(help="draft, todo, doing, done or trash.")] = None,
    priority: Annotated[str | None, typer.Option(help="none, low, medium, high or urgent.")] = None,
    due: Annotated[
        str | None,
        typer.Option(help='Such as 2026-12-04, "2026-12-04 09:00", today, "tomorrow 9:00", none.'),
    ] = None,
    label: Annotated[
        list[str] | None,
        typer.Option(
            "--label",
            "-l",
            help="Its labels, instead of those before. Repeat it for several; none: no labels.",
            autocompletion=complete_label,
        ),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(
            "--project",
            "-p",
            help="Move it to this project: name or ID; none: the inbox.",
            autocompletion=complete_project,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Change a todo: what the options say or, without any, in your EDITOR.

    If it was changed elsewhere while the editor was open, you are told what, and asked.
    """
    from fast_zero.client import display, editing, last_changes, names
    from fast_zero.client.api import Api

    options = {
        "title": title,
        "description": description,
        "state": state,
        "priority": priority,
        "due": due,
        "labels": None if label is None else [name for name in label if name != "none"],
        "project": project,
    }
    given = {name: value for name, value in options.items() if value is not None}
    if not given and not (sys.stdin.isatty() and console.is_terminal):
        raise ClientError("Say what to change with options, such as --due tomorrow.")
    with Api.open() as api, last_changes.remembered(api):
        change = editing.apply(api, todo_id, given) if given else editing.edit(api, todo_id)
        known = names.of_projects(api, [change]) if change and not as_json else {}
    if change is None:
        messages.print("Nothing is changed.")
    elif as_json:
        print_json(change)
    else:
        messages.print(f"Changed: {display.in_a_line(change, known)}")
