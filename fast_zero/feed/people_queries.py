"""Statements about people: profiles, who follows whom, who blocks whom, who likes a post."""

from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Select,
    any_,
    bindparam,
    case,
    delete,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from fast_zero.accounts.models import users
from fast_zero.accounts.queries import folded
from fast_zero.core.database import AnyRow, AnySession
from fast_zero.core.pagination import PageParams
from fast_zero.feed.models import Visibility, blocks, follows, likes, posts
from fast_zero.feed.queries import (
    AFTER,
    HIDDEN,
    LIMIT,
    OFFSET,
    POST,
    READER,
    USER,
    constant,
    follows_row,
    known_to_reader,
    page_values,
    visible_to,
)
from fast_zero.feed.tallies import FOLLOWERS, tally

COLUMNS = (users.c.id, users.c.username, users.c.display_name, users.c.bio, users.c.created_at)


def count(table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


# What is no reply is seen by all, by followers or by nobody else, so each kind is one number.
OWN = users.c.id == READER
POSTS_SEEN = (
    tally(users.c.id, constant(Visibility.PUBLIC))
    + case(
        (
            or_(OWN, follows_row(READER, users.c.id)),
            tally(users.c.id, constant(Visibility.FOLLOWERS)),
        ),
        else_=0,
    )
    + case((OWN, tally(users.c.id, constant(Visibility.PRIVATE))), else_=0)
    + count(
        posts, posts.c.author_id == users.c.id, posts.c.reply_to.is_not(None), visible_to(posts.c)
    )
)
HIDDEN_FOLLOWERS = count(
    follows, follows.c.followed_id == users.c.id, follows.c.follower_id == any_(HIDDEN)
)
PROFILE = select(
    *COLUMNS,
    users.c.version,
    func.jsonb_build_object(
        "posts",
        POSTS_SEEN,
        "followers",
        tally(users.c.id, constant(FOLLOWERS)) - HIDDEN_FOLLOWERS,
        "following",
        count(follows, follows.c.follower_id == users.c.id, known_to_reader(follows.c.followed_id)),
    ).label("counts"),
    follows_row(READER, users.c.id).label("following"),
    follows_row(users.c.id, READER).label("followed_by"),
).where(known_to_reader(users.c.id))
BY_ID = PROFILE.where(users.c.id == USER)
BY_NAME = PROFILE.where(users.c.username_key == folded(bindparam("username")))
IS_KNOWN = select(exists().where(users.c.id == USER, known_to_reader(users.c.id)))


async def select_profile(session: AnySession, reader_id: int, user_id: int) -> AnyRow | None:
    found = await session.execute(BY_ID, {"reader_id": reader_id, "user_id": user_id})
    return found.one_or_none()


async def select_profile_by_name(
    session: AnySession, reader_id: int, username: str
) -> AnyRow | None:
    found = await session.execute(BY_NAME, {"reader_id": reader_id, "username": username})
    return found.one_or_none()


async def is_known(session: AnySession, reader_id: int, user_id: int) -> bool:
    values = {"reader_id": reader_id, "user_id": user_id}
    return bool((await session.execute(IS_KNOWN, values)).scalar())


Crowd = Literal["everybody", "followers", "following", "likers", "blocked"]


@cache
def listing(crowd: Crowd, *, after: bool) -> Select[*tuple[Any, ...]]:
    """List people, the latest to join a crowd first; everybody, in the order of their ids."""
    statement = select(*COLUMNS)
    match crowd:
        case "everybody":
            position, conditions = users.c.id, []
        case "followers":
            statement = statement.join(follows, follows.c.follower_id == users.c.id)
            position = follows.c.id
            conditions = [follows.c.followed_id == USER, known_to_reader(follows.c.followed_id)]
        case "following":
            statement = statement.join(follows, follows.c.followed_id == users.c.id)
            position = follows.c.id
            conditions = [follows.c.follower_id == USER, known_to_reader(follows.c.follower_id)]
        case "likers":
            statement = statement.join(likes, likes.c.user_id == users.c.id)
            statement = statement.join(posts, likes.c.post_id == posts.c.id)
            position, conditions = likes.c.id, [posts.c.id == POST, visible_to(posts.c)]
        case "blocked":
            statement = statement.join(blocks, blocks.c.blocked_id == users.c.id)
            position, conditions = blocks.c.id, [blocks.c.blocker_id == READER]
    if crowd != "blocked":
        conditions.append(known_to_reader(users.c.id))
    ascending = crowd == "everybody"
    if after:
        conditions.append(position > AFTER if ascending else position < AFTER)
    order = position if ascending else position.desc()
    statement = statement.add_columns(position.label("position")).where(*conditions)
    return statement.order_by(order).offset(OFFSET).limit(LIMIT)


async def select_people(
    session: AnySession, reader_id: int, page: PageParams, crowd: Crowd, **of: int
) -> Sequence[AnyRow]:
    """Select a page of people; `of` names the user or the post that they belong to."""
    statement = listing(crowd, after=page.after is not None)
    return (await session.execute(statement, page_values(reader_id, page) | of)).all()


# Whom the reader blocks stays in the reader's hands.
BLOCKED = exists().where(blocks.c.blocker_id == READER, blocks.c.blocked_id == users.c.id)
KNOWN = select(users.c.id).where(users.c.id == USER, known_to_reader(users.c.id)).cte("known")
WITHIN = (
    select(users.c.id)
    .where(users.c.id == USER, or_(known_to_reader(users.c.id), BLOCKED))
    .cte("within")
)
FOLLOW = select(KNOWN.c.id).add_cte(
    insert(follows)
    .from_select(["follower_id", "followed_id"], select(READER, KNOWN.c.id))
    .on_conflict_do_nothing()
    .cte("made")
)
UNFOLLOW = select(KNOWN.c.id).add_cte(
    delete(follows)
    .where(follows.c.follower_id == READER, follows.c.followed_id == KNOWN.c.id)
    .cte("undone")
)
BLOCK = select(WITHIN.c.id).add_cte(
    insert(blocks)
    .from_select(["blocker_id", "blocked_id"], select(READER, WITHIN.c.id))
    .on_conflict_do_nothing()
    .cte("made")
)
UNBLOCK = select(WITHIN.c.id).add_cte(
    delete(blocks)
    .where(blocks.c.blocker_id == READER, blocks.c.blocked_id == WITHIN.c.id)
    .cte("undone")
)
DEEDS = {"follow": FOLLOW, "unfollow": UNFOLLOW, "block": BLOCK, "unblock": UNBLOCK}
Deed = Literal["follow", "unfollow", "block", "unblock"]


async def do(session: AnySession, deed: Deed, reader_id: int, user_id: int) -> bool:
    """Do it, if it is not done already, and tell whether there is such a user to the reader."""
    values = {"reader_id": reader_id, "user_id": user_id}
    return (await session.execute(DEEDS[deed], values)).first() is not None
