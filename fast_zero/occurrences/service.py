from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from typing import Any

from fast_zero.core.database import PreparedRow, Session, lock_lists
from fast_zero.core.errors import Conflict, NotFound, Reason, Stale
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.core.sorting import encode, parse_sort
from fast_zero.occurrences import queries
from fast_zero.occurrences.schemas import (
    SORT,
    AllOccurrencesParams,
    OccurrenceDue,
    OccurrencePage,
    OccurrencePublic,
    OccurrencesOfTodo,
    OccurrencesParams,
)
from fast_zero.recurrence import series
from fast_zero.relations.models import NO_TODO
from fast_zero.todos import ledger, metrics, recurring, trees
from fast_zero.todos.models import OccurrenceStatus, TodoState
from fast_zero.todos.service import read_todo
from fast_zero.todos.trees import LockedTodo

PREVIEWED = timedelta(days=10_000)
"""What a page of upcoming occurrences spans. There are as many days to examine, at most."""

NOT_RECURRING = Reason("todo_not_recurring", "This todo does not recur.")


async def lock_todo(session: Session, user_id: int, todo_id: int, accepted: Versions) -> LockedTodo:
    """Lock a todo. Raises NotFound or Stale. The caller has locked the lists."""
    locked = await trees.lock_trees(session, user_id, (), [todo_id])
    if not locked:
        raise NotFound(NO_TODO)
    [todo] = locked
    if accepted is not None and todo.version not in accepted:
        raise Stale(etags.tag(todo.version))
    return todo


async def skip_occurrence(
    session: Session, user_id: int, todo_id: int, named: date | None, accepted: Versions
) -> tuple[PreparedRow, date]:
    """Skip an occurrence; return its day, too. One that is skipped already changes nothing."""
    seen = await ledger.lock_lists(session, user_id, todo_id)
    meant = named or (seen if accepted is None else None)
    skipped = OccurrenceStatus.SKIPPED
    if meant and await ledger.is_over(session, user_id, todo_id, meant, skipped):
        return await read_todo(session, user_id, todo_id), meant
    todo = await lock_todo(session, user_id, todo_id, accepted)
    if not todo.recurs:
        raise Conflict(NOT_RECURRING)
    day = await recurring.skip_occurrence(session, user_id, todo_id, named)
    metrics.UPDATED.inc()
    return await read_todo(session, user_id, todo_id), day


async def take_back(
    session: Session, user_id: int, todo_id: int, day: date, accepted: Versions
) -> PreparedRow:
    """Take back the occurrence that was done or skipped last."""
    await lock_lists(session, user_id)
    await lock_todo(session, user_id, todo_id, accepted)
    await recurring.take_back(session, user_id, todo_id, day)
    metrics.UPDATED.inc()
    return await read_todo(session, user_id, todo_id)


async def list_occurrences(
    session: Session, user_id: int, todo_id: int, wanted: OccurrencesParams
) -> OccurrencesOfTodo:
    row = await ledger.select_series(session, user_id, todo_id, datetime.now(UTC).date())
    if row is None:
        raise NotFound(NO_TODO)
    past = await queries.select_past(session, user_id, todo_id, wanted.before, wanted.limit)
    upcoming: Sequence[OccurrenceDue] = ()
    if row.recurrence_rule is not None and row.state != TodoState.DONE:
        upcoming = preview(row, wanted)
    shown, coming = past[: wanted.limit], first_page(upcoming, wanted.limit)
    return OccurrencesOfTodo(
        past=[OccurrencePublic.model_validate(each) for each in shown],
        next_past=shown[-1].day if len(past) > len(shown) else None,
        upcoming=list(coming),
        next_upcoming=coming[-1].day if len(upcoming) > len(coming) else None,
    )


def first_page(upcoming: Sequence[OccurrenceDue], limit: int) -> Sequence[OccurrenceDue]:
    """Leave out what a following page begins with."""
    return [each for each in upcoming[:limit] if each.day - upcoming[0].day <= PREVIEWED]


def preview(row: Any, wanted: OccurrencesParams) -> Sequence[OccurrenceDue]:  # noqa: ANN401  # a row with these columns
    """Return the current occurrence and those that follow it, plus one.

    The last one may be the first after `PREVIEWED`: then there may be fewer than wanted.
    """
    current = recurring.series_of(row)
    days = series.upcoming(current, row.occurrence_on, wanted.after, datetime.now(UTC))
    known = set(row.known) - {row.occurrence_on}
    found: list[OccurrenceDue] = []
    for day in islice((day for day in days if day not in known), wanted.limit + 1):
        due = {"due_on": None, "due_at": None, **series.due_of(current, day)}
        if day == row.occurrence_on:
            due = {"due_on": row.due_on, "due_at": row.due_at}
        found.append(OccurrenceDue(day=day, **due))
        if day - found[0].day > PREVIEWED:
            break
    return found


async def list_all(session: Session, user_id: int, wanted: AllOccurrencesParams) -> OccurrencePage:
    rows = await queries.select_all(session, user_id, wanted)
    shown = rows[: wanted.limit]
    following = None
    if len(rows) > len(shown):
        following = encode(SORT, shown[-1], parse_sort(SORT, ["day"]))
    return OccurrencePage.model_validate({"occurrences": shown, "next": following})
