from datetime import datetime

from sqlalchemy import (
    ForeignKey,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base


class Retraction(Base):
    """When somebody last took back a public post. A trigger writes it.

    Without it, what feed readers ask for could seem not to have changed.
    """

    __tablename__ = "retractions"

    author_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    at: Mapped[datetime]
