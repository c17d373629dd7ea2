"""Throttling of failed attempts and other limited actions, shared by all processes.

The counts are in an unlogged table: they cause no disk writes, and are lost if the database
crashes. Keys are stored as keyed hashes, so the table does not reveal addresses.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import (
    CTE,
    ColumnElement,
    DateTime,
    Index,
    LargeBinary,
    Update,
    case,
    delete,
    exists,
    extract,
    func,
    literal,
    null,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.sql.dml import ReturningInsert

from fast_zero.core.database import Base, Session
from fast_zero.core.errors import Reason, TooManyRequests
from fast_zero.core.settings import Settings

FAILURES_ARE_KEPT = timedelta(days=1)
LARGEST_POWER = 20  # of two, in seconds: more than the longest configurable wait
TOO_MANY_FAILURES = Reason(
    "too_many_failed_attempts", "Too many failed attempts. Wait, then try again."
)

Timestamp = ColumnElement[datetime]


class Throttle(Base):
    __tablename__ = "throttles"
    __table_args__ = (Index(None, "expires_at"), {"prefixes": ["UNLOGGED"]})

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    count: Mapped[int]
    free_at: Mapped[datetime | None]  # when the next attempt is allowed; None: now
    expires_at: Mapped[datetime]


EXPIRED = Throttle.expires_at <= func.now()


@dataclass(frozen=True)
class Limit:
    """The number of failures after which the wait doubles with each attempt. None means no limit.

    A success resets the count. If the limit is shared, such as that of an address, a success
    removes only its own attempt.
    """

    key: bytes
    free: int | None
    longest_wait: int
    shared: bool = False


def key(settings: Settings, kind: str, value: object) -> bytes:
    secret = settings.signing_keys()[0].encode()
    return hmac.digest(secret, f"{kind} {value}".encode(), hashlib.sha256)


async def record_attempt(session: Session, *limits: Limit) -> None:
    """Count an attempt as failed before it is made. Raises TooManyRequests during a wait.

    Concurrent attempts are limited like consecutive ones. A limit counts only the attempts that the
    limits before it have allowed.
    """
    if not (limits := enforced(limits)):
        return
    granted = count_attempt(limits[0]).cte()
    for limit in limits[1:]:
        granted = count_attempt(limit, granted).cte()
    is_granted = await session.scalar(select(granted.c.digest)) is not None
    waiting = 0.0 if is_granted else await seconds_to_wait(session, *(one.key for one in limits))
    await session.commit()  # the attempt counts even if the request fails
    if not is_granted:
        raise TooManyRequests(TOO_MANY_FAILURES, waiting)


async def cancel_attempt(session: Session, *limits: Limit) -> None:
    """Remove an attempt that does not count as failed, even though the request fails."""
    for limit in enforced(limits):
        await session.execute(decrement(limit))
        await session.commit()  # so that no request holds one lock while it waits for another


async def record_success(session: Session, *limits: Limit) -> None:
    """Record that the attempt has succeeded, in the transaction of the session."""
    if not (limits := enforced(limits)):
        return
    own = [limit.key for limit in limits if not limit.shared]
    shared = decrement(*(limit for limit in limits if limit.shared)).returning(Throttle.digest)
    # Counting the shared rows locks them first, in the same order as `record_attempt`.
    first = select(func.count()).select_from(shared.cte("shared")).scalar_subquery()
    await session.execute(delete(Throttle).where(Throttle.digest.in_(own), first >= 0))


async def consume(
    session: Session, key: bytes, limit: int | None, seconds: int, refusal: Reason | str
) -> None:
    """Use one of `limit` actions within `seconds`. Raises TooManyRequests if none is left.

    None means no limit. The action counts only if the transaction of the session is committed.
    """
    if limit is None:
        return
    if limit == 0:
        raise TooManyRequests(refusal, seconds)
    begun, until = func.now() + timedelta(seconds=seconds), Throttle.expires_at
    statement = upsert(
        key,
        lambda count, end: case((count < limit, null()), else_=end),
        begun,
        case((EXPIRED, begun), else_=until),
    )
    if await session.scalar(statement) is None:
        raise TooManyRequests(refusal, await seconds_to_wait(session, key))


def enforced(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if limit.free is not None)


def count_attempt(limit: Limit, after: CTE | None = None) -> ReturningInsert[bytes]:
    def free_at(count: ColumnElement[int], _end: Timestamp) -> Timestamp:
        power = func.least(count - limit.free, LARGEST_POWER)
        seconds = func.least(func.power(2, power), limit.longest_wait)
        later = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        return case((count < limit.free, null()), else_=later)

    end = func.now() + FAILURES_ARE_KEPT
    return upsert(limit.key, free_at, end, end, after)


def upsert(
    key: bytes,
    free_at: Callable[[ColumnElement[int], Timestamp], Timestamp],
    begun: Timestamp,
    prolonged: Timestamp,
    after: CTE | None = None,
) -> ReturningInsert[bytes]:
    """Increment a count if the next attempt is allowed and, if given, `after` returned a row."""
    first = select(
        literal(key, LargeBinary),
        literal(1),
        free_at(literal(1), begun).cast(DateTime(timezone=True)),
        begun,
    )
    if after is not None:
        first = first.where(exists(select(after.c.digest)))
    count = case((EXPIRED, 1), else_=Throttle.count + 1)
    return (
        insert(Throttle)
        .from_select(["digest", "count", "free_at", "expires_at"], first)
        .on_conflict_do_update(
            index_elements=[Throttle.digest],
            set_={"count": count, "free_at": free_at(count, prolonged), "expires_at": prolonged},
            where=or_(Throttle.free_at.is_(None), Throttle.free_at <= func.now()),
        )
        .returning(Throttle.digest)
    )


def decrement(*limits: Limit) -> Update:
    keys = [limit.key for limit in limits]
    values = {"count": func.greatest(Throttle.count - 1, 0), "free_at": None}
    return update(Throttle).where(Throttle.digest.in_(keys)).values(values)


async def seconds_to_wait(session: Session, *keys: bytes) -> float:
    left = func.max(extract("epoch", Throttle.free_at - func.now()))
    found = await session.execute(select(left).where(Throttle.digest.in_(keys)))
    return float(found.scalar() or 0)
