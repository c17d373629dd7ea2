from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import conditions, etags, idempotency
from fast_zero.core.http.conditions import IfMatch
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoWriter
from fast_zero.ordering import service
from fast_zero.ordering.models import NOT_A_SIBLING
from fast_zero.ordering.schemas import TodoMove
from fast_zero.projects.models import NO_PROJECT, NO_SECTION
from fast_zero.relations.models import NO_TODO
from fast_zero.todos.dependencies import tagged
from fast_zero.todos.models import NO_PARENT, TODO_CYCLE, TODO_TOO_DEEP
from fast_zero.todos.schemas import TodoPublic

MISSING = [NotFound(reason) for reason in (NO_TODO, NO_PROJECT, NO_SECTION, NO_PARENT)]
REFUSED = [Conflict(reason) for reason in (NOT_A_SIBLING, TODO_CYCLE, TODO_TOO_DEEP)]
UNFINISHED, STALE = idempotency.UNFINISHED, conditions.STALE

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "/{todo_id}/move",
    response_model=TodoPublic,
    responses=responses(*MISSING, *REFUSED, conditions.STALE, idempotency.UNFINISHED)
    | idempotency.CHANGED,
)
async def move_todo(
    todo_id: Id,
    move: TodoMove,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
    idempotent: Idempotent,
) -> object:
    """Move a todo to another place in its list, or to another list.

    Its subtasks move with it. Its `position` changes; other todos get new positions only if no
    short one is left between them.
    """

    async def run() -> TodoPublic:
        accepted = etags.versions(condition)
        return tagged(response, await service.move_todo(session, user.id, todo_id, move, accepted))

    return await idempotent(session, user.id, run, status=HTTPStatus.OK)
