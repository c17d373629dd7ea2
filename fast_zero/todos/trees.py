"""Statements about todos together with their subtasks, for one todo or many.

Todos are locked in the order of ids, so that two of these statements cannot deadlock.
"""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    case,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import distinct_on

from fast_zero.core.database import Session
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.projects import queries as project_queries
from fast_zero.projects.models import Project
from fast_zero.todos.expressions import (
    DONE,
    RECURS,
    STATE,
    editable_by,
    is_one_of,
    is_open,
    open_blockers,
    todos,
)
from fast_zero.todos.models import TodoState
from fast_zero.todos.queries import new_value, new_values
from fast_zero.todos.schemas import TodoUpdate
from fast_zero.trash.models import Deletion, TrashKind

deletions = Deletion.__table__
projects = Project.__table__


def array_of(ids: Select[int]) -> ColumnElement[list[int]]:
    return func.array(ids.scalar_subquery(), type_=ARRAY(BigInteger))


def subtrees(user_id: int, todo_ids: Sequence[int], *conditions: ColumnElement[bool]) -> CTE:
    """Select the ids of todos and of all their subtasks, each with the root and the level."""
    root = select(todos.c.id, todos.c.id.label("root_id"), literal(0, Integer).label("level"))
    root = root.where(editable_by(user_id), is_one_of(todo_ids), *conditions)
    tree = root.cte("tree", recursive=True)
    subtask = todos.alias("subtask")
    below = select(subtask.c.id, tree.c.root_id, tree.c.level + 1).join(
        tree, subtask.c.parent_id == tree.c.id
    )
    below = below.where(subtask.c.owner_id == user_id, subtask.c.deletion_id.is_(None))
    return tree.union_all(below)


class LockedTodo(NamedTuple):
    """A todo with the open ones that block it, and the todos that it was locked for."""

    id: int
    version: int
    state: str
    recurs: bool
    blockers: Sequence[int]
    roots: Sequence[int]


async def lock_trees(
    session: Session, user_id: int, todo_ids: Sequence[int], alone: Sequence[int] = ()
) -> Sequence[LockedTodo]:
    """Lock todos and their open subtasks.

    Todos in `alone` are locked without their subtasks. The caller has locked the lists if there are
    subtasks. In two statements: joined, each todo could be compared with each one of a large tree.
    """
    roots: dict[int, list[int]] = {todo_id: [todo_id] for todo_id in alone}
    if todo_ids:
        tree = subtrees(user_id, todo_ids)
        for todo_id, root_id in await session.execute(select(tree.c.id, tree.c.root_id)):
            roots.setdefault(todo_id, []).append(root_id)
    blockers = array_of(open_blockers()).label("blockers")
    statement = (
        select(todos.c.id, todos.c.version, STATE, RECURS.label("recurs"), blockers)
        .where(
            editable_by(user_id),
            is_one_of(list(roots)),
            or_(is_one_of([*todo_ids, *alone]), is_open(todos)),
        )
        .order_by(todos.c.id)
        .with_for_update(of=todos)
    )
    return [
        LockedTodo(row.id, row.version, row.state, row.recurs, row.blockers, roots[row.id])
        for row in await session.execute(statement)
    ]


def root_of(tree: Sequence[LockedTodo], todo_id: int) -> LockedTodo:
    return next(todo for todo in tree if todo.id == todo_id)


def stays_blocked(tree: Sequence[LockedTodo], completed: set[int]) -> bool:
    """Whether one of the todos is blocked by a todo that is not completed together with it."""
    return any(
        todo.state != TodoState.DONE and not completed.issuperset(todo.blockers) for todo in tree
    )


async def complete_todos(session: Session, user_id: int, todo_ids: Sequence[int]) -> None:
    """Complete todos in one statement. Triggers announce them, but not subtasks among them."""
    statement = update(todos).where(editable_by(user_id), is_one_of(todo_ids))
    await session.execute(statement.values(state=DONE, updated_at=func.now()))


async def complete_and_change(
    session: Session, user_id: int, todo_ids: Sequence[int], todo_id: int, change: TodoUpdate
) -> None:
    """Complete todos in one statement that also changes other fields of one of them.

    In one, so that a trigger announces the todo as it is afterwards.
    """
    given = {name: value for name, value in change.columns().items() if name != "state"}
    values = {
        name: case((todos.c.id == todo_id, new_value(name)), else_=todos.c[name]) for name in given
    }
    statement = update(todos).where(editable_by(user_id), is_one_of(todo_ids))
    statement = statement.values(state=DONE, updated_at=func.now(), **values)
    await session.execute(statement, {"user_id": user_id, **new_values(given)})


