from datetime import datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Identity, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

NO_DELETION = Reason("deletion_not_found", "This is not in your trash.")


class TrashKind(StrEnum):
    TODO = "todo"
    PROJECT = "project"


class Deletion(Base):
    """A todo or project that was moved into the trash, with everything below it.

    The rows themselves stay where they are, and refer to their deletion. A row without a deletion
    is visible. Deleting a deletion deletes its rows for good.
    """

    __tablename__ = "deletions"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        CheckConstraint("kind IN ('todo', 'project')", name="kind"),
        Index(None, "owner_id", "id"),
        Index(None, "deleted_at"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int]
    kind: Mapped[str]
    item_id: Mapped[int]
    title: Mapped[str]
    deleted_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
