"""The rows of lists of todos: what a template shows of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any, cast

from fast_zero.recurrence import wording
from fast_zero.web.presentation.dates import NOT_DUE, Dates, Due
from fast_zero.web.presentation.found import Found
from fast_zero.web.texts import mark

PRIORITIES = {
    "low": mark("Low"),
    "medium": mark("Medium"),
    "high": mark("High"),
    "urgent": mark("Urgent"),
}
NO_PRIORITY = mark("None")
INBOX = mark("Inbox")
COLORS = {
    "red": mark("Red"),
    "orange": mark("Orange"),
    "amber": mark("Amber"),
    "olive": mark("Olive"),
    "green": mark("Green"),
    "teal": mark("Teal"),
    "cyan": mark("Cyan"),
    "blue": mark("Blue"),
    "violet": mark("Violet"),
    "pink": mark("Pink"),
    "brown": mark("Brown"),
    "grey": mark("Grey"),
}
LABELS = 3
"""How many labels a row names; of the others it shows the number."""
CACHED = 1024


@dataclass(frozen=True)
class Place:
    """A project or a saved filter, as rows and the sidebar show it."""

    id: int
    name: str
    color: str


@dataclass(frozen=True)
class Row:
    """A todo in a list.

    `tick` is the value of its button: the id, and of what recurs the day. `repeats` says its
    recurrence, if that has words.
    """

    id: int
    tick: str
    title: str
    due: Due
    priority: str
    project: Place | None
    labels: list[str]
    more_labels: int
    subtasks: int
    done_subtasks: int
    recurs: bool
    repeats: str
    blocked: bool
    done: bool
    found: Found | None = None
    """In a search: where its words are."""


def due_day(todo: Mapping[str, Any], dates: Dates) -> date:
    """Return the day that a todo is due, on the clock of its reader. It has a due."""
    if todo["due_on"] is not None:
        return cast("date", todo["due_on"])
    moment: datetime = todo["due_at"]
    return dates.day_of(moment)


words_of = lru_cache(CACHED)(wording.texts)


def repetition(recurrence: Mapping[str, str], dates: Dates) -> str:
    words = words_of(recurrence["rule"], from_completion=recurrence["from"] == "completion")
    return words[dates.language] if words else ""


def row_of(
    todo: Mapping[str, Any],
    dates: Dates,
    projects: Mapping[int, Place],
    *,
    without_day: bool = False,
) -> Row:
    labels, subtasks = todo["labels"], todo["subtasks"]
    recurs = todo["recurrence"] is not None
    done = todo["state"] == "done"
    due = NOT_DUE if done else dates.due(todo["due_on"], todo["due_at"], without_day=without_day)
    return Row(
        id=todo["id"],
        tick=f"{todo['id']}/{todo['occurrence_on']}" if recurs else str(todo["id"]),
        title=todo["title"],
        due=due,
        priority="" if todo["priority"] == "none" else todo["priority"],
        project=projects.get(todo["project_id"]),
        labels=labels[:LABELS],
        more_labels=max(len(labels) - LABELS, 0),
        subtasks=subtasks,
        done_subtasks=subtasks - todo["open_subtasks"],
        recurs=recurs,
        repeats=repetition(todo["recurrence"], dates) if recurs else "",
        blocked=todo["blocked"],
        done=done,
    )


def rows_of(
    todos: Iterable[Mapping[str, Any]],
    dates: Dates,
    projects: Mapping[int, Place],
    *,
    without_day: bool = False,
) -> list[Row]:
    return [row_of(todo, dates, projects, without_day=without_day) for todo in todos]
