from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Security

from fast_zero.calendar_feeds import queries, service
from fast_zero.calendar_feeds.models import NO_FEED
from fast_zero.calendar_feeds.schemas import CalendarFeedCreated, CalendarFeedPublic
from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import NO_STORE, CurrentSession, CurrentSettings
from fast_zero.core.http.problems import responses
from fast_zero.identity.dependencies import (
    NEEDS_TOKEN,
    NO_PERSONAL_TOKENS,
    NO_SCOPE,
    AccountReader,
    AccountWriter,
    AuthenticatedUser,
    current_user,
    session_of,
)
from fast_zero.identity.scopes import Scope

# An address shows todos, for longer than the token that makes it.
Maker = Annotated[
    AuthenticatedUser, Security(current_user, scopes=[Scope.ACCOUNT_WRITE, Scope.TODOS_READ])
]

router = APIRouter(prefix="/users/me/calendar-feed", tags=["users"], responses=NEEDS_TOKEN)


@router.put("", responses=responses(NO_SCOPE, NO_PERSONAL_TOKENS), dependencies=[NO_STORE])
async def renew_calendar_feed(
    user: Maker, session: CurrentSession, settings: CurrentSettings
) -> CalendarFeedCreated:
    """Make a secret address for calendar apps. It is shown only in this response.

    An address that was made before ends at once.
    """
    session_of(user)  # a personal token expires, and must not leave an address behind
    return await service.renew_feed(session, settings, user.id)


@router.get("", response_model=CalendarFeedPublic, responses=responses(NotFound(NO_FEED)))
async def read_calendar_feed(user: AccountReader, session: CurrentSession) -> object:
    """Show whether you have a calendar feed. Its address is not shown."""
    feed = await queries.select_feed(session, user.id)
    if feed is None:
        raise NotFound(NO_FEED)
    return feed


@router.delete("", status_code=HTTPStatus.NO_CONTENT, responses=responses(NotFound(NO_FEED)))
async def delete_calendar_feed(user: AccountWriter, session: CurrentSession) -> None:
    """Delete your calendar feed. Its address ends at once."""
    if not await queries.delete_feed(session, user.id):
        raise NotFound(NO_FEED)
