"""The table of stored responses, by `Idempotency-Key`."""

from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import (
    Index,
    SmallInteger,
    delete,
    func,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.orm import Mapped, mapped_column

from fast_zero.core.database import Base, Session
from fast_zero.core.errors import InProgress, Reason, Unavailable

LIFETIME = timedelta(hours=24)
PURGED_AT_ONCE = 10
IN_PROGRESS = Reason(
    "request_in_progress", "The first request with this Idempotency-Key is still being processed."
)

Identity = tuple[int, str, str]
"""The id of the current user, the method and path, and the key."""


class IdempotencyKey(Base):
    """The stored response to the first request with a key. It is deleted with its owner."""

    __tablename__ = "idempotency_keys"
    __table_args__ = (Index(None, "owner_id"), Index(None, "created_at"))

    actor_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    route: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    fingerprint: Mapped[bytes]
    owner_id: Mapped[int | None]
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    body: Mapped[bytes | None]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


PRIMARY_KEY = (IdempotencyKey.actor_id, IdempotencyKey.route, IdempotencyKey.key)
EXPIRED = IdempotencyKey.created_at < func.now() - literal(LIFETIME)


async def claim(session: Session, identity: Identity, fingerprint: bytes) -> bool:
    """Insert the key, or replace an expired one. Returns False if it is in use."""
    actor_id, route, key = identity
    statement = insert(IdempotencyKey).values(
        actor_id=actor_id, route=route, key=key, fingerprint=fingerprint
    )
    statement = statement.on_conflict_do_update(
        index_elements=PRIMARY_KEY,
        set_={"fingerprint": statement.excluded.fingerprint, "created_at": func.now()},
        where=EXPIRED,
    )
    try:
        return await session.scalar(statement.returning(true())) is not None
    except Unavailable as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise InProgress(IN_PROGRESS) from None
        raise


async def select_response(session: Session, identity: Identity) -> IdempotencyKey:
    statement = select(IdempotencyKey).where(tuple_(*PRIMARY_KEY) == identity)
    return (await session.scalars(statement)).one()


async def store_response(
    session: Session, identity: Identity, owner_id: int | None, response: dict[str, Any]
) -> None:
    """Store status, headers and body, and delete a few expired rows in the same statement."""
    expired = select(*PRIMARY_KEY).where(EXPIRED).limit(PURGED_AT_ONCE)
    expired = expired.with_for_update(skip_locked=True)
    purge = delete(IdempotencyKey).where(tuple_(*PRIMARY_KEY).in_(expired)).cte("purge")
    statement = update(IdempotencyKey).where(tuple_(*PRIMARY_KEY) == identity).add_cte(purge)
    await session.execute(statement.values(response | {"owner_id": owner_id}))
