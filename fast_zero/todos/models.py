from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Enum,
    ForeignKey,
    ForeignKeyConstraint,
    Identity,
    Index,
    Integer,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, version_column
from fast_zero.core.errors import Reason
from fast_zero.core.positions import POSITION, ordered_text
from fast_zero.projects.models import NO_PROJECT, NO_SECTION
from fast_zero.relations.models import NO_TODO

NO_PARENT = Reason("parent_not_found", "Parent not found.")
TODO_CYCLE = Reason("todo_cycle", "A todo cannot be below itself.")
LEVELS = 6
TODO_TOO_DEEP = Reason("todo_too_deep", "Todos can be nested six levels deep.")
RECURRENCE_WITHOUT_DUE = Reason(
    "recurrence_without_due", "A todo that recurs has a due. Set `recurrence` to null as well."
)
OCCURRENCE_RECORDED = Reason(
    "occurrence_recorded", "This todo has had an occurrence on this day already."
)


class TodoState(StrEnum):
    DRAFT = "draft"
    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    TRASH = "trash"


OPEN = (TodoState.DRAFT, TodoState.TODO, TodoState.DOING)
"""The states of a todo that is still to be done."""


class RecurrenceFrom(StrEnum):
    """From what the next occurrence is counted."""

    DUE = "due"
    COMPLETION = "completion"


class OccurrenceStatus(StrEnum):
    DONE = "done"
    MISSED = "missed"
    SKIPPED = "skipped"


