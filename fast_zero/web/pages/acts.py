"""What forms do to todos: add, complete, reopen, postpone, undo. Each leads back to its list."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import date
from uuid import UUID

from fastapi import APIRouter, Response
from pydantic import TypeAdapter, ValidationError

from fast_zero.batches import service as batches
from fast_zero.batches.schemas import Batch, UpdateItem
from fast_zero.change_sets import service as change_sets
from fast_zero.change_sets.models import NO_CHANGE_SET
from fast_zero.change_sets.schemas import UndoResult
from fast_zero.core.database import PreparedRow, Session, retry_transaction
from fast_zero.core.errors import DomainError, Invalid, NotFound, Unavailable
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.types import Id
from fast_zero.relations.models import NO_TODO
from fast_zero.search import queries
from fast_zero.todos import service
from fast_zero.todos.models import TodoState
from fast_zero.todos.schemas import TodoCreate, TodoUpdate
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.notices import FAULTS, Notice
from fast_zero.web.rows import due_day

MAX_TODAY = 500
MAX_ITEMS = 200

router = APIRouter()
ID = TypeAdapter(Id)


async def complete(session: Session, page: Page, value: str) -> Notice:
    """Complete a todo. `41/2026-12-04` names the occurrence: a second click does nothing."""
    id_, _, day = value.partition("/")
    wanted = service.Completion(occurrence=date.fromisoformat(day) if day else None)
    todo, _ = await service.complete_todo(session, page.reader.id, ID.validate_python(id_), wanted)
    return notice_of("completed", page, todo["title"])


async def reopen(session: Session, page: Page, value: str) -> Notice:
    change = TodoUpdate(state=TodoState.TODO)
    id_ = ID.validate_python(value)
    todo = await service.update_todo(session, page.reader.id, id_, change, None)
    return notice_of("reopened", page, todo["title"], focus=f"t{id_}")


async def postpone(session: Session, page: Page, value: str) -> Notice:
    """Move to today all that was due before, at most as many as a batch may have."""
    if value != "overdue":
        raise NotFound(NO_TODO)
    today = page.dates.today
    found = await queries.select_today(session, page.reader.id, MAX_TODAY)
    late = [todo for todo in found if todo["state"] != "done" and due_day(todo, page.dates) < today]
    items = [UpdateItem(op="update", id=todo["id"], due_on=today) for todo in late[:MAX_ITEMS]]
    if not items:
        raise NotFound(NO_TODO)
    await batches.do_batch(session, page.reader.id, Batch(items=items))
    return notice_of("moved_to_today", page, str(len(items)))


Act = Callable[[Session, Page, str], Awaitable[Notice]]
ACTS: dict[str, Act] = {"complete": complete, "reopen": reopen, "postpone": postpone}
"""By the name of the button that was pressed; its value says which todo."""


def notice_of(code: str, page: Page, title: str, *, focus: str = "") -> Notice:
    """Say what was done, with the change set that Undo takes back."""
    undo = page.writer.change_set_id if page.writer else None
    return Notice(code=code, title=title, undo=undo, focus=focus)


def fault_of(error: DomainError) -> Notice:
    return Notice(code=error.code if error.code in FAULTS else "todo_not_found", fault=True)


@router.post("/app/todos/act")
async def act(
    page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Do what the button says that was pressed in a list."""
    name = next((name for name in ACTS if name in fields), None)
    if name is None:
        return page.redirect(address)
    pressed, value = ACTS[name], fields[name]

    async def do() -> Notice:
        await session.begin()
        return await pressed(session, page, value)

    try:
        notice = await retry_transaction(session, do)
    except ValueError:  # no id, or no day
        await session.rollback()
        notice = fault_of(NotFound(NO_TODO))
    except Unavailable:
        raise
    except DomainError as error:
        await session.rollback()
        notice = fault_of(error)
    return page.redirect(address, notice)


@router.post("/app/todos")
async def add(
    page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Add what the line at the top says to the list that it belongs to."""
    try:
        todo = await add_line(session, page, fields)
    except ValidationError:
        return page.redirect(address, fault_of(Invalid("")))
    except NotFound as error:  # its project is gone
        return page.redirect(address, fault_of(error))
    return page.redirect(address, notice_of("added", page, todo["title"]))


async def add_line(session: Session, page: Page, fields: Mapping[str, str]) -> PreparedRow:
    """Create a todo of the whole line. To be replaced by quick add, which understands it."""
    due_on = page.dates.today if fields.get("list") == "today" else None
    project = fields.get("project_id")
    project_id = ID.validate_python(project) if project else None
    new = TodoCreate(title=fields.get("text", ""), due_on=due_on, project_id=project_id)
    return await service.create_todo(session, page.reader.id, new)


@router.post("/app/undo")
async def undo(
    page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Take back what one form has changed. What was changed since stays."""
    user_id = page.reader.id

    async def take_back() -> UndoResult:
        await session.begin()
        change_set = UUID(fields.get("change_set", ""))
        return await change_sets.undo(session, user_id, change_set, force=False, dry_run=False)

    try:
        result = await retry_transaction(session, take_back)
    except ValueError:
        await session.rollback()
        notice = fault_of(NotFound(NO_CHANGE_SET))
    except Unavailable:
        raise
    except DomainError as error:
        await session.rollback()
        notice = fault_of(error)
    else:
        notice = notice_of_undo(result)
    return page.redirect(address, notice)


def notice_of_undo(result: UndoResult) -> Notice:
    if not result.undone:
        return Notice(code="changed_since", fault=True)
    back = next((thing.id for thing in result.undone if thing.entity == "todo"), None)
    return Notice(code="undone", focus=f"t{back}" if back else "")