async def delete_trees(
    session: Session, user_id: int, todo_ids: Sequence[int], accepted: Versions = None
) -> Sequence[int]:
    """Move todos into the trash, each with its subtasks; return the ids of those that were found.

    A subtask that is deleted together with its parent has a deletion of its own. The version is
    compared when the todo is locked, since it may have changed while this statement waited.
    """
    tree = subtrees(user_id, todo_ids)
    is_accepted = or_(not_(is_one_of(todo_ids)), one_of(todos.c.version, accepted))
    locked = (
        select(todos.c.id)
        .where(todos.c.owner_id == user_id, todos.c.id.in_(select(tree.c.id)), is_accepted)
        .order_by(todos.c.id)
        .with_for_update(of=todos)
        .cte("locked")
    )
    made = (
        insert(deletions)
        .from_select(
            ["owner_id", "kind", "item_id", "title"],
            select(
                literal(user_id, BigInteger),
                literal(TrashKind.TODO.value, Text),
                todos.c.id,
                todos.c.title,
            ).where(todos.c.id.in_(select(locked.c.id)), is_one_of(todo_ids)),
        )
        .returning(deletions.c.id, deletions.c.item_id)
        .cte("made")
    )
    nearest = (
        select(tree.c.id, tree.c.root_id)
        .join(locked, locked.c.id == tree.c.id)
        .ext(distinct_on(tree.c.id))
        .order_by(tree.c.id, tree.c.level)
        .subquery("nearest")
    )
    statement = (
        update(todos)
        .where(todos.c.owner_id == user_id, todos.c.id == nearest.c.id)
        .where(nearest.c.root_id == made.c.item_id)
        .values(deletion_id=made.c.id, updated_at=func.now())
        .returning(todos.c.id)
    )
    moved = set((await session.scalars(statement)).all())
    return [todo_id for todo_id in todo_ids if todo_id in moved]


async def restore_tree(
    session: Session, user_id: int, todo_id: int, deletion_id: int, *, whole: bool
) -> None:
    """Take a todo out of the trash with its subtasks; `whole`: with all of its deletion."""
    is_deleted = and_(todos.c.owner_id == user_id, todos.c.deletion_id == deletion_id)
    restored = select(todos.c.id).where(is_deleted)
    if not whole:
        root = select(todos.c.id).where(todos.c.owner_id == user_id, todos.c.id == todo_id)
        tree = root.cte("tree", recursive=True)
        subtask = todos.alias("subtask")
        below = select(subtask.c.id).join(tree, subtask.c.parent_id == tree.c.id)
        tree = tree.union_all(below.where(subtask.c.owner_id == user_id))
        restored = restored.where(todos.c.id.in_(select(tree.c.id)))
    locked = restored.order_by(todos.c.id).with_for_update(of=todos)
    # In two statements: joined, each todo could be compared with each one of a large tree.
    found = (await session.scalars(locked)).all()
    statement = update(todos).where(is_deleted, is_one_of(found))
    # Another todo may have its position by now.
    position = case((todos.c.id != todo_id, todos.c.position))
    await session.execute(
        statement.values(deletion_id=None, position=position, updated_at=func.now())
    )


async def place_restored_todo(session: Session, user_id: int, todo_id: int) -> None:
    """Move a restored todo to its parent or project, or to the inbox where one of them is gone."""
    parent = todos.alias("parent")
    there = (
        parent.c.owner_id == user_id,
        parent.c.id == todos.c.parent_id,
        parent.c.deletion_id.is_(None),
    )
    has_parent = select(parent.c.id).where(*there).correlate(todos).exists()
    has_project = exists().where(
        project_queries.visible_to(user_id), projects.c.id == todos.c.project_id
    )

    def place(name: str) -> ColumnElement[int | None]:
        of_parent = select(parent.c[name]).where(*there).correlate(todos).scalar_subquery()
        stays = and_(todos.c.parent_id.is_(None), has_project)
        return case((has_parent, of_parent), (stays, todos.c[name]))

    statement = update(todos).where(todos.c.owner_id == user_id, todos.c.id == todo_id)
    await session.execute(
        statement.values(
            parent_id=case((has_parent, todos.c.parent_id)),
            project_id=place("project_id"),
            section_id=place("section_id"),
        )
    )
