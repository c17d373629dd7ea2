"""What feed readers get of somebody: the newest public posts, and when anything of it changed."""

from sqlalchemy import bindparam, func, select, true
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from fast_zero.accounts.models import users
from fast_zero.accounts.queries import folded
from fast_zero.core.database import AnyRow, AnySession
from fast_zero.feed.models import Visibility, posts, retractions
from fast_zero.feed.queries import NOBODY, visible_to

ENTRIES = 50

NEWEST = (
    select(posts.c.id, posts.c.text, posts.c.created_at, posts.c.edited_at)
    .where(
        posts.c.author_id == users.c.id,
        posts.c.visibility == Visibility.PUBLIC.value,
        posts.c.reply_to.is_(None),
        visible_to(posts.c),
    )
    .order_by(posts.c.id.desc())
    .limit(ENTRIES)
    .lateral("newest")
)
ENTRY = func.to_jsonb(NEWEST.table_valued())
SYNDICATED = (
    select(
        users.c.username,
        users.c.display_name,
        users.c.bio,
        func.greatest(
            users.c.profile_updated_at,
            retractions.c.at,
            func.max(NEWEST.c.created_at),
            func.max(NEWEST.c.edited_at),
        ).label("updated_at"),
        func.jsonb_agg(aggregate_order_by(ENTRY, NEWEST.c.id.desc()), type_=JSONB)
        .filter(NEWEST.c.id.is_not(None))
        .label("posts"),
    )
    .select_from(users)
    .outerjoin(retractions, retractions.c.author_id == users.c.id)
    .outerjoin(NEWEST, true())
    .where(users.c.username_key == folded(bindparam("username")))
    .group_by(users.c.id, retractions.c.at)
)


async def select_syndicated(session: AnySession, username: str) -> AnyRow | None:
    values = {"reader_id": NOBODY, "username": username}
    return (await session.execute(SYNDICATED, values)).one_or_none()
