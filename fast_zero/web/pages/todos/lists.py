"""Lists of todos that everybody has: Today, Upcoming, the inbox, and what is done."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Response

from fast_zero.core.database import Session
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.types import Id
from fast_zero.search import queries, service
from fast_zero.search.filters import TodoFilter, split_todos
from fast_zero.summaries.queries import Opened
from fast_zero.todos.models import OPEN, TodoState
from fast_zero.web.dependencies import Page, UserPage
from fast_zero.web.pages.todos.panel import OpenPanel
from fast_zero.web.presentation.dates import Dates
from fast_zero.web.presentation.rows import due_day, rows_of
from fast_zero.web.shell import read_place, read_shell

TODAY = "lists/today.html"
INBOX = "lists/inbox.html"
UPCOMING = "lists/upcoming.html"
DONE = "lists/done.html"
PER_PAGE = 200

Todo = Mapping[str, Any]

router = APIRouter()


# `CurrentSession`, since a standby would not show yet what the form before has changed.
@router.get("/app/today")
async def show_today(
    page: UserPage, session: CurrentSession, panel: OpenPanel, after: str | None = None
) -> Response:
    shell, dates = await read_shell(session, page.reader.id), page.dates
    todos, cursor = await service.list_today(session, page.reader.id, after, PER_PAGE)
    is_open = [todo for todo in todos if todo["state"] != TodoState.DONE]
    before = [todo for todo in is_open if due_day(todo, dates) < dates.today]
    groups = {
        "overdue": before,
        "due": is_open[len(before) :],  # they are sorted by when they are due
        "done": [todo for todo in todos if todo["state"] == TodoState.DONE],
    }
    rows = {
        name: rows_of(found, dates, shell.places, without_day=name == "due")
        for name, found in groups.items()
    }
    done_today = todos[0]["done_today"] if todos else 0
    return page.render(
        TODAY,
        place="today",
        shell=shell,
        panel=panel,
        done_today=done_today,
        after=cursor,
        **rows,
    )


@router.get("/app/inbox")
async def show_inbox(
    page: UserPage, session: CurrentSession, panel: OpenPanel, after: str | None = None
) -> Response:
    shell = await read_shell(session, page.reader.id)
    wanted = TodoFilter(
        project_id="none",
        parent_id="none",
        state=list(OPEN),
        sort="position",
        limit=PER_PAGE,
        after=after,
    )
    todos, cursor = await read_todos(session, page, wanted)
    rows = rows_of(todos, page.dates, shell.places)
    return page.render(INBOX, place="inbox", shell=shell, panel=panel, todos=rows, after=cursor)


@router.get("/app/upcoming")
async def show_upcoming(
    page: UserPage, session: CurrentSession, panel: OpenPanel, after: str | None = None
) -> Response:
    """Show what is due after today, by day."""
    shell, dates = await read_shell(session, page.reader.id), page.dates
    wanted = TodoFilter(
        due_after=dates.today, state=list(OPEN), sort="due", limit=PER_PAGE, after=after
    )
    todos, cursor = await read_todos(session, page, wanted)
    days = [
        (day, rows_of(together, dates, shell.places, without_day=True))
        for day, together in groupby(todos, lambda todo: due_day(todo, dates))
    ]
    return page.render(
        UPCOMING, place="upcoming", shell=shell, panel=panel, days=days, after=cursor
    )


@router.get("/app/done")
async def show_done(
    page: UserPage,
    session: CurrentSession,
    panel: OpenPanel,
    project_id: Id | None = None,
    after: str | None = None,
) -> Response:
    """Show what is done, the newest first, by day; of all projects or of one."""
    if project_id is None:
        shell, project = await read_shell(session, page.reader.id), None
    else:
        opened = Opened("project", project_id)
        shell, project = await read_place(session, page.reader.id, opened)
    wanted = TodoFilter(
        project_id=project_id,
        state=[TodoState.DONE],
        sort="-completed_at",
        limit=PER_PAGE,
        after=after,
    )
    todos, cursor = await read_todos(session, page, wanted)
    dates = page.dates
    days = [
        (day, rows_of(together, dates, shell.places))
        for day, together in groupby(todos, lambda todo: completion_day(todo, dates))
    ]
    shown = {"shell": shell, "panel": panel, "project": project, "days": days, "after": cursor}
    return page.render(DONE, place="done", **shown)


def completion_day(todo: Todo, dates: Dates) -> date | None:
    """Return the day that a todo was done, on the clock of its reader."""
    moment: datetime | None = todo["completed_at"]
    return None if moment is None else dates.day_of(moment)


async def read_todos(
    session: Session, page: Page, wanted: TodoFilter
) -> tuple[Sequence[Todo], str | None]:
    return split_todos(await queries.select_todos(session, page.reader.id, wanted), wanted)
