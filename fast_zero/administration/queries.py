"""Statements for the operator, who can see everything."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Text, func, literal, or_, select, true, update

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.folding import folded
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.identity.models import User
from fast_zero.posts.models import Post
from fast_zero.posts.queries import posts

users = User.__table__.c
ACCOUNT = (
    users.id,
    users.username,
    users.display_name,
    users.email,
    users.email_verified_at,
    users.role,
    users.disabled_at,
    users.created_at,
)
KEYS = (users.username_key, users.email_key, folded(users.display_name))


async def search_accounts(session: Session, text: str, page: PageParams) -> Sequence[AnyRow]:
    """Select accounts that have a text in a name or the address, newest first.

    It reads accounts until the page is full, without an index: administrators search rarely.
    """
    found = or_(*(contains(key, text) for key in KEYS)) if text else true()
    statement = select(*ACCOUNT).where(found)
    return (await session.execute(keyset_page(statement, users.id, page, newest_first=True))).all()


def contains(key: ColumnElement[str], text: str) -> ColumnElement[bool]:
    return func.strpos(key, folded(literal(text, Text))) > 0


async def select_newest(session: Session, author_id: int | None, limit: int) -> Sequence[AnyRow]:
    of_whom = true() if author_id is None else posts.author_id == author_id
    statement = select(*posts).where(posts.author_id.is_not(None), of_whom)
    return (await session.execute(statement.order_by(posts.id.desc()).limit(limit))).all()


async def delete_post(session: Session, post_id: int) -> bool:
    """Remove the author of a post, as its own deletion does; a trigger does the rest."""
    statement = update(Post.__table__).where(posts.id == post_id, posts.author_id.is_not(None))
    gone = await session.execute(statement.values(author_id=None).returning(posts.id))
    return gone.first() is not None
