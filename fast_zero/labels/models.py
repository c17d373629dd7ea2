from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Identity,
    Index,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.colors import CHECK
from fast_zero.core.database import Base, version_column
from fast_zero.core.errors import Reason
from fast_zero.core.folding import FOLDED

NO_LABEL = Reason("label_not_found", "Label not found.")
LABEL_EXISTS = Reason("label_exists", "You already have a label with this name.")


class Label(Base):
    __tablename__ = "labels"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        UniqueConstraint("owner_id", "name_key", info={"conflict": LABEL_EXISTS}),
        UniqueConstraint("owner_id", "id"),
        CheckConstraint("char_length(name) BETWEEN 1 AND 50", name="name_length"),
        CheckConstraint(CHECK, name="color"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int]
    name: Mapped[str]
    color: Mapped[str] = mapped_column(default="grey", server_default="grey")
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        init=False, server_default=func.now(), onupdate=func.now()
    )
    version: Mapped[int] = version_column()
    # For comparison: without regard to case, compatibility forms normalized (NFKC).
    name_key: Mapped[str] = mapped_column(
        Computed(FOLDED.format(column="name"), persisted=True), init=False, repr=False
    )


class TodoLabel(Base):
    """A todo carries a label. A trigger increments the version of the todo."""

    __tablename__ = "todo_labels"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "todo_id"], ["todos.owner_id", "todos.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(
            ["owner_id", "label_id"],
            ["labels.owner_id", "labels.id"],
            ondelete="CASCADE",
            info={"missing": NO_LABEL},
        ),
        Index(None, "owner_id", "label_id", "todo_id"),
    )

    owner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    todo_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    label_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
