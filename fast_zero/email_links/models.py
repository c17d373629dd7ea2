from datetime import datetime
from enum import StrEnum

from sqlalchemy import (
    Enum,
    ForeignKey,
)
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base


class Purpose(StrEnum):
    """What a link in an email is for."""

    VERIFICATION = "verification"  # the address of the account is its owner's
    ADDRESS = "address"  # so is the one that shall take its place
    PASSWORD = "password"  # noqa: S105  # a forgotten one is replaced


class MailedLink(Base):
    """The newest link of each kind that was sent to somebody. It works once.

    It is kept when it was used, so that an email that is sent again does not revive it. It holds
    for the address that it was sent to: another one of the account makes it void.
    """

    __tablename__ = "mailed_links"

    owner_id: Mapped[int] = mapped_column(
        ForeignKey("users.id", ondelete="CASCADE"), primary_key=True
    )
    purpose: Mapped[Purpose] = mapped_column(
        Enum(
            Purpose,
            native_enum=False,
            create_constraint=True,
            length=20,
            name="purpose",
            values_callable=lambda purposes: [purpose.value for purpose in purposes],
        ),
        primary_key=True,
    )
    digest: Mapped[bytes] = mapped_column(unique=True, repr=False)
    email: Mapped[str]
    requested_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    used_at: Mapped[datetime | None] = mapped_column(default=None)
