from typing import Annotated

from fastapi import APIRouter, Query

from fast_zero.activity import service
from fast_zero.activity.schemas import ActivityPage, ActivityParams
from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import ReadSession
from fast_zero.core.http.problems import responses
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader
from fast_zero.projects.models import NO_PROJECT
from fast_zero.relations.models import NO_TODO

Wanted = Annotated[ActivityParams, Query()]

router = APIRouter(tags=["changes"], responses=NEEDS_TOKEN)


@router.get("/activity")
async def list_activity(wanted: Wanted, user: TodoReader, session: ReadSession) -> ActivityPage:
    """List what was done in your account. Newest first.

    The `change_set_id` of an entry is the `X-Change-Set` of the request that did it.
    """
    return await service.read_activity(session, user.id, ("account", user.id), wanted)


@router.get("/projects/{project_id}/activity", responses=responses(NotFound(NO_PROJECT)))
async def list_project_activity(
    project_id: Id, wanted: Wanted, user: TodoReader, session: ReadSession
) -> ActivityPage:
    """List what was done to a project. Newest first, with its sections and its todos.

    Of what is deleted for good, only the codes are known.
    """
    return await service.read_activity(session, user.id, ("project", project_id), wanted)


@router.get("/todos/{todo_id}/activity", responses=responses(NotFound(NO_TODO)))
async def list_todo_activity(
    todo_id: Id, wanted: Wanted, user: TodoReader, session: ReadSession
) -> ActivityPage:
    """List what was done to a todo. Newest first, with its labels and its relations.

    Of what is deleted for good, only the codes are known.
    """
    return await service.read_activity(session, user.id, ("todo", todo_id), wanted)
