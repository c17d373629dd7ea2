from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import conditions, etags, idempotency
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.types import Id
from fast_zero.duplication import service
from fast_zero.duplication.models import TOO_MANY
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoWriter
from fast_zero.projects.models import NO_PROJECT
from fast_zero.projects.schemas import ProjectPublic
from fast_zero.relations.models import NO_TODO
from fast_zero.todos.dependencies import created
from fast_zero.todos.schemas import TodoPublic

REFUSED = (Conflict(TOO_MANY), idempotency.UNFINISHED)

router = APIRouter(responses=NEEDS_TOKEN)


@router.post(
    "/todos/{todo_id}/duplicate",
    status_code=HTTPStatus.CREATED,
    response_model=TodoPublic,
    responses=responses(NotFound(NO_TODO), *REFUSED) | idempotency.CREATED,
    tags=["todos"],
)
async def duplicate_todo(
    todo_id: Id,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Copy a todo with its labels and subtasks.

    The copy is placed behind it. It and its subtasks are still to be done; drafts stay drafts.
    """

    async def duplicate() -> TodoPublic:
        return created(response, await service.duplicate_todo(session, user.id, todo_id))

    return await idempotent(session, user.id, duplicate)


@router.post(
    "/projects/{project_id}/duplicate",
    status_code=HTTPStatus.CREATED,
    response_model=ProjectPublic,
    responses=responses(NotFound(NO_PROJECT), *REFUSED) | idempotency.CREATED,
    tags=["projects"],
)
async def duplicate_project(
    project_id: Id,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Copy a project with its sections and todos.

    The projects inside of it are copied, too. The copy is the last one of its siblings, and its
    name ends in `(copy)`. All of its todos are still to be done; drafts stay drafts.
    """

    async def duplicate() -> ProjectPublic:
        row = await service.duplicate_project(session, user.id, project_id)
        conditions.set_created(response, etags.tag(row.version), f"/projects/{row.id}")
        return ProjectPublic.model_validate(row)

    return await idempotent(session, user.id, duplicate)
