"""Statements about single todos, and lists of them. Statements about trees are in `trees`."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Text,
    Time,
    any_,
    bindparam,
    case,
    cast,
    exists,
    func,
    insert,
    not_,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.types import TypeEngine

from fast_zero.core.database import AnyRow, Prepared, PreparedRow, Session, as_writer, prepare
from fast_zero.core.http.etags import Versions
from fast_zero.labels.queries import label_new_todo
from fast_zero.relations.queries import number_of_relations, relations_of
from fast_zero.todos.expressions import (
    ALL,
    COLUMNS,
    DONE,
    NEW,
    PRIORITY_TYPE,
    RECURS,
    STATE,
    UNRELATED,
    USER_ID,
    editable_by,
    has_subtasks,
    is_blocked,
    is_one_of,
    is_open,
    own_time_zone,
    todos,
    visible_to,
)
from fast_zero.todos.schemas import TodoCreate, TodoUpdate

STATEMENTS = 512
"""How many variants of a statement are kept, by the columns that are written."""

HAS_ID = todos.c.id == bindparam("todo_id", type_=BigInteger)
UNCHANGED = todos.c.version == any_(cast(bindparam("accepted"), ARRAY(BigInteger)))
TYPES: dict[str, TypeEngine[Any]] = {
    "project_id": BigInteger(),
    "section_id": BigInteger(),
    "parent_id": BigInteger(),
    "due_on": Date(),
    "due_at": DateTime(timezone=True),
    "starts_on": Date(),
    "deadline_on": Date(),
    "duration_minutes": Integer(),
    "recurrence_start": Date(),
    "recurrence_time": Time(),
    "recurrence_number": Integer(),
    "occurrence_on": Date(),
}
"""The types of the columns that are not text."""

CONVERTED: dict[str, TypeEngine[Any]] = {"priority": PRIORITY_TYPE, "reminders": JSONB()}
"""The types of the columns that are given as text."""
NO_VALUES: Mapping[str, Any] = MappingProxyType({})

SELECT = prepare(select(*ALL).where(visible_to(USER_ID), HAS_ID))
SELECT_MANY = prepare(
    select(*ALL).where(
        visible_to(USER_ID), todos.c.id == any_(cast(bindparam("ids"), ARRAY(BigInteger)))
    )
)

UNTIL = bindparam("until", type_=DateTime(timezone=True))
SNOOZE = prepare(
    update(todos)
    .where(editable_by(USER_ID), HAS_ID, is_open(todos))
    .values(snoozed_until=UNTIL, updated_at=func.now())
    .returning(*ALL)
)


def new_value(name: str) -> ColumnElement[Any]:
    """Return the new value of a column, as a parameter of the same name with `new_` before it."""
    value: BindParameter[Any] = bindparam(f"new_{name}", type_=TYPES.get(name, Text()))
    if name in CONVERTED:
        return cast(value, CONVERTED[name])
    if name == "time_zone":
        moment: BindParameter[Any] = bindparam("new_due_at", type_=TYPES["due_at"])
        return case((moment.is_not(None), func.coalesce(value, own_time_zone())))
    return value


def new_values(values: Mapping[str, Any]) -> dict[str, Any]:
    return {f"new_{name}": value for name, value in values.items()}


@lru_cache(STATEMENTS)
def insert_statement(columns: frozenset[str], *, labelled: bool) -> Prepared:
    """Create a todo, with its labels and those of them that do not exist yet."""
    values = {name: new_value(name) for name in sorted(columns)}
    created = insert(todos).values(owner_id=as_writer(USER_ID), **values)
    if not labelled:
        return prepare(created.returning(*NEW))
    todo = created.returning(*COLUMNS).cte("todo")
    given: BindParameter[Any] = bindparam("labels", type_=ARRAY(Text))
    carried = label_new_todo(todo, USER_ID, given)
    names = aggregate_order_by(carried.c.name, carried.c.name_key)
    labels = select(func.array_agg(names, type_=Text())).scalar_subquery()
    return prepare(select(*todo.c, labels.label("labels"), *UNRELATED))


@lru_cache(STATEMENTS)
def update_statement(
    fields: frozenset[str], *, conditional: bool, completes: bool = False
) -> Prepared:
    """Update a todo.

    A change that `completes` a todo with subtasks, or a blocked one, or one that recurs, finds no
    row: it needs several statements.
    """
    conditions = [editable_by(USER_ID), HAS_ID, *([UNCHANGED] if conditional else [])]
    if completes:
        conditions += [
            not_(RECURS),
            not_(has_subtasks()),
            or_(DONE == STATE, not_(is_blocked())),
        ]
    if not fields:
        return prepare(select(*ALL).where(*conditions))
    # Labels are in another table; a change of them is a change of the todo.
    changes = {name: new_value(name) for name in sorted(fields - {"labels"})}
    values = {"updated_at": func.now(), **changes}
    return prepare(update(todos).where(*conditions).values(values).returning(*ALL))


async def insert_todo(
    session: Session, user_id: int, new: TodoCreate, series: Mapping[str, Any] = NO_VALUES
) -> PreparedRow:
    """Insert a todo; `series` are the columns of its recurrence."""
    values = {**new.columns(), **series}
    statement = insert_statement(frozenset(values), labelled=bool(new.labels))
    given = {"labels": new.labels} if new.labels else {}
    parameters = {"user_id": user_id, **new_values(values), **given}
    [todo] = await session.fetch_all(statement, parameters)
    return todo


async def select_todo(session: Session, user_id: int, todo_id: int) -> PreparedRow | None:
    return await session.fetch_one(SELECT, {"user_id": user_id, "todo_id": todo_id})


async def select_todos_by_id(
    session: Session, user_id: int, todo_ids: Sequence[int]
) -> dict[int, PreparedRow]:
    found = await session.fetch_all(SELECT_MANY, {"user_id": user_id, "ids": list(todo_ids)})
    return {todo["id"]: todo for todo in found}


async def select_deleted_title(session: Session, user_id: int, todo_id: int) -> str | None:
    """Select the title of a todo in the trash. None: there is no such todo."""
    is_deleted = todos.c.deletion_id.is_not(None)
    statement = select(todos.c.title).where(todos.c.owner_id == user_id, is_deleted)
    title: str | None = await session.scalar(statement.where(todos.c.id == todo_id))
    return title


async def update_todo(
    session: Session, user_id: int, todo_id: int, change: TodoUpdate, accepted: Versions
) -> PreparedRow | None:
    """Update a todo. None: there is no such todo or version, or others have to be checked first."""
    values = change.columns()
    fields = values.keys() | (change.model_fields_set & {"labels"})
    statement = update_statement(
        frozenset(fields), conditional=accepted is not None, completes=change.completes()
    )
    parameters = {"user_id": user_id, "todo_id": todo_id, **new_values(values)}
    if accepted is not None:
        parameters["accepted"] = list(accepted)
    return await session.fetch_one(statement, parameters)


async def snooze_todo(
    session: Session, user_id: int, todo_id: int, until: datetime
) -> PreparedRow | None:
    """Remind of an open todo at a moment, instead of before. None: there is no such todo."""
    values = {"user_id": user_id, "todo_id": todo_id, "until": until}
    return await session.fetch_one(SNOOZE, values)


async def set_columns(
    session: Session, user_id: int, todo_id: int, values: Mapping[str, Any]
) -> PreparedRow:
    """Update a todo that the transaction has locked."""
    statement = update_statement(frozenset(values), conditional=False)
    [todo] = await session.fetch_all(
        statement, {"user_id": user_id, "todo_id": todo_id, **new_values(values)}
    )
    return todo


async def select_relations(session: Session, user_id: int, todo_id: int) -> Sequence[AnyRow]:
    """Select the relations between todos that are not in the trash, oldest first."""
    seen = relations_of(user_id, todo_id)
    own = todos.alias("own")
    is_visible = exists().where(
        own.c.owner_id == user_id, own.c.id == todo_id, own.c.deletion_id.is_(None)
    )
    statement = (
        select(seen.c.kind, todos.c.id.label("todo_id"), todos.c.title, STATE, seen.c.created_at)
        .join(todos, todos.c.id == seen.c.id)
        .where(visible_to(user_id), is_visible)
        .order_by(seen.c.created_at, todos.c.id, seen.c.kind)
    )
    return (await session.execute(statement)).all()


async def count_relations(
    session: Session, user_id: int, todo_ids: Sequence[int]
) -> dict[int, int]:
    """Count the relations of each todo that exists, including those to todos in the trash."""
    number = number_of_relations(user_id, todos.c.id)
    statement = select(todos.c.id, number.label("number"))
    statement = statement.where(editable_by(user_id), is_one_of(todo_ids))
    return {row.id: row.number for row in await session.execute(statement)}
