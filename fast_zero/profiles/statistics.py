"""Finished todos by day: all of them for their owner, the shared ones for others."""

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from fast_zero.core.database import AnyRow, Session
from fast_zero.people.queries import READER, USER, known_to_reader, users
from fast_zero.posts.queries import completions, posts, visible_to

DAYS = 366
"""Number of days including today: enough for a heat map of any year."""

NOW: BindParameter[datetime] = bindparam("now", type_=DateTime(timezone=True))


def day_of(moment: ColumnElement[datetime], zone: ColumnElement[str]) -> ColumnElement[Any]:
    """Return the local date of a moment in a time zone. A day has 23, 24 or 25 hours."""
    return cast(func.timezone(zone, moment), Date)


OWNER = (
    select(users.id, users.time_zone, day_of(NOW, users.time_zone).label("today"))
    .where(users.id == USER, known_to_reader(users.id))
    .cte("owner")
)
OWN_FINISHED = select(completions.finished_at.label("at")).where(
    completions.owner_id == OWNER.c.id, OWNER.c.id == READER
)
SHARED_FINISHED = select(posts.created_at.label("at")).where(
    posts.author_id == OWNER.c.id,
    OWNER.c.id != READER,
    posts.todo_id.is_not(None),
    visible_to(posts),
)
MOMENTS = OWN_FINISHED.union_all(SHARED_FINISHED).cte("moments")
DAY = day_of(MOMENTS.c.at, OWNER.c.time_zone)
ON_DAYS = (
    select(DAY.label("day"), func.count().label("finished"))
    .select_from(MOMENTS.join(OWNER, MOMENTS.c.at.is_not(None)))
    .group_by(DAY)
    .cte("days")
)
# Consecutive days have the same difference between date and row number.
NUMBERED = select(
    ON_DAYS.c.day,
    (ON_DAYS.c.day - cast(func.row_number().over(order_by=ON_DAYS.c.day), Integer)).label("run"),
).cte("numbered")
STREAKS = (
    select(func.max(NUMBERED.c.day).label("last"), func.count().label("length"))
    .group_by(NUMBERED.c.run)
    .cte("streaks")
)
DAY_OBJECT = func.jsonb_build_object("day", ON_DAYS.c.day, "finished", ON_DAYS.c.finished)
STATS = select(
    OWNER.c.today,
    select(func.jsonb_agg(aggregate_order_by(DAY_OBJECT, ON_DAYS.c.day), type_=JSONB))
    .where(ON_DAYS.c.day > OWNER.c.today - DAYS)
    .scalar_subquery()
    .label("days"),
    # A streak until yesterday can continue today.
    select(func.coalesce(func.max(STREAKS.c.length), 0, type_=BigInteger))
    .where(STREAKS.c.last >= OWNER.c.today - 1)
    .scalar_subquery()
    .label("current_streak"),
    select(func.coalesce(func.max(STREAKS.c.length), 0, type_=BigInteger))
    .scalar_subquery()
    .label("best_streak"),
)


async def select_stats(
    session: Session, reader_id: int, user_id: int, now: datetime
) -> AnyRow | None:
    values = {"reader_id": reader_id, "user_id": user_id, "now": now}
    return (await session.execute(STATS, values)).one_or_none()
