from collections.abc import Sequence

from fast_zero.core.database import PreparedRow, Session
from fast_zero.core.errors import NotFound
from fast_zero.saved_filters import queries as saved_filter_queries
from fast_zero.saved_filters.models import NO_FILTER
from fast_zero.search import queries
from fast_zero.search.filters import TodoFilter


async def list_todos(session: Session, user_id: int, wanted: TodoFilter) -> Sequence[PreparedRow]:
    """Select a page of todos, plus one. With a saved filter, its statement comes first."""
    if wanted.saved_filter is None:
        return await queries.select_todos(session, user_id, wanted)
    saved = await saved_filter_queries.select_searched(session, user_id, wanted.saved_filter)
    if saved is None:
        raise NotFound(NO_FILTER)
    wanted.use_saved(saved["filter"], saved["sort"])
    return await queries.select_todos(session, user_id, wanted, saved["filter"])
