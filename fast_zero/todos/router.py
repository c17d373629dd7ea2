from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Response

from fast_zero.accounts.dependencies import NEEDS_TOKEN
from fast_zero.core import conditions, etags, idempotency
from fast_zero.core.conditions import IfMatch, IfNoneMatch
from fast_zero.core.dependencies import Autocommit, Reads, Session
from fast_zero.core.errors import NotFound
from fast_zero.core.idempotency import DoOnce
from fast_zero.core.pagination import cut
from fast_zero.core.parameters import query
from fast_zero.core.problems import responses
from fast_zero.core.routing import room
from fast_zero.core.statements import as_dicts
from fast_zero.core.types import Id, Message
from fast_zero.todos import batch as batches
from fast_zero.todos import measures, queries, service
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

router = room("/todos", "todos", answers=responses(*NEEDS_TOKEN))


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=TodoPublic,
    responses=responses(idempotency.UNFINISHED) | idempotency.CREATED,
)
async def create_todo(new: TodoCreate, actor: Writer, once: DoOnce) -> Response:
    """Create a todo."""

    async def create(session: Autocommit) -> Response:
        todo = await queries.insert_todo(session, actor.id, new)
        measures.CREATED.inc()
        tag = etags.tag(todo.version)
        return conditions.created(TodoPublic.model_validate(todo), tag, f"/todos/{todo.id}")

    return await once(actor.id, create)


@router.post(
    "/batch",
    response_model=BatchAnswer,
    responses=responses(idempotency.UNFINISHED, batches.REFUSED) | idempotency.DONE,
)
async def do_batch(batch: Batch, actor: Writer, once: DoOnce) -> Response:
    """Create, update and delete up to 200 todos at once, all or nothing unless told otherwise."""

    async def do(session: Session) -> Response:
        results = await batches.do_batch(session, actor.id, batch)
        return Response(BatchAnswer(results=results).model_dump_json(), media_type=conditions.JSON)

    return await once(actor.id, do, in_transaction=True)


@router.get("", response_model=TodoPage)
async def list_todos(
    wanted: Annotated[TodoFilter, Depends(query(TodoFilter))], actor: Reader, session: Reads
) -> object:
    """List your todos, oldest first. All filters hold together."""
    rows, cursor = cut(await queries.select_todos(session, actor.id, wanted), wanted)
    return {"todos": as_dicts(rows), "next": cursor}


@router.get(
    "/{todo_id}",
    response_model=TodoPublic,
    responses=responses(MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_todo(todo_id: Id, actor: Reader, session: Reads, seen: IfNoneMatch) -> Response:
    """Show one of your todos."""
    todo = await queries.select_todo(session, actor.id, todo_id)
    if todo is None:
        raise NotFound(service.NOT_FOUND)
    return conditions.answer(TodoPublic.model_validate(todo), etags.tag(todo.version), seen=seen)


@router.patch(
    "/{todo_id}",
    response_model=TodoPublic,
    responses=responses(MISSING, conditions.STALE) | conditions.TAGGED,
)
async def update_todo(
    todo_id: Id, change: TodoUpdate, actor: Writer, session: Autocommit, condition: IfMatch
) -> Response:
    """Change the fields that are sent, and no others."""
    accepted = etags.versions(condition)
    todo = await service.update_todo(session, actor.id, todo_id, change, accepted)
    return conditions.answer(TodoPublic.model_validate(todo), etags.tag(todo.version))


@router.delete("/{todo_id}", responses=responses(MISSING, conditions.STALE))
async def delete_todo(
    todo_id: Id, actor: Writer, session: Autocommit, condition: IfMatch
) -> Message:
    """Delete one of your todos."""
    await service.delete_todo(session, actor.id, todo_id, etags.versions(condition))
    return Message(message="Task has been deleted successfully.")
