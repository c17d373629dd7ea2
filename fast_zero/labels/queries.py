"""Statements about labels, and about which todos carry them.

Whoever changes the labels of existing todos, or deletes labels, calls `lock_lists` first: these
lock todos and labels in different orders, and would deadlock.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Select,
    Text,
    and_,
    any_,
    column,
    delete,
    func,
    literal,
    not_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert

from fast_zero.core.database import AnyRow, Session, as_writer
from fast_zero.core.folding import folded
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.labels.models import Label, TodoLabel
from fast_zero.labels.schemas import LabelCreate, LabelUpdate

labels = Label.__table__
todo_labels = TodoLabel.__table__

COLUMNS = (
    labels.c.id,
    labels.c.name,
    labels.c.color,
    labels.c.created_at,
    labels.c.updated_at,
    labels.c.version,
)


def visible_to(user_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return labels.c.owner_id == user_id


def editable_by(user_id: int) -> ColumnElement[bool]:
    return labels.c.owner_id == as_writer(user_id)


async def insert_label(session: Session, user_id: int, new: LabelCreate) -> AnyRow:
    statement = insert(labels).values(owner_id=as_writer(user_id), **new.model_dump())
    return (await session.execute(statement.returning(*COLUMNS))).one()


async def select_labels(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    statement = keyset_page(select(*COLUMNS).where(visible_to(user_id)), labels.c.id, page)
    return (await session.execute(statement)).all()


async def select_label(session: Session, user_id: int, label_id: int) -> AnyRow | None:
    statement = select(*COLUMNS).where(visible_to(user_id), labels.c.id == label_id)
    return (await session.execute(statement)).one_or_none()


async def lock_labels(
    session: Session, user_id: int, label_ids: Sequence[int]
) -> dict[int, AnyRow]:
    """Lock labels, so that meanwhile nobody can change them or give them to a todo."""
    wanted = labels.c.id == any_(literal(list(label_ids), ARRAY(BigInteger)))
    statement = select(*COLUMNS).where(editable_by(user_id), wanted).order_by(labels.c.id)
    return {row.id: row for row in await session.execute(statement.with_for_update())}


async def update_label(
    session: Session, user_id: int, label_id: int, change: LabelUpdate, accepted: Versions
) -> AnyRow | None:
    conditions = (
        editable_by(user_id),
        labels.c.id == label_id,
        one_of(labels.c.version, accepted),
    )
    values = change.model_dump()
    if not values:
        return (await session.execute(select(*COLUMNS).where(*conditions))).one_or_none()
    statement = update(labels).where(*conditions).values(values).returning(*COLUMNS)
    return (await session.execute(statement)).one_or_none()


async def delete_label(
    session: Session, user_id: int, label_id: int, accepted: Versions = None
) -> bool:
    """Delete a label. A trigger increments the versions of the todos that carry it."""
    statement = delete(labels).where(
        editable_by(user_id), labels.c.id == label_id, one_of(labels.c.version, accepted)
    )
    return await session.scalar(statement.returning(labels.c.id)) is not None


async def copy_todos(session: Session, user_id: int, label_id: int, into: int) -> None:
    """Give a label to all todos that carry another one."""
    carrying = select(
        todo_labels.c.owner_id, todo_labels.c.todo_id, literal(into, BigInteger)
    ).where(todo_labels.c.owner_id == user_id, todo_labels.c.label_id == label_id)
    statement = insert(todo_labels).from_select(["owner_id", "todo_id", "label_id"], carrying)
    await session.execute(statement.on_conflict_do_nothing())


def find_or_create(user_id: ColumnElement[int], names: CTE) -> CTE:
    """Select labels by the `name` and `key` of each; create those that do not exist yet.

    Known labels are locked until the end of the transaction: one that is deleted or renamed
    meanwhile is created again. One that is created meanwhile is returned by the update, which
    changes nothing. Labels are created in the order of keys, so that two statements cannot
    deadlock.
    """
    columns = (labels.c.id, labels.c.name, labels.c.name_key)
    known = (
        select(*columns)
        .join(names, labels.c.name_key == names.c.key)
        .where(labels.c.owner_id == user_id)
        .with_for_update(read=True, key_share=True, of=labels)
        .cte("known")
    )
    missing = (
        select(user_id, names.c.name)
        .where(names.c.key.not_in(select(known.c.name_key)))
        .order_by(names.c.key)
    )
    created = (
        insert(labels)
        .from_select(["owner_id", "name"], missing, include_defaults=False)
        .on_conflict_do_update(
            index_elements=[labels.c.owner_id, labels.c.name_key], set_={"color": labels.c.color}
        )
        .returning(*columns)
        .cte("created")
    )
    return union_all(select(known), select(created)).cte("named")


def label_new_todo(todo: CTE, user_id: ColumnElement[int], names: BindParameter[Any]) -> CTE:
    """Give labels to the todo that the same statement creates, and select their names.

    The names are selected from the new todo, so that its triggers take their locks first, as
    `lock_lists` does.
    """
    wanted = (
        func.unnest(names)
        .table_valued(column("name", Text), with_ordinality="place", name="wanted")
        .render_derived()
    )
    key = folded(wanted.c.name)
    first = select(todo.c.id.label("todo_id"), wanted.c.name, key.label("key"))
    first = first.join_from(todo, wanted, true()).ext(distinct_on(key))
    named = find_or_create(user_id, first.order_by(key, wanted.c.place).cte("first"))
    pairs = select(user_id, todo.c.id, named.c.id).join_from(todo, named, true())
    added = insert(todo_labels).from_select(["owner_id", "todo_id", "label_id"], pairs)
    return select(named.c.name, named.c.name_key).add_cte(added.cte("added")).cte("carried")


async def set_labels(session: Session, user_id: int, names: Mapping[int, Sequence[str]]) -> None:
    """Give todos, whose ids are the keys, exactly these labels. Unknown labels are created.

    The caller has locked the lists and the todos: two changes of the same labels at once would be
    merged.
    """
    owner = literal(user_id, BigInteger)
    wanted = wanted_names(names)
    first = select(wanted.c.key, wanted.c.name).ext(distinct_on(wanted.c.key))
    named = find_or_create(owner, first.order_by(wanted.c.key, wanted.c.place).cte("first"))
    found = (
        select(wanted.c.todo_id, named.c.id.label("label_id"))
        .distinct()
        .where(named.c.name_key == wanted.c.key)
        .cte("found")
    )
    carried = and_(
        found.c.todo_id == todo_labels.c.todo_id, found.c.label_id == todo_labels.c.label_id
    )
    removed = delete(todo_labels).where(
        todo_labels.c.owner_id == user_id,
        todo_labels.c.todo_id == any_(literal(list(names), ARRAY(BigInteger))),
        not_(select(found.c.todo_id).where(carried).correlate(todo_labels).exists()),
    )
    added = insert(todo_labels).from_select(
        ["owner_id", "todo_id", "label_id"], select(owner, found.c.todo_id, found.c.label_id)
    )
    await session.execute(added.on_conflict_do_nothing().add_cte(removed.cte("removed")))


def wanted_names(names: Mapping[int, Sequence[str]]) -> CTE:
    """Select the wanted labels of todos. Of two spellings of a name, the first one counts."""
    rows = [
        {"todo_id": todo_id, "name": name, "place": place}
        for todo_id in names
        for place, name in enumerate(names[todo_id])
    ]
    given = (
        func.jsonb_to_recordset(literal(rows, JSONB))
        .table_valued(
            column("todo_id", BigInteger),
            column("name", Text),
            column("place", Integer),
            name="given",
        )
        .render_derived(with_types=True)
    )
    wanted: Select[*tuple[Any, ...]] = select(given, folded(given.c.name).label("key"))
    return wanted.cte("wanted")
