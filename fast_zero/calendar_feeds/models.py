from datetime import datetime

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

NO_FEED = Reason("calendar_feed_not_found", "Calendar feed not found")


class CalendarFeed(Base):
    """The address of a user's feed, of which only a digest is stored. A trigger audits it."""

    __tablename__ = "calendar_feeds"

    owner_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE", info={"current_user": True}),
        primary_key=True,
        autoincrement=False,
    )
    digest: Mapped[bytes] = mapped_column(unique=True, repr=False)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    last_read_at: Mapped[datetime | None] = mapped_column(default=None)
