"""The statement of a feed: the newest public posts of a user, and when they last changed."""

from sqlalchemy import bindparam, func, select, true
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from fast_zero.core.database import AnyRow, Session
from fast_zero.identity.models import User
from fast_zero.identity.queries import folded
from fast_zero.people.queries import NOBODY, users
from fast_zero.posts.models import Visibility
from fast_zero.posts.queries import posts, visible_to
from fast_zero.syndication.models import Retraction

ENTRIES = 50

retractions = Retraction.__table__.c
NEWEST = (
    select(posts.id, posts.text, posts.created_at, posts.edited_at)
    .where(
        posts.author_id == users.id,
        posts.visibility == Visibility.PUBLIC.value,
        posts.reply_to.is_(None),
        visible_to(posts),
    )
    .order_by(posts.id.desc())
    .limit(ENTRIES)
    .lateral("newest")
)
ENTRY = func.to_jsonb(NEWEST.table_valued())
SYNDICATED = (
    select(
        users.username,
        users.display_name,
        users.bio,
        func.greatest(
            users.profile_updated_at,
            retractions.at,
            func.max(NEWEST.c.created_at),
            func.max(NEWEST.c.edited_at),
        ).label("updated_at"),
        func.jsonb_agg(aggregate_order_by(ENTRY, NEWEST.c.id.desc()), type_=JSONB)
        .filter(NEWEST.c.id.is_not(None))
        .label("posts"),
    )
    .select_from(User.__table__)
    .outerjoin(Retraction.__table__, retractions.author_id == users.id)
    .outerjoin(NEWEST, true())
    .where(users.username_key == folded(bindparam("username")))
    .group_by(users.id, retractions.at)
)


async def select_syndicated(session: Session, username: str) -> AnyRow | None:
    values = {"reader_id": NOBODY, "username": username}
    return (await session.execute(SYNDICATED, values)).one_or_none()
