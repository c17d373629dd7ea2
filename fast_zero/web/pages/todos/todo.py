"""One todo: its form, and what is shown if that cannot be saved."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import date
from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.core.database import PreparedRow, Session, lock_lists, retry_transaction
from fast_zero.core.errors import DomainError, Invalid, Stale, Unavailable
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.types import Id
from fast_zero.ordering import service as ordering
from fast_zero.ordering.schemas import TodoMove
from fast_zero.relations.models import NO_TODO
from fast_zero.todos import queries, service
from fast_zero.todos.schemas import TodoUpdate
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice
from fast_zero.web.pages.todos.panel import SHARES, STATES, Beside, Clash, Difference, Panel, read
from fast_zero.web.pages.todos.todo_form import (
    CONFLICTS,
    ERRORS,
    Changes,
    changed_names,
    changes_of,
    coming_days,
    compared,
    read_due,
    read_recurrence,
    said_by,
    shown,
)
from fast_zero.web.presentation.rows import INBOX, NO_PRIORITY, PRIORITIES
from fast_zero.web.shell import Shell, read_shell
from fast_zero.web.texts import mark

TEMPLATE = "todo/alone.html"
RECURRENCE = "todo/recurrence.html"
NO_DAY_OF_TASK = mark("There is no such day for this task. Check day and repetition.")
THEIRS = "theirs"
LABELS = {
    "title": mark("Title"),
    "description": mark("Notes"),
    "due_on": mark("Day"),
    "due_time": mark("Time"),
    "recurrence": mark("Repeat"),
    "priority": mark("Priority"),
    "place": mark("Project"),
    "labels": mark("Labels"),
    "starts_on": mark("Not before"),
    "deadline_on": mark("Deadline"),
    "duration_minutes": mark("Minutes it takes"),
    "state": mark("State"),
    "share": mark("Who sees it once it is done"),
}
DAYS = {"due_on", "starts_on", "deadline_on"}
INBOX_ADDRESS = "/app/inbox"

router = APIRouter()


@router.get("/app/recurrence")
async def show_recurrence(
    page: UserPage, text: str = "", due_on: str = "", due_time: str = ""
) -> Response:
    """Show what is understood of a repetition, and its next days. The script asks for it."""
    said = said_by(page.reader)
    recurrence = read_recurrence(text.strip(), said)
    if recurrence is None:
        return page.render_part(RECURRENCE, fault=ERRORS["recurrence"])
    try:
        found = coming_days(recurrence, read_due(due_on, due_time, said), said)
    except ValueError:
        return page.render_part(RECURRENCE, fault=NO_DAY_OF_TASK)
    return page.render_part(RECURRENCE, found=found)


@router.get("/app/todos/{todo_id}")
async def show_todo(todo_id: Id, page: UserPage, session: CurrentSession) -> Response:
    """Go to the list that a todo is in, with the todo beside it."""
    shell = await read_shell(session, page.reader.id)
    todo = await queries.select_todo(session, page.reader.id, todo_id)
    project = todo and todo["project_id"]
    back = f"/app/projects/{project}" if project in shell.places else INBOX_ADDRESS
    return page.redirect(Beside(back).open(todo_id))


@router.post("/app/todos/{todo_id}")
async def save(
    todo_id: Id, page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Save the form, unless the todo was changed since it was shown: then both are shown."""
    keep = fields.get("keep", "")
    if keep == THEIRS:
        return page.redirect(address)
    seen = keep or fields.get("version", "")

    async def write() -> tuple[Changes, PreparedRow]:
        await session.begin()
        todo = await service.read_todo(session, page.reader.id, todo_id)
        changes = changes_of(todo, fields, said_by(page.reader))
        if changes and seen != str(todo["version"]):
            raise Stale("")
        change = changes.update()
        if not changes.errors:
            todo = await write_changes(session, page.reader.id, todo, change, changes.move)
        return changes, todo

    form = page.form(fields)
    try:
        changes, todo = await retry_transaction(session, write)
    except Stale:
        return await show_clash(session, page, todo_id, address, form)
    except DomainError as error:
        if isinstance(error, Unavailable) or error.code == NO_TODO.code:
            raise
        refuse(form, error)
    else:
        if not changes.errors:
            undo = page.writer.change_set_id if page.writer and changes else None
            return page.redirect(address, Notice(code="saved", title=todo["title"], undo=undo))
        form.errors.update(changes.errors)
    return await show_again(session, page, todo_id, address, form)


