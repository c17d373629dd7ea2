"""The statement of a list of todos."""

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    Date,
    DateTime,
    Integer,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    func,
    not_,
    or_,
    select,
)

from fast_zero.core.database import Prepared, PreparedRow, Session, prepare
from fast_zero.core.positions import position_of
from fast_zero.core.sorting import (
    Sort,
    SortCursor,
    SortKey,
    behind,
    cursor_values,
    order_by,
    sort_columns,
)
from fast_zero.projects.queries import sections
from fast_zero.search import full_text
from fast_zero.search.conditions import Shaped, condition, shaped, source
from fast_zero.search.expressions import EMPTY, FILTERS, SORT_KEYS, is_in
from fast_zero.search.filters import TodoFilter
from fast_zero.search.words import split_words
from fast_zero.todos.expressions import (
    ALL,
    USER_ID,
    due_in_own_zone,
    is_open,
    own_time_zone,
    today,
    todos,
    visible_to,
)

STATEMENTS = 512
"""How many variants of the statement are kept, by filters, their shapes, and sort."""


@lru_cache(STATEMENTS)
def list_statement(
    filters: frozenset[str], sort: Sort, shapes: tuple[Shaped, ...] = (), *, after: bool
) -> Prepared:
    wanted = [FILTERS[name] for name in sorted(filters)]
    columns = [*ALL, *sort_columns(sort, SORT_KEYS)]
    statement = select(*columns).select_from(source(shapes))
    statement = statement.where(visible_to(USER_ID), *wanted, *map(condition, shapes))
    if sort and after:
        statement = statement.where(behind(sort, SORT_KEYS, todos.c.id))
    offset, limit = bindparam("offset", type_=BigInteger), bindparam("limit", type_=Integer)
    ordered = statement.order_by(*order_by(sort, SORT_KEYS, todos.c.id))
    page = ordered.offset(offset).limit(limit)
    return prepare(highlighted(page, sort) if "q" in filters else page)


def highlighted(ordered: Select[*tuple[Any, ...]], sort: Sort) -> Select[*tuple[Any, ...]]:
    """Add where the words are, after OFFSET and LIMIT: not for the todos that they leave out."""
    page = ordered.add_columns(todos.c.search).subquery("page")
    columns = [column for column in page.c if column.name != "search"]
    keys = {
        name: SortKey(page.c[f"sort_{index}"], SORT_KEYS[name].kind)
        for index, (name, _) in enumerate(sort)
    }
    statement = select(*columns, *full_text.highlights("q", page))
    return statement.order_by(*order_by(sort, keys, page.c.id))


def filter_values(wanted: TodoFilter) -> dict[str, Any]:
    """Return the filters that are wanted, with the values of their parameters."""
    states = sorted({state.value for state in wanted.state or ()})
    given: dict[str, Any] = {
        "q": wanted.q and split_words(wanted.q),
        "title": wanted.title,
        "description": wanted.description,
        # With one state alone, an index returns the rows in the order of ids.
        "state": states[0] if len(states) == 1 else None,
        "states": states if len(states) > 1 else None,
        "label": wanted.label,
        "priority": wanted.priority and [priority.value for priority in wanted.priority],
        "due_before": wanted.due_before,
        "due_after": wanted.due_after,
        "overdue": wanted.overdue or None,
        "not_overdue": wanted.overdue is False or None,
        "after": None if wanted.sort else wanted.after,
    }
    for name in ("project_id", "section_id", "parent_id"):
        place = getattr(wanted, name)
        given["no_" + name if place == "none" else name] = place
    return {name: value for name, value in given.items() if value is not None}


