from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import conditions, etags, idempotency
from fast_zero.core.http.conditions import IfMatch
from fast_zero.core.http.dependencies import CurrentSession, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader, TodoWriter
from fast_zero.occurrences import service
from fast_zero.occurrences.schemas import (
    AllOccurrencesParams,
    OccurrencePage,
    OccurrencesOfTodo,
    OccurrencesParams,
    Skip,
)
from fast_zero.relations.models import NO_TODO
from fast_zero.todos.dependencies import finished, tagged
from fast_zero.todos.moments import Day
from fast_zero.todos.recurring import NO_OCCURRENCE, NOT_CURRENT, NOT_NEWEST
from fast_zero.todos.schemas import TodoFinished, TodoPublic

MISSING, STALE, UNFINISHED = NotFound(NO_TODO), conditions.STALE, idempotency.UNFINISHED
NOT_SKIPPED = (Conflict(service.NOT_RECURRING), Conflict(NOT_CURRENT))

DayInPath = Annotated[Day, Path(description="The day that names it.")]

router = APIRouter(tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "/todos/{todo_id}/skip",
    response_model=TodoFinished,
    responses=responses(MISSING, *NOT_SKIPPED, STALE, UNFINISHED) | idempotency.CHANGED,
)
async def skip_occurrence(
    todo_id: Id,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
    idempotent: Idempotent,
    given: Skip | None = None,
) -> object:
    """Skip the current occurrence of a todo. It moves to its next one.

    After the last one it is done.
    """
    named = given.occurrence if given else None

    async def skip() -> TodoFinished:
        accepted = etags.versions(condition)
        todo, day = await service.skip_occurrence(session, user.id, todo_id, named, accepted)
        return finished(response, todo, day)

    return await idempotent(session, user.id, skip, status=HTTPStatus.OK)


@router.get("/todos/{todo_id}/occurrences", responses=responses(MISSING))
async def list_occurrences(
    todo_id: Id,
    wanted: Annotated[OccurrencesParams, Query()],
    user: TodoReader,
    session: ReadSession,
) -> OccurrencesOfTodo:
    """List the occurrences of a todo, past and upcoming."""
    return await service.list_occurrences(session, user.id, todo_id, wanted)


@router.delete(
    "/todos/{todo_id}/occurrences/{day}",
    response_model=TodoPublic,
    responses=responses(MISSING, NotFound(NO_OCCURRENCE), Conflict(NOT_NEWEST), STALE)
    | conditions.TAGGED,
)
async def take_back_occurrence(
    todo_id: Id,
    day: DayInPath,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Take back the occurrence that was done or skipped last.

    The todo has its due again, and the subtasks that were done with it are done. What was missed
    after it is deleted as well.
    """
    accepted = etags.versions(condition)
    todo = await service.take_back(session, user.id, todo_id, day, accepted)
    return tagged(response, todo)


@router.get("/occurrences")
async def list_all_occurrences(
    wanted: Annotated[AllOccurrencesParams, Query()], user: TodoReader, session: ReadSession
) -> OccurrencePage:
    """List what is over of all your todos that recur. The newest day first."""
    return await service.list_all(session, user.id, wanted)
