"""Writes todos as files of other programs, page by page as `service` does."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime, time

from anyio import to_thread

from fast_zero.core.database import AnyRow, Session, Sessions
from fast_zero.core.errors import INVALID_TOKEN, Unauthenticated
from fast_zero.core.pagination import PageParams
from fast_zero.exports import queries
from fast_zero.exports.service import pages
from fast_zero.interchange import csv_files, vtodos
from fast_zero.interchange.keys import OwnKey
from fast_zero.interchange.portable import PortableTodo
from fast_zero.interchange.zone_definitions import zone_definitions
from fast_zero.recurrence.series import rest
from fast_zero.todos import recurring
from fast_zero.todos.models import RecurrenceFrom
from fast_zero.todos.reminders import Reminder


def headers(name: str, now: datetime) -> dict[str, str]:
    """Return the headers of an export that is to be saved as a file."""
    kind, _, ending = name.partition(".")
    file_name = f"fast_zero-{kind}-{now:%Y-%m-%d}.{ending}"
    return {
        "Content-Disposition": f'attachment; filename="{file_name}"',
        "Cache-Control": "no-store",
    }


async def read_head(session: Session, user_id: int) -> AnyRow:
    head = await queries.select_calendar(session, user_id)
    if head is None:
        raise Unauthenticated(INVALID_TOKEN)
    return head


async def write_csv(sessions: Sessions, user_id: int) -> AsyncIterator[str]:
    yield csv_files.header()
    async for rows in pages(sessions, user_id, queries.select_portable, PageParams):
        yield await to_thread.run_sync(write_rows, rows)


async def write_icalendar(
    sessions: Sessions, user_id: int, head: AnyRow, now: datetime
) -> AsyncIterator[str]:
    """Yield a calendar. Time zones that todos got since it began are defined at its end."""
    defined = {*(head.time_zones or ())}
    yield vtodos.begin() + await to_thread.run_sync(zone_definitions, defined)
    used: set[str | None] = set()
    async for rows in pages(sessions, user_id, queries.select_portable, PageParams):
        used |= {row.time_zone for row in rows}
        yield await to_thread.run_sync(write_todos, rows, now, head.default_reminder_time)
    yield await to_thread.run_sync(zone_definitions, used - defined) + vtodos.end()


# In a thread: a rule with COUNT is counted, which can take thirty milliseconds for each todo.
def write_rows(rows: Sequence[AnyRow]) -> str:
    return csv_files.write_rows(map(portable, rows))


def write_todos(rows: Sequence[AnyRow], now: datetime, reminder_time: time) -> str:
    return "".join(vtodos.write_todo(portable(row), now, reminder_time) for row in rows)


def portable(row: AnyRow) -> PortableTodo:
    parent = row.parent_created_at and OwnKey(row.parent_id, row.parent_created_at)
    return PortableTodo(
        key=row.file_key or str(OwnKey(row.id, row.created_at)),
        line=0,
        title=row.title,
        description=row.description,
        state=row.state,
        priority=row.priority,
        parent_key=parent and (row.parent_file_key or str(parent)),
        project=tuple(row.project),
        section=row.section,
        labels=tuple(row.labels),
        due_on=row.due_on,
        due_at=row.due_at,
        time_zone=row.time_zone,
        starts_on=row.starts_on,
        deadline_on=row.deadline_on,
        duration_minutes=row.duration_minutes,
        recurrence_rule=remaining_rule(row),
        recurrence_from=RecurrenceFrom(row.recurrence_from or RecurrenceFrom.DUE),
        reminders=tuple(map(Reminder.model_validate, row.reminders or ())),
        completed_at=row.completed_at,
        created_at=row.created_at,
    )


def remaining_rule(row: AnyRow) -> str | None:
    """Return the rule from the current occurrence on: COUNT is without those before it."""
    if row.recurrence_rule is None:
        return None
    left = rest(recurring.series_of(row), row.occurrence_on)
    return None if left is None else str(left.rule)
