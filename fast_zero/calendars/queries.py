from collections.abc import Sequence
from typing import Any

from sqlalchemy import DateTime, Select, cast, func, select

from fast_zero.core.database import AnyRow, Session
from fast_zero.identity.models import User
from fast_zero.todos.expressions import USER_ID, is_open, todos, visible_to

EVENTS = 5000
DESCRIPTION_LENGTH = 2000

DUE = func.coalesce(
    todos.c.due_at,
    func.timezone("UTC", cast(todos.c.due_on, DateTime), type_=DateTime(timezone=True)),
    type_=DateTime(timezone=True),
)
DISTANCE = func.abs(func.extract("epoch", DUE - func.now()))
COLUMNS = (
    todos.c.id,
    todos.c.title,
    todos.c.description,
    todos.c.due_on,
    todos.c.due_at,
    todos.c.time_zone,
    todos.c.duration_minutes,
    todos.c.recurrence_rule,
    todos.c.recurrence_from,
    todos.c.recurrence_start,
    todos.c.recurrence_time,
    todos.c.recurrence_number,
    todos.c.occurrence_on,
    todos.c.created_at,
    todos.c.updated_at,
)
HAS_DUE = func.num_nonnulls(todos.c.due_on, todos.c.due_at) == 1


def nearest(limit: int) -> Select[*tuple[Any, ...]]:
    found = (
        select(*COLUMNS)
        .where(visible_to(USER_ID), is_open(todos), HAS_DUE)
        .order_by(DISTANCE, todos.c.id)
        .limit(limit)
        .subquery()
    )
    # Here, so that they are read only of those that are shown.
    description = func.left(found.c.description, DESCRIPTION_LENGTH).label("description")
    zone = func.coalesce(found.c.time_zone, User.time_zone).label("zone")
    others = [column for column in found.c if column.name != "description"]
    owner = User.id == USER_ID
    return select(*others, description, zone).join(User, owner).order_by(found.c.id)


NEAREST = nearest(EVENTS)


async def select_dues(session: Session, user_id: int) -> Sequence[AnyRow]:
    """Select the open todos with a due, of too many those that are due closest to now."""
    return (await session.execute(NEAREST, {"user_id": user_id})).all()
