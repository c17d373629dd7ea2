"""Profiles, which anybody may read, and what people are to one another."""

from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.accounts.dependencies import NEEDS_TOKEN
from fast_zero.accounts.schemas import PUBLIC, Name, UserPage
from fast_zero.core.errors import NotFound
from fast_zero.core.http import conditions
from fast_zero.core.http.conditions import IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession, PageQuery, ReadSession
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import cut
from fast_zero.core.types import Id
from fast_zero.feed import people_queries, service, stats_queries
from fast_zero.feed.dependencies import NOT_PUBLIC, FeedQuery, Reader, Viewer, Writer
from fast_zero.feed.models import NO_USER
from fast_zero.feed.schemas import PostPage, Profile, UserStats

MISSING = responses(NotFound(NO_USER))
SHOWN = MISSING | conditions.TAGGED_OR_SEEN
TO_A_USER = MISSING | NEEDS_TOKEN
DONE = HTTPStatus.NO_CONTENT

router = APIRouter(prefix="/users", tags=["users"], responses=NOT_PUBLIC)


@router.get("", response_model=UserPage)
async def list_users(page: PageQuery, viewer: Viewer, session: ReadSession) -> object:
    """List the public profiles of all users. The oldest first."""
    rows = await people_queries.select_people(session, viewer, page, "everybody")
    rows, cursor = cut(rows, page)
    return {"users": rows, "next": cursor}


@router.get("/me/blocks", response_model=UserPage, responses=NEEDS_TOKEN)
async def list_blocks(page: PageQuery, actor: Reader, session: ReadSession) -> object:
    """List whom you block. The latest first."""
    rows = await people_queries.select_people(session, actor.id, page, "blocked")
    rows, cursor = cut(rows, page, "position")
    return {"users": rows, "next": cursor}


@router.get("/{user_id}", response_model=Profile, responses=SHOWN)
async def read_user(
    user_id: Id, viewer: Viewer, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show the public profile of a user. With a token, it tells which of you follows the other."""
    found = await service.read_profile(session, viewer, user_id)
    conditions.set_tag(response, profile_tag(*found, viewer), seen)
    return found[0]


@router.get("/by-name/{username}", response_model=Profile, responses=SHOWN)
async def read_user_by_name(
    username: Name, viewer: Viewer, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show the public profile of a user by name. The case of the name does not matter."""
    found = await service.read_profile_by_name(session, viewer, username)
    conditions.set_tag(response, profile_tag(*found, viewer), seen)
    return found[0]


def profile_tag(profile: Profile, version: int, viewer: int) -> str:
    """Make the tag of a profile. Its user alone sees the version, which counts private changes."""
    return conditions.digest_tag(profile, version if profile.id == viewer else None, PUBLIC)


@router.get("/{user_id}/posts", response_model=PostPage, responses=TO_A_USER)
async def list_users_posts(
    user_id: Id, wanted: FeedQuery, actor: Reader, session: ReadSession
) -> object:
    """List the posts of a user. Those that you may see, the newest first."""
    rows = await service.list_users_posts(session, actor.id, wanted, user_id)
    rows, cursor = cut(rows, wanted)
    return {"posts": rows, "next": cursor}


@router.get("/{user_id}/followers", response_model=UserPage, responses=TO_A_USER)
async def list_followers(
    user_id: Id, page: PageQuery, actor: Reader, session: ReadSession
) -> object:
    """List who follows a user. The latest first."""
    people = await service.list_people(session, actor.id, page, "followers", user_id)
    rows, cursor = cut(people, page, "position")
    return {"users": rows, "next": cursor}


@router.get("/{user_id}/following", response_model=UserPage, responses=TO_A_USER)
async def list_following(
    user_id: Id, page: PageQuery, actor: Reader, session: ReadSession
) -> object:
    """List whom a user follows. The latest first."""
    people = await service.list_people(session, actor.id, page, "following", user_id)
    rows, cursor = cut(people, page, "position")
    return {"users": rows, "next": cursor}


@router.get("/{user_id}/stats", response_model=UserStats, responses=TO_A_USER)
async def read_stats(user_id: Id, actor: Reader, session: ReadSession) -> object:
    """Count what a user has finished. Day by day for a year; of others, only what is shared."""
    stats = await stats_queries.select_stats(session, actor.id, user_id, datetime.now(UTC))
    if stats is None:
        raise NotFound(NO_USER)
    return stats


@router.put("/{user_id}/follow", status_code=DONE, responses=TO_A_USER)
async def follow_user(user_id: Id, actor: Writer, session: CurrentSession) -> None:
    """Follow a user. Once more changes nothing."""
    await service.do(session, "follow", actor.id, user_id)


@router.delete("/{user_id}/follow", status_code=DONE, responses=TO_A_USER)
async def unfollow_user(user_id: Id, actor: Writer, session: CurrentSession) -> None:
    """Unfollow a user. Once more changes nothing."""
    await service.do(session, "unfollow", actor.id, user_id)


@router.put("/{user_id}/block", status_code=DONE, responses=TO_A_USER)
async def block_user(user_id: Id, actor: Writer, session: CurrentSession) -> None:
    """Block a user. Neither of you sees the other any more, and follows between you end."""
    await service.do(session, "block", actor.id, user_id)


@router.delete("/{user_id}/block", status_code=DONE, responses=TO_A_USER)
async def unblock_user(user_id: Id, actor: Writer, session: CurrentSession) -> None:
    """Unblock a user. Once more changes nothing."""
    await service.do(session, "unblock", actor.id, user_id)
