"""Disable and enable accounts, change roles, set passwords: for administrators and operators."""

from collections.abc import Sequence
from datetime import UTC, datetime

from fast_zero.accounts import queries
from fast_zero.accounts.queries import AccountChange
from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import Invalid, NotFound, Reason
from fast_zero.core.security.password_queue import OPERATOR
from fast_zero.core.settings import Settings
from fast_zero.email_links import outbox
from fast_zero.email_links.emails import Notice
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.models import Role, User
from fast_zero.identity.passwords import check_password

NO_USER = Reason("user_not_found", "User not found")


async def disable(session: Session, user_id: int) -> Sequence[int]:
    """Refuse log-ins and tokens of an account; return the sessions that ended.

    Personal tokens work again when the account is enabled. Posts stay.
    """
    if (await read_user(session, user_id)).disabled_at is not None:
        return ()
    change = AccountChange({"disabled_at": datetime.now(UTC)}, ends_sessions=True)
    return await write_change(session, user_id, change)


async def disable_other(session: Session, administrator_id: int, user_id: int) -> Sequence[int]:
    """Disable an account for an administrator, who cannot lock themselves out."""
    if user_id == administrator_id:
        raise Invalid("You cannot disable yourself.", "user_id", "path")
    return await disable(session, user_id)


async def enable(session: Session, user_id: int) -> None:
    if (await read_user(session, user_id)).disabled_at is not None:
        await write_change(session, user_id, AccountChange({"disabled_at": None}))


async def give_role(session: Session, user_id: int, role: Role) -> Sequence[int]:
    """Change the role of a user; return the sessions that ended.

    A token contains its scopes, so tokens and sessions with the scope `admin` end with the role.
    They are deleted after the change of the role: a request that creates a token at the same time
    waits for the change, and is then refused. A repeated call deletes what an interrupted one has
    left.
    """
    ended: Sequence[int] = ()
    if (await read_user(session, user_id)).role != role:
        change = AccountChange({"role": role.value}, ends_sessions=True)
        ended = await write_change(session, user_id, change)
    if role is Role.MEMBER:
        await identity_queries.delete_administrators_tokens(session, user_id)
        ended = [*ended, *await identity_queries.delete_administrators_sessions(session, user_id)]
    return ended


async def set_password(
    session: Session, settings: Settings, user_id: int, password: str
) -> Sequence[int]:
    """Replace a password with one that an operator has chosen; return the sessions that ended."""
    user = await read_user(session, user_id)
    check_password(password, settings.password_min_length)
    password_hash = await security.hash_password(session, password, OPERATOR)
    change = AccountChange(
        {"password_hash": password_hash, "pending_email": None},
        emails=[outbox.notice(Notice.PASSWORD_CHANGED, user.email, user.language)],
        ends_sessions=True,
    )
    return await write_change(session, user_id, change)


async def read_user(session: Session, user_id: int) -> User:
    user = await identity_queries.select_user(session, user_id)
    if user is None:
        raise NotFound(NO_USER)
    return user


async def write_change(session: Session, user_id: int, change: AccountChange) -> Sequence[int]:
    """Update the account; return the sessions that ended."""
    if not await queries.update_user(session, user_id, change):
        raise NotFound(NO_USER)
    return await identity_queries.delete_sessions(session, user_id) if change.ends_sessions else ()
