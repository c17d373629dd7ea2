"""Many creates, updates and deletes in at most four statements, regardless of their number."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from fast_zero.core.database import Session
from fast_zero.core.errors import Conflict, DomainError, NotFound, Reason, Stale
from fast_zero.core.http import etags
from fast_zero.core.types import Problem
from fast_zero.todos import metrics, queries
from fast_zero.todos.models import Todo
from fast_zero.todos.schemas import (
    Batch,
    CreateItem,
    DeleteItem,
    Item,
    ItemResult,
    TodoPublic,
    TodoUpdate,
    UpdateItem,
)
from fast_zero.todos.service import NOT_FOUND


class BatchRefused(Conflict):
    """An atomic batch that cannot be done. `results` contains the reason of each item."""

    def __init__(self, results: Sequence[ItemResult | None]) -> None:
        failed = len(results) - results.count(None)
        detail = f"Nothing was done: items that cannot be: {failed} of {len(results)}."
        super().__init__(Reason("batch_refused", detail))
        shown = [result or NOT_TRIED for result in results]
        self.members = {"results": [result.model_dump(mode="json") for result in shown]}


async def do_batch(session: Session, user_id: int, batch: Batch) -> list[ItemResult]:
    """Do all items; if the batch is not atomic, do all that are possible.

    Creates come first: they lock the account, and its deletion also locks the account before its
    todos. Existing todos are locked before their versions are checked, so that nothing changes in
    between.
    """
    created, todos = await create_and_lock(session, user_id, batch.items)
    refusals = [check_item(item, todos) for item in batch.items]
    if batch.atomic and any(refusals):
        raise BatchRefused(refusals)
    allowed = [item for item, refusal in zip(batch.items, refusals, strict=True) if not refusal]
    todos |= await update_and_delete(session, user_id, allowed)
    metrics.CREATED.inc(len(created))
    new = iter(created)
    return [
        refusal
        or success_result(item, next(new) if isinstance(item, CreateItem) else todos[item.id])
        for item, refusal in zip(batch.items, refusals, strict=True)
    ]


async def create_and_lock(
    session: Session, user_id: int, items: Sequence[Item]
) -> tuple[Sequence[Todo], dict[int, Todo]]:
    """Create the new todos, and lock the existing ones; return both, the latter by id."""
    creates = [item for item in items if isinstance(item, CreateItem)]
    ids = [item.id for item in items if not isinstance(item, CreateItem)]
    created = await queries.insert_todos(session, user_id, creates) if creates else []
    locked = await queries.lock_todos(session, user_id, ids) if ids else []
    return created, {todo.id: todo for todo in locked}


async def update_and_delete(
    session: Session, user_id: int, items: Sequence[Item]
) -> dict[int, Todo]:
    """Update and delete existing todos; return those that were updated, by id."""
    changes = [item for item in items if isinstance(item, UpdateItem) and changes_something(item)]
    changed = await queries.update_todos(session, user_id, changes) if changes else []
    if ids := [item.id for item in items if isinstance(item, DeleteItem)]:
        await queries.delete_todos(session, user_id, ids)
    metrics.UPDATED.inc(len(changes))
    metrics.DELETED.inc(len(ids))
    return {todo.id: todo for todo in changed}


def check_item(item: Item, todos: Mapping[int, Todo]) -> ItemResult | None:
    """Return why an item cannot be done; None if it can."""
    if isinstance(item, CreateItem):
        return None
    todo = todos.get(item.id)
    if todo is None:
        return problem_result(NotFound(NOT_FOUND), f"/todos/{item.id}")
    if item.version not in (None, todo.version):
        return problem_result(Stale(etags.tag(todo.version)), f"/todos/{item.id}", todo)
    return None


def changes_something(item: UpdateItem) -> bool:
    return not item.model_fields_set.isdisjoint(TodoUpdate.model_fields)


def success_result(item: Item, todo: Todo) -> ItemResult:
    if isinstance(item, DeleteItem):
        return ItemResult(status=HTTPStatus.OK)
    status = HTTPStatus.CREATED if isinstance(item, CreateItem) else HTTPStatus.OK
    return ItemResult(status=status, todo=TodoPublic.model_validate(todo))


def problem_result(error: DomainError, instance: str, todo: Todo | None = None) -> ItemResult:
    problem = Problem(
        type="about:blank",
        title=error.status.phrase,
        status=error.status,
        code=error.code,
        detail=error.detail,
        instance=instance,
    )
    shown = None if todo is None else TodoPublic.model_validate(todo)
    return ItemResult(status=error.status, todo=shown, problem=problem)


class NotTried(DomainError):
    status = HTTPStatus.FAILED_DEPENDENCY


NOT_TRIED = problem_result(NotTried("Another item of the batch cannot be done."), "/todos/batch")
REFUSED = BatchRefused([NOT_TRIED, None, None])
"""An example for the OpenAPI document."""
