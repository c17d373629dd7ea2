"""Statements about users. Those about sessions and tokens stand in `session_queries`."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Row,
    and_,
    delete,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import array
from sqlalchemy.orm import aliased

from fast_zero.accounts import outbox, session_queries
from fast_zero.accounts.models import MailedLink, Purpose, User
from fast_zero.accounts.otp_models import SecondFactor
from fast_zero.core import jobs
from fast_zero.core.database import Session
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.core.jobs import Deferral
from fast_zero.core.pagination import PageParams, paged

REFRESH = {"populate_existing": True}


def editable_by(actor_id: int) -> ColumnElement[bool]:
    return User.id == actor_id


def folded(text: str | BindParameter[str]) -> ColumnElement[str]:
    """Fold as the key columns do, in the database, so that the two always agree."""
    form: ColumnElement[str] = literal_column("NFKC")
    return func.normalize(func.lower(func.upper(func.normalize(text, form))), form)


async def insert_user(
    session: Session, username: str, email: str, password_hash: str, language: str
) -> User:
    """Make an account, and ask for the email that verifies its address."""
    values = {
        "username": username,
        "email": email,
        "password_hash": password_hash,
        "language": language,
    }
    user = (await session.scalars(insert(User).values(values).returning(User))).one()
    await jobs.defer(session, outbox.link(Purpose.VERIFICATION, email, user.id))
    return user


async def select_users(session: Session, page: PageParams) -> Sequence[User]:
    return (await session.scalars(paged(select(User), User.id, page))).all()


async def select_user(session: Session, user_id: int) -> User | None:
    """Find an account as it is now, whatever the session has read of it before."""
    statement = select(User).where(User.id == user_id)
    return await session.scalar(statement, execution_options=REFRESH)


async def find_user(session: Session, named: str) -> User | None:
    """Find an account by its id, or as a log-in does; a number is an id."""
    if named.isascii() and named.isdigit():
        return await select_user(session, int(named))
    key = folded(named)
    statement = (
        select(User)
        .where(or_(User.email_key == key, User.username_key == key))
        .order_by((User.email_key == key).desc())
        .limit(1)
    )
    return await session.scalar(statement)


async def address_is_taken(session: Session, actor_id: int, email: str) -> bool:
    taken = exists().where(User.email_key == folded(email), User.id != actor_id)
    return bool(await session.scalar(select(taken)))


async def select_credentials(
    session: Session, login: str
) -> Row[str, int | None, str | None, str | None, str | None, datetime | None]:
    """Fold an address or a name, and find whose it is; an address comes first.

    Gives what was folded, the user's id and password hash, the secret of a second factor, the
    role, and since when the account is disabled.
    """
    key = folded(login)
    typed = select(key.label("key")).subquery("typed")
    statement = (
        select(
            typed.c.key,
            User.id,
            User.password_hash,
            SecondFactor.secret,
            User.role,
            User.disabled_at,
        )
        .join_from(typed, User, or_(User.email_key == key, User.username_key == key), isouter=True)
        .outerjoin(
            SecondFactor,
            and_(SecondFactor.owner_id == User.id, SecondFactor.confirmed_at.is_not(None)),
        )
        .order_by((User.email_key == key).desc())
        .limit(1)
    )
    return (await session.execute(statement)).one()


@dataclass
class AccountChange:
    """What is to be written of an account, and under which condition.

    With a `password_hash` or an `email`, only while it is still the one that was read.
    """

    values: dict[str, Any]
    password_hash: str | None = None
    email: str | None = None
    ends_sessions: bool = False
    emails: list[Deferral] = field(default_factory=list)
    """The emails that tell of it."""


async def update_user(
    session: Session, actor_id: int, change: AccountChange, accepted: Versions = None
) -> User | None:
    """Change an account, and ask for the emails that tell of it.

    The end of all sessions is also that of a link to a new password.
    """
    conditions = [editable_by(actor_id), one_of(User.version, accepted)]
    if change.ends_sessions:
        conditions.append(session_queries.locked_sessions(actor_id) >= 0)
    if change.password_hash is not None:
        conditions.append(User.password_hash == change.password_hash)
    if change.email is not None:
        conditions.append(User.email == change.email)
    statement = update(User).where(*conditions).values(change.values)
    changed = statement.returning(*User.__table__.c).cte("changed")
    written = select(aliased(User, changed))
    if change.ends_sessions:
        link = MailedLink.owner_id.in_(select(changed.c.id))
        voided = update(MailedLink).where(link, MailedLink.purpose == Purpose.PASSWORD)
        written = written.add_cte(voided.values(used_at=func.now()).cte("voided"))
    user: User | None = await session.scalar(written, execution_options=REFRESH)
    if user:
        await jobs.defer(session, *change.emails)
    return user


async def upgrade_password_hash(
    session: Session, user_id: int, old_hash: str, new_hash: str
) -> None:
    """Replace a hash by another of the same password, unless it was changed meanwhile."""
    users = User.__table__
    unchanged = (users.c.id == user_id, users.c.password_hash == old_hash)
    values = {"password_hash": new_hash, "updated_at": users.c.updated_at}  # nothing that shows
    await session.execute(update(users).where(*unchanged).values(values))


async def delete_user(session: Session, actor_id: int, accepted: Versions = None) -> bool:
    """Delete an account, all that goes with it, and the emails that were still to be sent."""
    its_sessions = session_queries.locked_sessions(actor_id) >= 0
    conditions = (editable_by(actor_id), one_of(User.version, accepted), its_sessions)
    gone = delete(User).where(*conditions).returning(*User.__table__.c).cte("gone")
    addresses = select(func.unnest(array([gone.c.email, gone.c.pending_email])))
    unsent = jobs.forgetting("email", addresses).cte("unsent")
    statement = select(gone.c.id).add_cte(unsent)
    return (await session.execute(statement)).first() is not None
