"""Todos as files have them: places by names, and parents by keys."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

from pydantic import AfterValidator, Field, StringConstraints, TypeAdapter, ValidationError

from fast_zero.core.types import RawText
from fast_zero.identity.schemas import TimeZone
from fast_zero.labels.schemas import LabelName
from fast_zero.projects.schemas import Name as ProjectName
from fast_zero.projects.schemas import SectionName
from fast_zero.recurrence.rules import LONGEST
from fast_zero.todos.models import Priority, RecurrenceFrom, TodoState
from fast_zero.todos.moments import Day, Moment
from fast_zero.todos.reminders import MAX_REMINDERS, Reminder
from fast_zero.todos.schemas import (
    Description,
    Duration,
    Title,
    canonical_rule,
    check_due,
)

PROJECT_LEVELS = 3
MOST_TODOS = 20_000
"""How many todos a file has at most. Readers may stop after one more, or after many errors."""

MOST_COLUMNS = 1000
TOO_MANY_COLUMNS = f"A file has at most {MOST_COLUMNS:,} columns."
MOST_ERRORS = 1000

Key = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f\x7f]+$", max_length=255),
]
RecurrenceRule = Annotated[
    RawText, StringConstraints(max_length=LONGEST), AfterValidator(canonical_rule)
]


@dataclass(frozen=True, kw_only=True)
class PortableTodo:
    """A todo of a file. Its values are checked as those of `TodoCreate` are, by `checked`."""

    key: Key
    """Names it within its source, for good: a file that is read again has the same keys."""
    line: int
    """Where it begins in its file, from 1. In JSON: its number."""
    title: Title
    description: Description = ""
    state: TodoState = TodoState.TODO
    priority: Priority = Priority.NONE
    parent_key: Key | None = None
    """The key of the todo that it is a subtask of, which may be further down in the file."""
    project: Annotated[tuple[ProjectName, ...], Field(max_length=PROJECT_LEVELS)] = ()
    """The names of its project and those around it, outermost first. Empty: in the inbox."""
    section: SectionName | None = None
    labels: Annotated[tuple[LabelName, ...], Field(max_length=50)] = ()
    due_on: Day | None = None
    due_at: Moment | None = None
    time_zone: TimeZone | None = None
    starts_on: Day | None = None
    deadline_on: Day | None = None
    duration_minutes: Duration = None
    recurrence_rule: RecurrenceRule | None = None
    recurrence_from: RecurrenceFrom = RecurrenceFrom.DUE
    reminders: Annotated[tuple[Reminder, ...], Field(max_length=MAX_REMINDERS)] = ()
    completed_at: Moment | None = None
    created_at: Moment | None = None


@dataclass(frozen=True)
class Loss:
    """What a file says that is not kept, or what is wrong with it."""

    line: int
    column: str
    """The column or property, as the file calls it."""
    message: str


@dataclass
class Document:
    """What was read from a file, in its order."""

    todos: Sequence[PortableTodo] = ()
    losses: list[Loss] = field(default_factory=list)
    """Values that are dropped. The todo is kept without them."""
    errors: list[Loss] = field(default_factory=list)
    """Why todos cannot be read. With one of them, nothing of the file is imported."""


CHECKED: TypeAdapter[PortableTodo] = TypeAdapter(PortableTodo)


def checked(values: Mapping[str, Any]) -> PortableTodo | list[Loss]:
    """Return a todo with these fields, or what is wrong with each. Columns are names of fields."""
    line = values["line"]
    given = dict(values)
    if given.get("recurrence_rule") is None:
        given.pop("recurrence_from", None)
    try:
        check_due(given)
        return CHECKED.validate_python(given)
    except ValidationError as error:
        return [
            Loss(line, str(item["loc"][0]), item["msg"].removeprefix("Value error, "))
            for item in error.errors(include_url=False, include_input=False)
        ]
    except ValueError as error:
        return [Loss(line, "due_at", str(error))]
