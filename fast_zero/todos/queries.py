from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Select,
    any_,
    bindparam,
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
from sqlalchemy.sql.selectable import TypedReturnsRows

from fast_zero.core.database import AnyRow, AnySession, Transaction
from fast_zero.core.etags import Versions, one_of
from fast_zero.todos.models import todos
from fast_zero.todos.schemas import TodoCreate, TodoFilter, TodoUpdate, UpdateItem

CREATED = set(TodoCreate.model_fields)
CHANGED = set(TodoUpdate.model_fields)

columns = todos.c


def visible_to(actor_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return columns.owner_id == actor_id


def editable_by(actor_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return columns.owner_id == actor_id


# Building a statement takes longer than sending it, so those that are sent most are built once
# for each set of filters, fields or conditions, and given their values when they are sent.
ACTOR: BindParameter[int] = bindparam("actor_id")
THIS_ONE = columns.id == bindparam("todo_id")
UNCHANGED = columns.version == any_(bindparam("accepted", type_=ARRAY(BigInteger)))
INSERT = insert(todos).returning(*columns)
SELECT = select(*columns).where(visible_to(ACTOR), THIS_ONE)
FILTERS = {
    "after": columns.id > bindparam("after"),
    "state": columns.state == bindparam("state"),
    "title": columns.title.ilike(bindparam("title")),
    "description": columns.description.ilike(bindparam("description")),
}


# What stands for other letters in a pattern of LIKE.
AS_ITSELF = str.maketrans({letter: f"\\{letter}" for letter in "\\%_"})


@cache
def listing(filters: frozenset[str]) -> Select[*tuple[Any, ...]]:
    wanted = [FILTERS[name] for name in sorted(filters)]
    statement = select(*columns).where(visible_to(ACTOR), *wanted).order_by(columns.id)
    return statement.offset(bindparam("offset")).limit(bindparam("limit"))


@cache
def updating(fields: frozenset[str], *, conditional: bool) -> TypedReturnsRows[*tuple[Any, ...]]:
    conditions = [editable_by(ACTOR), THIS_ONE, *([UNCHANGED] if conditional else [])]
    if not fields:
        return select(*columns).where(*conditions)
    statement = update(todos).where(*conditions)
    statement = statement.values({name: bindparam(f"new_{name}") for name in sorted(fields)})
    return statement.returning(*columns)


async def insert_todo(session: AnySession, actor_id: int, new: TodoCreate) -> AnyRow:
    return (await session.execute(INSERT, {"owner_id": actor_id, **new.model_dump()})).one()


async def select_todos(session: AnySession, actor_id: int, wanted: TodoFilter) -> Sequence[AnyRow]:
    given = {name: getattr(wanted, name) for name in FILTERS}
    values: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    statement = listing(frozenset(values))
    values |= {"actor_id": actor_id, "offset": wanted.offset, "limit": wanted.limit + 1}
    for name in ("title", "description"):
        if name in values:
            values[name] = f"%{values[name].translate(AS_ITSELF)}%"
    return (await session.execute(statement, values)).all()


async def select_todo(session: AnySession, actor_id: int, todo_id: int) -> AnyRow | None:
    found = await session.execute(SELECT, {"actor_id": actor_id, "todo_id": todo_id})
    return found.one_or_none()


async def update_todo(
    session: AnySession, actor_id: int, todo_id: int, change: TodoUpdate, accepted: Versions
) -> AnyRow | None:
    changes = change.model_dump()
    statement = updating(frozenset(changes), conditional=accepted is not None)
    values = {f"new_{name}": value for name, value in changes.items()}
    values |= {"actor_id": actor_id, "todo_id": todo_id}
    if accepted is not None:
        values["accepted"] = list(accepted)
    return (await session.execute(statement, values)).one_or_none()


async def delete_todo(session: AnySession, actor_id: int, todo_id: int, accepted: Versions) -> bool:
    conditions = (editable_by(actor_id), columns.id == todo_id, one_of(columns.version, accepted))
    statement = delete(todos).where(*conditions).returning(columns.id)
    return (await session.execute(statement)).first() is not None


async def insert_todos(
    session: Transaction, actor_id: int, new: Sequence[TodoCreate]
) -> Sequence[AnyRow]:
    """Insert all in one statement, and give them back in the order of `new`."""
    rows = [{"owner_id": actor_id, **todo.model_dump(include=CREATED)} for todo in new]
    statement = insert(todos).returning(*columns, sort_by_parameter_order=True)
    return (await session.execute(statement, rows)).all()


async def lock_todos(
    session: Transaction, actor_id: int, todo_ids: Sequence[int]
) -> Sequence[AnyRow]:
    """Lock in the order of ids, so that two batches cannot wait for one another."""
    statement = select(*columns).where(editable_by(actor_id), columns.id.in_(todo_ids))
    statement = statement.order_by(columns.id).with_for_update()
    return (await session.execute(statement)).all()


async def update_todos(
    session: Transaction, actor_id: int, changes: Sequence[UpdateItem]
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


async def delete_todos(session: Transaction, actor_id: int, todo_ids: Sequence[int]) -> None:
    await session.execute(delete(todos).where(editable_by(actor_id), columns.id.in_(todo_ids)))
