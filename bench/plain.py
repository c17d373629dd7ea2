"""fast_zero with one more route: the list of todos as it was when a todo was a title and a state.

`bench todos` compares the list with it, in one process and with the same middleware.
"""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, FastAPI, Query
from sqlalchemy import BigInteger, Integer, bindparam, select

from fast_zero.app import create_worker_app
from fast_zero.core.database import prepare
from fast_zero.core.http.dependencies import ReadSession
from fast_zero.core.pagination import Next, PageParams, split_page
from fast_zero.core.types import Id, ResponseModel
from fast_zero.identity.dependencies import TodoReader
from fast_zero.todos.expressions import COLUMNS, USER_ID, todos, visible_to
from fast_zero.todos.models import TodoState
from fast_zero.todos.schemas import Share


class PlainTodo(ResponseModel):
    id: Id
    title: str
    description: str
    state: TodoState
    share: Share
    created_at: datetime
    updated_at: datetime
    version: int


NAMES = PlainTodo.model_fields
STATEMENT = prepare(
    select(*(column for column in COLUMNS if column.name in NAMES))
    .where(visible_to(USER_ID))
    .order_by(todos.c.id)
    .limit(bindparam("limit", type_=Integer))
    .offset(bindparam("offset", type_=BigInteger))
)


class PlainPage(ResponseModel):
    todos: list[PlainTodo]
    next: Next


router = APIRouter()


@router.get("/plain", response_model=PlainPage)
async def list_plain(
    wanted: Annotated[PageParams, Query()], user: TodoReader, session: ReadSession
) -> dict[str, Any]:
    values = {"user_id": user.id, "offset": wanted.offset, "limit": wanted.limit + 1}
    rows, cursor = split_page(await session.fetch_all(STATEMENT, values), wanted)
    return {"todos": rows, "next": cursor}


def create_app() -> FastAPI:
    app = create_worker_app()
    app.include_router(router)
    return app
