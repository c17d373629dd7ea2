"""What rows of the log of changes mean to a user."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from fast_zero.changes.schemas import TodoRow
from fast_zero.labels.schemas import LabelPublic
from fast_zero.projects.schemas import ProjectPublic, SectionPublic
from fast_zero.saved_filters.schemas import SavedFilterPublic
from fast_zero.todos.models import OPEN, TodoState


class Code(StrEnum):
    TODO_CREATED = "todo_created"
    TODO_UPDATED = "todo_updated"
    TODO_MOVED = "todo_moved"
    TODO_COMPLETED = "todo_completed"
    TODO_REOPENED = "todo_reopened"
    TODO_DELETED = "todo_deleted"
    TODO_RESTORED = "todo_restored"
    TODO_PURGED = "todo_purged"
    TODO_LABELLED = "todo_labelled"
    TODO_UNLABELLED = "todo_unlabelled"
    OCCURRENCE_DONE = "occurrence_done"
    OCCURRENCE_MISSED = "occurrence_missed"
    OCCURRENCE_SKIPPED = "occurrence_skipped"
    OCCURRENCE_TAKEN_BACK = "occurrence_taken_back"
    PROJECT_CREATED = "project_created"
    PROJECT_UPDATED = "project_updated"
    PROJECT_MOVED = "project_moved"
    PROJECT_DELETED = "project_deleted"
    PROJECT_RESTORED = "project_restored"
    PROJECT_PURGED = "project_purged"
    SECTION_CREATED = "section_created"
    SECTION_UPDATED = "section_updated"
    SECTION_MOVED = "section_moved"
    SECTION_DELETED = "section_deleted"
    LABEL_CREATED = "label_created"
    LABEL_UPDATED = "label_updated"
    LABEL_DELETED = "label_deleted"
    FILTER_CREATED = "filter_created"
    FILTER_UPDATED = "filter_updated"
    FILTER_MOVED = "filter_moved"
    FILTER_DELETED = "filter_deleted"
    RELATION_CREATED = "relation_created"
    RELATION_DELETED = "relation_deleted"


Fields = Mapping[str, Any]


class Logged(NamedTuple):
    """A row of the log. Both `before` and `after` are null once nothing is kept of the thing."""

    operation: str
    before: Fields | None
    after: Fields | None

    def was_trashed(self) -> bool:
        return self.operation == "delete" and self.after is not None

    def was_stored(self) -> bool:
        """Whether a row was deleted that was not in the trash."""
        return self.operation == "delete" and self.before is not None and self.after is None


@dataclass(frozen=True)
class Described:
    code: Code
    title: str | None
    """The title or name that the change left. None: the change says nothing of it."""
    values: dict[str, tuple[Any, Any]]
    """What an update changed: the values before and after, by the name of the field."""


NAMES = {
    "todos": "todo",
    "projects": "project",
    "sections": "section",
    "labels": "label",
    "saved_filters": "filter",
}
LINKS = {
    ("todo_labels", True): Code.TODO_LABELLED,
    ("todo_labels", False): Code.TODO_UNLABELLED,
    ("todo_relations", True): Code.RELATION_CREATED,
    ("todo_relations", False): Code.RELATION_DELETED,
}
"""The codes of rows that link two things, by whether the row was created or deleted."""

TRASHABLE = {"todos", "projects"}
PLACES = {"project_id", "section_id", "parent_id", "position"}
PUBLIC = {
    "todos": TodoRow.model_fields.keys(),
    "projects": ProjectPublic.model_fields.keys(),
    "sections": SectionPublic.model_fields.keys(),
    "labels": LabelPublic.model_fields.keys(),
    "saved_filters": SavedFilterPublic.model_fields.keys(),
}
"""The fields of each kind of thing that clients know from other routes."""

SHOWN_AS = {"recurrence_rule": "recurrence"}
"""The fields that have other names in the log. Of a recurrence, the rule is shown."""

OPEN_STATES = {state.value for state in OPEN}


def describe(entity: str, rows: Sequence[Logged], *, is_last: bool) -> Described:
    """Describe what one transaction did to one thing. Its rows are in the order of the log.

    `is_last`: nothing happened to the thing later.
    """
    if entity == "occurrences":
        return describe_occurrence(rows[-1])
    if entity not in NAMES:
        return Described(LINKS[entity, rows[-1].operation == "create"], None, {})
    changed = merged(rows)
    action = ending(entity, rows, is_last=is_last) or updating(entity, changed)
    shown = PUBLIC[entity] - {"position"}
    has_values = action not in {"created", "purged"}
    values = {
        SHOWN_AS.get(name, name): changed[name]
        for name in changed
        if SHOWN_AS.get(name, name) in shown and has_values
    }
    return Described(Code(f"{NAMES[entity]}_{action}"), title_of(rows), values)


def describe_occurrence(row: Logged) -> Described:
    """Describe what became of an occurrence, or that it was taken back, with its day."""
    fields = row.after or row.before or {}
    day = fields.get("day")
    if row.after is None:
        return Described(Code.OCCURRENCE_TAKEN_BACK, None, {"occurrence": (day, None)})
    return Described(Code(f"occurrence_{fields['status']}"), None, {"occurrence": (None, day)})


def merged(rows: Sequence[Logged]) -> dict[str, tuple[Any, Any]]:
    """Return what several updates changed together. A field that is as before is left out."""
    changed: dict[str, tuple[Any, Any]] = {}
    for row in rows:
        for name, value in (row.after or {}).items():
            before = changed[name][0] if name in changed else (row.before or {}).get(name)
            changed[name] = (before, value)
    return {name: both for name, both in changed.items() if both[0] != both[1]}


def ending(entity: str, rows: Sequence[Logged], *, is_last: bool) -> str | None:
    """Return what became of a thing that was created, deleted or restored. None: of no other."""
    ends = [row for row in rows if row.operation != "update"]
    if not ends:
        return None
    last = ends[-1]
    if last.operation == "delete":
        if entity not in TRASHABLE or last.was_trashed():
            return "deleted"
        # Once nothing is kept of a thing, it was deleted for good by the last row.
        return "purged" if last.was_stored() or is_last else "deleted"
    return "created" if ends[0].operation == "create" else "restored"


def updating(entity: str, changed: Mapping[str, tuple[Any, Any]]) -> str:
    before, after = changed.get("state", (None, None))
    if entity == "todos" and after == TodoState.DONE:
        return "completed"
    if entity == "todos" and before == TodoState.DONE and after in OPEN_STATES:
        return "reopened"
    return "moved" if changed and changed.keys() <= PLACES else "updated"


def title_of(rows: Sequence[Logged]) -> str | None:
    """Return the title or name that a thing had after the last of these changes, if they say it."""
    for row in reversed(rows):
        fields = row.before if row.was_stored() else row.after
        for name in ("title", "name"):
            if fields and name in fields:
                return str(fields[name])
    return None