async def write_changes(
    session: Session,
    user_id: int,
    todo: PreparedRow,
    change: TodoUpdate | None,
    move: Mapping[str, int | None],
) -> PreparedRow:
    """Write what was changed, if the todo is still as it was read."""
    accepted = (todo["version"],)
    if move:
        await lock_lists(session, user_id)
        wanted = TodoMove.model_validate(move)
        todo = await ordering.move_todo(session, user_id, todo["id"], wanted, accepted)
        accepted = (todo["version"],)
    if change is not None:
        todo = await service.update_todo(session, user_id, todo["id"], change, accepted)
    return todo


def refuse(form: Form, error: DomainError) -> None:
    """Show an error of the domain beside its field."""
    if error.code in CONFLICTS:
        name, text = CONFLICTS[error.code]
        form.errors[name] = text
    elif isinstance(error, Invalid) and error.field in LABELS:
        form.errors[error.field] = NO_DAY_OF_TASK
    else:
        form.refuse(error)


async def show_again(
    session: Session, page: Page, todo_id: int, address: str, form: Form
) -> Response:
    """Render the panel with what was typed and what is wrong with it. Its list stays as it is."""
    shell, panel = await read_again(session, page, todo_id, address)
    panel.form = form_of(panel, page, form)
    return page.render(
        TEMPLATE, HTTPStatus.UNPROCESSABLE_ENTITY, place="", shell=shell, panel=panel
    )


async def read_again(
    session: Session, page: Page, todo_id: int, address: str
) -> tuple[Shell, Panel]:
    await session.rollback()
    shell = await read_shell(session, page.reader.id)
    return shell, await read(session, page, todo_id, Beside.of(address))


def form_of(panel: Panel, page: Page, form: Form) -> Form:
    """Return the form as it was sent; what was not sent is as the todo has it."""
    values = {**panel.form.values, **form.values}
    return Form(values, form.errors, page.settings.password_min_length)


async def show_clash(
    session: Session, page: Page, todo_id: int, address: str, form: Form
) -> Response:
    """Show the version that was saved meanwhile, and the one of the form, beside one another."""
    shell, panel = await read_again(session, page, todo_id, address)
    todo, said = panel.todo, said_by(page.reader)
    theirs, mine = shown(todo, said), form.values
    places = {"": page.catalogue.gettext(INBOX), **panel.places(shell)}
    texts = {"priority": {"none": NO_PRIORITY, **PRIORITIES}, "state": STATES, "share": SHARES}

    def said_as(name: str, value: str) -> str:
        """Say the value of a field as people read it."""
        if name in texts:
            return page.catalogue.gettext(texts[name].get(value, "?"))
        if name in DAYS and value:
            with suppress(ValueError):
                return page.dates.day(date.fromisoformat(value))
        return places.get(value, "?") if name == "place" else value

    differences = [
        Difference(LABELS[name], *compared(said_as(name, theirs[name]), said_as(name, mine[name])))
        for name in changed_names(todo, mine, said)
    ]
    if not differences:  # both have written the same
        return page.redirect(address, Notice(code="saved", title=todo["title"]))
    at = page.dates.due(None, todo["updated_at"], without_day=False).text
    panel.clash = Clash(todo["version"], at, differences)
    panel.form = form_of(panel, page, form)
    return page.render(TEMPLATE, HTTPStatus.PRECONDITION_FAILED, place="", shell=shell, panel=panel)
