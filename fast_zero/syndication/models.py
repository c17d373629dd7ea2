from datetime import datetime

from sqlalchemy import (
    ForeignKey,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base


class Retraction(Base):
    """When a public post of a user was last deleted, hidden or shown again. Written by a trigger.

    Without it, `If-Modified-Since` would not notice the change.
    """

    __tablename__ = "retractions"

    author_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
