from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Integer,
    Text,
    any_,
    bindparam,
    case,
    cast,
    column,
    delete,
    func,
    insert,
    literal,
    literal_column,
    select,
    type_coerce,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.database import Prepared, PreparedRow, Session, prepare
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.todos.models import Todo
from fast_zero.todos.schemas import TodoCreate, TodoFilter, TodoUpdate, UpdateItem

CREATED = set(TodoCreate.model_fields)
CHANGED = set(TodoUpdate.model_fields)
REFRESH = {"populate_existing": True}

todos = Todo.__table__


def visible_to(user_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return todos.c.owner_id == user_id


def editable_by(user_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return todos.c.owner_id == user_id


STATE = type_coerce(todos.c.state, Text).label("state")
"""The state as text, since a prepared statement does not convert to enum members."""

COLUMNS = [STATE if column is todos.c.state else column for column in todos.c]
USER_ID: BindParameter[int] = bindparam("user_id", type_=BigInteger)
HAS_ID = todos.c.id == bindparam("todo_id", type_=BigInteger)
UNCHANGED = todos.c.version == any_(cast(bindparam("accepted"), ARRAY(BigInteger)))
# Literals: the bound parameters of a prepared statement are given when it is executed.
DECOMPOSED: ColumnElement[str] = literal_column("NFD")
ACCENTS: ColumnElement[str] = literal_column(r"'[\u0300-\u036f]'")
EMPTY: ColumnElement[str] = literal_column("''")
GLOBAL: ColumnElement[str] = literal_column("'g'")
NOT_FOUND: ColumnElement[int] = literal_column("0")


def folded(text: ColumnElement[str]) -> ColumnElement[str]:
    """Remove case and accents, without a PostgreSQL extension.

    ASCII text has no accents; removing them all the same would cost five times as much.
    """
    lower = func.lower(text)
    bare = func.regexp_replace(func.normalize(lower, DECOMPOSED), ACCENTS, EMPTY, GLOBAL)
    return case((func.octet_length(text) == func.char_length(text), lower), else_=bare)


def containing(name: str) -> ColumnElement[bool]:
    """Whether a column contains a text. As a subquery, the text is not folded again for each row.

    With LIKE, the planner would expect few rows, and sort all rows of the owner first.
    """
    wanted = select(folded(bindparam(name, type_=Text))).scalar_subquery()
    return func.strpos(folded(todos.c[name]), wanted) > NOT_FOUND


FILTERS = {
    "after": todos.c.id > bindparam("after", type_=BigInteger),
    "state": bindparam("state", type_=Text) == STATE,
    "states": any_(cast(bindparam("states"), ARRAY(Text))) == STATE,
    "title": containing("title"),
    "description": containing("description"),
}
NEW = {name: bindparam(name, type_=Text) for name in sorted(CREATED)}
INSERT = prepare(insert(todos).values(owner_id=USER_ID, **NEW).returning(*COLUMNS))
SELECT = prepare(select(*COLUMNS).where(visible_to(USER_ID), HAS_ID))


@cache
def list_statement(filters: frozenset[str]) -> Prepared:
    wanted = [FILTERS[name] for name in sorted(filters)]
    statement = select(*COLUMNS).where(visible_to(USER_ID), *wanted).order_by(todos.c.id)
    offset, limit = bindparam("offset", type_=BigInteger), bindparam("limit", type_=Integer)
    return prepare(statement.offset(offset).limit(limit))


@cache
def update_statement(fields: frozenset[str], *, conditional: bool) -> Prepared:
    conditions = [editable_by(USER_ID), HAS_ID, *([UNCHANGED] if conditional else [])]
    if not fields:
        return prepare(select(*COLUMNS).where(*conditions))
    statement = update(todos).where(*conditions)
    changes = {name: bindparam(f"new_{name}", type_=Text) for name in sorted(fields)}
    return prepare(statement.values(changes).returning(*COLUMNS))


async def insert_todo(session: Session, user_id: int, new: TodoCreate) -> PreparedRow:
    [todo] = await session.fetch_all(INSERT, {"user_id": user_id, **new.model_dump()})
    return todo


async def select_todos(session: Session, user_id: int, wanted: TodoFilter) -> Sequence[PreparedRow]:
    states = sorted({state.value for state in wanted.state or ()})
    given = {
        "after": wanted.after,
        "title": wanted.title,
        "description": wanted.description,
        # With one state alone, an index returns the rows in the order of ids.
        "state": states[0] if len(states) == 1 else None,
        "states": states if len(states) > 1 else None,
    }
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    statement = list_statement(frozenset(values))
    values |= {"user_id": user_id, "offset": wanted.offset, "limit": wanted.limit + 1}
    return await session.fetch_all(statement, values)


async def select_todo(session: Session, user_id: int, todo_id: int) -> PreparedRow | None:
    return await session.fetch_one(SELECT, {"user_id": user_id, "todo_id": todo_id})


async def update_todo(
    session: Session, user_id: int, todo_id: int, change: TodoUpdate, accepted: Versions
) -> PreparedRow | None:
    changes = change.model_dump()
    statement = update_statement(frozenset(changes), conditional=accepted is not None)
    values = {f"new_{name}": value for name, value in changes.items()}
    values |= {"user_id": user_id, "todo_id": todo_id}
    if accepted is not None:
        values["accepted"] = list(accepted)
    return await session.fetch_one(statement, values)


async def delete_todo(session: Session, user_id: int, todo_id: int, accepted: Versions) -> bool:
    conditions = (editable_by(user_id), Todo.id == todo_id, one_of(Todo.version, accepted))
    statement = delete(Todo).where(*conditions).returning(Todo.id)
    return (await session.execute(statement)).first() is not None


async def insert_todos(session: Session, user_id: int, new: Sequence[TodoCreate]) -> Sequence[Todo]:
    """Insert all in one statement, and return them in the order of `new`."""
    rows = [{"owner_id": user_id, **todo.model_dump(include=CREATED)} for todo in new]
    statement = insert(Todo).returning(Todo, sort_by_parameter_order=True)
    return (await session.scalars(statement, rows)).all()


async def lock_todos(session: Session, user_id: int, todo_ids: Sequence[int]) -> Sequence[Todo]:
    """Lock in the order of ids, so that two batches cannot deadlock."""
    statement = select(Todo).where(editable_by(user_id), Todo.id.in_(todo_ids))
    return (await session.scalars(statement.order_by(Todo.id).with_for_update())).all()


async def update_todos(
    session: Session, user_id: int, changes: Sequence[UpdateItem]
) -> Sequence[Todo]:
    """Merge each change into its todo: fields that were not sent stay as they are."""
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
            (item.c.patch.has_key(name), cast(item.c.patch[name].astext, todos.c[name].type)),
            else_=todos.c[name],
        )
        for name in CHANGED
    }
    statement = update(Todo).where(editable_by(user_id), Todo.id == item.c.id).values(merged)
    changed = await session.scalars(statement.returning(Todo), execution_options=REFRESH)
    return changed.all()


async def delete_todos(session: Session, user_id: int, todo_ids: Sequence[int]) -> None:
    await session.execute(delete(Todo).where(editable_by(user_id), Todo.id.in_(todo_ids)))
