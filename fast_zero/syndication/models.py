from datetime import datetime

from sqlalchemy import (
    ForeignKey,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base


class Retraction(Base):
    """When a user last deleted a public post. Written by a trigger.

    Without it, `If-Modified-Since` would not notice the deletion.
    """

    __tablename__ = "retractions"

    author_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
