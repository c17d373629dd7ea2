"""Attempts that are counted, so that nobody has too many. All processes count together.

The counts are in a table that is not logged: they cost no disk, and a crash of the database
forgets them. Who is counted is stored as a keyed hash, so the table tells no address.
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
LARGEST_POWER = 20  # of two, in seconds: more than the longest wait that can be set
TOO_MANY_FAILURES = Reason(
    "too_many_failed_attempts", "Too many failed attempts. Wait, then try again."
)

Moment = ColumnElement[datetime]


class Throttle(Base):
    __tablename__ = "throttles"
    __table_args__ = (Index(None, "expires_at"), {"prefixes": ["UNLOGGED"]})

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    count: Mapped[int]
    free_at: Mapped[datetime | None]  # when the next attempt is let through; None: at once
    expires_at: Mapped[datetime]


EXPIRED = Throttle.expires_at <= func.now()


@dataclass(frozen=True)
class Limit:
    """How many failures are free before each further attempt waits twice as long; None: all are.

    A success forgets the failures that it follows, but where many are counted as one, as those
    behind one address are, it takes back its own attempt alone.
    """

    key: bytes
    free: int | None
    longest_wait: int
    shared: bool = False


def key(settings: Settings, kind: str, value: object) -> bytes:
    secret = settings.signing_keys()[0].encode()
    return hmac.digest(secret, f"{kind} {value}".encode(), hashlib.sha256)


async def attempt(session: Session, *limits: Limit) -> None:
    """Count an attempt as failed before it is tried, or refuse it while one limit has to wait.

    Of many at the same moment no more get through than one after the other. A limit counts
    only what those before it have let through.
    """
    if not (limits := in_force(limits)):
        return
    granted = counted_attempt(limits[0]).cte()
    for limit in limits[1:]:
        granted = counted_attempt(limit, granted).cte()
    is_granted = await session.scalar(select(granted.c.digest)) is not None
    waiting = 0.0 if is_granted else await seconds_to_wait(session, *(one.key for one in limits))
    await session.commit()  # it is counted, whatever becomes of the request
    if not is_granted:
        raise TooManyRequests(TOO_MANY_FAILURES, waiting)


async def take_back(session: Session, *limits: Limit) -> None:
    """Take back an attempt that has turned out to be none, though the request fails."""
    for limit in in_force(limits):
        await session.execute(taken_back(limit))
        await session.commit()  # so that nobody holds one lock and waits for another


async def forgive(session: Session, *limits: Limit) -> None:
    """Note that the attempt has succeeded, within the transaction of the session."""
    if not (limits := in_force(limits)):
        return
    own = [limit.key for limit in limits if not limit.shared]
    shared = taken_back(*(limit for limit in limits if limit.shared)).returning(Throttle.digest)
    # Asked for their number, the shared ones are locked first, as `attempt` locks them.
    first = select(func.count()).select_from(shared.cte("shared")).scalar_subquery()
    await session.execute(delete(Throttle).where(Throttle.digest.in_(own), first >= 0))


async def spend(
    session: Session, key: bytes, limit: int | None, seconds: int, refusal: Reason | str
) -> None:
    """Take one of `limit` within `seconds`, or refuse until they are over. None is no limit.

    It is taken within the transaction of the session: where that is rolled back, it is not.
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


def in_force(limits: tuple[Limit, ...]) -> tuple[Limit, ...]:
    return tuple(limit for limit in limits if limit.free is not None)


def counted_attempt(limit: Limit, after: CTE | None = None) -> ReturningInsert[bytes]:
    def free_at(count: ColumnElement[int], _end: Moment) -> Moment:
        power = func.least(count - limit.free, LARGEST_POWER)
        seconds = func.least(func.power(2, power), limit.longest_wait)
        later = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, seconds)
        return case((count < limit.free, null()), else_=later)

    end = func.now() + FAILURES_ARE_KEPT
    return upsert(limit.key, free_at, end, end, after)


def upsert(
    key: bytes,
    free_at: Callable[[ColumnElement[int], Moment], Moment],
    begun: Moment,
    prolonged: Moment,
    after: CTE | None = None,
) -> ReturningInsert[bytes]:
    """Count one more where the next is free and, if wanted, where `after` found a row."""
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


def taken_back(*limits: Limit) -> Update:
    keys = [limit.key for limit in limits]
    values = {"count": func.greatest(Throttle.count - 1, 0), "free_at": None}
    return update(Throttle).where(Throttle.digest.in_(keys)).values(values)


async def seconds_to_wait(session: Session, *keys: bytes) -> float:
    left = func.max(extract("epoch", Throttle.free_at - func.now()))
    found = await session.execute(select(left).where(Throttle.digest.in_(keys)))
    return float(found.scalar() or 0)
