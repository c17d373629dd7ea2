"""Statements for the operator, who can see everything."""

from collections.abc import Sequence

from sqlalchemy import select, true, update

from fast_zero.core.database import AnyRow, Session
from fast_zero.posts.models import Post
from fast_zero.posts.queries import posts


async def select_newest(session: Session, author_id: int | None, limit: int) -> Sequence[AnyRow]:
    of_whom = true() if author_id is None else posts.author_id == author_id
    statement = select(*posts).where(posts.author_id.is_not(None), of_whom)
    return (await session.execute(statement.order_by(posts.id.desc()).limit(limit))).all()


async def delete_post(session: Session, post_id: int) -> bool:
    """Remove the author of a post, as its own deletion does; a trigger does the rest."""
    statement = update(Post.__table__).where(posts.id == post_id, posts.author_id.is_not(None))
    gone = await session.execute(statement.values(author_id=None).returning(posts.id))
    return gone.first() is not None
