from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
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
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, version_column
from fast_zero.core.errors import Reason
from fast_zero.core.positions import POSITION, ordered_text
from fast_zero.projects.models import NO_PROJECT, NO_SECTION

NO_PARENT = Reason("parent_not_found", "Parent not found.")
TODO_CYCLE = Reason("todo_cycle", "A todo cannot be below itself.")
LEVELS = 6
TODO_TOO_DEEP = Reason("todo_too_deep", "Todos can be nested six levels deep.")


class TodoState(StrEnum):
    DRAFT = "draft"
    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    TRASH = "trash"


OPEN = (TodoState.DRAFT, TodoState.TODO, TodoState.DOING)
"""The states of a todo that is still to be done."""


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
        CheckConstraint("section_id IS NULL OR project_id IS NOT NULL", name="section"),
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
        Index(None, "owner_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index(None, "deletion_id", postgresql_where=text("deletion_id IS NOT NULL")),
        {"info": {"refusals": {"todo_cycle": TODO_CYCLE, "todo_depth": TODO_TOO_DEEP}}},
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
    position: Mapped[str | None] = mapped_column(ordered_text(), default=None)
    completed_at: Mapped[datetime | None] = mapped_column(init=False)  # set by a trigger
    deletion_id: Mapped[int | None] = mapped_column(
        ForeignKey("deletions.id", ondelete="CASCADE"), default=None
    )
