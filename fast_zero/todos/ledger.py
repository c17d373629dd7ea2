"""Statements about the occurrences of todos that recur. The lists are locked where they write."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Text,
    and_,
    any_,
    case,
    delete,
    exists,
    func,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from fast_zero.core.database import AnyRow, Session, as_writer
from fast_zero.todos.expressions import (
    DONE,
    NO,
    RECURS,
    STATE,
    editable_by,
    is_one_of,
    is_open,
    todos,
    users,
    visible_to,
)
from fast_zero.todos.models import Occurrence, OccurrenceStatus, TodoState
from fast_zero.todos.trees import array_of, subtrees

occurrences = Occurrence.__table__

FINISHED = [column.name for column in occurrences.c]
"""The columns of an occurrence, in the order in which `insert_finished` selects them."""


@dataclass(frozen=True)
class Finish:
    """How the current occurrence of a todo ends."""

    status: OccurrenceStatus
    at: datetime
    checklist: Sequence[int] = ()


def is_own(user_id: int, todo_id: int) -> ColumnElement[bool]:
    return (occurrences.c.owner_id == user_id) & (occurrences.c.todo_id == todo_id)


def of_todo() -> ColumnElement[bool]:
    return (occurrences.c.owner_id == todos.c.owner_id) & (occurrences.c.todo_id == todos.c.id)


async def select_time_zone(session: Session, user_id: int) -> str:
    """Select the time zone of the account."""
    statement = select(users.c.time_zone).where(users.c.id == user_id)
    zone: str = (await session.scalars(statement)).one()
    return zone


async def lock_lists(session: Session, user_id: int, todo_id: int) -> date | None:
    """Lock the lists, as `core.database` does; return the current occurrence of a todo from before.

    A statement sees what was committed when it began, however long it waits for the lock: of two
    devices that complete what they see at once, the second one finds that it is done.
    """
    seen = select(todos.c.occurrence_on).where(visible_to(user_id), todos.c.id == todo_id)
    locked = func.lock_lists(as_writer(user_id))
    row = (await session.execute(select(locked, seen.scalar_subquery().label("seen")))).one()
    day: date | None = row.seen
    return day


async def select_series(session: Session, user_id: int, todo_id: int, since: date) -> AnyRow | None:
    """Select what says when a todo recurs. `known` are the days of its occurrences that matter."""
    days = func.array_agg(occurrences.c.day, type_=ARRAY(Date))
    matter = occurrences.c.day >= func.least(todos.c.occurrence_on, literal(since, Date))
    known = select(days).where(of_todo(), matter).correlate(todos).scalar_subquery()
    account = select(users.c.time_zone).where(users.c.id == todos.c.owner_id).scalar_subquery()
    statement = select(
        todos.c.id,
        todos.c.version,
        STATE,
        todos.c.due_on,
        todos.c.due_at,
        todos.c.starts_on,
        todos.c.deadline_on,
        todos.c.recurrence_rule,
        todos.c.recurrence_from,
        todos.c.recurrence_start,
        todos.c.recurrence_time,
        todos.c.recurrence_number,
        todos.c.occurrence_on,
        todos.c.time_zone,
        account.label("account_zone"),
        func.coalesce(todos.c.time_zone, account).label("zone"),
        func.coalesce(known, literal([], ARRAY(Date))).label("known"),
    ).where(visible_to(user_id), todos.c.id == todo_id)
    return (await session.execute(statement)).one_or_none()


async def is_recorded(session: Session, user_id: int, todo_id: int, day: date) -> bool:
    found = exists().where(is_own(user_id, todo_id), occurrences.c.day == day)
    return bool(await session.scalar(select(found)))


async def is_over(
    session: Session, user_id: int, todo_id: int, day: date, status: OccurrenceStatus
) -> bool:
    """Whether an occurrence of a todo was done or skipped already, and is not open again."""
    is_current = and_(todos.c.occurrence_on == day, is_open(todos))
    found = exists().where(
        visible_to(user_id),
        of_todo(),
        is_own(user_id, todo_id),
        occurrences.c.day == day,
        occurrences.c.status == status.value,
        not_(func.coalesce(is_current, NO)),
    )
    return bool(await session.scalar(select(found)))


async def lock_checklist(session: Session, user_id: int, todo_id: int) -> Sequence[int]:
    """Lock the subtasks of a todo that are done; those that recur themselves are not among them."""
    tree = subtrees(user_id, [todo_id])
    below = array_of(select(tree.c.id).where(tree.c.level > 0))
    statement = (
        select(todos.c.id)
        .where(todos.c.owner_id == user_id, todos.c.id == any_(below), DONE == STATE, not_(RECURS))
        .order_by(todos.c.id)
        .with_for_update(of=todos)
    )
    return (await session.scalars(statement)).all()


async def insert_finished(
    session: Session, user_id: int, todo_ids: Sequence[int], finish: Finish
) -> None:
    """Insert the current occurrences of those todos that recur. One that is there stays.

    A todo that was completed with one above it is done already. Taken back, it is open.
    """
    last = select(func.coalesce(func.max(occurrences.c.number), 0)).where(of_todo())
    number = last.correlate(todos).scalar_subquery()
    rows = select(
        todos.c.owner_id,
        todos.c.id,
        todos.c.occurrence_on,
        number + literal(1, Integer),
        literal(finish.status.value, Text),
        todos.c.due_on,
        todos.c.due_at,
        todos.c.time_zone,
        literal(finish.at, DateTime(timezone=True)),
        literal(user_id, BigInteger),
        case((DONE == STATE, literal(TodoState.TODO.value, Text)), else_=STATE),
        literal(list(finish.checklist), ARRAY(BigInteger)),
    ).where(editable_by(user_id), is_one_of(todo_ids), RECURS)
    statement = insert(occurrences).from_select(FINISHED, rows).on_conflict_do_nothing()
    await session.execute(statement)


async def insert_missed(
    session: Session, user_id: int, todo_id: int, dues: Sequence[dict[str, Any]]
) -> None:
    """Insert occurrences that were missed before the next one. They are of the newest number."""
    number = select(func.max(occurrences.c.number)).where(is_own(user_id, todo_id))
    missed = {
        "owner_id": user_id,
        "todo_id": todo_id,
        "number": number.scalar_subquery(),
        "status": OccurrenceStatus.MISSED.value,
    }
    statement = insert(occurrences).values([missed | due for due in dues])
    await session.execute(statement.on_conflict_do_nothing())


async def set_states(
    session: Session, user_id: int, todo_ids: Collection[int], values: dict[str, Any]
) -> None:
    """Set the state of subtasks that are not in the trash."""
    statement = update(todos).where(editable_by(user_id), is_one_of(list(todo_ids)))
    await session.execute(statement.values(values | {"updated_at": func.now()}))


async def reopen_completed_with(session: Session, user_id: int, todo_id: int) -> None:
    """Open the subtasks that were completed with a todo. Triggers gave them the same moment."""
    tree, root = subtrees(user_id, [todo_id]), todos.alias("root")
    below = array_of(select(tree.c.id).where(tree.c.level > 0))
    moment = select(root.c.completed_at).where(root.c.owner_id == user_id, root.c.id == todo_id)
    statement = update(todos).where(
        editable_by(user_id),
        todos.c.id == any_(below),
        todos.c.completed_at == moment.scalar_subquery(),
        not_(RECURS),
    )
    await session.execute(statement.values(state=TodoState.TODO, updated_at=func.now()))


async def select_newest(session: Session, user_id: int, todo_id: int) -> AnyRow | None:
    """Select the occurrence of a todo that was done or skipped last."""
    statement = (
        select(*occurrences.c)
        .where(is_own(user_id, todo_id), occurrences.c.status != OccurrenceStatus.MISSED.value)
        .order_by(occurrences.c.number.desc(), occurrences.c.finished_at.desc())
        .limit(1)
    )
    return (await session.execute(statement)).one_or_none()


async def delete_occurrence(session: Session, user_id: int, occurrence: AnyRow) -> None:
    """Delete an occurrence, with those that were missed after it.

    Another one has the same number if an undo that was forced brought it back.
    """
    is_missed = occurrences.c.status == OccurrenceStatus.MISSED.value
    statement = delete(occurrences).where(
        is_own(user_id, occurrence.todo_id),
        occurrences.c.number == occurrence.number,
        or_(occurrences.c.day == occurrence.day, is_missed),
    )
    await session.execute(statement)
