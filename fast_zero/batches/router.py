from http import HTTPStatus

from fastapi import APIRouter

from fast_zero.batches import service
from fast_zero.batches.schemas import Batch, BatchAnswer
from fast_zero.core.http import idempotency
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoWriter

router = APIRouter(prefix="/todos", tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "/batch",
    response_model=BatchAnswer,
    responses=responses(idempotency.UNFINISHED, service.REFUSED) | idempotency.DONE,
)
async def do_batch(
    batch: Batch, user: TodoWriter, session: CurrentSession, idempotent: Idempotent
) -> object:
    """Change many todos at once. Up to 200, all or nothing by default."""

    async def do() -> BatchAnswer:
        return BatchAnswer(results=await service.do_batch(session, user.id, batch))

    return await idempotent(session, user.id, do, status=HTTPStatus.OK)
