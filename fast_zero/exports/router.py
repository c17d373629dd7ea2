from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Security
from fastapi.responses import StreamingResponse

from fast_zero.core.http.dependencies import ReadSession
from fast_zero.core.http.problems import Responses
from fast_zero.exports import service
from fast_zero.exports.schemas import Export
from fast_zero.identity.dependencies import NEEDS_TOKEN, AuthenticatedUser, current_user
from fast_zero.identity.scopes import Scope

Reader = Annotated[
    AuthenticatedUser,
    Security(current_user, scopes=[Scope.ACCOUNT_READ, Scope.TODOS_READ, Scope.FEED_READ]),
]
AS_FILE: Responses = {
    200: {
        "headers": {
            "Content-Disposition": {
                "description": "A file name for the export.",
                "schema": {"type": "string"},
            }
        }
    }
}

router = APIRouter(prefix="/users/me/export", tags=["users"], responses=NEEDS_TOKEN)


@router.get("", response_model=Export, responses=AS_FILE)
async def export_me(user: Reader, session: ReadSession, request: Request) -> StreamingResponse:
    """Export everything that is stored about you. One JSON document, which is streamed.

    It is not a snapshot: changes during the export may or may not be included.
    """
    now = datetime.now(UTC)
    head = await service.read_head(session, user.id, now)
    return StreamingResponse(
        service.write(request.state.reads, user.id, head),
        media_type="application/json",
        headers={
            "Content-Disposition": f'attachment; filename="fast_zero-export-{now:%Y-%m-%d}.json"',
            "Cache-Control": "no-store",
        },
    )
