from typing import Annotated

from fastapi import APIRouter, Query

from fast_zero.core.http.dependencies import ReadSession
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader
from fast_zero.search import queries
from fast_zero.search.filters import TodoFilter, split_todos
from fast_zero.todos.schemas import TodoPage

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.get("", response_model=TodoPage)
async def list_todos(
    wanted: Annotated[TodoFilter, Query()], user: TodoReader, session: ReadSession
) -> object:
    """List your todos, oldest first. Filters are combined with AND."""
    rows, cursor = split_todos(await queries.select_todos(session, user.id, wanted), wanted)
    return {"todos": rows, "next": cursor}
