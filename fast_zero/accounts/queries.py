"""Statements about users. Those about sessions and tokens stand in `session_queries`."""

from collections.abc import Sequence
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

from fast_zero.accounts import outbox
from fast_zero.accounts.models import Purpose, login_sessions, mailed_links, users
from fast_zero.accounts.otp_models import second_factors
from fast_zero.core import jobs
from fast_zero.core.database import AnyRow, AnySession
from fast_zero.core.etags import Versions, one_of
from fast_zero.core.pagination import PageParams, paged

COLUMNS = tuple(users.c)


def editable_by(actor_id: int) -> ColumnElement[bool]:
    return users.c.id == actor_id


def folded(text: str | BindParameter[str]) -> ColumnElement[str]:
    """Fold as the key columns do, in the database, so that the two always agree."""
    form: ColumnElement[str] = literal_column("NFKC")
    return func.normalize(func.lower(func.upper(func.normalize(text, form))), form)


async def insert_user(
    session: AnySession, username: str, email: str, password_hash: str, language: str
) -> AnyRow:
    """Make an account and ask for the letter that verifies its address, in one statement."""
    values = {
        "username": username,
        "email": email,
        "password_hash": password_hash,
        "language": language,
    }
    made = insert(users).values(values).returning(*COLUMNS).cte("made")
    letter = outbox.link(Purpose.VERIFICATION, email, made.c.id)
    return (await session.execute(select(*made.c, letter))).one()


async def select_users(session: AnySession, page: PageParams) -> Sequence[AnyRow]:
    return (await session.execute(paged(select(*COLUMNS), users.c.id, page))).all()


async def select_user(session: AnySession, user_id: int) -> AnyRow | None:
    statement = select(*COLUMNS).where(users.c.id == user_id)
    return (await session.execute(statement)).one_or_none()


async def find_user(session: AnySession, named: str) -> AnyRow | None:
    """Find an account by its id, or as a log-in does; a number is an id."""
    if named.isascii() and named.isdigit():
        return await select_user(session, int(named))
    key = folded(named)
    statement = (
        select(*COLUMNS)
        .where(or_(users.c.email_key == key, users.c.username_key == key))
        .order_by((users.c.email_key == key).desc())
        .limit(1)
    )
    return (await session.execute(statement)).one_or_none()


async def address_is_taken(session: AnySession, actor_id: int, email: str) -> bool:
    taken = exists().where(users.c.email_key == folded(email), users.c.id != actor_id)
    return bool((await session.execute(select(taken))).scalar())


async def select_credentials(
    session: AnySession, login: str
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
            users.c.id,
            users.c.password_hash,
            second_factors.c.secret,
            users.c.role,
            users.c.disabled_at,
        )
        .join_from(
            typed, users, or_(users.c.email_key == key, users.c.username_key == key), isouter=True
        )
        .outerjoin(
            second_factors,
            and_(
                second_factors.c.owner_id == users.c.id, second_factors.c.confirmed_at.is_not(None)
            ),
        )
        .order_by((users.c.email_key == key).desc())
        .limit(1)
    )
    return (await session.execute(statement)).one()


async def update_user(
    session: AnySession,
    actor_id: int,
    values: dict[str, Any],
    accepted: Versions = None,
    *,
    password_hash: str | None = None,
    email: str | None = None,
    ends_sessions: bool = False,
    letters: Sequence[ColumnElement[Any]] = (),
) -> AnyRow | None:
    """Change an account and, in the same statement, end all of its sessions and ask for letters.

    With a `password_hash` or an `email`, only while it is still the one that was read. The end of
    all sessions is also that of a link to a new password.
    """
    conditions = [editable_by(actor_id), one_of(users.c.version, accepted)]
    if password_hash is not None:
        conditions.append(users.c.password_hash == password_hash)
    if email is not None:
        conditions.append(users.c.email == email)
    statement = update(users).where(*conditions).values(values).returning(*COLUMNS)
    if not (ends_sessions or letters):
        return (await session.execute(statement)).one_or_none()
    changed = statement.cte("changed")
    its_id = select(changed.c.id)
    asked = select(*changed.c, *letters)
    if ends_sessions:
        ended = delete(login_sessions).where(login_sessions.c.owner_id.in_(its_id))
        reset = (mailed_links.c.owner_id.in_(its_id), mailed_links.c.purpose == Purpose.PASSWORD)
        voided = update(mailed_links).where(*reset).values(used_at=func.now())
        asked = asked.add_cte(ended.cte("ended"), voided.cte("voided"))
    return (await session.execute(asked)).one_or_none()


async def upgrade_password_hash(
    session: AnySession, user_id: int, old_hash: str, new_hash: str
) -> None:
    """Replace a hash by another of the same password, unless it was changed meanwhile."""
    unchanged = (users.c.id == user_id, users.c.password_hash == old_hash)
    values = {"password_hash": new_hash, "updated_at": users.c.updated_at}  # nothing that shows
    await session.execute(update(users).where(*unchanged).values(values))


async def delete_user(session: AnySession, actor_id: int, accepted: Versions = None) -> bool:
    """Delete an account, all that goes with it, and the letters that were still to be sent."""
    conditions = (editable_by(actor_id), one_of(users.c.version, accepted))
    gone = delete(users).where(*conditions).returning(*COLUMNS).cte("gone")
    addresses = select(func.unnest(array([gone.c.email, gone.c.pending_email])))
    unsent = jobs.forgetting("email", addresses).cte("unsent")
    statement = select(gone.c.id).add_cte(unsent)
    return (await session.execute(statement)).first() is not None
