from http import HTTPStatus
from typing import Any

from fastapi import APIRouter, Response

from fast_zero.core.errors import NotFound
from fast_zero.core.http import idempotency
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoWriter
from fast_zero.projects.models import NO_PROJECT, NO_SECTION
from fast_zero.quick_add import service
from fast_zero.quick_add.schemas import QuickAdd, QuickAddAnswer, TodoDraft
from fast_zero.todos.dependencies import created

GONE = (NotFound(NO_PROJECT), NotFound(NO_SECTION))
DRY_RUN: dict[int | str, dict[str, Any]] = {
    200: {"model": QuickAddAnswer, "description": "With `dry_run`."}
}

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "/quick",
    status_code=HTTPStatus.CREATED,
    response_model=QuickAddAnswer,
    responses=responses(*GONE, idempotency.UNFINISHED) | idempotency.CREATED | DRY_RUN,
)
async def quick_add_todo(
    given: QuickAdd,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a todo from a sentence, in English or Portuguese.

    `#project`, `#project/section`, `@label`, `!priority`, dates, times, durations, reminders and
    recurrences are understood; all other words are the title, and words in quotes always are.
    """
    if given.dry_run:
        answer = await service.understand(session, user.id, given.text)
        response.status_code = HTTPStatus.OK
        draft = TodoDraft.model_validate(answer.new)
        return QuickAddAnswer(todo=None, draft=draft, understood=list(answer.understood))

    async def create() -> QuickAddAnswer:
        answer = await service.understand(session, user.id, given.text)
        todo = created(response, await service.create_todo(session, user.id, answer))
        return QuickAddAnswer(todo=todo, draft=None, understood=list(answer.understood))

    return await idempotent(session, user.id, create)
