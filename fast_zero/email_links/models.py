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

    VERIFICATION = "verification"  # verifies the current address
    ADDRESS = "address"  # confirms a new address
    PASSWORD = "password"  # noqa: S105  # resets a forgotten password


class MailedLink(Base):
    """The newest link of a purpose that was sent to a user. It works once.

    A used link is kept, so that a retried email does not make it valid again. A link is bound to
    the address that it was sent to: it is void if the account has another one.
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
