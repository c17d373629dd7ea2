"""Profiles, which anybody may read, and what people are to one another."""

from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Response

from fast_zero.accounts.dependencies import NEEDS_TOKEN
from fast_zero.accounts.schemas import PUBLIC, Name, UserPage
from fast_zero.core import conditions
from fast_zero.core.conditions import IfNoneMatch
from fast_zero.core.database import AnyRow
from fast_zero.core.dependencies import Autocommit, Reads
from fast_zero.core.errors import NotFound
from fast_zero.core.etags import Tags
from fast_zero.core.pagination import cut
from fast_zero.core.parameters import PageQuery, query
from fast_zero.core.problems import responses
from fast_zero.core.routing import room
from fast_zero.core.statements import as_dicts
from fast_zero.core.types import Id
from fast_zero.feed import people_queries, service, stats_queries
from fast_zero.feed.dependencies import NOT_PUBLIC, Reader, Viewer, Writer
from fast_zero.feed.models import NO_USER
from fast_zero.feed.schemas import FeedParams, PostPage, Profile, UserStats

MISSING = NotFound(NO_USER)
SIGNED_IN = responses(*NEEDS_TOKEN)
TO_A_USER = responses(*NEEDS_TOKEN, MISSING)
DONE = HTTPStatus.NO_CONTENT

router = room("/users", "users")


@router.get("", response_model=UserPage, responses=responses(*NOT_PUBLIC))
async def list_users(page: PageQuery, viewer: Viewer, session: Reads) -> object:
    """List the public profiles of all users, oldest first."""
    rows = await people_queries.select_people(session, viewer, page, "everybody")
    rows, cursor = cut(rows, page)
    return {"users": as_dicts(rows), "next": cursor}


@router.get("/me/blocks", response_model=UserPage, responses=SIGNED_IN)
async def list_blocks(page: PageQuery, actor: Reader, session: Reads) -> object:
    """List whom you block, the latest first."""
    rows = await people_queries.select_people(session, actor.id, page, "blocked")
    rows, cursor = cut(rows, page, "position")
    return {"users": as_dicts(rows), "next": cursor}


@router.get(
    "/{user_id}",
    response_model=Profile,
    responses=responses(*NOT_PUBLIC, MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_user(user_id: Id, viewer: Viewer, session: Reads, seen: IfNoneMatch) -> Response:
    """Show a user's public profile, and to who is signed in which of the two follows the other."""
    return profile(await people_queries.select_profile(session, viewer, user_id), viewer, seen)


@router.get(
    "/by-name/{username}",
    response_model=Profile,
    responses=responses(*NOT_PUBLIC, MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_user_by_name(
    username: Name, viewer: Viewer, session: Reads, seen: IfNoneMatch
) -> Response:
    """Show the public profile of the user with a name, whatever its case."""
    found = await people_queries.select_profile_by_name(session, viewer, username)
    return profile(found, viewer, seen)


def profile(user: AnyRow | None, viewer: int, seen: Tags) -> Response:
    if user is None:
        raise NotFound(NO_USER)
    shown = Profile.model_validate(service.without_strangers_fields(user, viewer))
    # The version counts private changes, too, so it is told to the user alone.
    version = user.version if user.id == viewer else None
    return conditions.answer_all(shown, version, PUBLIC, seen=seen)


@router.get("/{user_id}/posts", response_model=PostPage, responses=TO_A_USER)
async def list_users_posts(
    user_id: Id,
    wanted: Annotated[FeedParams, Depends(query(FeedParams))],
    actor: Reader,
    session: Reads,
) -> object:
    """List the posts of a user that you may see, the newest first."""
    rows = await service.list_users_posts(session, actor.id, wanted, user_id)
    rows, cursor = cut(rows, wanted)
    return {"posts": as_dicts(rows), "next": cursor}


@router.get("/{user_id}/followers", response_model=UserPage, responses=TO_A_USER)
async def list_followers(user_id: Id, page: PageQuery, actor: Reader, session: Reads) -> object:
    """List who follows a user, the latest first."""
    people = await service.list_people(session, actor.id, page, "followers", user_id)
    rows, cursor = cut(people, page, "position")
    return {"users": as_dicts(rows), "next": cursor}


@router.get("/{user_id}/following", response_model=UserPage, responses=TO_A_USER)
async def list_following(user_id: Id, page: PageQuery, actor: Reader, session: Reads) -> object:
    """List whom a user follows, the latest first."""
    people = await service.list_people(session, actor.id, page, "following", user_id)
    rows, cursor = cut(people, page, "position")
    return {"users": as_dicts(rows), "next": cursor}


@router.get("/{user_id}/stats", response_model=UserStats, responses=TO_A_USER)
async def read_stats(user_id: Id, actor: Reader, session: Reads) -> object:
    """Tell what a user has finished, day by day for a year: of others, only what is shared."""
    stats = await stats_queries.select_stats(session, actor.id, user_id, datetime.now(UTC))
    if stats is None:
        raise NotFound(NO_USER)
    return stats


@router.put("/{user_id}/follow", status_code=DONE, responses=TO_A_USER)
async def follow_user(user_id: Id, actor: Writer, session: Autocommit) -> None:
    """Follow a user. Once more changes nothing."""
    await service.do(session, "follow", actor.id, user_id)


@router.delete("/{user_id}/follow", status_code=DONE, responses=TO_A_USER)
async def unfollow_user(user_id: Id, actor: Writer, session: Autocommit) -> None:
    """Follow a user no longer. Once more changes nothing."""
    await service.do(session, "unfollow", actor.id, user_id)


@router.put("/{user_id}/block", status_code=DONE, responses=TO_A_USER)
async def block_user(user_id: Id, actor: Writer, session: Autocommit) -> None:
    """Block a user: neither of you sees the other any more, and follows between you end."""
    await service.do(session, "block", actor.id, user_id)


@router.delete("/{user_id}/block", status_code=DONE, responses=TO_A_USER)
async def unblock_user(user_id: Id, actor: Writer, session: Autocommit) -> None:
    """Block a user no longer. Once more changes nothing."""
    await service.do(session, "unblock", actor.id, user_id)
