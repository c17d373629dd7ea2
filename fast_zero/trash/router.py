from fastapi import APIRouter

from fast_zero.core.errors import NotFound
from fast_zero.core.http import examples
from fast_zero.core.http.dependencies import (
    CurrentSession,
    CurrentSettings,
    PageQuery,
    ReadSession,
)
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id, Message
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader, TodoWriter
from fast_zero.trash import queries, service
from fast_zero.trash.models import NO_DELETION
from fast_zero.trash.schemas import TrashedItem, TrashPage

DELETED = "It has been deleted for good."
EMPTIED = "The trash has been emptied."

router = APIRouter(prefix="/trash", tags=["trash"], responses=NEEDS_TOKEN)


@router.get("", response_model=TrashPage)
async def list_trash(
    page: PageQuery, user: TodoReader, session: ReadSession, settings: CurrentSettings
) -> object:
    """List what is in your trash, newest first.

    `POST /todos/{id}/restore` and `POST /projects/{id}/restore` take it out again.
    """
    rows, cursor = split_page(await queries.select_deletions(session, user.id, page), page)
    shown = [TrashedItem.of(row, settings.trash_days) for row in rows]
    return {"deletions": shown, "next": cursor}


@router.delete("", responses=examples.message(EMPTIED))
async def empty_trash(user: TodoWriter, session: CurrentSession) -> Message:
    """Empty your trash. All that is in it is deleted for good."""
    await service.empty_trash(session, user.id)
    return Message(message=EMPTIED)


@router.delete(
    "/{deletion_id}", responses=responses(NotFound(NO_DELETION)) | examples.message(DELETED)
)
async def delete_from_trash(deletion_id: Id, user: TodoWriter, session: CurrentSession) -> Message:
    """Delete something in your trash for good."""
    await service.purge_deletion(session, user.id, deletion_id)
    return Message(message=DELETED)
