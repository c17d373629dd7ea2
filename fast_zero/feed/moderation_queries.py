"""Statements for who runs the server, to whom nothing is hidden."""

from collections.abc import Sequence

from sqlalchemy import select, true, update

from fast_zero.core.database import AnyRow, AnySession
from fast_zero.feed.models import posts


async def select_newest(session: AnySession, author_id: int | None, limit: int) -> Sequence[AnyRow]:
    of_whom = true() if author_id is None else posts.c.author_id == author_id
    statement = select(*posts.c).where(posts.c.author_id.is_not(None), of_whom)
    return (await session.execute(statement.order_by(posts.c.id.desc()).limit(limit))).all()


async def delete_post(session: AnySession, post_id: int) -> bool:
    """Take a post's author away, as its deletion does; a trigger does the rest."""
    statement = update(posts).where(posts.c.id == post_id, posts.c.author_id.is_not(None))
    gone = await session.execute(statement.values(author_id=None).returning(posts.c.id))
    return gone.first() is not None