class Priority(StrEnum):
    """The lowest first, as PostgreSQL orders them."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"
    URGENT = "urgent"


class Todo(Base):
    """A todo. It is in the trash if it has a deletion, and not if its state is `trash`.

    Triggers keep a subtask where its parent is, refuse cycles and depth, and set `completed_at`.

    If it recurs, `recurrence_start` is the day that its series is counted from, `recurrence_time`
    the time of day on the clock of its time zone, `recurrence_number` counts the occurrences of its
    series, and `occurrence_on` is the day that names the current one. A clock change can move the
    due to another day. A trigger sets day and time when a change of the due does not.
    """

    __tablename__ = "todos"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        ForeignKeyConstraint(
            ["owner_id", "project_id"],
            ["projects.owner_id", "projects.id"],
            ondelete="SET NULL (project_id)",
            info={"missing": NO_PROJECT},
        ),
        ForeignKeyConstraint(
            ["owner_id", "project_id", "section_id"],
            ["sections.owner_id", "sections.project_id", "sections.id"],
            ondelete="SET NULL (section_id)",
            info={"missing": NO_SECTION},
        ),
        ForeignKeyConstraint(
            ["owner_id", "parent_id"],
            ["todos.owner_id", "todos.id"],
            ondelete="SET NULL (parent_id)",
            info={"missing": NO_PARENT},
        ),
        UniqueConstraint("owner_id", "id"),  # also for all lists
        CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="title_length"),
        CheckConstraint("char_length(description) <= 20000", name="description_length"),
        CheckConstraint("share IN ('off', 'followers', 'public')", name="share"),
        CheckConstraint("due_on IS NULL OR due_at IS NULL", name="one_due"),
        CheckConstraint("(due_at IS NULL) = (time_zone IS NULL)", name="due_time_zone"),
        CheckConstraint("duration_minutes BETWEEN 1 AND 527040", name="duration"),
        CheckConstraint(
            "jsonb_typeof(reminders) = 'array' AND jsonb_array_length(reminders) BETWEEN 1 AND 10",
            name="reminders",
        ),
        CheckConstraint("section_id IS NULL OR project_id IS NOT NULL", name="section"),
        CheckConstraint("recurrence_from IN ('due', 'completion')", name="recurrence_from"),
        CheckConstraint(
            "num_nonnulls(recurrence_rule, recurrence_from, recurrence_start, recurrence_number,"
            " occurrence_on) IN (0, 5)",
            name="recurrence",
        ),
        CheckConstraint(
            "recurrence_rule IS NULL OR num_nonnulls(due_on, due_at) = 1", name="recurrence_due"
        ),
        Index(None, "owner_id", "state", "id"),  # for lists of one state
        Index(
            "uq_todos_position",
            "owner_id",
            "project_id",
            "section_id",
            "parent_id",
            text(POSITION),
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where=text("deletion_id IS NULL"),
        ),
        CheckConstraint("char_length(external_key) BETWEEN 1 AND 255", name="external_key"),
        Index(
            "uq_todos_external_key",
            "owner_id",
            "external_key",
            unique=True,
            postgresql_where=text("external_key IS NOT NULL AND deletion_id IS NULL"),
        ),
        Index(None, "owner_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index(None, "deletion_id", postgresql_where=text("deletion_id IS NOT NULL")),
        {
            "info": {
                "refusals": {
                    "todo_cycle": TODO_CYCLE,
                    "todo_depth": TODO_TOO_DEEP,
                    "ck_todos_recurrence_due": RECURRENCE_WITHOUT_DUE,
                    "occurrence_recorded": OCCURRENCE_RECORDED,
                }
            }
        },
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int]
    title: Mapped[str]
    description: Mapped[str]
    state: Mapped[TodoState] = mapped_column(
        Enum(
            TodoState,
            native_enum=False,
            create_constraint=True,
            length=20,
            name="state",
            values_callable=lambda states: [state.value for state in states],
        )
    )
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        init=False, server_default=func.now(), onupdate=func.now()
    )
    version: Mapped[int] = version_column()
    share: Mapped[str | None] = mapped_column(default=None)
    project_id: Mapped[int | None] = mapped_column(default=None)
    section_id: Mapped[int | None] = mapped_column(default=None)
    parent_id: Mapped[int | None] = mapped_column(default=None)
    priority: Mapped[Priority] = mapped_column(
        Enum(
            Priority,
            name="todo_priority",
            values_callable=lambda priorities: [priority.value for priority in priorities],
        ),
        default=Priority.NONE,
        server_default="none",
    )
    due_on: Mapped[date | None] = mapped_column(default=None)
    due_at: Mapped[datetime | None] = mapped_column(default=None)
    time_zone: Mapped[str | None] = mapped_column(default=None)  # in which `due_at` was entered
    starts_on: Mapped[date | None] = mapped_column(default=None)
    deadline_on: Mapped[date | None] = mapped_column(default=None)
    duration_minutes: Mapped[int | None] = mapped_column(Integer, default=None)
    reminders: Mapped[list[dict[str, Any]] | None] = mapped_column(
        JSONB(none_as_null=True), default=None
    )
    # Until a reminder goes out then. A trigger clears it when the due changes.
    snoozed_until: Mapped[datetime | None] = mapped_column(default=None)
    position: Mapped[str | None] = mapped_column(ordered_text(), default=None)
    completed_at: Mapped[datetime | None] = mapped_column(init=False)  # set by a trigger
    deletion_id: Mapped[int | None] = mapped_column(
        ForeignKey("deletions.id", ondelete="CASCADE"), default=None
    )
    recurrence_rule: Mapped[str | None] = mapped_column(default=None)
    recurrence_from: Mapped[str | None] = mapped_column(default=None)
    recurrence_start: Mapped[date | None] = mapped_column(default=None)
    recurrence_time: Mapped[time | None] = mapped_column(default=None)
    recurrence_number: Mapped[int | None] = mapped_column(Integer, default=None)
    occurrence_on: Mapped[date | None] = mapped_column(default=None)
    # The words of title and description. A trigger sets it; null: not filled in yet.
    search: Mapped[str | None] = mapped_column(
        TSVECTOR, default=None, init=False, repr=False, deferred=True
    )
    # Of the file that it was imported from. A trigger releases it where another todo has it.
    external_key: Mapped[str | None] = mapped_column(default=None)


class Occurrence(Base):
    """An occurrence of a todo that is done, missed or skipped. Its day names it.

    `number` counts what was done or skipped; what was missed before the next one has the same
    number, and is taken back with it. `state` and `checklist` are as they were: the state of the
    todo, and its subtasks that were done and are open again. Triggers announce what is done.
    """

    __tablename__ = "occurrences"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "todo_id"],
            ["todos.owner_id", "todos.id"],
            ondelete="CASCADE",
            info={"missing": NO_TODO},
        ),
        CheckConstraint("status IN ('done', 'missed', 'skipped')", name="status"),
        CheckConstraint("(status = 'missed') = (finished_at IS NULL)", name="finished"),
        CheckConstraint("num_nonnulls(due_on, due_at) = 1", name="due"),
        Index(None, "owner_id", "day", "todo_id"),
    )

    owner_id: Mapped[int] = mapped_column(primary_key=True)
    todo_id: Mapped[int] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(Integer)
    status: Mapped[str]
    due_on: Mapped[date | None] = mapped_column(default=None)
    due_at: Mapped[datetime | None] = mapped_column(default=None)
    time_zone: Mapped[str | None] = mapped_column(default=None)
    finished_at: Mapped[datetime | None] = mapped_column(default=None)
    actor_id: Mapped[int | None] = mapped_column(default=None)
    state: Mapped[str | None] = mapped_column(default=None)
    checklist: Mapped[list[int]] = mapped_column(
        ARRAY(BigInteger), default_factory=list, server_default="{}"
    )
