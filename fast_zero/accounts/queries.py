"""Statements about users. Those about sessions and tokens stand in `session_queries`."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Row,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from fast_zero.accounts import outbox
from fast_zero.accounts.models import LoginSession, MailedLink, Purpose, User
from fast_zero.core.etags import Versions, one_of
from fast_zero.core.pagination import PageParams


def editable_by(actor_id: int) -> ColumnElement[bool]:
    return User.id == actor_id


def folded(text: str) -> ColumnElement[str]:
    """Fold as the key columns do, in the database, so that the two always agree."""
    form: ColumnElement[str] = literal_column("NFKC")
    return func.normalize(func.lower(func.upper(func.normalize(text, form))), form)


async def insert_user(
    session: AsyncSession, username: str, email: str, password_hash: str, language: str
) -> User:
    """Make an account and ask for the letter that verifies its address, in one statement."""
    values = {
        "username": username,
        "email": email,
        "password_hash": password_hash,
        "language": language,
    }
    made = insert(User).values(values).returning(User).cte("made")
    letter = outbox.link(Purpose.VERIFICATION, email, made.c.id)
    user: User = (await session.scalars(select(aliased(User, made), letter))).one()
    return user


async def select_users(session: AsyncSession, page: PageParams) -> Sequence[User]:
    statement = select(User).order_by(User.id).offset(page.offset or None).limit(page.limit + 1)
    if page.after is not None:
        statement = statement.where(User.id > page.after)
    return (await session.scalars(statement)).all()


async def select_user(session: AsyncSession, user_id: int) -> User | None:
    return await session.scalar(select(User).where(User.id == user_id))


async def address_is_taken(session: AsyncSession, actor_id: int, email: str) -> bool:
    taken = exists().where(User.email_key == folded(email), User.id != actor_id)
    return bool(await session.scalar(select(taken)))


async def select_credentials(session: AsyncSession, login: str) -> Row[str, int | None, str | None]:
    """Fold an address or a name, and find its id and password hash; an address comes first."""
    key = folded(login)
    typed = select(key.label("key")).subquery("typed")
    statement = (
        select(typed.c.key, User.id, User.password_hash)
        .join_from(typed, User, or_(User.email_key == key, User.username_key == key), isouter=True)
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
    password_hash: str | None = None,
    ends_sessions: bool = False,
    letters: Sequence[ColumnElement[Any]] = (),
) -> User | None:
    """Change an account and, in the same statement, end all of its sessions and ask for letters.

    With a `password_hash`, only while it is still the one that was verified. The end of all
    sessions is also that of a link to a new password.
    """
    conditions = [editable_by(actor_id), one_of(User.version, accepted)]
    if password_hash is not None:
        conditions.append(User.password_hash == password_hash)
    statement = update(User).where(*conditions).values(values).returning(User)
    if not (ends_sessions or letters):
        return await session.scalar(statement)
    changed = statement.cte("changed")
    its_id = select(changed.c.id)
    asked = select(aliased(User, changed), *letters)
    if ends_sessions:
        ended = delete(LoginSession).where(LoginSession.owner_id.in_(its_id))
        reset = (MailedLink.owner_id.in_(its_id), MailedLink.purpose == Purpose.PASSWORD)
        voided = update(MailedLink).where(*reset).values(used_at=func.now())
        asked = asked.add_cte(ended.cte("ended"), voided.cte("voided"))
    return await session.scalar(asked)


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
