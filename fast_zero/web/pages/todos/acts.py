"""What forms do to todos: change, move, undo. Each leads back to its list."""

from collections.abc import Awaitable, Callable
from uuid import UUID

from fastapi import APIRouter, Response

from fast_zero.change_sets import service as change_sets
from fast_zero.change_sets.models import NO_CHANGE_SET
from fast_zero.change_sets.schemas import UndoResult
from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError, NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.ordering import service as ordering
from fast_zero.ordering.schemas import TodoMove
from fast_zero.relations.models import NO_TODO
from fast_zero.web import links
from fast_zero.web.attempts import answer, attempt_in_transaction, read_id
from fast_zero.web.dependencies import Fields, NextAddress, Page, Selected, UserPage
from fast_zero.web.notices import Notice, fault_of
from fast_zero.web.pages.todos import row_acts

SELECTED = "selected"
"""The value of a button that is about all selected rows."""

router = APIRouter()


async def postpone(session: Session, page: Page, value: str) -> Notice:
    """Move to today all that was due before."""
    if value != "overdue":
        raise NotFound(NO_TODO)
    return await row_acts.do_overdue(session, page)


async def move(session: Session, page: Page, value: str) -> Notice:
    """Move a todo beside another one, `41/before/40`, or into a section, `41/into/7`."""
    id_, _, beside = value.partition("/")
    side, _, other = beside.partition("/")
    if side not in {"before", "after", "into"}:
        raise NotFound(NO_TODO)
    todo_id = read_id(id_, "todo_not_found")
    other_id = read_id(other, "section_not_found" if side == "into" else "todo_not_found")
    wanted = TodoMove.model_validate({"section_id" if side == "into" else side: other_id})
    moved = await ordering.move_beside(session, page.reader.id, todo_id, wanted)
    return notice_of_place(page, moved)


async def move_up(session: Session, page: Page, value: str) -> Notice:
    target = row_acts.Target.parse(value)
    moved = await ordering.step(session, page.reader.id, target.id, is_up=True)
    return notice_of_place(page, moved)


async def move_down(session: Session, page: Page, value: str) -> Notice:
    target = row_acts.Target.parse(value)
    moved = await ordering.step(session, page.reader.id, target.id, is_up=False)
    return notice_of_place(page, moved)


def notice_of_place(page: Page, moved: ordering.Ranked) -> Notice:
    undo = page.change_set if moved.has_moved else None
    title, rank, total = moved.todo["title"], moved.rank, moved.total
    return Notice(code="placed", title=title, count=rank, total=total, undo=undo)


Act = Callable[[Session, Page, str], Awaitable[Notice]]
ACTS: dict[str, Act] = {
    "postpone": postpone,
    "move": move,
    "move_up": move_up,
    "move_down": move_down,
}
"""By the name of the button that was pressed; its value says which todo.

Those that several todos may be selected for are in `row_acts.ACTS`.
"""


@router.post("/app/todos/act")
async def act(
    page: UserPage, fields: Fields, rows: Selected, address: NextAddress, session: CurrentSession
) -> Response:
    """Do what the button says that was pressed, to its todo or to those that are selected."""
    name = next((name for name in (*ACTS, *row_acts.ACTS) if name in fields), None)
    if name is None:
        return page.redirect(address)
    value = fields[name]
    named = rows if value == SELECTED else [value]

    async def do() -> Notice:
        if name in ACTS:
            return await ACTS[name](session, page, value)
        targets = list(map(row_acts.Target.parse, named))
        return await row_acts.do(session, page, name, targets, fields)

    done = await attempt_in_transaction(session, do)
    notice = fault_of(done) if isinstance(done, DomainError) else done
    if name == "delete" and not notice.fault:
        address = links.without_todo(address, [text.partition("/")[0] for text in named])
    return page.redirect(address, notice)


@router.post("/app/undo")
async def undo(
    page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Take back what one form has changed. What was changed since stays."""

    async def take_back() -> Notice:
        user_id, change_set = page.reader.id, fields.get("change_set", "")
        try:
            wanted = UUID(change_set)
        except ValueError:
            raise NotFound(NO_CHANGE_SET) from None
        undone = change_sets.undo(session, user_id, wanted, force=False, dry_run=False)
        return notice_of_undo(await undone)

    return await answer(page, session, address, take_back)


def notice_of_undo(result: UndoResult) -> Notice:
    if not result.undone:
        return Notice(code="changed_since", fault=True)
    todos = (thing.id for thing in result.undone if thing.entity == "todo")
    back = min(todos, default=None)  # a todo is older than its subtasks
    return Notice(code="undone", focus=f"t{back}" if back else "")
