from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from fast_zero.accounts.dependencies import NEEDS_TOKEN
from fast_zero.core.dependencies import Autocommit
from fast_zero.core.errors import NotFound
from fast_zero.core.pagination import cut
from fast_zero.core.problems import responses
from fast_zero.core.types import Id, Message
from fast_zero.todos import queries
from fast_zero.todos.dependencies import Reader, Writer
from fast_zero.todos.models import Todo
from fast_zero.todos.schemas import TodoCreate, TodoFilter, TodoPage, TodoPublic, TodoUpdate

NOT_FOUND = "Task not found."

router = APIRouter(prefix="/todos", tags=["todos"], responses=responses(*NEEDS_TOKEN))


@router.post("", status_code=HTTPStatus.CREATED, response_model=TodoPublic)
async def create_todo(new: TodoCreate, actor: Writer, session: Autocommit) -> Todo:
    """Create a todo."""
    return await queries.insert_todo(session, actor.id, new)


@router.get("", response_model=TodoPage)
async def list_todos(
    wanted: Annotated[TodoFilter, Query()], actor: Reader, session: Autocommit
) -> object:
    """List your todos, oldest first. All filters hold together."""
    rows, cursor = cut(await queries.select_todos(session, actor.id, wanted), wanted)
    return {"todos": rows, "next": cursor}


@router.get("/{todo_id}", response_model=TodoPublic, responses=responses(NotFound(NOT_FOUND)))
async def read_todo(todo_id: Id, actor: Reader, session: Autocommit) -> Todo:
    """Show one of your todos."""
    todo = await queries.select_todo(session, actor.id, todo_id)
    if todo is None:
        raise NotFound(NOT_FOUND)
    return todo


@router.patch("/{todo_id}", response_model=TodoPublic, responses=responses(NotFound(NOT_FOUND)))
async def update_todo(todo_id: Id, change: TodoUpdate, actor: Writer, session: Autocommit) -> Todo:
    """Change the fields that are sent, and no others."""
    todo = await queries.update_todo(session, actor.id, todo_id, change)
    if todo is None:
        raise NotFound(NOT_FOUND)
    return todo


@router.delete("/{todo_id}", responses=responses(NotFound(NOT_FOUND)))
async def delete_todo(todo_id: Id, actor: Writer, session: Autocommit) -> Message:
    """Delete one of your todos."""
    if not await queries.delete_todo(session, actor.id, todo_id):
        raise NotFound(NOT_FOUND)
    return Message(message="Task has been deleted successfully.")
