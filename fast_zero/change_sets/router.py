from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from fast_zero.change_sets import service
from fast_zero.change_sets.models import NO_CHANGE_SET, TOO_LARGE
from fast_zero.change_sets.schemas import UndoResult
from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import idempotency
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoWriter

Force = Annotated[
    bool, Query(description="Also restore what has been changed since, and lose that change.")
]
DryRun = Annotated[bool, Query(description="Show what would be undone, and change nothing.")]

router = APIRouter(prefix="/change-sets", tags=["changes"], responses=NEEDS_TOKEN)


@router.post(
    "/{change_set_id}/undo",
    response_model=UndoResult,
    responses=responses(NotFound(NO_CHANGE_SET), Conflict(TOO_LARGE), idempotency.UNFINISHED),
)
async def undo_change_set(
    change_set_id: UUID,
    user: TodoWriter,
    session: CurrentSession,
    idempotent: Idempotent,
    *,
    force: Force = False,
    dry_run: DryRun = False,
) -> object:
    """Undo what one request changed. The id is its `X-Change-Set`.

    What was changed since is a conflict, and is left as it is. An undo is a change set itself, and
    can be undone. What was deleted for good cannot.
    """

    async def undo() -> UndoResult:
        return await service.undo(session, user.id, change_set_id, force=force, dry_run=dry_run)

    return await idempotent(session, user.id, undo, status=HTTPStatus.OK)
