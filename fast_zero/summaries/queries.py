from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Subquery,
    Table,
    and_,
    bindparam,
    cast,
    func,
    literal_column,
    not_,
    select,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from fast_zero.core.database import AnyRow, Prepared, PreparedRow, Session, prepare
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.core.positions import position_of
from fast_zero.labels import queries as label_queries
from fast_zero.notifications.queries import unread
from fast_zero.projects import queries as project_queries
from fast_zero.projects.models import Project, Section
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
from fast_zero.trash import queries as trash_queries

projects = Project.__table__
sections = Section.__table__
filters = filter_queries.filters
FILTER_POSITION = filter_queries.POSITION
deletions = trash_queries.deletions

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
        todos.c.section_id,
        todos.c.parent_id,
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


def saved(*columns: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return columns of the saved filters, in their order. There is a limit of them."""
    own = select(filters.c.id, *columns, FILTER_POSITION.label("sort"))
    return as_list(own.where(filter_queries.visible_to(USER_ID)).subquery("saved"), "sort")


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
        saved(filters.c.filter).label("filters"),
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


class Opened(NamedTuple):
    """The place that a page is about."""

    kind: Literal["project", "label", "filter"]
    id: int


PLACE_ID = bindparam("place_id", type_=BigInteger)


def by_section() -> ColumnElement[Any]:
    """Return how many open todos a project has in each section, without subtasks."""
    counted = select(open_todos.c.section_id, func.count().label("open"))
    counted = counted.where(open_todos.c.project_id == PLACE_ID, open_todos.c.parent_id.is_(None))
    return as_list(counted.group_by(open_todos.c.section_id).subquery("by_section"), "section_id")


def opened_project() -> ColumnElement[Any]:
    """Return a project, also one that is archived, with its sections in their order."""
    place = position_of(sections.c.position, sections.c.id).label("sort")
    inside = select(sections.c.id, sections.c.name, place)
    inside = inside.where(sections.c.owner_id == USER_ID, sections.c.project_id == PLACE_ID)
    in_order = as_list(inside.subquery("inside"), "sort")
    columns = (projects.c.name, projects.c.color, projects.c.description, projects.c.archived)
    more = {"sections": in_order, "counts": by_section()}
    found = select(as_object(*columns, projects.c.parent_id, **more))
    visible = project_queries.visible_to(USER_ID)
    return found.where(visible, projects.c.id == PLACE_ID).scalar_subquery()


def opened_label() -> ColumnElement[Any]:
    carried = and_(todo_labels.c.owner_id == USER_ID, todo_labels.c.todo_id == open_todos.c.id)
    number = select(func.count()).select_from(open_todos).join(todo_labels, carried)
    number = number.where(todo_labels.c.label_id == PLACE_ID)
    found = select(as_object(labels.c.name, labels.c.color, open=number.scalar_subquery()))
    visible = label_queries.visible_to(USER_ID)
    return found.where(visible, labels.c.id == PLACE_ID).scalar_subquery()


def opened_filter() -> ColumnElement[Any]:
    found = select(as_object(filters.c.name, filters.c.color, filters.c.filter, filters.c.sort))
    visible = filter_queries.visible_to(USER_ID)
    return found.where(visible, filters.c.id == PLACE_ID).scalar_subquery()


def as_object(*columns: ColumnElement[Any], **more: ColumnElement[Any]) -> ColumnElement[Any]:
    named = {column.name: column for column in columns} | more
    parts: list[ColumnElement[Any]] = []
    for name, column in named.items():
        parts += [literal_column(f"'{name}'"), column]
    return func.jsonb_build_object(*parts, type_=JSONB)


OPENED = {"project": opened_project, "label": opened_label, "filter": opened_filter}


@cache
def overview_statement(kind: str | None) -> Prepared:
    place: list[ColumnElement[Any]] = [OPENED[kind]().label("place")] if kind else []
    return prepare(
        select(
            func.count().filter(open_todos.c.project_id.is_(None)).label("inbox"),
            func.count()
            .filter(open_todos.c.project_id.is_(None), open_todos.c.parent_id.is_(None))
            .label("inbox_rows"),
            func.count().filter(open_todos.c.days <= literal_column("0")).label("today"),
            func.count().filter(open_todos.c.days < literal_column("0")).label("late"),
            func.count().filter(open_todos.c.days > literal_column("0")).label("upcoming"),
            with_names().label("projects"),
            saved(filters.c.name, filters.c.color).label("filters"),
            unread().label("unread"),
            *place,
        ).select_from(open_todos)
    )


async def select_overview(
    session: Session, user_id: int, opened: Opened | None = None
) -> PreparedRow:
    """Select what a sidebar shows: counts of what is open or unread, projects, saved filters.

    `inbox_rows` leaves out subtasks; `late` are those of `today` that were due on a day before.
    `place` is the one that is opened, if there is one; None: there is no such place.
    """
    values = {"user_id": user_id, "reader_id": user_id}
    if opened:
        values["place_id"] = opened.id
    [overview] = await session.fetch_all(overview_statement(opened and opened.kind), values)
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


def labels_statement(*, after: bool) -> Prepared:
    carried = (
        select(func.count())
        .select_from(todo_labels)
        .join(open_todos, open_todos.c.id == todo_labels.c.todo_id)
        .where(todo_labels.c.owner_id == USER_ID, todo_labels.c.label_id == labels.c.id)
        .correlate(labels)
        .scalar_subquery()
    )
    statement = select(labels.c.id, labels.c.name, labels.c.color, carried.label("open"))
    statement = statement.where(label_queries.visible_to(USER_ID))
    if after:
        last = labels.alias("last")
        seen = select(last.c.name_key).where(last.c.owner_id == USER_ID, last.c.id == PLACE_ID)
        statement = statement.where(labels.c.name_key > seen.scalar_subquery())
    return prepare(statement.order_by(labels.c.name_key).limit(bindparam("limit", type_=Integer)))


LABELS, FURTHER_LABELS = labels_statement(after=False), labels_statement(after=True)


async def select_labels(session: Session, user_id: int, page: PageParams) -> Sequence[PreparedRow]:
    """Select labels by name, plus one, with the number of open todos that carry each."""
    values = {"user_id": user_id, "limit": page.limit + 1}
    if page.after is None:
        return await session.fetch_all(LABELS, values)
    return await session.fetch_all(FURTHER_LABELS, values | {"place_id": page.after})


def count_inside(table: Table) -> ColumnElement[int]:
    inside = select(func.count()).where(
        table.c.owner_id == USER_ID, table.c.deletion_id == deletions.c.id
    )
    return inside.correlate(deletions).scalar_subquery()


async def select_trash(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    """Select what is in the trash, newest first, plus one, with the number of things in each."""
    counts = (count_inside(todos).label("todos"), count_inside(projects).label("projects"))
    statement = select(*trash_queries.DELETION, *counts).where(trash_queries.visible_to(user_id))
    newest = keyset_page(statement, deletions.c.id, page, newest_first=True)
    return (await session.execute(newest, {"user_id": user_id})).all()
