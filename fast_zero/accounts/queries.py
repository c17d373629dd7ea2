"""Statements about users. Those about sessions and tokens stand in `session_queries`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    and_,
    delete,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fast_zero.accounts.models import LoginSession, User
from fast_zero.accounts.otp_models import SecondFactor
from fast_zero.core.etags import Versions, one_of
from fast_zero.core.pagination import PageParams


def editable_by(actor_id: int) -> ColumnElement[bool]:
    return User.id == actor_id


def folded(text: str) -> ColumnElement[str]:
    """Fold as the key columns do, in the database, so that the two always agree."""
    form: ColumnElement[str] = literal_column("NFKC")
    return func.normalize(func.lower(func.upper(func.normalize(text, form))), form)


async def insert_user(session: AsyncSession, username: str, email: str, password_hash: str) -> User:
    values = {"username": username, "email": email, "password_hash": password_hash}
    return (await session.scalars(insert(User).values(values).returning(User))).one()


async def select_users(session: AsyncSession, page: PageParams) -> Sequence[User]:
    statement = select(User).order_by(User.id).offset(page.offset or None).limit(page.limit + 1)
    if page.after is not None:
        statement = statement.where(User.id > page.after)
    return (await session.scalars(statement)).all()


async def select_user(session: AsyncSession, user_id: int) -> User | None:
    return await session.scalar(select(User).where(User.id == user_id))


async def select_credentials(
    session: AsyncSession, login: str
) -> Row[str, int | None, str | None, str | None]:
    """Fold an address or a name, and find whose it is; an address comes first.

    Gives what was folded, the user's id and password hash, and the secret of a second factor.
    """
    key = folded(login)
    typed = select(key.label("key")).subquery("typed")
    statement = (
        select(typed.c.key, User.id, User.password_hash, SecondFactor.secret)
        .join_from(typed, User, or_(User.email_key == key, User.username_key == key), isouter=True)
        .outerjoin(
            SecondFactor,
            and_(SecondFactor.owner_id == User.id, SecondFactor.confirmed_at.is_not(None)),
        )
        .order_by((User.email_key == key).desc())
        .limit(1)
    )
    return (await session.execute(statement)).one()


async def update_user(
    session: AsyncSession,
    actor_id: int,
    values: dict[str, Any],
    accepted: Versions = None,
    *,
    ends_sessions: bool,
) -> User | None:
    """Change an account and, if wanted, end all of its sessions in the same statement."""
    conditions = (editable_by(actor_id), one_of(User.version, accepted))
    statement = update(User).where(*conditions).values(values).returning(User)
    if not ends_sessions:
        return await session.scalar(statement)
    changed = statement.cte("changed")
    ended = delete(LoginSession).where(LoginSession.owner_id.in_(select(changed.c.id)))
    return await session.scalar(select(aliased(User, changed)).add_cte(ended.cte("ended")))


async def upgrade_password_hash(
    session: AsyncSession, user_id: int, old_hash: str, new_hash: str
) -> None:
    """Replace a hash by another of the same password, unless it was changed meanwhile."""
    unchanged = (User.id == user_id, User.password_hash == old_hash)
    values = {"password_hash": new_hash, "updated_at": User.updated_at}  # nothing that shows
    await session.execute(update(User).where(*unchanged).values(values))


async def delete_user(session: AsyncSession, actor_id: int, accepted: Versions = None) -> bool:
    conditions = (editable_by(actor_id), one_of(User.version, accepted))
    return await session.scalar(delete(User).where(*conditions).returning(User.id)) is not None
