"""Many creates, updates and deletes in at most four statements, whatever their number."""

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
    """An atomic batch that cannot be done; `results` says what is wrong with which item."""

    def __init__(self, results: Sequence[ItemResult | None]) -> None:
        failed = len(results) - results.count(None)
        detail = f"Nothing was done: items that cannot be: {failed} of {len(results)}."
        super().__init__(Reason("batch_refused", detail))
        shown = [result or NOT_TRIED for result in results]
        self.members = {"results": [result.model_dump(mode="json") for result in shown]}


async def do_batch(session: Session, actor_id: int, batch: Batch) -> list[ItemResult]:
    """Do all or, where the batch is not atomic, what can be done.

    Creates come first: they lock the account, as its deletion does before it locks its todos.
    Todos that exist are locked before they are judged, so what is judged is what is written.
    """
    creates = [item for item in batch.items if isinstance(item, CreateItem)]
    ids = [item.id for item in batch.items if not isinstance(item, CreateItem)]
    created = await queries.insert_todos(session, actor_id, creates) if creates else []
    locked = await queries.lock_todos(session, actor_id, ids) if ids else []
    todos = {todo.id: todo for todo in locked}
    refusals = [judge(item, todos) for item in batch.items]
    if batch.atomic and any(refusals):
        raise BatchRefused(refusals)

    doable = [item for item, refusal in zip(batch.items, refusals, strict=True) if not refusal]
    changes = [item for item in doable if isinstance(item, UpdateItem) and changes_something(item)]
    if changes:
        changed = await queries.update_todos(session, actor_id, changes)
        todos |= {todo.id: todo for todo in changed}
    if gone := [item.id for item in doable if isinstance(item, DeleteItem)]:
        await queries.delete_todos(session, actor_id, gone)

    metrics.CREATED.inc(len(created))
    metrics.UPDATED.inc(len(changes))
    metrics.DELETED.inc(len(gone))
    new = iter(created)
    return [
        refusal or confirm(item, next(new) if isinstance(item, CreateItem) else todos[item.id])
        for item, refusal in zip(batch.items, refusals, strict=True)
    ]


def judge(item: Item, todos: Mapping[int, Todo]) -> ItemResult | None:
    """Say why an item cannot be done; `None` when it can."""
    if isinstance(item, CreateItem):
        return None
    todo = todos.get(item.id)
    if todo is None:
        return refuse(NotFound(NOT_FOUND), f"/todos/{item.id}")
    if item.version not in (None, todo.version):
        return refuse(Stale(etags.tag(todo.version)), f"/todos/{item.id}", todo)
    return None


def changes_something(item: UpdateItem) -> bool:
    return not item.model_fields_set.isdisjoint(TodoUpdate.model_fields)


def confirm(item: Item, todo: Todo) -> ItemResult:
    if isinstance(item, DeleteItem):
        return ItemResult(status=HTTPStatus.OK)
    status = HTTPStatus.CREATED if isinstance(item, CreateItem) else HTTPStatus.OK
    return ItemResult(status=status, todo=TodoPublic.model_validate(todo))


def refuse(error: DomainError, instance: str, todo: Todo | None = None) -> ItemResult:
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


NOT_TRIED = refuse(NotTried("Another item of the batch cannot be done."), "/todos/batch")
REFUSED = BatchRefused([NOT_TRIED, None, None])
"""What the route may return, for its document."""
