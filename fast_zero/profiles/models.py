from sqlalchemy import (
    ForeignKey,
    Identity,
    Index,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base


class Tally(Base):
    """An aggregated count: a user's followers, or posts that are not replies, by visibility."""

    __tablename__ = "tallies"

    user_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    kind: Mapped[str] = mapped_column(primary_key=True)
    number: Mapped[int]


class TallyChange(Base):
    """A change of a count by one. Written by triggers.

    It has no foreign key, since checking it would wait for locks on the user.
    """

    __tablename__ = "tally_changes"
    __table_args__ = (Index(None, "user_id", "kind"),)

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    user_id: Mapped[int]
    kind: Mapped[str]
    change: Mapped[int]
