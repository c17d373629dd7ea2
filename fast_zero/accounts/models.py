from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKeyConstraint,
    Identity,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, counted_version
from fast_zero.core.idempotency import KeptAnswer

# Upper case first, so that the two small sigmas of Greek meet.
FOLDED = "normalize(lower(upper(normalize({column}, NFKC))), NFKC)"


class User(Base):
    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("username_key", info={"conflict": "Username already exists"}),
        UniqueConstraint("email_key", info={"conflict": "Email already exists"}),
        CheckConstraint("char_length(username) BETWEEN 3 AND 64", name="username_length"),
        CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    username: Mapped[str]
    email: Mapped[str]
    password_hash: Mapped[str] = mapped_column(repr=False)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        init=False, server_default=func.now(), onupdate=func.now()
    )
    version: Mapped[int] = counted_version()
    # What is compared: the name without regard to case, compatibility forms made one.
    username_key: Mapped[str] = mapped_column(
        Computed(FOLDED.format(column="username"), persisted=True), init=False, repr=False
    )
    email_key: Mapped[str] = mapped_column(
        Computed(FOLDED.format(column="email"), persisted=True), init=False, repr=False
    )


# Here, since `core` knows no users: the answers that are kept for an account go with it.
Base.metadata.tables[KeptAnswer.__tablename__].append_constraint(
    ForeignKeyConstraint(["owner_id"], ["users.id"], ondelete="CASCADE", info={"actor": True})
)
