"""The statement that assembles a timeline when it is read.

docs/decisions.md has the measurements, and why no timelines are stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from sqlalchemy import (
    CTE,
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
from fast_zero.people.queries import (
    AFTER,
    LIMIT,
    OFFSET,
    READER,
    follows,
    literal_number,
    page_values,
)
from fast_zero.posts.models import Post
from fast_zero.posts.queries import posts, select_post_columns, visible_to
from fast_zero.posts.schemas import FeedParams

SEARCHED_PER_POST = 100
"""Number of the newest posts to search, for each post that the page needs."""

FEW = 50
"""Up to this number of followed users, it costs less to query each of them at once."""

PAGE_END = OFFSET + LIMIT
"""Number of posts that are needed to fill the page, those before the page included."""

FOLLOWED = select(follows.followed_id.label("id")).where(follows.follower_id == READER)


@dataclass(frozen=True)
class Filter:
    """Which of the posts that the reader can see are listed."""

    replies: bool
    after: bool

    def select_ids(self, post: FromClause, *conditions: ColumnElement[bool]) -> Select[int]:
        found = select(post.c.id).where(visible_to(post.c), *conditions)
        return found if self.replies else found.where(post.c.reply_to.is_(None))

    def after_cursor(self, post: FromClause) -> ColumnElement[bool]:
        return post.c.id < AFTER if self.after else true()


@cache
def timeline_statement(*, replies: bool, after: bool) -> Prepared:
    """List the posts of the reader and of the followed users, newest first.

    For readers who follow many users, the newest posts of all users are searched first, which is
    enough in most cases. If it is not, or if the reader follows few, the authors are queried one
    by one.
    """
    wanted = Filter(replies, after)
    recent = select_recent(wanted)
    enough = select(func.count() >= PAGE_END).select_from(recent).scalar_subquery()
    by_author = select_by_author(wanted, ~enough)
    found = union_all(select(recent.c.id).where(enough), by_author).subquery("found")
    page = select(found.c.id).order_by(found.c.id.desc()).offset(OFFSET).limit(LIMIT)
    chosen = page.subquery("chosen")
    statement = select_post_columns(Post.__table__, columns=[posts.id.label("position")])
    return prepare(statement.join(chosen, chosen.c.id == posts.id).order_by(posts.id.desc()))


def select_recent(wanted: Filter) -> CTE:
    """Search the newest posts of all users, if the reader follows more than `FEW`."""
    everybody = Post.__table__.alias("everybody")
    some = select(follows.id).where(follows.follower_id == READER)
    counted = some.limit(literal_number(FEW + 1)).subquery()
    many = select(func.count() > literal_number(FEW)).select_from(counted).scalar_subquery()
    newest = select(everybody).where(many, wanted.after_cursor(everybody))
    newest = newest.order_by(everybody.c.id.desc())
    searched = newest.limit(literal_number(SEARCHED_PER_POST) * PAGE_END).subquery("recent")
    author = searched.c.author_id
    found = wanted.select_ids(searched, or_(author == READER, author.in_(FOLLOWED)))
    return found.order_by(searched.c.id.desc()).limit(PAGE_END).cte("near")


def select_by_author(wanted: Filter, condition: ColumnElement[bool]) -> Select[int]:
    """Select the newest posts of each author, under a condition.

    First the newest post of each author is selected. Only the authors of the newest `PAGE_END` of
    them can have posts on the page, so only these are queried for more.
    """
    authors = FOLLOWED.union_all(select(READER)).subquery("authors")
    latest = newest_of(authors.c.id, literal_number(1), wanted)
    active = select(authors.c.id).select_from(authors.join(latest, true())).where(condition)
    on_page = active.order_by(latest.c.id.desc()).limit(PAGE_END).subquery("lively")
    theirs = newest_of(on_page.c.id, PAGE_END, wanted)
    return select(theirs.c.id).select_from(on_page.join(theirs, true()))


def newest_of(author: ColumnElement[int], number: ColumnElement[int], wanted: Filter) -> FromClause:
    post = Post.__table__.alias("theirs")
    found = wanted.select_ids(post, post.c.author_id == author, wanted.after_cursor(post))
    return found.order_by(post.c.id.desc()).limit(number).lateral()


async def select_timeline(
    session: Session, reader_id: int, page: FeedParams
) -> Sequence[PreparedRow]:
    statement = timeline_statement(replies=page.replies, after=page.after is not None)
    return await session.fetch_all(statement, page_values(reader_id, page))
