from collections.abc import Sequence

from fast_zero.core.database import AnyRow, PreparedRow, Session, lock_lists
from fast_zero.core.errors import Conflict, DomainError, Invalid, NotFound, Reason, Stale
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.labels import queries as label_queries
from fast_zero.relations import queries as relation_queries
from fast_zero.relations.models import (
    MAX_RELATIONS,
    NO_RELATION,
    NO_TODO,
    TOO_MANY_RELATIONS,
)
from fast_zero.relations.schemas import RelationView
from fast_zero.todos import metrics, queries, trees
from fast_zero.todos.models import Todo, TodoState
from fast_zero.todos.schemas import TodoCreate, TodoUpdate
from fast_zero.trash import queries as trash_queries
from fast_zero.trash.models import TrashKind

BLOCKED = Reason(
    "todo_blocked", "An open todo blocks it, or one of its subtasks. Complete that one first."
)
ITSELF = "A todo cannot be related to itself."
NOT_IN_TRASH = Reason("todo_not_in_trash", "There is no such todo in the trash.")


async def create_todo(session: Session, user_id: int, new: TodoCreate) -> PreparedRow:
    todo = await queries.insert_todo(session, user_id, new)
    metrics.CREATED.inc()
    return todo


async def read_todo(session: Session, user_id: int, todo_id: int) -> PreparedRow:
    todo = await queries.select_todo(session, user_id, todo_id)
    if todo is None:
        raise NotFound(NO_TODO)
    return todo


async def update_todo(
    session: Session, user_id: int, todo_id: int, change: TodoUpdate, accepted: Versions
) -> PreparedRow:
    labels = change.new_labels()
    if labels is not None:
        await lock_lists(session, user_id)
    todo = await queries.update_todo(session, user_id, todo_id, change, accepted)
    if todo is None and change.completes():
        tree = await lock_tree(session, user_id, todo_id, accepted)
        await trees.complete_and_change(session, user_id, tree, todo_id, change)
        todo = await read_todo(session, user_id, todo_id)
    if todo is None:
        raise await refusal(session, user_id, todo_id, accepted)
    if labels is not None:
        await label_queries.set_labels(session, user_id, {todo_id: labels})
        todo = await read_todo(session, user_id, todo_id)
    metrics.UPDATED.inc()
    return todo


async def complete_todo(
    session: Session, user_id: int, todo_id: int, accepted: Versions, *, force: bool
) -> PreparedRow:
    """Complete a todo and its open subtasks. `force`: also if an open todo blocks one of them."""
    change = TodoUpdate(state=TodoState.DONE)
    todo = await queries.update_todo(session, user_id, todo_id, change, accepted)
    if todo is None:
        tree = await lock_tree(session, user_id, todo_id, accepted, force=force)
        await trees.complete_todos(session, user_id, tree)
        todo = await read_todo(session, user_id, todo_id)
    metrics.UPDATED.inc()
    return todo


async def lock_tree(
    session: Session,
    user_id: int,
    todo_id: int,
    accepted: Versions,
    *,
    force: bool = False,
) -> Sequence[int]:
    """Lock a todo that can be completed, and its open subtasks; return the ids of all.

    Raises NotFound, Stale or Conflict, in this order. The lists are locked, so that no subtask is
    created meanwhile.
    """
    await lock_lists(session, user_id)
    tree = await trees.lock_trees(session, user_id, [todo_id])
    root = next((todo for todo in tree if todo.id == todo_id), None)
    if root is None:
        raise NotFound(NO_TODO)
    if accepted is not None and root.version not in accepted:
        raise Stale(etags.tag(root.version))
    if not force and trees.stays_blocked(tree, {todo.id for todo in tree}):
        raise Conflict(BLOCKED)
    return [todo.id for todo in tree]


async def list_relations(session: Session, user_id: int, todo_id: int) -> Sequence[AnyRow]:
    relations = await queries.select_relations(session, user_id, todo_id)
    if not relations:
        await read_todo(session, user_id, todo_id)
    return relations


async def relate_todos(
    session: Session, user_id: int, todo_id: int, kind: RelationView, other_id: int
) -> None:
    """Relate two todos. Idempotent. The lists are locked, so that neither is deleted meanwhile."""
    if todo_id == other_id:
        raise Invalid(ITSELF, "other_id", "path")
    await lock_lists(session, user_id)
    counts = await queries.count_relations(session, user_id, [todo_id, other_id])
    if counts.keys() != {todo_id, other_id}:
        raise NotFound(NO_TODO)
    new = relation_queries.link(kind, todo_id, other_id)
    is_new = await relation_queries.insert_relation(session, user_id, new)
    if is_new and max(counts.values()) >= MAX_RELATIONS:
        raise Conflict(TOO_MANY_RELATIONS)


async def unrelate_todos(
    session: Session, user_id: int, todo_id: int, kind: RelationView, other_id: int
) -> None:
    if todo_id == other_id:
        raise Invalid(ITSELF, "other_id", "path")
    counts = await queries.count_relations(session, user_id, [todo_id, other_id])
    if counts.keys() != {todo_id, other_id}:
        raise NotFound(NO_TODO)
    gone = relation_queries.link(kind, todo_id, other_id)
    if not await relation_queries.delete_relation(session, user_id, gone):
        raise NotFound(NO_RELATION)


async def delete_todo(session: Session, user_id: int, todo_id: int, accepted: Versions) -> None:
    """Move a todo and its subtasks into the trash."""
    await lock_lists(session, user_id)
    if not await trees.delete_trees(session, user_id, [todo_id], accepted):
        raise await refusal(session, user_id, todo_id, accepted)
    metrics.DELETED.inc()


async def restore_todo(session: Session, user_id: int, todo_id: int) -> PreparedRow:
    await lock_lists(session, user_id)
    await restore_tree(session, user_id, todo_id)
    metrics.RESTORED.inc()
    return await read_todo(session, user_id, todo_id)


async def restore_tree(session: Session, user_id: int, todo_id: int) -> None:
    """Take a todo out of the trash, with what was deleted with it. The caller has locked the lists.

    It goes into the inbox if its project or its parent is gone.
    """
    deletion = await trash_queries.lock_deletion(session, user_id, Todo.__table__, todo_id)
    if deletion is None:
        raise NotFound(NOT_IN_TRASH)
    whole = deletion.kind == TrashKind.TODO and deletion.item_id == todo_id
    await trees.restore_tree(session, user_id, todo_id, deletion.id, whole=whole)
    await trees.place_restored_todo(session, user_id, todo_id)
    if whole:
        await trash_queries.delete_deletion(session, user_id, deletion.id)


async def refusal(session: Session, user_id: int, todo_id: int, accepted: Versions) -> DomainError:
    """Return why a write found no row. Without a condition, the todo does not exist."""
    todo = None if accepted is None else await queries.select_todo(session, user_id, todo_id)
    return etags.refusal(NotFound(NO_TODO), None if todo is None else todo["version"])
