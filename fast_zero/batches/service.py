"""Many changes of todos in a number of statements that does not depend on how many they are.

Only restores and moves are done one by one, since the place of each depends on those before it, and
todos that recur.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from fast_zero.batches import queries, recurring
from fast_zero.batches.recurring import Columns, Trees
from fast_zero.batches.schemas import (
    Batch,
    CompleteItem,
    CreateItem,
    DeleteItem,
    ExistingItem,
    Item,
    ItemResult,
    MoveItem,
    RestoreItem,
    UpdateItem,
)
from fast_zero.core.database import PreparedRow, Session, lock_lists
from fast_zero.core.errors import Conflict, DomainError, Invalid, NotFound, Reason, Stale
from fast_zero.core.http import etags
from fast_zero.core.types import Problem
from fast_zero.labels import queries as label_queries
from fast_zero.ordering import service as ordering_service
from fast_zero.projects.models import NO_PROJECT, NO_SECTION
from fast_zero.relations.models import NO_TODO
from fast_zero.todos import metrics, trees
from fast_zero.todos import queries as todo_queries
from fast_zero.todos import recurring as todo_recurring
from fast_zero.todos import service as todo_service
from fast_zero.todos.models import LEVELS, NO_PARENT, OPEN, TODO_TOO_DEEP, TodoState
from fast_zero.todos.schemas import TodoPublic, TodoUpdate
from fast_zero.todos.trees import LockedTodo

Items = Mapping[int, Item]
Refusals = Mapping[int, DomainError]
Created = Mapping[int, PreparedRow]
"""Items, why they cannot be done, and the todos that they created: each by index in the batch."""

ItemT = TypeVar("ItemT")


class BatchRefused(Conflict):
    """An atomic batch that cannot be done. `results` contains the reason of each item."""

    def __init__(self, results: Sequence[ItemResult | None]) -> None:
        failed = len(results) - results.count(None)
        detail = f"Nothing was done: items that cannot be: {failed} of {len(results)}."
        super().__init__(Reason("batch_refused", detail))
        shown = [result or NOT_TRIED for result in results]
        self.members = {"results": [result.model_dump(mode="json") for result in shown]}


class NotTried(DomainError):
    status = HTTPStatus.FAILED_DEPENDENCY


async def do_batch(session: Session, user_id: int, batch: Batch) -> list[ItemResult]:
    """Do all items; if the batch is not atomic, do all that are possible.

    Creates come first: they lock the account, and its deletion also locks the account before its
    todos. Existing todos are locked before they are checked, so that nothing changes in between.
    """
    items = dict(enumerate(batch.items))
    if any(map(needs_lists, batch.items)):
        await lock_lists(session, user_id)
    refusals = await check_places(session, user_id, items)
    begun: dict[int, Columns] = {}
    refusals |= await recurring.begin_series(session, user_id, of_kind(items, CreateItem), begun)
    created = await create_todos(session, user_id, without(items, refusals), begun)
    locked = await lock_todos(session, user_id, items)
    found = trees_of(locked)
    refusals |= check_versions(items, locked)
    refusals |= check_blockers(without(items, refusals), found)
    refusals |= await check_trash(session, user_id, items)
    updates = of_kind(without(items, refusals), UpdateItem)
    refusals |= await recurring.begin_series(session, user_id, updates, begun)
    if not (refusals and batch.atomic):
        await change_todos(session, user_id, without(items, refusals), found, begun)
        refusals |= await do_one_by_one(session, user_id, without(items, refusals), found)
        await set_labels(session, user_id, without(items, refusals), created)
    if refusals and batch.atomic:
        raise await refused(session, user_id, items, refusals)
    await delete_todos(session, user_id, without(items, refusals))
    count_changes(without(items, refusals))
    todos = await select_results(session, user_id, items, created)
    return [
        result_of(item, refusals.get(index), todos.get(id_of(item, created.get(index))))
        for index, item in items.items()
    ]


def of_kind(items: Items, kind: type[ItemT]) -> dict[int, ItemT]:
    return {index: item for index, item in items.items() if isinstance(item, kind)}


def without(items: Items, refusals: Refusals) -> Items:
    return {index: item for index, item in items.items() if index not in refusals}


def needs_lists(item: Item) -> bool:
    """Whether places and labels of todos must not change while the batch is done."""
    if isinstance(item, CreateItem):
        return has_place(item) or bool(item.labels)
    if isinstance(item, UpdateItem):
        return item.completes() or item.new_labels() is not None
    return True


def has_place(item: CreateItem) -> bool:
    return any((item.project_id, item.section_id, item.parent_id))


def completing(items: Items) -> dict[int, CompleteItem | UpdateItem]:
    updates = of_kind(items, UpdateItem)
    return of_kind(items, CompleteItem) | {
        index: item for index, item in updates.items() if item.completes()
    }


def changes_something(item: UpdateItem) -> bool:
    return not item.model_fields_set.isdisjoint(TodoUpdate.model_fields)


async def check_places(session: Session, user_id: int, items: Items) -> dict[int, DomainError]:
    """Return which creates the database would refuse, and why."""
    creates = of_kind(items, CreateItem)
    placed = {index: item for index, item in creates.items() if has_place(item)}
    if not placed:
        return {}
    places = await queries.select_places(session, user_id, list(placed.values()))
    checked = {index: refusal_of_place(item, places) for index, item in placed.items()}
    return {index: refusal for index, refusal in checked.items() if refusal}


def refusal_of_place(item: CreateItem, places: queries.Places) -> DomainError | None:
    if item.parent_id is not None:
        level = places.levels.get(item.parent_id)
        if level is None:
            return NotFound(NO_PARENT)
        return Conflict(TODO_TOO_DEEP) if level >= LEVELS else None
    project_id = item.project_id
    if project_id is None and item.section_id is not None:
        project_id = places.sections.get(item.section_id)
        if project_id is None:
            return NotFound(NO_SECTION)
    if project_id not in places.projects:
        return NotFound(NO_PROJECT)
    if item.section_id is not None and places.sections.get(item.section_id) != project_id:
        return NotFound(NO_SECTION)
    return None


async def create_todos(
    session: Session, user_id: int, items: Items, begun: Mapping[int, Columns]
) -> Created:
    creates = of_kind(items, CreateItem)
    if not creates:
        return {}
    rows = await queries.insert_todos(
        session, user_id, [{**item.columns(), **begun[index]} for index, item in creates.items()]
    )
    return dict(zip(creates, rows, strict=True))


async def lock_todos(session: Session, user_id: int, items: Items) -> Sequence[LockedTodo]:
    """Lock the existing todos, and the open subtasks of those that are completed."""
    existing = of_kind(items, ExistingItem).values()
    if not existing:
        return []
    whole = [item.id for item in completing(items).values()]
    alone = [item.id for item in existing if item.id not in set(whole)]
    return await trees.lock_trees(session, user_id, whole, alone)


def trees_of(locked: Sequence[LockedTodo]) -> Trees:
    found: dict[int, list[LockedTodo]] = defaultdict(list)
    for todo in locked:
        for root_id in todo.roots:
            if root_id == todo.id or todo.state in OPEN:
                found[root_id].append(todo)
    return found


def check_versions(items: Items, locked: Sequence[LockedTodo]) -> dict[int, DomainError]:
    versions = {todo.id: todo.version for todo in locked}
    refusals: dict[int, DomainError] = {}
    for index, item in of_kind(items, ExistingItem).items():
        version = versions.get(item.id)
        if version is None:
            refusals[index] = NotFound(NO_TODO)
        elif item.version not in {None, version}:
            refusals[index] = Stale(etags.tag(version))
    return refusals


def check_blockers(items: Items, found: Trees) -> dict[int, DomainError]:
    """Return which todos cannot be completed. A blocker that is completed, too, does not block."""
    waiting = completing(items)
    refusals: dict[int, DomainError] = {}
    while True:
        done = {todo.id for item in waiting.values() for todo in found[item.id]}
        blocked = {
            index
            for index, item in waiting.items()
            if not item.force and trees.stays_blocked(found[item.id], done)
        }
        if not blocked:
            return refusals
        refusals |= {index: Conflict(todo_service.BLOCKED) for index in blocked}
        waiting = {index: item for index, item in waiting.items() if index not in blocked}


async def check_trash(session: Session, user_id: int, items: Items) -> dict[int, DomainError]:
    restores = of_kind(items, RestoreItem)
    if not restores:
        return {}
    wanted = [item.id for item in restores.values()]
    found = await queries.select_trash(session, user_id, wanted)
    return {
        index: NotFound(todo_service.NOT_IN_TRASH)
        for index, item in restores.items()
        if item.id not in found
    }


async def change_todos(
    session: Session, user_id: int, items: Items, found: Trees, begun: Mapping[int, Columns]
) -> None:
    """Update and complete todos in one statement, without what is done one by one."""
    waiting = completing(items)
    recurs = {item.id for item in waiting.values() if recurring.completes_occurrence(item, found)}
    completed = {
        todo.id: todo
        for item in waiting.values()
        if item.id not in recurs
        for todo in found[item.id]
    }
    patches: dict[int, dict[str, Any]] = {id_: {"state": TodoState.DONE} for id_ in completed}
    for index, item in of_kind(items, UpdateItem).items():
        if not changes_something(item) or recurring.changes_due(item, found):
            continue
        # A state that is given to a subtask comes before the completion of its parent.
        patches[item.id] = {**patches.get(item.id, {}), **item.columns(), **begun[index]}
        if item.id in recurs:
            del patches[item.id]["state"]
    if patches:
        await queries.update_todos(session, user_id, patches)
    await todo_recurring.end_series(session, user_id, list(completed.values()))


async def set_labels(session: Session, user_id: int, items: Items, created: Created) -> None:
    creates = of_kind(items, CreateItem)
    updates = of_kind(items, UpdateItem).values()
    labels: dict[int, Sequence[str]] = {
        created[index]["id"]: item.labels for index, item in creates.items() if item.labels
    }
    labels |= {item.id: names for item in updates if (names := item.new_labels()) is not None}
    if labels:
        await label_queries.set_labels(session, user_id, labels)


async def do_one_by_one(
    session: Session, user_id: int, items: Items, found: Trees
) -> dict[int, DomainError]:
    """Change todos that recur, restore todos, then move others.

    What cannot be done is undone alone, and returned.
    """
    refusals: dict[int, DomainError] = {}
    changed = of_kind(items, CompleteItem) | of_kind(items, UpdateItem)
    alone = {index: item for index, item in changed.items() if recurring.is_alone(item, found)}
    one_by_one = alone | of_kind(items, RestoreItem) | of_kind(items, MoveItem)
    for index, item in one_by_one.items():
        try:
            async with session.begin_nested():
                if isinstance(item, RestoreItem):
                    await todo_service.restore_tree(session, user_id, item.id)
                elif isinstance(item, CompleteItem | UpdateItem):
                    await recurring.change(session, user_id, item, found)
                else:
                    await ordering_service.move_todo(session, user_id, item.id, item, None)
        except (NotFound, Conflict, Invalid) as error:
            refusals[index] = error
    return refusals


async def delete_todos(session: Session, user_id: int, items: Items) -> None:
    if ids := [item.id for item in of_kind(items, DeleteItem).values()]:
        await trees.delete_trees(session, user_id, ids)


def count_changes(items: Items) -> None:
    updates = sum(map(changes_something, of_kind(items, UpdateItem).values()))
    metrics.CREATED.inc(len(of_kind(items, CreateItem)))
    metrics.UPDATED.inc(updates + len(of_kind(items, CompleteItem)))
    metrics.DELETED.inc(len(of_kind(items, DeleteItem)))
    metrics.RESTORED.inc(len(of_kind(items, RestoreItem)))


def id_of(item: Item, created: PreparedRow | None) -> int:
    """Return the id of a todo; 0 if it was not created."""
    if isinstance(item, CreateItem):
        return created["id"] if created else 0
    return item.id


async def select_results(
    session: Session, user_id: int, items: Items, created: Created
) -> Mapping[int, PreparedRow]:
    """Return the todos as they are now, by id."""
    if all(isinstance(item, CreateItem) and not item.labels for item in items.values()):
        return {todo["id"]: todo for todo in created.values()}
    ids = [id_of(item, created.get(index)) for index, item in items.items()]
    return await todo_queries.select_todos_by_id(session, user_id, ids)


async def refused(session: Session, user_id: int, items: Items, refusals: Refusals) -> BatchRefused:
    """Return the refusal of a batch, with the values of stale todos from before the batch."""
    stale = [items[index] for index, error in refusals.items() if isinstance(error, Stale)]
    todos: Mapping[int, PreparedRow] = {}
    if ids := [item.id for item in stale if not isinstance(item, CreateItem)]:
        await session.rollback()
        todos = await todo_queries.select_todos_by_id(session, user_id, ids)
    return BatchRefused(
        [
            result_of(item, refusals[index], todos.get(id_of(item, None)))
            if index in refusals
            else None
            for index, item in items.items()
        ]
    )


def result_of(item: Item, refusal: DomainError | None, todo: PreparedRow | None) -> ItemResult:
    if refusal:
        path = "/todos" if isinstance(item, CreateItem) else f"/todos/{item.id}"
        return problem_result(refusal, path, todo if isinstance(refusal, Stale) else None)
    status = HTTPStatus.CREATED if isinstance(item, CreateItem) else HTTPStatus.OK
    return ItemResult(status=status, todo=todo and TodoPublic.model_validate(todo))


def problem_result(
    error: DomainError, instance: str, todo: PreparedRow | None = None
) -> ItemResult:
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


NOT_TRIED = problem_result(NotTried("Another item of the batch cannot be done."), "/todos/batch")
REFUSED = BatchRefused([NOT_TRIED, None, None])
"""An example for the OpenAPI document."""
