from typing import Annotated

from fastapi import APIRouter, Query

from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import ReadSession
from fast_zero.core.http.problems import responses
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader
from fast_zero.saved_filters.models import NO_FILTER
from fast_zero.search import service
from fast_zero.search.filters import TodoFilter, split_todos
from fast_zero.search.highlights import highlight
from fast_zero.search.schemas import TodoPage

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.get("", response_model=TodoPage, responses=responses(NotFound(NO_FILTER)))
async def list_todos(
    wanted: Annotated[TodoFilter, Query()], user: TodoReader, session: ReadSession
) -> object:
    """List your todos, oldest first. Filters are combined with AND."""
    rows, cursor = split_todos(await service.list_todos(session, user.id, wanted), wanted)
    if wanted.q:
        rows = [{**row, "highlight": highlight(row)} for row in rows]
    return {"todos": rows, "next": cursor}
