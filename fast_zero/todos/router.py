from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from fast_zero.core.errors import NotFound
from fast_zero.core.http import conditions, etags, examples, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id, Message
from fast_zero.identity.dependencies import NEEDS_TOKEN
from fast_zero.todos import batch as batches
from fast_zero.todos import queries, service
from fast_zero.todos.dependencies import Reader, Writer
from fast_zero.todos.schemas import (
    Batch,
    BatchAnswer,
    TodoCreate,
    TodoFilter,
    TodoPage,
    TodoPublic,
    TodoUpdate,
)

MISSING = NotFound(service.NOT_FOUND)
DELETED = "Task has been deleted successfully."

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=TodoPublic,
    responses=responses(idempotency.UNFINISHED) | idempotency.CREATED,
)
async def create_todo(
    new: TodoCreate,
    user: Writer,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a todo."""

    async def create() -> TodoPublic:
        todo = await service.create_todo(session, user.id, new)
        conditions.set_created(response, etags.tag(todo.version), f"/todos/{todo.id}")
        return todo

    return await idempotent(session, user.id, create)


@router.post(
    "/batch",
    response_model=BatchAnswer,
    responses=responses(idempotency.UNFINISHED, batches.REFUSED) | idempotency.DONE,
)
async def do_batch(
    batch: Batch, user: Writer, session: CurrentSession, idempotent: Idempotent
) -> object:
    """Create, update and delete many todos. Up to 200, all or nothing by default."""

    async def do() -> BatchAnswer:
        return BatchAnswer(results=await batches.do_batch(session, user.id, batch))

    return await idempotent(session, user.id, do, status=HTTPStatus.OK)


@router.get("", response_model=TodoPage)
async def list_todos(
    wanted: Annotated[TodoFilter, Query()], user: Reader, session: ReadSession
) -> object:
    """List your todos, oldest first. Filters are combined with AND."""
    rows, cursor = split_page(await queries.select_todos(session, user.id, wanted), wanted)
    return {"todos": rows, "next": cursor}


@router.get(
    "/{todo_id}",
    response_model=TodoPublic,
    responses=responses(MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_todo(
    todo_id: Id, user: Reader, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show one of your todos."""
    todo = await queries.select_todo(session, user.id, todo_id)
    if todo is None:
        raise NotFound(service.NOT_FOUND)
    conditions.set_tag(response, etags.tag(todo["version"]), seen)
    return todo


@router.patch(
    "/{todo_id}",
    response_model=TodoPublic,
    responses=responses(MISSING, conditions.STALE) | conditions.TAGGED,
)
async def update_todo(
    todo_id: Id,
    change: TodoUpdate,
    user: Writer,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Change some fields of a todo. Fields that are not sent stay as they are."""
    accepted = etags.versions(condition)
    todo = await service.update_todo(session, user.id, todo_id, change, accepted)
    conditions.set_tag(response, etags.tag(todo["version"]))
    return todo


@router.delete(
    "/{todo_id}", responses=responses(MISSING, conditions.STALE) | examples.message(DELETED)
)
async def delete_todo(
    todo_id: Id, user: Writer, session: CurrentSession, condition: IfMatch
) -> Message:
    """Delete one of your todos."""
    await service.delete_todo(session, user.id, todo_id, etags.versions(condition))
    return Message(message=DELETED)
