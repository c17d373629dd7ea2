"""The columns, filters and sort keys of todos, which all statements about todos share."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    BindParameter,
    Boolean,
    ColumnElement,
    Date,
    DateTime,
    FromClause,
    Integer,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    cast,
    func,
    literal,
    literal_column,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from fast_zero.core.database import as_writer
from fast_zero.core.positions import position_of
from fast_zero.identity.models import User
from fast_zero.labels.models import Label, TodoLabel
from fast_zero.relations.models import Relation, RelationKind
from fast_zero.todos.models import OPEN, Todo, TodoState

todos = Todo.__table__
labels = Label.__table__
todo_labels = TodoLabel.__table__
relations = Relation.__table__
users = User.__table__

USER_ID: BindParameter[int] = bindparam("user_id", type_=BigInteger)
OPEN_STATES = [literal_column(f"'{state.value}'", Text) for state in OPEN]
DONE = literal_column(f"'{TodoState.DONE.value}'", Text)
BLOCKS = literal_column(f"'{RelationKind.BLOCKS.value}'", Text)
PRIORITY_TYPE = todos.c.priority.type
# Literals: the bound parameters of a prepared statement are given when it is executed.
# psycopg returns an array as a list. As text for SQLAlchemy, it is passed on unchanged.
NO_LABELS: ColumnElement[str] = literal_column("'{}'::text[]", Text)
NO: ColumnElement[bool] = literal_column("false", Boolean)
NONE: ColumnElement[int] = literal_column("0", Integer)


def visible_to(user_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return and_(todos.c.owner_id == user_id, todos.c.deletion_id.is_(None))


def editable_by(user_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return and_(todos.c.owner_id == as_writer(user_id), todos.c.deletion_id.is_(None))


def is_one_of(todo_ids: Sequence[int]) -> ColumnElement[bool]:
    return todos.c.id == any_(literal(list(todo_ids), ARRAY(BigInteger)))


def is_open(todo: FromClause) -> ColumnElement[bool]:
    return type_coerce(todo.c.state, Text).in_(OPEN_STATES)


STATE = type_coerce(todos.c.state, Text).label("state")
"""The state as text, since a prepared statement does not convert to enum members."""

POSITION = position_of(todos.c.position, todos.c.id)
HIDDEN = {
    "owner_id",
    "deletion_id",
    "recurrence_rule",
    "recurrence_from",
    "recurrence_start",
    "recurrence_time",
    "recurrence_number",
    "search",
    "external_key",
}
REPLACED: dict[str, ColumnElement[Any]] = {
    "state": STATE,
    "priority": type_coerce(todos.c.priority, Text).label("priority"),
    "position": POSITION.label("position"),
}
RECURS = todos.c.recurrence_rule.is_not(None)
RECURRENCE = case(
    (
        RECURS,
        func.jsonb_build_object(
            literal_column("'rule'"),
            todos.c.recurrence_rule,
            literal_column("'from'"),
            todos.c.recurrence_from,
            type_=JSONB,
        ),
    )
).label("recurrence")
COLUMNS: list[ColumnElement[Any]] = [
    *(REPLACED.get(column.name, column) for column in todos.c if column.name not in HIDDEN),
    RECURRENCE,
]


IS_CARRIED = and_(
    labels.c.owner_id == todo_labels.c.owner_id, labels.c.id == todo_labels.c.label_id
)


def label_names() -> ColumnElement[str]:
    names = aggregate_order_by(labels.c.name, labels.c.name_key)
    return func.coalesce(
        select(func.array_agg(names, type_=Text()))
        .select_from(todo_labels)
        .join(labels, IS_CARRIED)
        .where(todo_labels.c.owner_id == todos.c.owner_id, todo_labels.c.todo_id == todos.c.id)
        .correlate(todos)
        .scalar_subquery(),
        NO_LABELS,
        type_=Text(),
    )


def open_blockers() -> Select[int]:
    """Select the ids of the open todos that block a todo."""
    blocker = todos.alias("blocker")
    is_blocker = and_(
        blocker.c.owner_id == relations.c.owner_id, blocker.c.id == relations.c.todo_id
    )
    return (
        select(blocker.c.id)
        .join_from(relations, blocker, is_blocker)
        .where(
            relations.c.owner_id == todos.c.owner_id,
            relations.c.other_id == todos.c.id,
            relations.c.kind == BLOCKS,
            blocker.c.deletion_id.is_(None),
            is_open(blocker),
        )
        .correlate(todos)
    )


def is_blocked() -> ColumnElement[bool]:
    # With OFFSET, the planner looks up the blockers of each todo. Without it, it would rather hash
    # those of all owners, if this one has much of all that there is.
    return open_blockers().offset(NONE).exists()


def count_subtasks(*, only_open: bool) -> ColumnElement[int]:
    subtask = todos.alias("subtask")
    statement = select(func.count()).where(
        subtask.c.owner_id == todos.c.owner_id,
        subtask.c.parent_id == todos.c.id,
        subtask.c.deletion_id.is_(None),
    )
    if only_open:
        statement = statement.where(is_open(subtask))
    return statement.correlate(todos).scalar_subquery()


def has_subtasks() -> ColumnElement[bool]:
    subtask = todos.alias("subtask")
    return (
        select(subtask.c.id)
        .where(
            subtask.c.owner_id == todos.c.owner_id,
            subtask.c.parent_id == todos.c.id,
            subtask.c.deletion_id.is_(None),
        )
        .correlate(todos)
        .exists()
    )


SUMMARIZED: list[ColumnElement[Any]] = [
    label_names().label("labels"),
    is_blocked().label("blocked"),
    count_subtasks(only_open=False).label("subtasks"),
    count_subtasks(only_open=True).label("open_subtasks"),
]
"""The columns that come from other rows."""

ALL: list[ColumnElement[Any]] = [*COLUMNS, *SUMMARIZED]
UNRELATED: list[ColumnElement[Any]] = [
    NO.label("blocked"),
    NONE.label("subtasks"),
    NONE.label("open_subtasks"),
]
NEW: list[ColumnElement[Any]] = [*COLUMNS, NO_LABELS.label("labels"), *UNRELATED]
"""The columns of a todo that was just created."""


def own_time_zone() -> ColumnElement[str]:
    return select(users.c.time_zone).where(users.c.id == USER_ID).scalar_subquery()


def due_in_own_zone() -> ColumnElement[Any]:
    """Return when a todo is due on the clock of its owner. A day begins at midnight."""
    moment = func.timezone(own_time_zone(), todos.c.due_at)
    return func.coalesce(moment, cast(todos.c.due_on, DateTime), type_=DateTime())


def today() -> ColumnElement[Any]:
    return cast(func.timezone(own_time_zone(), func.now()), Date)


def is_overdue() -> ColumnElement[bool]:
    late = or_(todos.c.due_at < func.now(), todos.c.due_on < today())
    return and_(is_open(todos), func.coalesce(late, NO))
