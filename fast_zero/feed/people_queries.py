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

from fast_zero.accounts.queries import folded
from fast_zero.core.database import AnyRow, Session
from fast_zero.core.pagination import PageParams
from fast_zero.feed.models import Block, Follow, Like, Post, Visibility
from fast_zero.feed.queries import (
    AFTER,
    HIDDEN,
    LIMIT,
    OFFSET,
    POST,
    READER,
    USER,
    blocks,
    constant,
    follows,
    follows_row,
    known_to_reader,
    likes,
    page_values,
    posts,
    users,
    visible_to,
)
from fast_zero.feed.tallies import FOLLOWERS, tally

COLUMNS = (users.id, users.username, users.display_name, users.bio, users.created_at)


def count(table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


# What is no reply is seen by all, by followers or by nobody else, so each kind is one number.
OWN = users.id == READER
POSTS_SEEN = (
    tally(users.id, constant(Visibility.PUBLIC))
    + case(
        (or_(OWN, follows_row(READER, users.id)), tally(users.id, constant(Visibility.FOLLOWERS))),
        else_=0,
    )
    + case((OWN, tally(users.id, constant(Visibility.PRIVATE))), else_=0)
    + count(
        Post.__table__, posts.author_id == users.id, posts.reply_to.is_not(None), visible_to(posts)
    )
)
HIDDEN_FOLLOWERS = count(
    Follow.__table__, follows.followed_id == users.id, follows.follower_id == any_(HIDDEN)
)
PROFILE = select(
    *COLUMNS,
    users.version,
    func.jsonb_build_object(
        "posts",
        POSTS_SEEN,
        "followers",
        tally(users.id, constant(FOLLOWERS)) - HIDDEN_FOLLOWERS,
        "following",
        count(
            Follow.__table__, follows.follower_id == users.id, known_to_reader(follows.followed_id)
        ),
    ).label("counts"),
    follows_row(READER, users.id).label("following"),
    follows_row(users.id, READER).label("followed_by"),
).where(known_to_reader(users.id))
BY_ID = PROFILE.where(users.id == USER)
BY_NAME = PROFILE.where(users.username_key == folded(bindparam("username")))
IS_KNOWN = select(exists().where(users.id == USER, known_to_reader(users.id)))


async def select_profile(session: Session, reader_id: int, user_id: int) -> AnyRow | None:
    found = await session.execute(BY_ID, {"reader_id": reader_id, "user_id": user_id})
    return found.one_or_none()


async def select_profile_by_name(session: Session, reader_id: int, username: str) -> AnyRow | None:
    found = await session.execute(BY_NAME, {"reader_id": reader_id, "username": username})
    return found.one_or_none()


async def is_known(session: Session, reader_id: int, user_id: int) -> bool:
    values = {"reader_id": reader_id, "user_id": user_id}
    return bool(await session.scalar(IS_KNOWN, values))


Crowd = Literal["everybody", "followers", "following", "likers", "blocked"]


@cache
def listing(crowd: Crowd, *, after: bool) -> Select[*tuple[Any, ...]]:
    """List people, the latest to join a crowd first; everybody, in the order of their ids."""
    statement = select(*COLUMNS)
    match crowd:
        case "everybody":
            position, conditions = users.id, []
        case "followers":
            statement = statement.join(Follow.__table__, follows.follower_id == users.id)
            position = follows.id
            conditions = [follows.followed_id == USER, known_to_reader(follows.followed_id)]
        case "following":
            statement = statement.join(Follow.__table__, follows.followed_id == users.id)
            position = follows.id
            conditions = [follows.follower_id == USER, known_to_reader(follows.follower_id)]
        case "likers":
            statement = statement.join(Like.__table__, likes.user_id == users.id)
            statement = statement.join(Post.__table__, likes.post_id == posts.id)
            position, conditions = likes.id, [posts.id == POST, visible_to(posts)]
        case "blocked":
            statement = statement.join(Block.__table__, blocks.blocked_id == users.id)
            position, conditions = blocks.id, [blocks.blocker_id == READER]
    if crowd != "blocked":
        conditions.append(known_to_reader(users.id))
    ascending = crowd == "everybody"
    if after:
        conditions.append(position > AFTER if ascending else position < AFTER)
    order = position if ascending else position.desc()
    statement = statement.add_columns(position.label("position")).where(*conditions)
    return statement.order_by(order).offset(OFFSET).limit(LIMIT)


async def select_people(
    session: Session, reader_id: int, page: PageParams, crowd: Crowd, **of: int
) -> Sequence[AnyRow]:
    """Select a page of people; `of` names the user or the post that they belong to."""
    statement = listing(crowd, after=page.after is not None)
    return (await session.execute(statement, page_values(reader_id, page) | of)).all()


# Whom the reader blocks stays in the reader's hands.
BLOCKED = exists().where(blocks.blocker_id == READER, blocks.blocked_id == users.id)
KNOWN = select(users.id).where(users.id == USER, known_to_reader(users.id)).cte("known")
WITHIN = (
    select(users.id).where(users.id == USER, or_(known_to_reader(users.id), BLOCKED)).cte("within")
)
FOLLOW = select(KNOWN.c.id).add_cte(
    insert(Follow.__table__)
    .from_select(["follower_id", "followed_id"], select(READER, KNOWN.c.id))
    .on_conflict_do_nothing()
    .cte("made")
)
UNFOLLOW = select(KNOWN.c.id).add_cte(
    delete(Follow.__table__)
    .where(follows.follower_id == READER, follows.followed_id == KNOWN.c.id)
    .cte("undone")
)
BLOCK = select(WITHIN.c.id).add_cte(
    insert(Block.__table__)
    .from_select(["blocker_id", "blocked_id"], select(READER, WITHIN.c.id))
    .on_conflict_do_nothing()
    .cte("made")
)
UNBLOCK = select(WITHIN.c.id).add_cte(
    delete(Block.__table__)
    .where(blocks.blocker_id == READER, blocks.blocked_id == WITHIN.c.id)
    .cte("undone")
)
DEEDS = {"follow": FOLLOW, "unfollow": UNFOLLOW, "block": BLOCK, "unblock": UNBLOCK}
Deed = Literal["follow", "unfollow", "block", "unblock"]


async def do(session: Session, deed: Deed, reader_id: int, user_id: int) -> bool:
    """Do it, if it is not done already, and tell whether there is such a user to the reader."""
    values = {"reader_id": reader_id, "user_id": user_id}
    return (await session.execute(DEEDS[deed], values)).first() is not None
