from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import conditions, etags, examples, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.types import Id, Message
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader, TodoWriter
from fast_zero.projects.models import NO_PROJECT, NO_SECTION
from fast_zero.relations.models import (
    NO_RELATION,
    NO_TODO,
    RELATION_CYCLE,
    TOO_MANY_RELATIONS,
)
from fast_zero.relations.schemas import RelationList, RelationView
from fast_zero.todos import service
from fast_zero.todos.dependencies import created, finished, tagged
from fast_zero.todos.models import (
    NO_PARENT,
    OCCURRENCE_RECORDED,
    RECURRENCE_WITHOUT_DUE,
    TODO_TOO_DEEP,
)
from fast_zero.todos.recurring import NOT_CURRENT
from fast_zero.todos.schemas import (
    TodoCompletion,
    TodoCreate,
    TodoFinished,
    TodoPublic,
    TodoUpdate,
)

MISSING = NotFound(NO_TODO)
NO_PLACE = (NotFound(NO_PROJECT), NotFound(NO_SECTION), NotFound(NO_PARENT))
TOO_DEEP = Conflict(TODO_TOO_DEEP)
BLOCKED = Conflict(service.BLOCKED)
NO_DUE = (Conflict(RECURRENCE_WITHOUT_DUE), Conflict(OCCURRENCE_RECORDED))
UNFINISHED, STALE = idempotency.UNFINISHED, conditions.STALE
DELETED = "Task has been deleted successfully."

Kind = Annotated[
    RelationView, Path(description="`blocked_by`: the first todo waits for the other one.")
]
Force = Annotated[bool, Query(description="Complete it even if an open todo blocks it.")]

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=TodoPublic,
    responses=responses(*NO_PLACE, TOO_DEEP, UNFINISHED) | idempotency.CREATED,
)
async def create_todo(
    new: TodoCreate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a todo."""

    async def create() -> TodoPublic:
        return created(response, await service.create_todo(session, user.id, new))

    return await idempotent(session, user.id, create)


@router.get(
    "/{todo_id}",
    response_model=TodoPublic,
    responses=responses(MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_todo(
    todo_id: Id, user: TodoReader, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show one of your todos."""
    return tagged(response, await service.read_todo(session, user.id, todo_id), seen)


@router.patch(
    "/{todo_id}",
    response_model=TodoPublic,
    responses=responses(MISSING, BLOCKED, STALE, *NO_DUE) | conditions.TAGGED,
)
async def update_todo(
    todo_id: Id,
    change: TodoUpdate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Change some fields of a todo. Fields that are not sent stay as they are.

    If it recurs, `done` completes its current occurrence. Send `If-Match`: sent again without it,
    that cannot be told from a second completion.
    """
    accepted = etags.versions(condition)
    return tagged(response, await service.update_todo(session, user.id, todo_id, change, accepted))


@router.delete("/{todo_id}", responses=responses(MISSING, STALE) | examples.message(DELETED))
async def delete_todo(
    todo_id: Id, user: TodoWriter, session: CurrentSession, condition: IfMatch
) -> Message:
    """Move one of your todos into the trash, with its subtasks."""
    await service.delete_todo(session, user.id, todo_id, etags.versions(condition))
    return Message(message=DELETED)


@router.post(
    "/{todo_id}/complete",
    response_model=TodoFinished,
    responses=responses(MISSING, BLOCKED, Conflict(NOT_CURRENT), STALE, UNFINISHED)
    | idempotency.CHANGED,
)
async def complete_todo(
    todo_id: Id,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
    idempotent: Idempotent,
    given: TodoCompletion | None = None,
    *,
    force: Force = False,
) -> object:
    """Complete a todo, and its open subtasks with it.

    If it recurs, complete its current occurrence: it moves to its next one, and the subtasks that
    were done are open again. After the last one it stays done.
    """
    named = given.occurrence if given else None

    async def complete() -> TodoFinished:
        wanted = service.Completion(etags.versions(condition), named, force)
        todo, day = await service.complete_todo(session, user.id, todo_id, wanted)
        return finished(response, todo, day)

    return await idempotent(session, user.id, complete, status=HTTPStatus.OK)


@router.post(
    "/{todo_id}/restore",
    response_model=TodoPublic,
    responses=responses(NotFound(service.NOT_IN_TRASH), UNFINISHED) | idempotency.CHANGED,
)
async def restore_todo(
    todo_id: Id,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Take a todo out of the trash. The subtasks that were deleted with it come back.

    It goes into the inbox if its project or its parent is gone.
    """

    async def restore() -> TodoPublic:
        return tagged(response, await service.restore_todo(session, user.id, todo_id))

    return await idempotent(session, user.id, restore, status=HTTPStatus.OK)


@router.get("/{todo_id}/relations", response_model=RelationList, responses=responses(MISSING))
async def list_relations(todo_id: Id, user: TodoReader, session: ReadSession) -> object:
    """List the relations of a todo, oldest first. There are at most 100."""
    return {"relations": await service.list_relations(session, user.id, todo_id)}


@router.put(
    "/{todo_id}/relations/{kind}/{other_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(MISSING, Conflict(RELATION_CYCLE), Conflict(TOO_MANY_RELATIONS)),
)
async def relate_todos(
    todo_id: Id, kind: Kind, other_id: Id, user: TodoWriter, session: CurrentSession
) -> None:
    """Relate two of your todos. Idempotent."""
    await service.relate_todos(session, user.id, todo_id, kind, other_id)


@router.delete(
    "/{todo_id}/relations/{kind}/{other_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(MISSING, NotFound(NO_RELATION)),
)
async def unrelate_todos(
    todo_id: Id, kind: Kind, other_id: Id, user: TodoWriter, session: CurrentSession
) -> None:
    """Delete a relation between two of your todos."""
    await service.unrelate_todos(session, user.id, todo_id, kind, other_id)
