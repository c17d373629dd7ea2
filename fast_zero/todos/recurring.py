"""Operations on todos that recur. The caller has locked the lists and the todos."""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import Conflict, Invalid, NotFound, Reason
from fast_zero.recurrence import series
from fast_zero.recurrence.expansion import DAY, at
from fast_zero.recurrence.rules import FIRST_DAY, parse
from fast_zero.recurrence.series import Due, Series
from fast_zero.todos import ledger, queries, trees
from fast_zero.todos.ledger import Finish
from fast_zero.todos.models import OccurrenceStatus, RecurrenceFrom, TodoState
from fast_zero.todos.schemas import Recurrence, TodoCreate, TodoUpdate
from fast_zero.todos.trees import LockedTodo

NOT_CURRENT = Reason(
    "occurrence_not_current", "This is neither the current occurrence of the todo nor one before."
)
NOT_NEWEST = Reason(
    "occurrence_not_newest", "Only the occurrence that was done or skipped last can be taken back."
)
NO_OCCURRENCE = Reason("occurrence_not_found", "There is no such occurrence.")


async def begin_new(
    session: Session, user_id: int, new: TodoCreate, zone: str | None = None
) -> dict[str, Any]:
    """Return the columns of the recurrence of a new todo. Empty: it does not recur."""
    if new.recurrence is None:
        return {}
    zone = zone or await ledger.select_time_zone(session, user_id)
    if new.due_at is not None:
        zone = new.time_zone or zone
    return begin(new.recurrence, zone, Due(new.due_on, new.due_at), ())


async def begin_again(
    session: Session, user_id: int, todo_id: int, change: TodoUpdate
) -> dict[str, Any]:
    """Return the columns of the recurrence that a change begins. Empty: it begins none.

    One that is sent as it is, with the due as it is, goes on: a client may send all fields.
    """
    new = change.new_recurrence()
    if new is None:
        return {}
    row = await select_series(session, user_id, todo_id, FIRST_DAY)
    given = change.columns()
    zone = row.zone
    if "due_on" in given or "due_at" in given:
        zone = given.get("time_zone") or row.account_zone
    due = Due(given.get("due_on", row.due_on), given.get("due_at", row.due_at))
    present = (row.recurrence_rule, row.recurrence_from, Due(row.due_on, row.due_at), row.zone)
    is_new = (new.rule, new.counted_from.value, due, zone) != present
    if not is_new and row.state != TodoState.DONE:
        return {}
    return begin(new, zone, due, row.known)


def begin(new: Recurrence, zone: str, due: Due, known: Sequence[date]) -> dict[str, Any]:
    """Return the columns of a series that begins. Raises Invalid if it has no occurrence."""
    now, counted_from = datetime.now(UTC), new.counted_from
    try:
        begun = series.begin(
            parse(new.rule),
            ZoneInfo(zone),
            due,
            now,
            from_completion=counted_from is RecurrenceFrom.COMPLETION,
        )
        day = series.first_day(begun, now, known)
    except ValueError as error:
        raise Invalid(str(error), "recurrence") from None
    columns = {
        "recurrence_rule": new.rule,
        "recurrence_from": counted_from.value,
        "recurrence_start": begun.start,
        "recurrence_time": begun.clock_time,
        "recurrence_number": 1,
        "occurrence_on": day,
    }
    is_due = due != Due() and day == begun.start
    return columns if is_due else columns | series.due_of(begun, day)


async def select_series(session: Session, user_id: int, todo_id: int, since: date) -> AnyRow:
    row = await ledger.select_series(session, user_id, todo_id, since)
    if row is None:  # a caller that has locked it found it
        raise NotFound(NO_OCCURRENCE)
    return row


def series_of(row: AnyRow) -> Series:
    return Series(
        parse(row.recurrence_rule),
        row.recurrence_from == RecurrenceFrom.COMPLETION,
        ZoneInfo(row.zone),
        row.recurrence_start,
        row.recurrence_time,
        row.recurrence_number,
    )


async def complete_tree(session: Session, user_id: int, tree: Sequence[LockedTodo]) -> None:
    """Complete todos. The series of those that recur end."""
    await trees.complete_todos(session, user_id, [todo.id for todo in tree])
    await end_series(session, user_id, tree)


async def end_series(session: Session, user_id: int, tree: Sequence[LockedTodo]) -> None:
    """Write the occurrences of todos that were completed with a todo above them, and stay so."""
    if ids := [todo.id for todo in tree if todo.recurs]:
        finish = Finish(OccurrenceStatus.DONE, datetime.now(UTC))
        await ledger.insert_finished(session, user_id, ids, finish)


async def complete_named(
    session: Session,
    user_id: int,
    todo_id: int,
    tree: Sequence[LockedTodo],
    named: date | None,
) -> date:
    """Complete an occurrence of a todo; return its day. One that is done changes nothing."""
    done = OccurrenceStatus.DONE
    if named and await ledger.is_over(session, user_id, todo_id, named, done):
        return named
    if not trees.root_of(tree, todo_id).recurs:
        raise Conflict(NOT_CURRENT)
    return await complete_occurrence(session, user_id, todo_id, tree, named)


