from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    ForeignKeyConstraint,
    Identity,
    Index,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.errors import Reason

NO_USER = Reason("user_not_found", "User not found")


class Follow(Base):
    """Who follows whom. A trigger prevents a follow between users with a block."""

    __tablename__ = "follows"
    __table_args__ = (
        ForeignKeyConstraint(
            ["follower_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        ForeignKeyConstraint(
            ["followed_id"], ["users.id"], ondelete="CASCADE", info={"missing": NO_USER}
        ),
        CheckConstraint("follower_id <> followed_id", name="not_oneself"),
        Index(None, "follower_id", "id"),
        Index(None, "followed_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False)
    follower_id: Mapped[int] = mapped_column(primary_key=True)
    followed_id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())


class Block(Base):
    """Who blocks whom. A trigger deletes the follows between the two."""

    __tablename__ = "blocks"
    __table_args__ = (
        ForeignKeyConstraint(
            ["blocker_id"], ["users.id"], ondelete="CASCADE", info={"current_user": True}
        ),
        ForeignKeyConstraint(
            ["blocked_id"], ["users.id"], ondelete="CASCADE", info={"missing": NO_USER}
        ),
        CheckConstraint("blocker_id <> blocked_id", name="not_oneself"),
        Index(None, "blocker_id", "id"),
        Index(None, "blocked_id", "id"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False)
    blocker_id: Mapped[int] = mapped_column(primary_key=True)
    blocked_id: Mapped[int] = mapped_column(primary_key=True)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
