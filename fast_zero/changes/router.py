from typing import Annotated

from fastapi import APIRouter, Query

from fast_zero.changes import service
from fast_zero.changes.models import CURSOR_EXPIRED
from fast_zero.changes.schemas import ChangesPage, ChangesParams
from fast_zero.core.errors import Gone
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.problems import responses
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader

router = APIRouter(prefix="/changes", tags=["changes"], responses=NEEDS_TOKEN)


@router.get("", responses=responses(Gone(CURSOR_EXPIRED)))
async def list_changes(
    wanted: Annotated[ChangesParams, Query()], user: TodoReader, session: CurrentSession
) -> ChangesPage:
    """List what changed since a cursor, or everything.

    Each thing that changed appears once in a page: as it is now, or as a tombstone.
    """
    return await service.read_changes(session, user.id, wanted.since, wanted.limit)
