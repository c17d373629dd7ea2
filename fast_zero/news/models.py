from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Date,
    Index,
    Named,
    Table,
    Text,
    TypedColumns,
    text,
)

from fast_zero.core.tables import MOMENT, going_with, identity, metadata, now_at_first

NO_NOTIFICATION = "Notification not found"


class Kind(StrEnum):
    """What a notification tells of."""

    FOLLOW = "follow"
    REPLY = "reply"
    LIKE = "like"


class NotificationColumns(TypedColumns):
    """Something of one kind happened: to a post, or to the user where there is none.

    Who did it is not kept here. It is whoever did so since: the follows, replies or likes whose
    id is at least `since`, as far as the user may see them. So what is undone is told no more,
    and a post that a thousand people like is one row that is written once. Triggers of those
    tables write it. Once read, the next time makes it unread again, under another id.
    """

    id: Named[int] = identity()
    user_id: Named[int] = going_with("users.id")
    kind: Named[str] = Column(Text)
    post_id: Named[int | None] = going_with("posts.id")
    since: Named[int] = Column(BigInteger)
    at: Named[datetime] = now_at_first()
    read_at: Named[datetime | None] = Column(MOMENT)
    mailed_at: Named[datetime | None] = Column(MOMENT)


notifications = Table(
    "notifications",
    metadata,
    NotificationColumns,
    CheckConstraint("kind IN ('follow', 'reply', 'like')", name="kind"),
    Index(None, "user_id", "id"),
    Index(
        "uq_notifications_of",
        "user_id",
        "kind",
        text("coalesce(post_id, 0)"),
        unique=True,
    ),
    Index(None, "post_id"),
)


class WeeklyReportColumns(TypedColumns):
    """That somebody's report of a week was asked for, and when it was sent."""

    user_id: Named[int] = going_with("users.id", key=True)
    monday: Named[date] = Column(Date, primary_key=True)
    sent_at: Named[datetime | None] = Column(MOMENT)


weekly_reports = Table("weekly_reports", metadata, WeeklyReportColumns)
