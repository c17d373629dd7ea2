from collections.abc import Sequence

from fast_zero.core.database import PreparedRow, Session
from fast_zero.core.errors import Invalid, NotFound
from fast_zero.core.sorting import decode, encode
from fast_zero.core.types import RawText
from fast_zero.saved_filters import queries as saved_filter_queries
from fast_zero.saved_filters.models import NO_FILTER
from fast_zero.search import queries
from fast_zero.search.filters import TodoFilter

SECTION_SORT = "section,position"
SECTION_TYPES = {"section": RawText, "position": RawText}


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
    try:
        cursor = decode(after, SECTION_SORT, SECTION_TYPES) if after is not None else None
    except ValueError as error:
        raise Invalid(str(error), "after", "query") from None
    rows = await queries.select_by_section(session, user_id, project_id, cursor, limit)
    if len(rows) <= limit:
        return rows, None
    shown = rows[:limit]
    return shown, encode(SECTION_SORT, shown[-1], queries.BY_SECTION)
