"""Reads a calendar by its address."""

from anyio import to_thread

from fast_zero.calendar_feeds.models import NO_FEED
from fast_zero.calendar_feeds.queries import use_feed
from fast_zero.calendars import documents
from fast_zero.calendars.queries import select_dues
from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import NotFound


async def read(session: Session, secret: str) -> bytes:
    await session.begin()
    owner_id = await use_feed(session, security.digest(secret))
    if owner_id is None:
        raise NotFound(NO_FEED)
    dues = await select_dues(session, owner_id)
    await session.commit()  # no connection is held while the calendar is written
    return await to_thread.run_sync(documents.as_calendar, dues)
