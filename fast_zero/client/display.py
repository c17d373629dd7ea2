"""Shows todos: a table on a terminal, tab-separated lines in a pipe, or the JSON of the API."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from fast_zero.client import text
from fast_zero.client.errors import RefusedError
from fast_zero.core.terminal import console, print_json, show_one

if TYPE_CHECKING:
    from fast_zero.client.names import Projects

PRIORITY_STYLES = {"urgent": "bold red", "high": "red", "medium": "yellow", "low": "blue"}
STATE_STYLES = {"done": "dim", "trash": "dim", "draft": "italic"}
NARROW = 60  # columns: below, a table has room for what matters most
FIELDS = ("id", "state", "priority", "due", "project", "labels", "title")


def now() -> datetime:
    return datetime.now().astimezone()


def show_todos(todos: Sequence[Any], projects: "Projects") -> None:
    """Show a list: a table on a terminal, and tab-separated lines in a pipe."""
    if console.is_terminal:
        if todos:
            show_table(todos, projects)
        return
    for todo in todos:
        row = in_columns(todo, projects)
        print("\t".join(text.plain(str(row[name])) for name in FIELDS))


def in_columns(todo: text.Todo, projects: "Projects") -> dict[str, object]:
    project = todo["project_id"]
    columns = {name: todo[name] for name in ("id", "state", "priority", "title")}
    return columns | {
        "due": due_for_programs(todo),
        "project": "" if project is None else projects.get(project, project),
        "labels": ", ".join(todo["labels"]),
    }


def due_for_programs(todo: text.Todo) -> str:
    due = text.due_of(todo)
    return due.isoformat(*(["T", "minutes"] if isinstance(due, datetime) else [])) if due else ""


def show_table(todos: Sequence[Any], projects: "Projects") -> None:
    from rich.table import Table

    moment = now()
    rows = [(todo, in_columns(todo, projects)) for todo in todos]
    names = ["id", "due", "title"]
    if console.width >= NARROW:
        names += [name for name in ("project", "labels") if any(row[name] for _, row in rows)]
        if any(todo["priority"] != "none" for todo in todos):
            names.insert(2, "priority")
    if any(todo["state"] != "todo" for todo in todos):
        names.insert(1, "state")
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in names:
        whole = name in {"id", "due", "priority", "state"}
        table.add_column(
            name, no_wrap=whole, overflow="fold", justify="right" if name == "id" else "left"
        )
    for todo, row in rows:
        cells = {name: text.safe(row[name]) for name in names}
        cells["due"] = styled(text.due_in_words(todo, moment), due_style(todo, moment))
        if "priority" in cells:
            shown = todo["priority"].replace("none", "")
            cells["priority"] = styled(shown, PRIORITY_STYLES.get(shown, ""))
        table.add_row(*cells.values(), style=STATE_STYLES.get(todo["state"], ""))
    console.print(table, soft_wrap=False)


def due_style(todo: text.Todo, moment: datetime) -> str:
    if text.is_overdue(todo, moment):
        return "bold red"
    return "green" if text.due_in_words(todo, moment).startswith("today") else ""


def styled(shown: str, style: str) -> str:
    return f"[{style}]{text.safe(shown)}[/]" if style and shown else text.safe(shown)


def show_todo(todo: text.Todo, projects: "Projects", *, as_json: bool) -> None:
    """Show all of a todo: a line for each field that has a value, and its description below."""
    if as_json:
        print_json(todo)
        return
    row = in_columns(todo, projects)
    fields = {
        **{name: row[name] for name in FIELDS},
        "starts_on": todo["starts_on"],
        "deadline_on": todo["deadline_on"],
        "duration_minutes": todo["duration_minutes"],
        "recurrence": recurrence_of(todo),
        "blocked": todo["blocked"] or None,
        "open_subtasks": todo["open_subtasks"] or None,
        "completed_at": todo["completed_at"],
    }
    given = {name: value for name, value in fields.items() if value not in {None, ""}}
    shown = {name: text.plain(v) if isinstance(v, str) else v for name, v in given.items()}
    show_one(shown, as_json=False)
    if todo["description"]:
        print(f"\n{text.plain_lines(todo['description'])}")


def recurrence_of(todo: text.Todo) -> str | None:
    """Return when a todo comes back, in words if the server has them."""
    words = todo.get("recurrence_text") or {}
    return words.get("en") or (todo["recurrence"] or {}).get("rule")


def in_a_line(todo: text.Todo, projects: "Projects") -> str:
    """Return a todo, or what would become one, in one line, as markup."""
    moment = now()
    due = text.due_in_words(todo, moment)
    priority = todo["priority"].replace("none", "")
    project = projects.get(todo["project_id"], "")
    title = text.safe(todo["title"])
    parts = [
        f"[bold]{text.safe(todo['id'])}[/] {title}" if "id" in todo else title,
        styled(due, due_style(todo, moment)),
        styled(priority, PRIORITY_STYLES.get(priority, "")),
        text.safe(f"#{project}") if project else "",
        text.safe(" ".join(f"@{name}" for name in todo["labels"])),
    ]
    return " · ".join(filter(None, parts))


def show_understood(understood: Sequence[Any], todo: text.Todo) -> None:
    """Show what the words of a person were taken for."""
    for part in understood:
        words, kind = text.safe(part["text"]), text.safe(part["kind"])
        if part["value"] is None:
            console.print(f"  [yellow]{words}: there is no such {kind}. It stays in the title.[/]")
        else:
            console.print(f"  [dim]{words} → {kind}: {text.safe(value_in_words(part, todo))}[/]")


def value_in_words(part: Any, todo: text.Todo) -> str:  # noqa: ANN401  # as JSON
    kind, value = part["kind"], part["value"]
    if kind == "due":
        field = "due_at" if "T" in value else "due_on"
        return text.due_in_words({"due_on": None, "due_at": None, field: value}, now())
    if kind == "recurrence":
        return recurrence_of(todo) or str(value["rule"])
    return value if isinstance(value, str) else json.dumps(value)


def filter_fault(error: RefusedError, wanted: str) -> str:
    """Return what is wrong with a filter, and point at the place."""
    column = error.problem.get("column")
    if not isinstance(column, int) or not 1 <= column <= len(wanted) + 1:
        return str(error)
    return f"{error}\n  {text.plain_lines(wanted)}\n  {' ' * cell_len(wanted[: column - 1])}^"
