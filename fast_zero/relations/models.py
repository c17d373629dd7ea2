from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

RELATION_CYCLE = Reason("relation_cycle", "These todos would wait for one another.")
NO_RELATION = Reason("relation_not_found", "There is no such relation.")
MAX_RELATIONS = 100
TOO_MANY_RELATIONS = Reason(
    "too_many_relations", f"A todo can have {MAX_RELATIONS} relations. Delete one first."
)
NO_TODO = Reason("todo_not_found", "Task not found.")


class RelationKind(StrEnum):
    BLOCKS = "blocks"
    RELATES_TO = "relates_to"


class Relation(Base):
    """`todo_id` blocks `other_id`, or relates to it; then `todo_id` is the smaller one."""

    __tablename__ = "todo_relations"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "todo_id"],
            ["todos.owner_id", "todos.id"],
            ondelete="CASCADE",
            info={"missing": NO_TODO},
        ),
        ForeignKeyConstraint(
            ["owner_id", "other_id"],
            ["todos.owner_id", "todos.id"],
            ondelete="CASCADE",
            info={"missing": NO_TODO},
        ),
        CheckConstraint("kind IN ('blocks', 'relates_to')", name="kind"),
        CheckConstraint("todo_id <> other_id", name="itself"),
        CheckConstraint("kind = 'blocks' OR todo_id < other_id", name="once"),
        Index(None, "owner_id", "other_id", "kind"),
        {"info": {"refusals": {"relation_cycle": RELATION_CYCLE}}},
    )

    owner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    todo_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    other_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
