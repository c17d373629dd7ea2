"""Makes the secret address of a calendar feed."""

from fast_zero.calendar_feeds import queries
from fast_zero.calendar_feeds.schemas import CalendarFeedCreated
from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.settings import Settings


async def renew_feed(session: Session, settings: Settings, user_id: int) -> CalendarFeedCreated:
    """Give a user a feed, or the feed another address. It is returned only here."""
    secret = security.new_secret()
    created_at = await queries.upsert_feed(session, user_id, security.digest(secret))
    url = f"{settings.base_url()}/calendars/{secret}.ics"
    return CalendarFeedCreated(url=url, created_at=created_at)
