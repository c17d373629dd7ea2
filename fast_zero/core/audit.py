"""What happened to an account that its owner, or who runs the server, may want to look up.

Triggers of the tables write most of it, so that no door, bulk statement or command can forget it:
see the migration `Audit`. What leaves no row behind is noted by a statement.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    Insert,
    Text,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    table,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base

USERS = table("users", column("id", BigInteger))


class AuditEvent(Base):
    __tablename__ = "audit_events"

    id: Mapped[int] = mapped_column(Identity(always=True), init=False, primary_key=True)
    owner_id: Mapped[int] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    action: Mapped[str]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(init=False, server_default=func.now())

    __table_args__ = (Index(None, "owner_id", "id"), Index(None, "at"))


def noting(owner_id: int | None, action: str, **details: object) -> Insert:
    """Note what happened to an account, if it is one: the statement is the same for nobody's."""
    its_owner = select(USERS.c.id, cast(action, Text), literal(details, JSONB))
    return insert(AuditEvent).from_select(
        ["owner_id", "action", "details"],
        its_owner.where(USERS.c.id == literal(owner_id, BigInteger)),
    )
