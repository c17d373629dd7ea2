"""What the other forms of a todo do: subtasks, reminders, relations, occurrences, the trash.

Each leads back to the todo beside its list.
"""

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime
from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.core.database import Session
from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.types import Id
from fast_zero.occurrences import service as occurrences
from fast_zero.relations.schemas import RelationView
from fast_zero.reminders import service as reminder_service
from fast_zero.reminders.schemas import Snooze
from fast_zero.search import queries as search_queries
from fast_zero.search.filters import TodoFilter
from fast_zero.todos import service
from fast_zero.todos.reminders import LIST, Reminder
from fast_zero.todos.schemas import TodoCreate, TodoUpdate
from fast_zero.web.attempts import ID, Once, answer, notice_of
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice
from fast_zero.web.pages.todos.panel import Candidate
from fast_zero.web.pages.todos.todo import TEMPLATE, read_again
from fast_zero.web.pages.todos.todo_form import said_by
from fast_zero.web.texts import mark

CANDIDATES = 8
NUMBER = re.compile(r"#?([1-9]\d{0,17})")
RELATED_TO_ITSELF = mark("A task cannot be related to itself. Choose another.")
NOBODY = mark("No task has this in its title. Try fewer words, or its number.")
SEVERAL = mark("Several tasks have this in their title. Choose one of them.")

router = APIRouter()


@router.post("/app/todos/{todo_id}/restore")
async def restore(
    todo_id: Id, page: UserPage, address: NextAddress, session: CurrentSession
) -> Response:
    async def do() -> Notice:
        todo = await service.restore_todo(session, page.reader.id, todo_id)
        return notice_of("restored", page, todo["title"])

    return await answer(page, session, address, do)


@router.post("/app/todos/{todo_id}/subtasks")
async def add_subtask(
    todo_id: Id, page: UserPage, address: NextAddress, session: CurrentSession, once: Once
) -> Response:
    async def do() -> Notice:
        new = TodoCreate(title=once.fields.get("text", ""), parent_id=todo_id)
        todo = await service.create_todo(session, page.reader.id, new)
        return notice_of("added", page, todo["title"])

    return await once.answer(page, session, address, do)


@router.post("/app/todos/{todo_id}/reminders")
async def change_reminders(
    todo_id: Id, page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Add a reminder, or remove the one whose button was pressed."""

    async def do() -> Notice:
        todo = await service.read_todo(session, page.reader.id, todo_id)
        reminders = list(LIST.validate_python(todo["reminders"] or []))
        if "remove" in fields:
            gone = Reminder.model_validate_json(fields["remove"])
            reminders = [each for each in reminders if each != gone]
        else:
            reminders.append(new_reminder(page, fields))
        change = TodoUpdate(reminders=reminders)
        accepted = (todo["version"],)
        todo = await service.update_todo(session, page.reader.id, todo_id, change, accepted)
        return notice_of("saved", page, todo["title"])

    return await answer(page, session, address, do)


def new_reminder(page: Page, fields: Mapping[str, str]) -> Reminder:
    """Return the reminder that a form says: a moment on the clock of its reader, or minutes."""
    if moment := fields.get("at", "").strip():
        return Reminder(at=moment_of(page, moment))
    return Reminder(minutes_before=int(fields.get("minutes_before", "")))


def moment_of(page: Page, text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=said_by(page.reader).zone)


@router.post("/app/todos/{todo_id}/snooze")
async def snooze(
    todo_id: Id, page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    async def do() -> Notice:
        wanted = Snooze(minutes=int(fields.get("minutes", "")))
        now = datetime.now(UTC)
        user_id = page.reader.id
        todo = await reminder_service.snooze_todo(session, user_id, todo_id, wanted, now)
        return notice_of("snoozed", page, todo["title"])

    return await answer(page, session, address, do)


@router.post("/app/todos/{todo_id}/occurrences")
async def change_occurrences(
    todo_id: Id, page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Skip the occurrence that is named, or take one back."""

    async def do() -> Notice:
        user_id = page.reader.id
        if "skip" in fields:
            day = date.fromisoformat(fields["skip"])
            todo, _ = await occurrences.skip_occurrence(session, user_id, todo_id, day, None)
            return notice_of("skipped", page, todo["title"])
        day = date.fromisoformat(fields.get("take_back", ""))
        todo = await occurrences.take_back(session, user_id, todo_id, day, None)
        return notice_of("taken_back", page, todo["title"])

    return await answer(page, session, address, do)


@router.post("/app/todos/{todo_id}/relations")
async def change_relations(
    todo_id: Id, page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Relate a todo to another one, by number or by a part of its title, or remove a relation."""
    user_id = page.reader.id
    if "remove" in fields:
        kind, _, other = fields["remove"].partition("/")

        async def remove() -> Notice:
            view = RelationView(kind)
            other_id = ID.validate_python(other)
            await service.unrelate_todos(session, user_id, todo_id, view, other_id)
            return notice_of("saved", page, await title_of(session, user_id, todo_id))

        return await answer(page, session, address, remove)
    try:
        found = await find_other(session, user_id, fields)
    except ValueError:
        found = []
    found = [each for each in found if each.id != todo_id] or found
    if len(found) != 1 or found[0].id == todo_id:
        text = RELATED_TO_ITSELF if len(found) == 1 else SEVERAL if found else NOBODY
        shell, panel = await read_again(session, page, todo_id, address)
        panel.relating = Form(fields, {"other": text})
        panel.candidates = found if len(found) > 1 else ()
        status = HTTPStatus.UNPROCESSABLE_ENTITY
        return page.render(TEMPLATE, status, place="", shell=shell, panel=panel)

    async def relate() -> Notice:
        view = RelationView(fields.get("kind", ""))
        await service.relate_todos(session, user_id, todo_id, view, found[0].id)
        return notice_of("saved", page, await title_of(session, user_id, todo_id))

    return await answer(page, session, address, relate)


async def title_of(session: Session, user_id: int, todo_id: int) -> str:
    title: str = (await service.read_todo(session, user_id, todo_id))["title"]
    return title


async def find_other(session: Session, user_id: int, fields: Mapping[str, str]) -> list[Candidate]:
    """Return the todos that a text may mean: by its number, else by a part of the title."""
    text = fields.get("other_id", "") or fields.get("other", "").strip()
    if number := NUMBER.fullmatch(text):
        try:
            todo = await service.read_todo(session, user_id, ID.validate_python(int(number[1])))
        except NotFound:
            pass
        else:
            return [Candidate(todo["id"], todo["title"])]
    wanted = TodoFilter(title=text, limit=CANDIDATES)
    rows = (await search_queries.select_todos(session, user_id, wanted))[:CANDIDATES]
    exact = [row for row in rows if row["title"].casefold() == text.casefold()]
    return [Candidate(row["id"], row["title"]) for row in (exact if len(exact) == 1 else rows)]
