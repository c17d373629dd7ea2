from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query

from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import CurrentSession, ReadSession
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN
from fast_zero.notifications import queries
from fast_zero.notifications.models import NO_NOTIFICATION
from fast_zero.notifications.schemas import NotificationPage, NotificationParams, ReadUpTo
from fast_zero.people.dependencies import Reader, Writer

DONE = HTTPStatus.NO_CONTENT

router = APIRouter(prefix="/notifications", tags=["feed"], responses=NEEDS_TOKEN)


@router.get("", response_model=NotificationPage)
async def list_notifications(
    wanted: Annotated[NotificationParams, Query()], user: Reader, session: ReadSession
) -> object:
    """List your notifications. New followers, replies, likes and reminders, newest first."""
    rows, unread = await queries.select_news(session, user.id, wanted)
    rows, cursor = split_page(rows, wanted)
    return {"notifications": rows, "unread": unread, "next": cursor}


@router.put("/read", status_code=DONE)
async def read_notifications(seen: ReadUpTo, user: Writer, session: CurrentSession) -> None:
    """Mark all notifications up to one as read. Later events make them unread again."""
    await queries.mark_read(session, user.id, seen.up_to)


@router.put(
    "/{notification_id}/read", status_code=DONE, responses=responses(NotFound(NO_NOTIFICATION))
)
async def read_notification(notification_id: Id, user: Writer, session: CurrentSession) -> None:
    """Mark a notification as read. Idempotent."""
    if not await queries.mark_read(session, user.id, notification_id, one=True):
        raise NotFound(NO_NOTIFICATION)
