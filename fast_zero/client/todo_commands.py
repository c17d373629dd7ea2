"""`fast-zero add`, `show`, `done` and `delete`."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from fast_zero.client.completion import complete_words
from fast_zero.client.errors import RefusedError
from fast_zero.core.terminal import console, messages, print_json

if TYPE_CHECKING:
    from fast_zero.client.api import Api

AsJson = Annotated[bool, typer.Option("--json", help="Write JSON.")]
TodoId = Annotated[int, typer.Argument(metavar="ID", min=1, help="ID of the todo.")]
TodoIds = Annotated[list[int], typer.Argument(metavar="ID...", min=1, help="IDs of todos.")]

cli = typer.Typer()


@cli.command("add")
def add_todo(
    text: Annotated[
        list[str],
        typer.Argument(
            help='What to do, and when: "Buy bread tomorrow 9h #Home @errands". Quote it, since '
            "shells interpret # and others.",
            autocompletion=complete_words,
        ),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what is understood, and add nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a todo, in the words of a person."""
    from fast_zero.client import display, last_changes, names
    from fast_zero.client.api import Api

    new = {"text": " ".join(text), "dry_run": dry_run}
    with Api.open() as api, last_changes.remembered(api):
        result = api.json(api.send("POST", "/todos/quick", json=new))
        todo = result["todo"] or result["draft"]
        known = {} if as_json else names.of_projects(api, [todo])
    if as_json:
        print_json(result)
    elif dry_run or console.is_terminal:
        console.print(f"{'Would add' if dry_run else 'Added'}: {display.in_a_line(todo, known)}")
        display.show_understood(result["understood"], todo)
    else:
        display.show_todos([todo], known)


@cli.command("show")
def show_todo(todo_id: TodoId, *, as_json: AsJson = False) -> None:
    """Show all of a todo."""
    from fast_zero.client import display, names
    from fast_zero.client.api import Api

    with Api.open() as api:
        todo = api.get(f"/todos/{todo_id}")
        known = {} if as_json else names.of_projects(api, [todo])
    display.show_todo(todo, known, as_json=as_json)


@cli.command("done")
def complete_todos(
    todo_ids: TodoIds,
    *,
    force: Annotated[bool, typer.Option("--force", help="Also if an open todo blocks it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Complete todos. Of one that recurs, complete the current occurrence."""

    def complete(api: "Api", todo_id: int) -> Any:  # noqa: ANN401  # as JSON
        params = {"force": force}
        return api.json(api.send("POST", f"/todos/{todo_id}/complete", params=params))

    for_each(todo_ids, complete, report_done, as_json=as_json)


def report_done(todo: Any) -> str:  # noqa: ANN401  # as JSON
    from fast_zero.client import display, text

    done = f"Done: [bold]{text.safe(todo['id'])}[/] {text.safe(todo['title'])}"
    if todo["state"] != "done" and todo["completed_occurrence"]:
        next_due = text.due_in_words(todo, display.now())
        return f"{done}. It comes back: {next_due}."
    return done


@cli.command("delete")
def delete_todos(todo_ids: TodoIds, *, as_json: AsJson = False) -> None:
    """Move todos, with their subtasks, into the trash. `fast-zero undo` brings them back."""

    def delete(api: "Api", todo_id: int) -> Any:  # noqa: ANN401  # as JSON
        api.send("DELETE", f"/todos/{todo_id}")
        return {"id": todo_id, "deleted": True}

    for_each(
        todo_ids, delete, lambda one: f"[bold]{one['id']}[/] is in the trash.", as_json=as_json
    )


def for_each(
    todo_ids: list[int],
    act: "Callable[[Api, int], Any]",
    report: Callable[[Any], str],
    *,
    as_json: bool,
) -> None:
    """Do the same to several todos, and say what was done. Exit with 1 if some were refused."""
    from fast_zero.client import last_changes
    from fast_zero.client.api import Api

    results, refused = [], 0
    with Api.open() as api, last_changes.remembered(api):
        for todo_id in dict.fromkeys(todo_ids):
            try:
                result = act(api, todo_id)
            except RefusedError as error:
                if error.status == HTTPStatus.UNAUTHORIZED:
                    raise  # the others would be refused, too
                refused += 1
                messages.print(f"[bold red]error:[/] {todo_id}: {escape(explained(error))}")
            else:
                results.append(result)
                if not as_json:
                    messages.print(report(result))
    if as_json:
        print_json(results)
    if refused:
        raise typer.Exit(1)


def explained(error: RefusedError) -> str:
    if error.code == "todo_blocked":
        return f"{error} Or add --force."
    return str(error)
