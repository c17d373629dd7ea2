from datetime import date, datetime

from sqlalchemy import ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

NOT_OPEN = Reason("todo_not_open", "It is done. There is nothing to remind of.")


class ScheduledReminder(Base):
    """When a todo reminds next, and when it did last.

    Triggers of todos and users keep `fires_at`: null if nothing is to come, since all went out or
    the todo is not open. They also turn what goes out into a notification.
    """

    __tablename__ = "scheduled_reminders"
    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "todo_id"], ["todos.owner_id", "todos.id"], ondelete="CASCADE"
        ),
        # By owner, so that what one owner is reminded of at a moment is one email.
        Index(None, "fires_at", "owner_id", postgresql_where=text("fires_at IS NOT NULL")),
    )

    owner_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    todo_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    fires_at: Mapped[datetime | None] = mapped_column(default=None)
    reminded_for: Mapped[datetime | None] = mapped_column(default=None)
    """When the last one should have gone out."""
    reminded_at: Mapped[datetime | None] = mapped_column(default=None)
    """When it did. Null again when the due changes, so that no email tells of the former one."""
    mailed_at: Mapped[datetime | None] = mapped_column(default=None)
    """The `reminded_at` of the last email that was sent."""


class Digest(Base):
    """When the next digest of a user is due. Triggers of users keep `fires_at`."""

    __tablename__ = "digests"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    fires_at: Mapped[datetime] = mapped_column(index=True)
    deferred_on: Mapped[date | None] = mapped_column(default=None)
    sent_on: Mapped[date | None] = mapped_column(default=None)
