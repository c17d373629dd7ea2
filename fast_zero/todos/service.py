from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

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
from fast_zero.todos import ledger, metrics, queries, recurring, trees
from fast_zero.todos.models import OccurrenceStatus, Todo, TodoState
from fast_zero.todos.schemas import TodoCreate, TodoUpdate
from fast_zero.todos.trees import LockedTodo
from fast_zero.trash import queries as trash_queries
from fast_zero.trash.models import TrashKind

BLOCKED = Reason(
    "todo_blocked", "An open todo blocks it, or one of its subtasks. Complete that one first."
)
ITSELF = "A todo cannot be related to itself."
NOT_IN_TRASH = Reason("todo_not_in_trash", "There is no such todo in the trash.")


@dataclass(frozen=True)
class Completion:
    """What completes a todo. `force`: also if an open todo blocks it, or one of its subtasks."""

    accepted: Versions = None
    occurrence: date | None = None
    force: bool = False


async def create_todo(
    session: Session, user_id: int, new: TodoCreate, *, zone: str | None = None
) -> PreparedRow:
    """Create a todo. `zone` is the time zone of the account, if it is known already."""
    begun = await recurring.begin_new(session, user_id, new, zone)
    todo = await queries.insert_todo(session, user_id, new, begun)
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
    labels, begins = change.new_labels(), change.new_recurrence() is not None
    if labels is not None or begins:
        await lock_lists(session, user_id)
    todo = None
    if not begins:
        todo = await queries.update_todo(session, user_id, todo_id, change, accepted)
    if todo is None and (begins or change.completes()):
        await lock_lists(session, user_id)
        force = not change.completes()
        tree = await lock_tree(session, user_id, todo_id, accepted, force=force)
        await change_in_steps(session, user_id, todo_id, tree, change)
        todo = await read_todo(session, user_id, todo_id)
    if todo is None:
        raise await refusal(session, user_id, todo_id, accepted)
    if labels is not None:
        await label_queries.set_labels(session, user_id, {todo_id: labels})
        todo = await read_todo(session, user_id, todo_id)
    metrics.UPDATED.inc()
    return todo


async def change_in_steps(
    session: Session, user_id: int, todo_id: int, tree: Sequence[LockedTodo], change: TodoUpdate
) -> None:
    """Change a todo in more than one statement: it is completed, or its recurrence begins."""
    begun = await recurring.begin_again(session, user_id, todo_id, change)
    if not begun and not (trees.root_of(tree, todo_id).recurs and not change.ends_recurrence()):
        ids = [todo.id for todo in tree]
        await trees.complete_and_change(session, user_id, ids, todo_id, change)
        await recurring.end_series(session, user_id, tree)
        return
    values = change.columns() | begun
    if change.completes():
        del values["state"]
    if values:
        await queries.set_columns(session, user_id, todo_id, values)
    if change.completes():
        await recurring.complete_occurrence(session, user_id, todo_id, tree)


async def complete_todo(
    session: Session, user_id: int, todo_id: int, wanted: Completion
) -> tuple[PreparedRow, date | None]:
    """Complete a todo and its open subtasks or, if it recurs, an occurrence; return its day, too.

    An occurrence that is done already changes nothing.
    """
    named = wanted.occurrence
    if named is None:
        change = TodoUpdate(state=TodoState.DONE)
        todo = await queries.update_todo(session, user_id, todo_id, change, wanted.accepted)
        if todo is not None:
            metrics.UPDATED.inc()
            return todo, None
    seen = await ledger.lock_lists(session, user_id, todo_id)
    meant = named or (seen if wanted.accepted is None else None)
    done = OccurrenceStatus.DONE
    if meant and await ledger.is_over(session, user_id, todo_id, meant, done):
        return await read_todo(session, user_id, todo_id), meant
    tree = await lock_tree(session, user_id, todo_id, wanted.accepted, force=wanted.force)
    day = None
    if trees.root_of(tree, todo_id).recurs:
        day = await recurring.complete_occurrence(session, user_id, todo_id, tree, named)
    elif named:
        raise Conflict(recurring.NOT_CURRENT)
    else:
        await recurring.complete_tree(session, user_id, tree)
    metrics.UPDATED.inc()
    return await read_todo(session, user_id, todo_id), day


async def lock_tree(
    session: Session,
    user_id: int,
    todo_id: int,
    accepted: Versions,
    *,
    force: bool = False,
) -> Sequence[LockedTodo]:
    """Lock a todo that can be completed, and its open subtasks; return all.

    Raises NotFound, Stale or Conflict, in this order. The caller has locked the lists, so that no
    subtask is created meanwhile.
    """
    tree = await trees.lock_trees(session, user_id, [todo_id])
    root = next((todo for todo in tree if todo.id == todo_id), None)
    if root is None:
        raise NotFound(NO_TODO)
    if accepted is not None and root.version not in accepted:
        raise Stale(etags.tag(root.version))
    if not force and trees.stays_blocked(tree, {todo.id for todo in tree}):
        raise Conflict(BLOCKED)
    return tree


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
