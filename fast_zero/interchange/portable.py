"""Todos as files have them: places by names, and parents by keys."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from fast_zero.todos.models import Priority, RecurrenceFrom, TodoState
from fast_zero.todos.reminders import Reminder


@dataclass(frozen=True, kw_only=True)
class PortableTodo:
    """A todo of a file. Its values are checked as those of `TodoCreate` are."""

    key: str
    """Names it within its source, for good: a file that is read again has the same keys."""
    line: int
    """Where it begins in its file, from 1. In JSON: its number."""
    title: str
    description: str = ""
    state: TodoState = TodoState.TODO
    priority: Priority = Priority.NONE
    parent_key: str | None = None
    """The key of the todo that it is a subtask of, which may be further down in the file."""
    project: tuple[str, ...] = ()
    """The names of its project and those around it, outermost first. Empty: in the inbox."""
    section: str | None = None
    labels: tuple[str, ...] = ()
    due_on: date | None = None
    due_at: datetime | None = None
    time_zone: str | None = None
    starts_on: date | None = None
    deadline_on: date | None = None
    duration_minutes: int | None = None
    recurrence_rule: str | None = None
    recurrence_from: RecurrenceFrom = RecurrenceFrom.DUE
    reminders: tuple[Reminder, ...] = ()
    completed_at: datetime | None = None
    created_at: datetime | None = None


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
