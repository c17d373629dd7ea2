from http import HTTPStatus

from fastapi import APIRouter

from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import CurrentSession, PageQuery, ReadSession
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN
from fast_zero.identity.schemas import UserPage
from fast_zero.people import queries, service
from fast_zero.people.dependencies import Reader, Writer
from fast_zero.people.models import NO_USER

DONE = HTTPStatus.NO_CONTENT
MISSING = responses(NotFound(NO_USER))

router = APIRouter(prefix="/users", tags=["users"], responses=NEEDS_TOKEN)


@router.get("/me/blocks", response_model=UserPage)
async def list_blocks(page: PageQuery, user: Reader, session: ReadSession) -> object:
    """List the users whom you block, latest first."""
    rows = await queries.select_people(session, user.id, page, "blocked")
    rows, cursor = split_page(rows, page, "position")
    return {"users": rows, "next": cursor}


@router.get("/{user_id}/followers", response_model=UserPage, responses=MISSING)
async def list_followers(
    user_id: Id, page: PageQuery, user: Reader, session: ReadSession
) -> object:
    """List the followers of a user, latest first."""
    people = await service.list_people(session, user.id, page, "followers", user_id)
    rows, cursor = split_page(people, page, "position")
    return {"users": rows, "next": cursor}


@router.get("/{user_id}/following", response_model=UserPage, responses=MISSING)
async def list_following(
    user_id: Id, page: PageQuery, user: Reader, session: ReadSession
) -> object:
    """List the users whom a user follows, latest first."""
    people = await service.list_people(session, user.id, page, "following", user_id)
    rows, cursor = split_page(people, page, "position")
    return {"users": rows, "next": cursor}


@router.put("/{user_id}/follow", status_code=DONE, responses=MISSING)
async def follow_user(user_id: Id, user: Writer, session: CurrentSession) -> None:
    """Follow a user. Idempotent."""
    await service.follow(session, user.id, user_id)


@router.delete("/{user_id}/follow", status_code=DONE, responses=MISSING)
async def unfollow_user(user_id: Id, user: Writer, session: CurrentSession) -> None:
    """Unfollow a user. Idempotent."""
    await service.unfollow(session, user.id, user_id)


@router.put("/{user_id}/block", status_code=DONE, responses=MISSING)
async def block_user(user_id: Id, user: Writer, session: CurrentSession) -> None:
    """Block a user. Neither of you can see the other, and follows between you are deleted."""
    await service.block(session, user.id, user_id)


@router.delete("/{user_id}/block", status_code=DONE, responses=MISSING)
async def unblock_user(user_id: Id, user: Writer, session: CurrentSession) -> None:
    """Unblock a user. Idempotent."""
    await service.unblock(session, user.id, user_id)
