from datetime import datetime

from sqlalchemy import (
    CheckConstraint,
    Computed,
    Identity,
    UniqueConstraint,
    func,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base
from fast_zero.core.folding import FOLDED


class Invitation(Base):
    """An invitation to register, sent as a link to an email address. Its use deletes the row."""

    __tablename__ = "invitations"
    __table_args__ = (
        UniqueConstraint("email_key"),
        CheckConstraint("char_length(email) BETWEEN 3 AND 254", name="email_length"),
        CheckConstraint("language IN ('en', 'pt-BR')", name="language"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    email: Mapped[str]
    email_key: Mapped[str] = mapped_column(
        Computed(FOLDED.format(column="email"), persisted=True), init=False, repr=False
    )
    language: Mapped[str]
    digest: Mapped[bytes] = mapped_column(unique=True, repr=False)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    expires_at: Mapped[datetime] = mapped_column(index=True)
