"""The statement that puts a timeline together, when it is read.

What was measured, and why nothing is kept for readers, stands in docs/decisions.md.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    func,
    or_,
    select,
    true,
    union_all,
)

from fast_zero.core.database import Prepared, PreparedRow, Session, prepare
from fast_zero.people.queries import AFTER, LIMIT, OFFSET, READER, follows, page_values, whole
from fast_zero.posts.models import Post
from fast_zero.posts.queries import posts, showing, visible_to
from fast_zero.posts.schemas import FeedParams

LOOKED_THROUGH = 100
"""How many of the newest posts are looked through, for each that a timeline's page needs."""

FEW = 50
"""Who follows no more than that asks each of them at once, which costs less."""


@cache
def timeline(*, replies: bool, after: bool) -> Prepared:
    """List the posts of the reader and of whom the reader follows, the newest first.

    For who follows many, first the newest posts of everybody are looked through, which mostly is
    enough. If it is not, or they are few, each author is asked for one post. Who has none among as
    many of those as the page needs has none on the page, so only the others are asked for more.
    """
    most = OFFSET + LIMIT
    followed = select(follows.followed_id.label("id")).where(follows.follower_id == READER)

    def newest(post: FromClause, *conditions: ColumnElement[bool]) -> Select[int]:
        found = select(post.c.id).where(visible_to(post.c), *conditions)
        return found if replies else found.where(post.c.reply_to.is_(None))

    def passed(post: FromClause) -> ColumnElement[bool]:
        return post.c.id < AFTER if after else true()

    def asked(author: ColumnElement[int], number: ColumnElement[int]) -> FromClause:
        post = Post.__table__.alias("theirs")
        found = newest(post, post.c.author_id == author, passed(post))
        return found.order_by(post.c.id.desc()).limit(number).lateral()

    everybody = Post.__table__.alias("everybody")
    some = select(follows.id).where(follows.follower_id == READER).limit(whole(FEW + 1)).subquery()
    many = select(func.count() > whole(FEW)).select_from(some).scalar_subquery()
    recent = select(everybody).where(many, passed(everybody)).order_by(everybody.c.id.desc())
    recent_ones = recent.limit(whole(LOOKED_THROUGH) * most).subquery("recent")
    by = recent_ones.c.author_id
    near = newest(recent_ones, or_(by == READER, by.in_(followed)))
    near_ones = near.order_by(recent_ones.c.id.desc()).limit(most).cte("near")
    enough = select(func.count() >= most).select_from(near_ones).scalar_subquery()

    authors = followed.union_all(select(READER)).subquery("authors")
    latest = asked(authors.c.id, whole(1))
    lively = select(authors.c.id).select_from(authors.join(latest, true())).where(~enough)
    lively_ones = lively.order_by(latest.c.id.desc()).limit(most).subquery("lively")
    theirs = asked(lively_ones.c.id, most)
    far = select(theirs.c.id).select_from(lively_ones.join(theirs, true()))

    found = union_all(select(near_ones.c.id).where(enough), far).subquery("found")
    page = select(found.c.id).order_by(found.c.id.desc()).offset(OFFSET).limit(LIMIT)
    chosen = page.subquery("chosen")
    shown_ones = showing(Post.__table__, columns=[posts.id.label("position")])
    shown_ones = shown_ones.join(chosen, chosen.c.id == posts.id).order_by(posts.id.desc())
    return prepare(shown_ones)


async def select_timeline(
    session: Session, reader_id: int, page: FeedParams
) -> Sequence[PreparedRow]:
    statement = timeline(replies=page.replies, after=page.after is not None)
    return await session.fetch_all(statement, page_values(reader_id, page))
