"""Lists of todos: Today, Upcoming, the inbox and projects."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any, Literal

from fastapi import APIRouter, Response

from fast_zero.core.database import Session
from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.types import Id
from fast_zero.projects.models import NO_PROJECT
from fast_zero.search import queries
from fast_zero.search.filters import TodoFilter, split_todos
from fast_zero.todos.models import OPEN, TodoState
from fast_zero.web.dependencies import Page, UserPage
from fast_zero.web.rows import due_day, rows_of
from fast_zero.web.shell import read_shell

TODAY = "lists/today.html"
INBOX = "lists/inbox.html"
UPCOMING = "lists/upcoming.html"
PROJECT = "lists/project.html"
MAX_TODAY = 500
PER_PAGE = 200

Todo = Mapping[str, Any]

router = APIRouter()


# `CurrentSession`, since a standby would not show yet what the form before has changed.
@router.get("/app/today")
async def show_today(page: UserPage, session: CurrentSession) -> Response:
    shell = await read_shell(session, page.reader.id)
    todos = await queries.select_today(session, page.reader.id, MAX_TODAY)
    dates = page.dates
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
    return page.render(TODAY, place="today", shell=shell, **rows)


@router.get("/app/inbox")
async def show_inbox(page: UserPage, session: CurrentSession, after: str | None = None) -> Response:
    shell = await read_shell(session, page.reader.id)
    wanted = in_order(project_id="none", after=after)
    todos, cursor = await read_todos(session, page, wanted)
    rows = rows_of(todos, page.dates, shell.places)
    return page.render(INBOX, place="inbox", shell=shell, todos=rows, after=cursor)


@router.get("/app/projects/{project_id}")
async def show_project(
    project_id: Id, page: UserPage, session: CurrentSession, after: str | None = None
) -> Response:
    shell = await read_shell(session, page.reader.id)
    if project_id not in shell.places:
        raise NotFound(NO_PROJECT)
    wanted = in_order(project_id=project_id, after=after)
    todos, cursor = await read_todos(session, page, wanted)
    rows = rows_of(todos, page.dates, shell.places)
    return page.render(
        PROJECT,
        place="project",
        project_id=project_id,
        name=shell.places[project_id].name,
        shell=shell,
        todos=rows,
        after=cursor,
    )


@router.get("/app/upcoming")
async def show_upcoming(
    page: UserPage, session: CurrentSession, after: str | None = None
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
        UPCOMING, place="upcoming", shell=shell, days=days, dates=dates, after=cursor
    )


def in_order(*, project_id: int | Literal["none"], after: str | None) -> TodoFilter:
    """Return the filter of the open todos of a place in their order, without subtasks."""
    return TodoFilter(
        project_id=project_id,
        parent_id="none",
        state=list(OPEN),
        sort="position",
        limit=PER_PAGE,
        after=after,
    )


async def read_todos(
    session: Session, page: Page, wanted: TodoFilter
) -> tuple[Sequence[Todo], str | None]:
    return split_todos(await queries.select_todos(session, page.reader.id, wanted), wanted)
