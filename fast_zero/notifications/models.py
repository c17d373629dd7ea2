from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import CheckConstraint, ForeignKey, Identity, Index, Integer, func, text
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

NO_NOTIFICATION = Reason("notification_not_found", "Notification not found")


class Kind(StrEnum):
    """What a notification is about."""

    FOLLOW = "follow"
    REPLY = "reply"
    LIKE = "like"
    REMINDER = "reminder"


class Notification(Base):
    """Events of one kind: about a post, about a todo, or else about the user.

    The people are not stored here. They are selected from the follows, replies or likes whose id is
    at least `since`, as far as the user can see them. So an event that is undone disappears, and a
    post that a thousand users like is one row that is written once. Triggers of those tables write
    it. If the notification was read, the next event makes it unread again, with a new id. A
    reminder has no people; `at` is when the last one went out.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("kind IN ('follow', 'reply', 'like', 'reminder')", name="kind"),
        Index(None, "user_id", "id"),
        Index(
            "uq_notifications_of",
            "user_id",
            "kind",
            text("coalesce(post_id, todo_id, 0)"),
            unique=True,
        ),
        Index(None, "post_id"),
        Index(None, "todo_id", postgresql_where=text("todo_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    kind: Mapped[str]
    post_id: Mapped[int | None] = mapped_column(ForeignKey("posts.id", ondelete="CASCADE"))
    todo_id: Mapped[int | None] = mapped_column(
        ForeignKey("todos.id", ondelete="CASCADE"), init=False
    )
    since: Mapped[int]
    at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    minutes_late: Mapped[int | None] = mapped_column(Integer, init=False)
    read_at: Mapped[datetime | None] = mapped_column(init=False)
    mailed_at: Mapped[datetime | None] = mapped_column(init=False)


class WeeklyReport(Base):
    """That a user's report of a week was deferred, and when it was sent."""

    __tablename__ = "weekly_reports"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    monday: Mapped[date] = mapped_column(primary_key=True)
    sent_at: Mapped[datetime | None] = mapped_column(default=None)
