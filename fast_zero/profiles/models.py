from sqlalchemy import (
    ForeignKey,
    Identity,
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base


class Tally(Base):
    """How many followers, or posts of a visibility that are no replies, somebody has; added up."""

    __tablename__ = "tallies"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class TallyChange(Base):
    """That it is one more or less. Triggers write it; without a foreign key, which would wait."""

    __tablename__ = "tally_changes"
    __table_args__ = (Index(None, "user_id", "kind"),)

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    user_id: Mapped[int]
    kind: Mapped[str]
    change: Mapped[int]
