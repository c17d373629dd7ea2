"""Statements about relations alone. Which todos are visible is known in the room above."""

from typing import NamedTuple

from sqlalchemy import (
    CTE,
    ColumnElement,
    case,
    delete,
    func,
    literal,
    or_,
    select,
    union_all,
)
from sqlalchemy.dialects.postgresql import insert

from fast_zero.core.database import Session, as_writer
from fast_zero.relations.models import Relation, RelationKind
from fast_zero.relations.schemas import RelationView

relations = Relation.__table__


class Link(NamedTuple):
    """A relation as it is stored."""

    todo_id: int
    other_id: int
    kind: str


def link(view: RelationView, todo_id: int, other_id: int) -> Link:
    """Return how a relation is stored: `blocked_by` reversed, `relates_to` in the order of ids."""
    if view is RelationView.RELATES_TO:
        return Link(min(todo_id, other_id), max(todo_id, other_id), RelationKind.RELATES_TO.value)
    if view is RelationView.BLOCKED_BY:
        todo_id, other_id = other_id, todo_id
    return Link(todo_id, other_id, RelationKind.BLOCKS.value)


def visible_to(user_id: int) -> ColumnElement[bool]:
    return relations.c.owner_id == user_id


def editable_by(user_id: int) -> ColumnElement[bool]:
    return relations.c.owner_id == as_writer(user_id)


def relations_of(user_id: int, todo_id: int) -> CTE:
    """Select the relations of a todo as seen from it: the `kind`, and the id of the other todo."""
    reversed_kind = case(
        (relations.c.kind == RelationKind.BLOCKS.value, literal(RelationView.BLOCKED_BY.value)),
        else_=relations.c.kind,
    )
    own = select(relations.c.kind, relations.c.other_id.label("id"), relations.c.created_at)
    others = select(
        reversed_kind.label("kind"), relations.c.todo_id.label("id"), relations.c.created_at
    )
    return union_all(
        own.where(visible_to(user_id), relations.c.todo_id == todo_id),
        others.where(visible_to(user_id), relations.c.other_id == todo_id),
    ).cte("seen")


def number_of_relations(user_id: int, todo_id: ColumnElement[int]) -> ColumnElement[int]:
    is_in = or_(relations.c.todo_id == todo_id, relations.c.other_id == todo_id)
    statement = select(func.count()).select_from(relations).where(visible_to(user_id), is_in)
    return statement.scalar_subquery()


async def insert_relation(session: Session, user_id: int, new: Link) -> bool:
    """Store a relation. False: it exists already."""
    values = {"todo_id": new.todo_id, "other_id": new.other_id, "kind": new.kind}
    statement = insert(relations).values(owner_id=user_id, **values).on_conflict_do_nothing()
    return await session.scalar(statement.returning(relations.c.todo_id)) is not None


async def delete_relation(session: Session, user_id: int, gone: Link) -> bool:
    statement = delete(relations).where(
        editable_by(user_id),
        relations.c.todo_id == gone.todo_id,
        relations.c.other_id == gone.other_id,
        relations.c.kind == gone.kind,
    )
    return await session.scalar(statement.returning(relations.c.todo_id)) is not None
