from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from fast_zero.core.errors import NotFound
from fast_zero.core.http import conditions, etags, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession, PageQuery, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN
from fast_zero.identity.schemas import UserPage
from fast_zero.people.dependencies import Reader, Writer
from fast_zero.people.models import NO_USER
from fast_zero.posts import queries, service
from fast_zero.posts.dependencies import FeedQuery
from fast_zero.posts.models import NO_POST
from fast_zero.posts.schemas import (
    EarlierTextPage,
    PostCreate,
    PostPage,
    PostPublic,
    PostThread,
    PostUpdate,
    ThreadParams,
)

DONE = HTTPStatus.NO_CONTENT
MISSING = responses(NotFound(NO_POST))

router = APIRouter(responses=NEEDS_TOKEN)
posts = APIRouter(tags=["feed"])
one_post = APIRouter(prefix="/posts/{post_id}", tags=["feed"], responses=MISSING)


@posts.post(
    "/posts",
    status_code=HTTPStatus.CREATED,
    response_model=PostPublic,
    responses=MISSING | responses(idempotency.UNFINISHED) | idempotency.CREATED,
)
async def create_post(
    new: PostCreate,
    user: Writer,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a post, or reply to one. Only users who can see that post can see the reply."""

    async def create() -> PostPublic:
        post = PostPublic.model_validate(await service.create_post(session, user.id, new))
        conditions.set_created(response, etags.tag(post.version), f"/posts/{post.id}")
        return post

    return await idempotent(session, user.id, create)


@posts.get("/posts", response_model=PostPage)
async def list_posts(wanted: FeedQuery, user: Reader, session: ReadSession) -> object:
    """List the public posts of all users, newest first."""
    rows = await queries.select_posts(session, user.id, wanted, "home")
    rows, cursor = split_page(rows, wanted)
    return {"posts": rows, "next": cursor}


@posts.get("/users/me/likes", response_model=PostPage)
async def list_my_likes(page: PageQuery, user: Reader, session: ReadSession) -> object:
    """List the posts that you like, latest like first."""
    rows = await queries.select_posts(session, user.id, page, "likes")
    rows, cursor = split_page(rows, page, "position")
    return {"posts": rows, "next": cursor}


@one_post.get("", response_model=PostThread, responses=conditions.TAGGED_OR_SEEN)
async def read_post(
    post_id: Id,
    page: Annotated[ThreadParams, Query()],
    user: Reader,
    session: ReadSession,
    response: Response,
    seen: IfNoneMatch,
) -> object:
    """Show a post and its replies, three levels deep. Direct replies are paged, oldest first."""
    post = await service.read_thread(session, user.id, post_id, page)
    conditions.set_tag(response, conditions.digest_tag(post, post.version), seen)
    return post


@one_post.patch(
    "", response_model=PostPublic, responses=responses(conditions.STALE) | conditions.TAGGED
)
async def update_post(
    post_id: Id,
    change: PostUpdate,
    user: Writer,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Change the text of your post. It is marked as edited; the earlier text is kept for you."""
    accepted = etags.versions(condition)
    post = await service.update_post(session, user.id, post_id, change, accepted)
    conditions.set_tag(response, etags.tag(post.version))
    return post


@one_post.delete("", status_code=DONE, responses=responses(conditions.STALE))
async def delete_post(
    post_id: Id, user: Writer, session: CurrentSession, condition: IfMatch
) -> None:
    """Delete your post. Its earlier texts and likes are deleted with it. The replies stay."""
    await service.delete_post(session, user.id, post_id, etags.versions(condition))


@one_post.get("/edits", response_model=EarlierTextPage)
async def list_earlier_texts(
    post_id: Id, page: PageQuery, user: Reader, session: ReadSession
) -> object:
    """List the earlier texts of your post, oldest first."""
    rows, cursor = split_page(
        await queries.select_earlier_texts(session, user.id, post_id, page), page
    )
    if not rows:
        post = await queries.select_post(session, user.id, post_id)
        if post is None or post.author["id"] != user.id:
            raise NotFound(NO_POST)
    return {"texts": rows, "next": cursor}


@one_post.put("/like", status_code=DONE)
async def like_post(post_id: Id, user: Writer, session: CurrentSession) -> None:
    """Like a post. Idempotent."""
    if not await queries.like(session, user.id, post_id):
        raise NotFound(NO_POST)


@one_post.delete("/like", status_code=DONE)
async def unlike_post(post_id: Id, user: Writer, session: CurrentSession) -> None:
    """Unlike a post. Idempotent."""
    if not await queries.unlike(session, user.id, post_id):
        raise NotFound(NO_POST)


@one_post.get("/likes", response_model=UserPage)
async def list_likes(post_id: Id, page: PageQuery, user: Reader, session: ReadSession) -> object:
    """List the users who like a post, latest first."""
    rows = await queries.select_likers(session, user.id, post_id, page)
    if not rows and await queries.select_post(session, user.id, post_id) is None:
        raise NotFound(NO_POST)
    rows, cursor = split_page(rows, page, "position")
    return {"users": rows, "next": cursor}


@router.get(
    "/users/{user_id}/posts",
    response_model=PostPage,
    responses=responses(NotFound(NO_USER)),
    tags=["users"],
)
async def list_users_posts(
    user_id: Id, wanted: FeedQuery, user: Reader, session: ReadSession
) -> object:
    """List the posts of a user that you can see, newest first."""
    rows = await service.list_users_posts(session, user.id, wanted, user_id)
    rows, cursor = split_page(rows, wanted)
    return {"posts": rows, "next": cursor}


router.include_router(posts)
router.include_router(one_post)
