"""What somebody has finished, day by day: for oneself all of it, for others what is shared."""

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
"""How many days are told of, today among them: all that a heat map of a year can begin in."""

NOW: BindParameter[datetime] = bindparam("now", type_=DateTime(timezone=True))


def day_of(moment: ColumnElement[datetime], zone: ColumnElement[str]) -> ColumnElement[Any]:
    """Tell on which day that was, there. A day has 23, 24 or 25 hours."""
    return cast(func.timezone(zone, moment), Date)


OWNER = (
    select(users.id, users.time_zone, day_of(NOW, users.time_zone).label("today"))
    .where(users.id == USER, known_to_reader(users.id))
    .cte("owner")
)
OWN = select(completions.finished_at.label("at")).where(
    completions.owner_id == OWNER.c.id, OWNER.c.id == READER
)
SHARED = select(posts.created_at.label("at")).where(
    posts.author_id == OWNER.c.id,
    OWNER.c.id != READER,
    posts.todo_id.is_not(None),
    visible_to(posts),
)
MOMENTS = OWN.union_all(SHARED).cte("moments")
DAY = day_of(MOMENTS.c.at, OWNER.c.time_zone)
ON_DAYS = (
    select(DAY.label("day"), func.count().label("finished"))
    .select_from(MOMENTS.join(OWNER, MOMENTS.c.at.is_not(None)))
    .group_by(DAY)
    .cte("days")
)
# Days in a row have the same distance from their number in the order of days.
NUMBERED = select(
    ON_DAYS.c.day,
    (ON_DAYS.c.day - cast(func.row_number().over(order_by=ON_DAYS.c.day), Integer)).label("run"),
).cte("numbered")
STREAKS = (
    select(func.max(NUMBERED.c.day).label("last"), func.count().label("length"))
    .group_by(NUMBERED.c.run)
    .cte("streaks")
)
TOLD = func.jsonb_build_object("day", ON_DAYS.c.day, "finished", ON_DAYS.c.finished)
STATS = select(
    OWNER.c.today,
    select(func.jsonb_agg(aggregate_order_by(TOLD, ON_DAYS.c.day), type_=JSONB))
    .where(ON_DAYS.c.day > OWNER.c.today - DAYS)
    .scalar_subquery()
    .label("days"),
    # One that ended yesterday can still go on today.
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
