from collections.abc import Mapping, Sequence
from typing import Any, Literal

from fast_zero.core.database import PreparedRow, Session
from fast_zero.core.errors import Invalid, NotFound
from fast_zero.core.sorting import SortCursor, decode, encode
from fast_zero.core.types import RawText
from fast_zero.saved_filters import queries as saved_filter_queries
from fast_zero.saved_filters.models import NO_FILTER
from fast_zero.search import queries
from fast_zero.search.filters import TodoFilter
from fast_zero.todos.sort_keys import SORT_TYPES

SECTION_SORT = "section,position"
SECTION_TYPES = {"section": RawText, "position": RawText}
TODAY_SORT = "done,due,-priority"
TODAY_TYPES = {**SORT_TYPES, "done": Literal[0, 1]}


async def list_todos(session: Session, user_id: int, wanted: TodoFilter) -> Sequence[PreparedRow]:
    """Select a page of todos, plus one. With a saved filter, its statement comes first."""
    if wanted.saved_filter is None:
        return await queries.select_todos(session, user_id, wanted)
    saved = await saved_filter_queries.select_searched(session, user_id, wanted.saved_filter)
    if saved is None:
        raise NotFound(NO_FILTER)
    wanted.use_saved(saved["filter"], saved["sort"])
    return await queries.select_todos(session, user_id, wanted, saved["filter"])


async def list_by_section(
    session: Session, user_id: int, project_id: int, after: str | None, limit: int
) -> tuple[Sequence[PreparedRow], str | None]:
    """Select a page of the open todos of a project by section, and the cursor of the next one."""
    cursor = read_cursor(after, SECTION_SORT, SECTION_TYPES)
    rows = await queries.select_by_section(session, user_id, project_id, cursor, limit)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode(SECTION_SORT, rows[limit - 1], queries.BY_SECTION)


async def list_today(
    session: Session, user_id: int, after: str | None, limit: int
) -> tuple[Sequence[PreparedRow], str | None]:
    """Select a page of what is for today or was done today, and the cursor of the next one."""
    cursor = read_cursor(after, TODAY_SORT, TODAY_TYPES)
    rows = await queries.select_today(session, user_id, cursor, limit)
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode(TODAY_SORT, rows[limit - 1], queries.TODAY)


def read_cursor(after: str | None, sort: str, types: Mapping[str, Any]) -> SortCursor | None:
    try:
        return None if after is None else decode(after, sort, types)
    except ValueError as error:
        raise Invalid(str(error), "after", "query") from None
