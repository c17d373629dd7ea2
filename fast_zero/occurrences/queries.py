from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Date, literal, select, tuple_, type_coerce

from fast_zero.core.database import AnyRow, Session
from fast_zero.occurrences.schemas import AllOccurrencesParams
from fast_zero.todos.expressions import todos, visible_to
from fast_zero.todos.ledger import is_own, occurrences, of_todo

OCCURRENCE: list[ColumnElement[Any]] = [
    occurrences.c.day,
    occurrences.c.status,
    occurrences.c.due_on,
    occurrences.c.due_at,
    occurrences.c.finished_at,
    occurrences.c.actor_id,
]


async def select_past(
    session: Session, user_id: int, todo_id: int, before: date | None, limit: int
) -> Sequence[AnyRow]:
    """Select what is over of a todo, the newest day first, plus one row."""
    statement = select(*OCCURRENCE).where(is_own(user_id, todo_id))
    if before is not None:
        statement = statement.where(occurrences.c.day < before)
    newest = statement.order_by(occurrences.c.day.desc()).limit(limit + 1)
    return (await session.execute(newest)).all()


async def select_all(
    session: Session, user_id: int, wanted: AllOccurrencesParams
) -> Sequence[dict[str, Any]]:
    """Select what is over of all todos that are not in the trash, plus one row."""
    key = tuple_(occurrences.c.day, occurrences.c.todo_id)
    statement = (
        select(
            *OCCURRENCE,
            occurrences.c.todo_id,
            todos.c.title,
            occurrences.c.todo_id.label("id"),
            type_coerce(occurrences.c.day, Date).label("sort_0"),
        )
        .join(todos, of_todo())
        .where(visible_to(user_id), occurrences.c.owner_id == user_id)
    )
    if wanted.status is not None:
        statement = statement.where(occurrences.c.status == wanted.status.value)
    if cursor := wanted.cursor():
        [day] = cursor.values
        statement = statement.where(
            key < tuple_(literal(day, Date), literal(cursor.id, BigInteger))
        )
    newest = statement.order_by(occurrences.c.day.desc(), occurrences.c.todo_id.desc())
    rows = await session.execute(newest.limit(wanted.limit + 1))
    return [dict(row) for row in rows.mappings()]
