"""Statements about profiles. They count only what the reader can see."""

from sqlalchemy import (
    ColumnElement,
    FromClause,
    any_,
    bindparam,
    case,
    func,
    or_,
    select,
)

from fast_zero.core.database import AnyRow, Session
from fast_zero.identity.queries import folded
from fast_zero.people.models import Follow
from fast_zero.people.queries import (
    COLUMNS,
    HIDDEN,
    READER,
    USER,
    follows,
    follows_row,
    known_to_reader,
    literal_text,
    users,
)
from fast_zero.posts.models import Post, Visibility
from fast_zero.posts.queries import posts, visible_to
from fast_zero.profiles.tallies import FOLLOWERS, tally


def count(table: FromClause, *conditions: ColumnElement[bool]) -> ColumnElement[int]:
    return select(func.count()).select_from(table).where(*conditions).scalar_subquery()


# Posts that are not replies are counted by visibility; replies are counted one by one.
IS_OWN = users.id == READER
POSTS_SEEN = (
    tally(users.id, literal_text(Visibility.PUBLIC))
    + case(
        (
            or_(IS_OWN, follows_row(READER, users.id)),
            tally(users.id, literal_text(Visibility.FOLLOWERS)),
        ),
        else_=0,
    )
    + case((IS_OWN, tally(users.id, literal_text(Visibility.PRIVATE))), else_=0)
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
        tally(users.id, literal_text(FOLLOWERS)) - HIDDEN_FOLLOWERS,
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


async def select_profile(session: Session, reader_id: int, user_id: int) -> AnyRow | None:
    found = await session.execute(BY_ID, {"reader_id": reader_id, "user_id": user_id})
    return found.one_or_none()


async def select_profile_by_name(session: Session, reader_id: int, username: str) -> AnyRow | None:
    found = await session.execute(BY_NAME, {"reader_id": reader_id, "username": username})
    return found.one_or_none()
