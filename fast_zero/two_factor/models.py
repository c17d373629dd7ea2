from datetime import datetime

from sqlalchemy import ForeignKey, func
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base


class SecondFactor(Base):
    """A secret shared by the server and an authenticator. Log-ins need it once it is confirmed."""

    __tablename__ = "second_factors"

    owner_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE", info={"current_user": True}),
        primary_key=True,
        autoincrement=False,
    )
    secret: Mapped[str] = mapped_column(repr=False)
    created_at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())
    confirmed_at: Mapped[datetime | None] = mapped_column(default=None)
    # The last time step whose code was used: a code works once.
    last_step: Mapped[int] = mapped_column(default=0, server_default="0")


class RecoveryCode(Base):
    """A code for a log-in without the authenticator. Its use deletes the row."""

    __tablename__ = "recovery_codes"

    owner_id: Mapped[int] = mapped_column(
        ForeignKey("second_factors.owner_id", ondelete="CASCADE"),
        primary_key=True,
        autoincrement=False,
    )
    digest: Mapped[bytes] = mapped_column(primary_key=True, repr=False)
