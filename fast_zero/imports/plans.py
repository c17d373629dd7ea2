"""What is created of a document: checked values, and in which order."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

from fast_zero.core.errors import Invalid
from fast_zero.imports.models import REPORTED
from fast_zero.interchange.portable import (
    MOST_ERRORS,
    MOST_TODOS,
    PROJECT_LEVELS,
    Document,
    Loss,
    PortableTodo,
)
from fast_zero.projects.schemas import Name, SectionName
from fast_zero.recurrence.series import Due
from fast_zero.todos import recurring
from fast_zero.todos.models import LEVELS, TodoState
from fast_zero.todos.moments import FIRST_MOMENT
from fast_zero.todos.schemas import TodoCreate

TITLE, DESCRIPTION, NAME, LABEL, LABELS, KEY = 200, 20_000, 100, 50, 50, 255
MESSAGE = 300
SAME = (
    "title",
    "description",
    "state",
    "priority",
    "labels",
    "due_on",
    "due_at",
    "time_zone",
    "starts_on",
    "deadline_on",
    "duration_minutes",
    "reminders",
)
"""The fields that a todo of a file has by the same names as `TodoCreate`."""


@dataclass(frozen=True)
class Place:
    """Names of projects, outermost first, and of a section of the last one."""

    project: tuple[Name, ...] = ()
    section: SectionName | None = None


PLACE = TypeAdapter(Place)


@dataclass(frozen=True)
class NewTodo:
    """A checked todo. `columns` are JSON."""

    key: str
    line: int
    parent_key: str | None
    place: Place
    labels: Sequence[str]
    columns: Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """A todo that an earlier import created. The level of one without a parent is 1."""

    id: int
    parent_id: int | None
    level: int


@dataclass(frozen=True)
class Placed:
    """A todo to create below another new one, or below an existing one, or in its place."""

    todo: NewTodo
    parent_key: str | None = None
    parent_id: int | None = None


@dataclass
class Report:
    losses: list[Loss] = field(default_factory=list)
    errors: list[Loss] = field(default_factory=list)

    def counts(self) -> dict[str, int]:
        return {"losses": len(self.losses), "errors": len(self.errors)}

    def entries(self) -> list[dict[str, Any]]:
        """Return the entries as JSON, errors first, each in the order of lines."""
        kinds = (("error", self.errors), ("loss", self.losses))
        found = [
            {
                "kind": kind,
                "line": entry.line,
                "column": printable(entry.column),
                "message": printable(entry.message),
            }
            for kind, entries in kinds
            for entry in sorted(entries, key=lambda entry: entry.line)[:REPORTED]
        ]
        return found[:REPORTED]


def printable(text: str) -> str:
    """Return what the database can store of a text that may quote a file."""
    shown = "".join(char if char.isprintable() else " " for char in text[: MESSAGE + 1])
    return shortened(shown, MESSAGE)


def shortened(text: str, length: int) -> str:
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"


def check(document: Document, zone: str, now: datetime) -> tuple[list[NewTodo], Report]:
    """Check the todos of a document; return them in its order. `zone` is that of the account."""
    report = Report(list(document.losses), list(document.errors))
    todos = document.todos
    if len(todos) > MOST_TODOS:
        message = f"A file has at most {MOST_TODOS:,} todos."
        report.errors.append(Loss(todos[MOST_TODOS].line, "", message))
    else:
        report.errors += wrong_links(todos)
    if report.errors:
        return [], report
    places = Places()
    checked: dict[str, NewTodo] = {}
    for todo in downwards(todos):
        if len(report.errors) >= MOST_ERRORS:  # a rule without any day takes a tenth of a second
            break
        fitting = fitted(todo, now, report.losses)
        place = places.place_of(fitting, report.losses)
        try:
            checked[todo.key] = new_todo(fitting, place, zone)
        except ValidationError as error:
            report.errors += errors_of(todo, error)
        except Invalid as error:
            report.errors.append(Loss(todo.line, "recurrence", error.detail))
    if report.errors:
        return [], report
    return [checked[todo.key] for todo in todos], report


def wrong_links(todos: Sequence[PortableTodo]) -> Iterator[Loss]:
    """Yield what is wrong with keys and parents."""
    lines: dict[str, int] = {}
    for todo in todos:
        if todo.key in lines:
            yield Loss(todo.line, "key", f"Line {lines[todo.key]} has this key already.")
        lines.setdefault(todo.key, todo.line)
    reached = {todo.key for todo in downwards(todos)}
    for todo in todos:
        if todo.parent_key is None or todo.key in reached:
            continue
        if todo.parent_key not in lines:
            yield Loss(todo.line, "parent", f"No todo of the file has this key: {todo.parent_key}")
        else:
            yield Loss(todo.line, "parent", "No todo without a parent is above it.")


def downwards(todos: Iterable[PortableTodo]) -> Iterator[PortableTodo]:
    """Yield parents before their subtasks. Those in a circle, or below one, are left out."""
    below: dict[str | None, list[PortableTodo]] = {}
    for todo in todos:
        below.setdefault(todo.parent_key, []).append(todo)
    level = below.pop(None, [])
    while level:
        yield from level
        level = [subtask for todo in level for subtask in below.pop(todo.key, ())]


def fitted(todo: PortableTodo, now: datetime, losses: list[Loss]) -> PortableTodo:
    """Return a todo whose values fit, and note what had to be cut off or left out."""
    title, description = todo.title.strip(), todo.description.strip()
    if len(title) > TITLE:
        message = f"Longer than {TITLE} characters. All of it is in the description."
        losses.append(Loss(todo.line, "title", message))
        title, description = shortened(title, TITLE), f"{title}\n\n{description}".rstrip()
    if len(description) > DESCRIPTION:
        message = f"Longer than {DESCRIPTION:,} characters. The end is cut off."
        losses.append(Loss(todo.line, "description", message))
        description = shortened(description, DESCRIPTION)
    labels = fitted_labels(todo, losses)
    return replace(
        todo, title=title, description=description, labels=labels, **fitted_dates(todo, now, losses)
    )


def fitted_labels(todo: PortableTodo, losses: list[Loss]) -> tuple[str, ...]:
    names = [name.strip() for name in todo.labels]
    for name in names:
        if len(name) > LABEL:
            message = f"Longer than {LABEL} characters. The end is cut off: {name}"
            losses.append(Loss(todo.line, "labels", message))
    labels = tuple(dict.fromkeys(shortened(name, LABEL) for name in names))
    if len(labels) > LABELS:
        message = f"Only {LABELS} are kept, not: {', '.join(labels[LABELS:])}"
        losses.append(Loss(todo.line, "labels", message))
    return labels[:LABELS]


def fitted_dates(todo: PortableTodo, now: datetime, losses: list[Loss]) -> dict[str, Any]:
    """Return the fields that are changed."""
    changes: dict[str, Any] = {}
    if todo.state is not TodoState.DONE:
        changes["completed_at"] = None
    elif todo.recurrence_rule is not None:
        changes["recurrence_rule"] = None
        message = f"What is done does not recur: {todo.recurrence_rule}"
        losses.append(Loss(todo.line, "recurrence", message))
    for name in ("completed_at", "created_at"):
        moment = getattr(todo, name)
        if moment is None or name in changes:
            continue
        if not FIRST_MOMENT <= moment <= now:
            changes[name] = None
            message = f"In the future or too long ago, so it is now: {moment.isoformat()}"
            losses.append(Loss(todo.line, name, message))
    return changes


@dataclass
class Places:
    """The places of todos by their keys, and how those of the file were made to fit.

    What had to be changed of a place is reported once.
    """

    of_todos: dict[str, Place] = field(default_factory=dict)
    fitted: dict[Place, Place] = field(default_factory=dict)

    def place_of(self, todo: PortableTodo, losses: list[Loss]) -> Place:
        """Return where a todo is put. A subtask is put where its parent is."""
        given = Place(todo.project, todo.section)
        if given not in self.fitted:
            self.fitted[given] = fitted_place(given, todo.line, losses)
        place = self.fitted[given]
        if todo.parent_key is not None:
            above = self.of_todos[todo.parent_key]
            if place not in {above, Place()}:
                losses.append(Loss(todo.line, "project", "A subtask is put where its parent is."))
            place = above
        self.of_todos[todo.key] = place
        return place


def fitted_place(given: Place, line: int, losses: list[Loss]) -> Place:
    names, section = [name.strip() for name in given.project], given.section
    if len(names) > PROJECT_LEVELS:
        top, rest = names[: PROJECT_LEVELS - 1], names[PROJECT_LEVELS - 1 :]
        names = [*top, " / ".join(rest)]
        message = f"Projects are nested {PROJECT_LEVELS} levels deep. This is one now: {names[-1]}"
        losses.append(Loss(line, "project", message))
    if section is not None and not names:
        losses.append(Loss(line, "section", f"The inbox has no sections: {section}"))
        section = None
    for column, name in [*(("project", name) for name in names), ("section", section or "")]:
        if len(name) > NAME:
            message = f"Longer than {NAME} characters. The end is cut off: {name}"
            losses.append(Loss(line, column, message))
    fitting = tuple(shortened(name, NAME) for name in names)
    return Place(fitting, section and shortened(section.strip(), NAME))


def new_todo(todo: PortableTodo, place: Place, zone: str) -> NewTodo:
    """Check a todo as the API does. Raises ValidationError or Invalid."""
    recurrence = None
    if todo.recurrence_rule is not None:
        recurrence = {"rule": todo.recurrence_rule, "from": todo.recurrence_from}
    checked = TodoCreate.model_validate(
        {
            **{name: getattr(todo, name) for name in SAME},
            "recurrence": recurrence,
            "reminders": list(todo.reminders),
            "labels": list(todo.labels),
        }
    )
    PLACE.validate_python(place)
    columns = checked.columns() | {"completed_at": todo.completed_at, "created_at": todo.created_at}
    if checked.due_at is not None:
        columns["time_zone"] = checked.time_zone or zone
    if checked.recurrence is not None:
        due = Due(checked.due_on, checked.due_at)
        columns |= recurring.begin(checked.recurrence, columns.get("time_zone", zone), due, ())
        columns.setdefault("time_zone", zone if columns.get("due_at") else None)
    if checked.state is TodoState.DONE:
        # What was done before it came here is not announced.
        columns["share"] = "off"
    columns["external_key"] = external_key(todo.key)
    parent_key = todo.parent_key and external_key(todo.parent_key)
    return NewTodo(
        columns["external_key"],
        todo.line,
        parent_key,
        place,
        checked.labels,
        to_jsonable_python(columns),
    )


def errors_of(todo: PortableTodo, error: ValidationError) -> list[Loss]:
    return [
        Loss(
            todo.line,
            str(item["loc"][0]) if item["loc"] else "",
            item["msg"].removeprefix("Value error, "),
        )
        for item in error.errors(include_url=False, include_input=False, include_context=False)
    ]


def external_key(key: str) -> str:
    """Return what is stored of a key: the key itself, or else its hash."""
    if key.strip() == key != "" and len(key) <= KEY and key.isprintable():
        return key
    return f"sha256:{hashlib.sha256(key.encode(errors='surrogatepass')).hexdigest()}"


def arrange(
    todos: Sequence[NewTodo], found: Mapping[str, Found], losses: list[Loss]
) -> list[list[Placed]]:
    """Return what is created first, and then, in turn, what is below that.

    What would be too deep is put beside its parent.
    """
    below: dict[str | None, list[NewTodo]] = {}
    for todo in todos:
        below.setdefault(todo.parent_key, []).append(todo)
    # For each todo: its level, how many new ones are above it, and what it is below of.
    places: dict[str, tuple[int, int, Placed]] = {}
    level = below.get(None, [])
    while level:
        for todo in level:
            places[todo.key] = place_below(todo, found, places, losses)
        level = [subtask for todo in level for subtask in below.get(todo.key, ())]
    ranks: dict[int, list[Placed]] = {}
    for todo in todos:
        _, rank, placed = places[todo.key]
        if todo.key not in found:
            ranks.setdefault(rank, []).append(placed)
    return [ranks[rank] for rank in sorted(ranks)]


def place_below(
    todo: NewTodo,
    found: Mapping[str, Found],
    places: Mapping[str, tuple[int, int, Placed]],
    losses: list[Loss],
) -> tuple[int, int, Placed]:
    if known := found.get(todo.key):
        return known.level, 0, Placed(todo, parent_id=known.parent_id)
    if todo.parent_key is None:
        return 1, 0, Placed(todo)
    level, rank, above = places[todo.parent_key]
    if level >= LEVELS:
        message = f"Todos are nested {LEVELS} levels deep. It is beside its parent now."
        losses.append(Loss(todo.line, "parent", message))
        return level, rank, replace(above, todo=todo)
    if known := found.get(todo.parent_key):
        return level + 1, 0, Placed(todo, parent_id=known.id)
    return level + 1, rank + 1, Placed(todo, parent_key=todo.parent_key)
