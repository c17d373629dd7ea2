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

from fast_zero.core.etags import Versions, one_of
from fast_zero.todos.models import Todo
from fast_zero.todos.schemas import TodoCreate, TodoFilter, TodoUpdate, UpdateItem

CREATED = set(TodoCreate.model_fields)
CHANGED = set(TodoUpdate.model_fields)

# The session of a request holds nothing that a write could make stale, and to find that out
# costs SQLAlchemy more than to run the statement.
WRITE = {"synchronize_session": False}


def visible_to(actor_id: int) -> ColumnElement[bool]:
    return Todo.owner_id == actor_id


def editable_by(actor_id: int) -> ColumnElement[bool]:
    return Todo.owner_id == actor_id


async def insert_todo(session: AsyncSession, actor_id: int, new: TodoCreate) -> Todo:
    values = {"owner_id": actor_id, **new.model_dump()}
    return (await session.scalars(insert(Todo).values(values).returning(Todo))).one()


async def select_todos(session: AsyncSession, actor_id: int, wanted: TodoFilter) -> Sequence[Todo]:
    statement = select(Todo).where(visible_to(actor_id)).order_by(Todo.id)
    if wanted.after is not None:
        statement = statement.where(Todo.id > wanted.after)
    if wanted.state is not None:
        statement = statement.where(Todo.state == wanted.state)
    if wanted.title is not None:
        statement = statement.where(Todo.title.icontains(wanted.title, autoescape=True))
    if wanted.description is not None:
        statement = statement.where(Todo.description.icontains(wanted.description, autoescape=True))
    statement = statement.offset(wanted.offset or None).limit(wanted.limit + 1)
    return (await session.scalars(statement)).all()


async def select_todo(session: AsyncSession, actor_id: int, todo_id: int) -> Todo | None:
    return await session.scalar(select(Todo).where(visible_to(actor_id), Todo.id == todo_id))


async def update_todo(
    session: AsyncSession, actor_id: int, todo_id: int, change: TodoUpdate, accepted: Versions
) -> Todo | None:
    conditions = (editable_by(actor_id), Todo.id == todo_id, one_of(Todo.version, accepted))
    values = change.model_dump()
    if not values:
        return await session.scalar(select(Todo).where(*conditions))
    statement = update(Todo).where(*conditions).values(values)
    return await session.scalar(statement.returning(Todo), execution_options=WRITE)


async def delete_todo(
    session: AsyncSession, actor_id: int, todo_id: int, accepted: Versions
) -> bool:
    statement = delete(Todo).where(
        editable_by(actor_id), Todo.id == todo_id, one_of(Todo.version, accepted)
    )
    deleted = await session.scalar(statement.returning(Todo.id), execution_options=WRITE)
    return deleted is not None


async def insert_todos(
    session: AsyncSession, actor_id: int, new: Sequence[TodoCreate]
) -> Sequence[Todo]:
    """Insert all in one statement, and give them back in the order of `new`."""
    rows = [{"owner_id": actor_id, **todo.model_dump(include=CREATED)} for todo in new]
    statement = insert(Todo).returning(Todo, sort_by_parameter_order=True)
    return (await session.scalars(statement, rows)).all()


async def lock_todos(
    session: AsyncSession, actor_id: int, todo_ids: Sequence[int]
) -> Sequence[Todo]:
    """Lock in the order of ids, so that two batches cannot wait for one another."""
    statement = select(Todo).where(editable_by(actor_id), Todo.id.in_(todo_ids)).order_by(Todo.id)
    return (await session.scalars(statement.with_for_update())).all()


async def update_todos(
    session: AsyncSession, actor_id: int, changes: Sequence[UpdateItem]
) -> Sequence[Todo]:
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
            (
                item.c.patch.has_key(name),
                cast(item.c.patch[name].astext, Todo.__table__.c[name].type),
            ),
            else_=Todo.__table__.c[name],
        )
        for name in CHANGED
    }
    statement = update(Todo).where(editable_by(actor_id), Todo.id == item.c.id).values(merged)
    options = {"populate_existing": True, **WRITE}
    return (await session.scalars(statement.returning(Todo), execution_options=options)).all()


async def delete_todos(session: AsyncSession, actor_id: int, todo_ids: Sequence[int]) -> None:
    await session.execute(
        delete(Todo).where(editable_by(actor_id), Todo.id.in_(todo_ids)),
        execution_options=WRITE,
    )
