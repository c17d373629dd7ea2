from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.ext.asyncio import AsyncSession

from fast_zero.core.database import AnyRow, AnySession
from fast_zero.core.etags import Versions, one_of
from fast_zero.todos.models import Todo
from fast_zero.todos.schemas import TodoCreate, TodoFilter, TodoUpdate, UpdateItem

CREATED = set(TodoCreate.model_fields)
CHANGED = set(TodoUpdate.model_fields)

todos = Todo.__table__
columns = todos.c


def visible_to(actor_id: int) -> ColumnElement[bool]:
    return columns.owner_id == actor_id


def editable_by(actor_id: int) -> ColumnElement[bool]:
    return columns.owner_id == actor_id


async def insert_todo(session: AnySession, actor_id: int, new: TodoCreate) -> AnyRow:
    values = {"owner_id": actor_id, **new.model_dump()}
    return (await session.execute(insert(todos).values(values).returning(*columns))).one()


async def select_todos(session: AnySession, actor_id: int, wanted: TodoFilter) -> Sequence[AnyRow]:
    statement = select(*columns).where(visible_to(actor_id)).order_by(columns.id)
    if wanted.after is not None:
        statement = statement.where(columns.id > wanted.after)
    if wanted.state is not None:
        statement = statement.where(columns.state == wanted.state)
    if wanted.title is not None:
        statement = statement.where(columns.title.icontains(wanted.title, autoescape=True))
    if wanted.description is not None:
        contains = columns.description.icontains(wanted.description, autoescape=True)
        statement = statement.where(contains)
    statement = statement.offset(wanted.offset or None).limit(wanted.limit + 1)
    return (await session.execute(statement)).all()


async def select_todo(session: AnySession, actor_id: int, todo_id: int) -> AnyRow | None:
    statement = select(*columns).where(visible_to(actor_id), columns.id == todo_id)
    return (await session.execute(statement)).one_or_none()


async def update_todo(
    session: AnySession, actor_id: int, todo_id: int, change: TodoUpdate, accepted: Versions
) -> AnyRow | None:
    conditions = (editable_by(actor_id), columns.id == todo_id, one_of(columns.version, accepted))
    values = change.model_dump()
    if not values:
        return (await session.execute(select(*columns).where(*conditions))).one_or_none()
    statement = update(todos).where(*conditions).values(values).returning(*columns)
    return (await session.execute(statement)).one_or_none()


async def delete_todo(session: AnySession, actor_id: int, todo_id: int, accepted: Versions) -> bool:
    conditions = (editable_by(actor_id), columns.id == todo_id, one_of(columns.version, accepted))
    statement = delete(todos).where(*conditions).returning(columns.id)
    return (await session.execute(statement)).first() is not None


async def insert_todos(
    session: AsyncSession, actor_id: int, new: Sequence[TodoCreate]
) -> Sequence[AnyRow]:
    """Insert all in one statement, and give them back in the order of `new`."""
    rows = [{"owner_id": actor_id, **todo.model_dump(include=CREATED)} for todo in new]
    statement = insert(todos).returning(*columns, sort_by_parameter_order=True)
    return (await session.execute(statement, rows)).all()


async def lock_todos(
    session: AsyncSession, actor_id: int, todo_ids: Sequence[int]
) -> Sequence[AnyRow]:
    """Lock in the order of ids, so that two batches cannot wait for one another."""
    statement = select(*columns).where(editable_by(actor_id), columns.id.in_(todo_ids))
    statement = statement.order_by(columns.id).with_for_update()
    return (await session.execute(statement)).all()


async def update_todos(
    session: AsyncSession, actor_id: int, changes: Sequence[UpdateItem]
) -> Sequence[AnyRow]:
    """Merge each change into its todo: a field that was not sent stays as it is."""
    rows = [
        {"id": change.id, "patch": change.model_dump(mode="json", include=CHANGED)}
        for change in changes
    ]
    item = (
        func.jsonb_to_recordset(literal(rows, JSONB))
        .table_valued(column("id", BigInteger), column("patch", JSONB), name="item")
        .render_derived(with_types=True)
    )
    merged = {
        name: case(
            (item.c.patch.has_key(name), cast(item.c.patch[name].astext, columns[name].type)),
            else_=columns[name],
        )
        for name in CHANGED
    }
    statement = update(todos).where(editable_by(actor_id), columns.id == item.c.id).values(merged)
    return (await session.execute(statement.returning(*columns))).all()


async def delete_todos(session: AsyncSession, actor_id: int, todo_ids: Sequence[int]) -> None:
    await session.execute(delete(todos).where(editable_by(actor_id), columns.id.in_(todo_ids)))
