from datetime import UTC, datetime

from fastapi import APIRouter, Response

from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import conditions
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.problems import responses
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoWriter
from fast_zero.relations.models import NO_TODO
from fast_zero.reminders import service
from fast_zero.reminders.models import NOT_OPEN
from fast_zero.reminders.schemas import Snooze
from fast_zero.todos.dependencies import tagged
from fast_zero.todos.schemas import TodoPublic

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "/{todo_id}/snooze",
    response_model=TodoPublic,
    responses=responses(NotFound(NO_TODO), Conflict(NOT_OPEN)) | conditions.TAGGED,
)
async def snooze_todo(
    todo_id: Id, snooze: Snooze, user: TodoWriter, session: CurrentSession, response: Response
) -> object:
    """Remind of a todo later. Its due stays.

    Reminders that would go out before that moment go out then, once. It ends when the due changes.
    """
    now = datetime.now(UTC)
    return tagged(response, await service.snooze_todo(session, user.id, todo_id, snooze, now))
