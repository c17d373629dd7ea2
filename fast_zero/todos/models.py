from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, Enum, ForeignKeyConstraint, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, version_column


class TodoState(StrEnum):
    DRAFT = "draft"
    TODO = "todo"
    DOING = "doing"
    DONE = "done"
    TRASH = "trash"


class Todo(Base):
    __tablename__ = "todos"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        CheckConstraint("char_length(title) BETWEEN 1 AND 200", name="title_length"),
        CheckConstraint("char_length(description) <= 20000", name="description_length"),
        CheckConstraint("share IN ('off', 'followers', 'public')", name="share"),
        # The first is for all lists; the second, for lists of one state.
        Index(None, "owner_id", "id"),
        Index(None, "owner_id", "state", "id"),
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