async def select_todos(
    session: Session, user_id: int, wanted: TodoFilter, saved: str | None = None
) -> Sequence[PreparedRow]:
    """Select a page of todos, plus one. `saved`: the text of the saved filter, if one is wanted."""
    values = filter_values(wanted)
    is_after = isinstance(wanted.after, SortCursor)
    texts = {"filter": wanted.filter, "saved": saved}
    found = [shaped(text, prefix) for prefix, text in texts.items() if text is not None]
    shapes = tuple(shape for shape, _ in found)
    statement = list_statement(frozenset(values), wanted.order(), shapes, after=is_after)
    for _, bound in found:
        values |= bound
    if is_after:
        values |= cursor_values(wanted.after)
    values |= {"user_id": user_id, "offset": wanted.offset, "limit": wanted.limit + 1}
    return await session.fetch_all(statement, values)


IS_FOR_TODAY = and_(is_open(todos), cast(due_in_own_zone(), Date) <= today())
# As a subquery, the moment that today began at is computed once, and not for each row.
TODAY_BEGAN = select(func.timezone(own_time_zone(), cast(today(), DateTime))).scalar_subquery()
WAS_DONE_TODAY = todos.c.completed_at >= TODAY_BEGAN
DONE_TODAY = select(func.count()).where(visible_to(USER_ID), WAS_DONE_TODAY).correlate(None)
TODAY: Sort = (("done", False), ("due", False), ("priority", True))
TODAY_KEYS = {**SORT_KEYS, "done": SortKey(cast(not_(is_open(todos)), Integer), Integer())}


@cache
def today_statement(*, after: bool) -> Prepared:
    done_today = DONE_TODAY.scalar_subquery().label("done_today")
    statement = select(*ALL, done_today, *sort_columns(TODAY, TODAY_KEYS))
    statement = statement.where(visible_to(USER_ID), or_(IS_FOR_TODAY, WAS_DONE_TODAY))
    if after:
        statement = statement.where(behind(TODAY, TODAY_KEYS, todos.c.id))
    ordered = statement.order_by(*order_by(TODAY, TODAY_KEYS, todos.c.id))
    return prepare(ordered.limit(bindparam("limit", type_=Integer)))


async def select_today(
    session: Session, user_id: int, after: SortCursor | None, limit: int
) -> Sequence[PreparedRow]:
    """Select what is due today or before, then what was done today, plus one. With subtasks.

    `done_today` is, in each row, how many were done today.
    """
    values = {"user_id": user_id, "limit": limit + 1}
    values |= cursor_values(after) if after else {}
    return await session.fetch_all(today_statement(after=after is not None), values)


BY_SECTION: Sort = (("section", False), ("position", False))
SECTION_KEYS = {
    # Todos in no section come first.
    "section": SortKey(
        func.coalesce(position_of(sections.c.position, sections.c.id), EMPTY, type_=Text()), Text()
    ),
    "position": SORT_KEYS["position"],
}
SECTION_OF_TODO = and_(
    sections.c.owner_id == todos.c.owner_id,
    sections.c.project_id == todos.c.project_id,
    sections.c.id == todos.c.section_id,
)


@cache
def project_statement(*, after: bool) -> Prepared:
    wanted = [is_in("project_id"), todos.c.parent_id.is_(None), is_open(todos)]
    if after:
        wanted.append(behind(BY_SECTION, SECTION_KEYS, todos.c.id))
    return prepare(
        select(*ALL, *sort_columns(BY_SECTION, SECTION_KEYS))
        .select_from(todos.outerjoin(sections, SECTION_OF_TODO))
        .where(visible_to(USER_ID), *wanted)
        .order_by(*order_by(BY_SECTION, SECTION_KEYS, todos.c.id))
        .limit(bindparam("limit", type_=Integer))
    )


async def select_by_section(
    session: Session, user_id: int, project_id: int, after: SortCursor | None, limit: int
) -> Sequence[PreparedRow]:
    """Select the open todos of a project in the order of its sections, plus one. No subtasks."""
    values = {"user_id": user_id, "project_id": project_id, "limit": limit + 1}
    values |= cursor_values(after) if after else {}
    return await session.fetch_all(project_statement(after=after is not None), values)