async def complete_occurrence(
    session: Session,
    user_id: int,
    todo_id: int,
    tree: Sequence[LockedTodo],
    named: date | None = None,
) -> date:
    """Complete the current occurrence of a todo; return its day.

    After the last one, the todo is done with its open subtasks, which are in `tree`. Raises
    Conflict if another one is `named`.
    """
    row = await select_current(session, user_id, todo_id)
    day: date = row.occurrence_on
    if named not in {None, day} or (named and row.state == TodoState.DONE):
        raise Conflict(NOT_CURRENT)
    if row.state == TodoState.DONE:
        return day
    if not await advance(session, user_id, row, OccurrenceStatus.DONE):
        await complete_tree(session, user_id, tree)
    return day


async def skip_occurrence(
    session: Session, user_id: int, todo_id: int, named: date | None = None
) -> date:
    """Skip the current occurrence of a todo; return its day. After the last one, it is done."""
    row = await select_current(session, user_id, todo_id)
    day: date = row.occurrence_on
    if named not in {None, day} or row.state == TodoState.DONE:
        raise Conflict(NOT_CURRENT)
    if not await advance(session, user_id, row, OccurrenceStatus.SKIPPED):
        await queries.set_columns(session, user_id, todo_id, {"state": TodoState.DONE.value})
    return day


async def select_current(session: Session, user_id: int, todo_id: int) -> AnyRow:
    # The day has not begun yet in some time zones.
    return await select_series(session, user_id, todo_id, datetime.now(UTC).date() - DAY)


async def advance(session: Session, user_id: int, row: AnyRow, status: OccurrenceStatus) -> bool:
    """Write the current occurrence, and move its todo to the next one, whose checklist is open.

    Returns False after the last one: then the todo stays where it is.
    """
    now, current = datetime.now(UTC), series_of(row)
    skips = status is OccurrenceStatus.SKIPPED
    then = series.following(current, row.occurrence_on, now, row.known, skips=skips)
    checklist: Sequence[int] = ()
    if then.day is not None:
        checklist = await ledger.lock_checklist(session, user_id, row.id)
    await ledger.insert_finished(session, user_id, [row.id], Finish(status, now, checklist))
    if then.missed:
        dues = [
            {"day": day, "time_zone": row.time_zone, **series.due_of(current, day)}
            for day in then.missed
        ]
        await ledger.insert_missed(session, user_id, row.id, dues)
    if then.day is None:
        return False
    if checklist:
        await ledger.set_states(session, user_id, checklist, {"state": TodoState.TODO.value})
    moved = {
        "state": TodoState.TODO.value,
        "occurrence_on": then.day,
        "recurrence_number": row.recurrence_number + 1,
    }
    moved |= series.due_of(current, then.day) | shifted(row, then.day)
    await queries.set_columns(session, user_id, row.id, moved)
    return True


def shifted(row: AnyRow, day: date) -> dict[str, date]:
    """Return start and deadline of another occurrence: as far from it as from the current one."""
    days = {"starts_on": row.starts_on, "deadline_on": row.deadline_on}
    return {
        name: series.shift(value, day - row.occurrence_on)
        for name, value in days.items()
        if value is not None
    }


async def take_back(session: Session, user_id: int, todo_id: int, day: date) -> None:
    """Delete the newest occurrence: its todo has its due and its checklist again."""
    newest = await ledger.select_newest(session, user_id, todo_id)
    if newest is None or newest.day != day:
        if await ledger.is_recorded(session, user_id, todo_id, day):
            raise Conflict(NOT_NEWEST)
        raise NotFound(NO_OCCURRENCE)
    row = await select_current(session, user_id, todo_id)
    if newest.checklist:
        # Before a trigger changes what they announced, as a change of one of them does.
        await trees.lock_trees(session, user_id, (), newest.checklist)
    await ledger.delete_occurrence(session, user_id, newest)
    if row.state == TodoState.DONE:
        await ledger.reopen_completed_with(session, user_id, todo_id)
    if newest.checklist:
        done = {"state": TodoState.DONE.value, "completed_at": newest.finished_at}
        await ledger.set_states(session, user_id, newest.checklist, done)
    values = {name: getattr(newest, name) for name in ("due_on", "due_at", "time_zone", "state")}
    if row.recurrence_rule is not None:
        values |= series_at(row, newest) | shifted(row, newest.day)
    await queries.set_columns(session, user_id, todo_id, values)


def series_at(row: AnyRow, occurrence: AnyRow) -> dict[str, Any]:
    """Return the columns of a series whose current occurrence is an earlier one."""
    clock_time = row.recurrence_time
    if occurrence.due_at is None:
        clock_time = None
    else:
        zone = ZoneInfo(occurrence.time_zone)
        # A clock change can have moved the due away from the time of its series.
        if clock_time is None or at(occurrence.day, clock_time, zone) != occurrence.due_at:
            clock_time = occurrence.due_at.astimezone(zone).time()
    is_last = row.occurrence_on == occurrence.day
    return {
        "occurrence_on": occurrence.day,
        "recurrence_time": clock_time,
        "recurrence_number": max(row.recurrence_number - (not is_last), 1),
    }
