from datetime import UTC, datetime

from fastapi import APIRouter, Response

from fast_zero.core.errors import NotFound
from fast_zero.core.http import conditions
from fast_zero.core.http.conditions import IfNoneMatch
from fast_zero.core.http.dependencies import PageQuery, ReadSession
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN
from fast_zero.identity.schemas import PUBLIC, Name, UserPage
from fast_zero.people import queries as people_queries
from fast_zero.people.dependencies import NOT_PUBLIC, Reader, Viewer
from fast_zero.people.models import NO_USER
from fast_zero.profiles import service, statistics
from fast_zero.profiles.schemas import Profile, UserStats

MISSING = responses(NotFound(NO_USER))
SHOWN = MISSING | conditions.TAGGED_OR_SEEN

router = APIRouter(prefix="/users", tags=["users"], responses=NOT_PUBLIC)


@router.get("", response_model=UserPage)
async def list_users(page: PageQuery, viewer: Viewer, session: ReadSession) -> object:
    """List the public profiles of all users, oldest first."""
    rows = await people_queries.select_people(session, viewer, page, "everybody")
    rows, cursor = split_page(rows, page)
    return {"users": rows, "next": cursor}


@router.get("/{user_id}", response_model=Profile, responses=SHOWN)
async def read_user(
    user_id: Id, viewer: Viewer, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show the public profile of a user. With a token, it shows who of you follows the other."""
    found = await service.read_profile(session, viewer, user_id)
    conditions.set_tag(response, profile_tag(*found, viewer), seen)
    return found[0]


@router.get("/by-name/{username}", response_model=Profile, responses=SHOWN)
async def read_user_by_name(
    username: Name, viewer: Viewer, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show the public profile of a user by username. Case is ignored."""
    found = await service.read_profile_by_name(session, viewer, username)
    conditions.set_tag(response, profile_tag(*found, viewer), seen)
    return found[0]


def profile_tag(profile: Profile, version: int, viewer: int) -> str:
    """Return the ETag of a profile. The version counts private changes: only its user gets it."""
    return conditions.digest_tag(profile, version if profile.id == viewer else None, PUBLIC)


@router.get("/{user_id}/stats", response_model=UserStats, responses=MISSING | NEEDS_TOKEN)
async def read_stats(user_id: Id, user: Reader, session: ReadSession) -> object:
    """Count the todos that a user has finished. By day, for a year; of others, only shared ones."""
    stats = await statistics.select_stats(session, user.id, user_id, datetime.now(UTC))
    if stats is None:
        raise NotFound(NO_USER)
    return stats
