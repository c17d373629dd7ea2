from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Date,
    Integer,
    Subquery,
    and_,
    cast,
    func,
    literal_column,
    not_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from fast_zero.core.database import Prepared, PreparedRow, Session, prepare
from fast_zero.core.positions import position_of
from fast_zero.projects.models import Project
from fast_zero.saved_filters import queries as filter_queries
from fast_zero.search.conditions import Shaped, condition, shaped, source
from fast_zero.todos.expressions import (
    USER_ID,
    due_in_own_zone,
    is_open,
    is_overdue,
    labels,
    today,
    todo_labels,
    todos,
    visible_to,
)

projects = Project.__table__
filters = filter_queries.filters
FILTER_POSITION = filter_queries.POSITION

STATEMENTS = 128
"""How many variants of the statement that counts are kept, by the shapes of all filters."""

NOTHING: ColumnElement[Any] = literal_column("'[]'::jsonb", JSONB)
TOMORROW: ColumnElement[int] = literal_column("1", Integer)
NEXT_WEEK: ColumnElement[int] = literal_column("7", Integer)

due_day = cast(due_in_own_zone(), Date)
open_todos = (
    select(
        todos.c.id,
        todos.c.project_id,
        (due_day - today()).label("days"),  # from today
        is_overdue().label("overdue"),
    )
    .where(visible_to(USER_ID), is_open(todos))
    .cte("open_todos")
)


def as_list(rows: Subquery, by: str) -> ColumnElement[Any]:
    """Return the rows as a list of objects, ordered by a column, which they do not contain."""
    columns = [
        part
        for column in rows.c
        if column.name != "sort"
        for part in (literal_column(f"'{column.name}'"), column)
    ]
    ordered = aggregate_order_by(func.jsonb_build_object(*columns), rows.c[by])
    return func.coalesce(select(func.jsonb_agg(ordered)).scalar_subquery(), NOTHING, type_=JSONB())


def by_project() -> ColumnElement[Any]:
    counted = select(open_todos.c.project_id, func.count().label("open"))
    counted = counted.where(open_todos.c.project_id.is_not(None)).group_by(open_todos.c.project_id)
    return as_list(counted.subquery("by_project"), "project_id")


def by_label() -> ColumnElement[Any]:
    carried = and_(todo_labels.c.owner_id == USER_ID, todo_labels.c.todo_id == open_todos.c.id)
    counted = (
        select(todo_labels.c.label_id, func.count().label("open"))
        .join_from(open_todos, todo_labels, carried)
        .group_by(todo_labels.c.label_id)
        .subquery("counted")
    )
    named = select(
        counted.c.label_id, labels.c.name, counted.c.open, labels.c.name_key.label("sort")
    )
    named = named.join(
        labels, and_(labels.c.owner_id == USER_ID, labels.c.id == counted.c.label_id)
    )
    return as_list(named.subquery("by_label"), "sort")


def saved() -> ColumnElement[Any]:
    """Return the saved filters in their order. There is a limit of them."""
    columns = (filters.c.id, filters.c.filter, FILTER_POSITION.label("sort"))
    own = select(*columns).where(filter_queries.visible_to(USER_ID))
    return as_list(own.subquery("saved"), "sort")


SUMMARY = prepare(
    select(
        func.count().filter(open_todos.c.project_id.is_(None)).label("inbox"),
        func.count().filter(open_todos.c.days == literal_column("0")).label("today"),
        func.count().filter(open_todos.c.overdue).label("overdue"),
        func.count()
        .filter(open_todos.c.days.between(TOMORROW, NEXT_WEEK))
        .label("next_seven_days"),
        by_project().label("projects"),
        by_label().label("labels"),
        saved().label("filters"),
    ).select_from(open_todos)
)


def with_names() -> ColumnElement[Any]:
    """Return all projects that are not archived, in their order, with the number of open todos."""
    number = (
        select(func.count())
        .where(open_todos.c.project_id == projects.c.id)
        .correlate(projects)
        .scalar_subquery()
    )
    named = select(
        projects.c.id,
        projects.c.name,
        projects.c.color,
        projects.c.parent_id,
        number.label("open"),
        position_of(projects.c.position, projects.c.id).label("sort"),
    ).where(
        projects.c.owner_id == USER_ID,
        projects.c.deletion_id.is_(None),
        not_(projects.c.archived),
    )
    return as_list(named.subquery("named"), "sort")


OVERVIEW = prepare(
    select(
        func.count().filter(open_todos.c.project_id.is_(None)).label("inbox"),
        func.count().filter(open_todos.c.days <= literal_column("0")).label("today"),
        func.count().filter(open_todos.c.days > literal_column("0")).label("upcoming"),
        with_names().label("projects"),
    ).select_from(open_todos)
)


async def select_overview(session: Session, user_id: int) -> PreparedRow:
    """Select what a sidebar shows: the counts of open todos, and the projects."""
    [overview] = await session.fetch_all(OVERVIEW, {"user_id": user_id})
    return overview


async def select_summary(session: Session, user_id: int) -> PreparedRow:
    [summary] = await session.fetch_all(SUMMARY, {"user_id": user_id})
    return summary


@lru_cache(STATEMENTS)
def count_statement(shapes: tuple[Shaped, ...]) -> Prepared:
    counts = (
        func.count().filter(condition(shape)).label(f"filter_{number}")
        for number, shape in enumerate(shapes)
    )
    statement = select(*counts).select_from(source(shapes))
    return prepare(statement.where(visible_to(USER_ID), is_open(todos)))


async def count_todos(session: Session, user_id: int, texts: Sequence[str]) -> list[int]:
    """Count the open todos that each of these filters finds, in one pass."""
    found = [shaped(text, f"filter_{number}") for number, text in enumerate(texts)]
    values: dict[str, Any] = {"user_id": user_id}
    for _, bound in found:
        values |= bound
    statement = count_statement(tuple(shape for shape, _ in found))
    [counts] = await session.fetch_all(statement, values)
    return list(counts.values())
