from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from fast_zero.todos.models import Todo
from fast_zero.todos.schemas import TodoCreate, TodoFilter, TodoUpdate

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
    session: AsyncSession, actor_id: int, todo_id: int, change: TodoUpdate
) -> Todo | None:
    values = change.model_dump()
    if not values:
        return await select_todo(session, actor_id, todo_id)
    statement = update(Todo).where(editable_by(actor_id), Todo.id == todo_id).values(values)
    return await session.scalar(statement.returning(Todo), execution_options=WRITE)


async def delete_todo(session: AsyncSession, actor_id: int, todo_id: int) -> bool:
    statement = delete(Todo).where(editable_by(actor_id), Todo.id == todo_id)
    return await session.scalar(statement.returning(Todo.id), execution_options=WRITE) is not None
