from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    Interval,
    Select,
    bindparam,
    delete,
    func,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from fast_zero.calendar_feeds.models import CalendarFeed
from fast_zero.core.database import Session, prepare
from fast_zero.identity.models import User


def visible_to(user_id: int) -> ColumnElement[bool]:
    return CalendarFeed.owner_id == user_id


async def upsert_feed(session: Session, user_id: int, digest: bytes) -> datetime:
    """Give a user a feed, or the feed another address. Return when."""
    new = {"digest": digest, "created_at": func.now(), "last_read_at": None}
    statement = insert(CalendarFeed).values(owner_id=user_id, **new)
    statement = statement.on_conflict_do_update(index_elements=["owner_id"], set_=new)
    return (await session.scalars(statement.returning(CalendarFeed.created_at))).one()


async def select_feed(session: Session, user_id: int) -> CalendarFeed | None:
    return await session.scalar(select(CalendarFeed).where(visible_to(user_id)))


async def delete_feed(session: Session, user_id: int) -> bool:
    statement = delete(CalendarFeed).where(visible_to(user_id))
    return await session.scalar(statement.returning(CalendarFeed.owner_id)) is not None


def using_feed() -> Select[int]:
    found = (
        select(CalendarFeed.owner_id)
        .join(User, User.id == CalendarFeed.owner_id)
        .where(CalendarFeed.digest == bindparam("feed_digest"), User.disabled_at.is_(None))
        .cte("found")
    )
    an_hour_ago = func.now() - literal_column("interval '1 hour'", Interval)
    touched = (
        update(CalendarFeed)
        .where(
            CalendarFeed.owner_id == found.c.owner_id,
            or_(CalendarFeed.last_read_at.is_(None), CalendarFeed.last_read_at < an_hour_ago),
        )
        .values(last_read_at=func.now())
        .cte("touched")
    )
    return select(found.c.owner_id).add_cte(touched)


USE_FEED = prepare(using_feed())


async def use_feed(session: Session, digest: bytes) -> int | None:
    """Select whose feed has an address; update its `last_read_at`, at most once an hour."""
    found = await session.fetch_one(USE_FEED, {"feed_digest": digest})
    return None if found is None else int(found["owner_id"])
