"""All that the feed keeps of a person, for an export. Who blocks that person is not theirs."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.database import AnyRow, AnySession
from fast_zero.core.pagination import PageParams, paged
from fast_zero.feed.models import blocks, completions, earlier_texts, follows, likes, posts

SelectPage = Callable[[AnySession, int, PageParams], Awaitable[Sequence[AnyRow]]]


def pages(
    columns: Sequence[ColumnElement[Any]], id_: ColumnElement[int], owner_id: ColumnElement[Any]
) -> SelectPage:
    """Select pages of the rows that are somebody's, oldest first."""
    statement: Select[*tuple[Any, ...]] = select(id_, *columns)

    async def select_page(session: AnySession, user_id: int, page: PageParams) -> Sequence[AnyRow]:
        return (await session.execute(paged(statement.where(owner_id == user_id), id_, page))).all()

    return select_page


EARLIER = func.jsonb_build_object(
    "id", earlier_texts.c.id, "text", earlier_texts.c.text, "written_at", earlier_texts.c.written_at
)
EARLIER_TEXTS = (
    select(func.coalesce(func.jsonb_agg(EARLIER), func.jsonb_build_array(), type_=JSONB))
    .where(earlier_texts.c.post_id == posts.c.id)
    .scalar_subquery()
    .label("earlier_texts")
)
WRITTEN = (
    posts.c.text,
    posts.c.visibility,
    posts.c.reply_to,
    posts.c.todo_id,
    posts.c.created_at,
    posts.c.edited_at,
    EARLIER_TEXTS,
)
FOLLOWED = (follows.c.followed_id.label("user_id"), follows.c.created_at)
FOLLOWER = (follows.c.follower_id.label("user_id"), follows.c.created_at)
BLOCKED = (blocks.c.blocked_id.label("user_id"), blocks.c.created_at)

select_posts = pages(WRITTEN, posts.c.id, posts.c.author_id)
select_completions = pages(
    (completions.c.todo_id, completions.c.finished_at), completions.c.id, completions.c.owner_id
)
select_likes = pages((likes.c.post_id, likes.c.created_at), likes.c.id, likes.c.user_id)
select_following = pages(FOLLOWED, follows.c.id, follows.c.follower_id)
select_followers = pages(FOLLOWER, follows.c.id, follows.c.followed_id)
select_blocked = pages(BLOCKED, blocks.c.id, blocks.c.blocker_id)
