"""Statements about the answers that are kept for requests that come again."""

from datetime import datetime, timedelta
from typing import Any

from psycopg.errors import LockNotAvailable
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    LargeBinary,
    Named,
    SmallInteger,
    Table,
    Text,
    TypedColumns,
    delete,
    func,
    literal,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, insert

from fast_zero.core.database import AnyRow, Transaction
from fast_zero.core.errors import InProgress, Unavailable
from fast_zero.core.tables import metadata, now_at_first

LIFETIME = timedelta(hours=24)
PURGED_AT_ONCE = 10
IN_PROGRESS = "The first request with this Idempotency-Key is still being processed."

Identity = tuple[int, str, str]
"""Who asks, what for, and the key."""


class KeptAnswerColumns(TypedColumns):
    """What was answered to the first request with a key. It goes with its owner's account."""

    actor_id: Named[int] = Column(BigInteger, primary_key=True, autoincrement=False)
    route: Named[str] = Column(Text, primary_key=True)
    key: Named[str] = Column(Text, primary_key=True)
    fingerprint: Named[bytes] = Column(LargeBinary)
    owner_id: Named[int | None] = Column(BigInteger)
    status: Named[int | None] = Column(SmallInteger)
    headers: Named[dict[str, str] | None] = Column(JSONB)
    body: Named[bytes | None] = Column(LargeBinary)
    created_at: Named[datetime] = now_at_first()


kept_answers = Table(
    "idempotency_keys",
    metadata,
    KeptAnswerColumns,
    Index(None, "owner_id"),
    Index(None, "created_at"),
)


PRIMARY_KEY = (kept_answers.c.actor_id, kept_answers.c.route, kept_answers.c.key)
EXPIRED = kept_answers.c.created_at < func.now() - literal(LIFETIME)


async def claim(session: Transaction, identity: Identity, fingerprint: bytes) -> bool:
    """Take the key, or one that has expired; tell whether it was free."""
    actor_id, route, key = identity
    statement = insert(kept_answers).values(
        actor_id=actor_id, route=route, key=key, fingerprint=fingerprint
    )
    statement = statement.on_conflict_do_update(
        index_elements=PRIMARY_KEY,
        set_={"fingerprint": statement.excluded.fingerprint, "created_at": func.now()},
        where=EXPIRED,
    )
    try:
        return (await session.execute(statement.returning(true()))).scalar() is not None
    except Unavailable as error:
        if isinstance(error.__cause__, LockNotAvailable):
            raise InProgress(IN_PROGRESS) from None
        raise


async def select_answer(session: Transaction, identity: Identity) -> AnyRow:
    statement = select(kept_answers).where(tuple_(*PRIMARY_KEY) == identity)
    return (await session.execute(statement)).one()


async def keep(
    session: Transaction, identity: Identity, owner_id: int | None, answer: dict[str, Any]
) -> None:
    """Keep status, headers and body, and in the same statement throw away a few that expired."""
    expired = select(*PRIMARY_KEY).where(EXPIRED).limit(PURGED_AT_ONCE)
    expired = expired.with_for_update(skip_locked=True)
    purge = delete(kept_answers).where(tuple_(*PRIMARY_KEY).in_(expired)).cte("purge")
    statement = update(kept_answers).where(tuple_(*PRIMARY_KEY) == identity).add_cte(purge)
    await session.execute(statement.values(answer | {"owner_id": owner_id}))
