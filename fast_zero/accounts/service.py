from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from fast_zero.accounts import attempts, queries, session_queries
from fast_zero.accounts.models import User
from fast_zero.accounts.passwords import check_password
from fast_zero.accounts.schemas import MeUpdate, UserCreate, UserUpdate
from fast_zero.core import etags, security
from fast_zero.core.errors import Conflict, DomainError, Forbidden, Stale, Unauthenticated
from fast_zero.core.etags import Versions
from fast_zero.core.settings import Settings


async def register(session: AsyncSession, new: UserCreate, settings: Settings) -> User:
    """Hash first: the session takes its connection only when the statement is sent."""
    password_hash = await hash_new_password(new.password, settings)
    return await queries.insert_user(session, new.username, new.email, password_hash)


async def hash_new_password(password: str, settings: Settings) -> str:
    check_password(password, settings.password_min_length)
    return await security.hash_password(password, settings.password_queue)


async def replace_account(
    session: AsyncSession,
    actor_id: int,
    new: UserUpdate,
    settings: Settings,
    accepted: Versions = None,
) -> tuple[User, bool]:
    """Write all of an account, and tell whether that ended the user's sessions."""
    check_password(new.password, settings.password_min_length)
    user = await read_account(session, actor_id)
    values: dict[str, Any] = {"username": new.username, "email": new.email}
    same, upgraded = await security.verify_password(
        new.password, user.password_hash, settings.password_queue
    )
    if upgraded or not same:
        values["password_hash"] = upgraded or await hash_new_password(new.password, settings)
    ends = not same or new.email != user.email
    try:
        return await write_account(session, actor_id, values, accepted, ends_sessions=ends), ends
    except Conflict as conflict:
        raise Conflict("Username or Email already exists") from conflict.__cause__


async def change_account(
    session: AsyncSession,
    actor_id: int,
    change: MeUpdate,
    settings: Settings,
    accepted: Versions = None,
    *,
    session_id: int | None = None,
) -> tuple[User, bool]:
    """Write what was sent, and tell whether that ended the user's sessions.

    A new address or password is taken from who knows the password of now.
    """
    values = change.model_dump()
    current = values.pop("current_password", "")
    user = await read_account(session, actor_id)
    ends = "password" in values or values.get("email", user.email) != user.email
    if ends:
        actor = (actor_id, session_id)
        if not current or not await attempts.own_password_is_right(
            session, settings, actor, current, user.password_hash
        ):
            raise Forbidden("A new address or password needs your current password")
    if "password" in values:
        password = values.pop("password")
        values["password_hash"] = await hash_new_password(password, settings)
    if not values:
        if accepted is not None and user.version not in accepted:
            raise Stale(etags.tag(user.version))
        return user, False
    return await write_account(session, actor_id, values, accepted, ends_sessions=ends), ends


async def read_account(session: AsyncSession, actor_id: int) -> User:
    """Read the actor's row, and give the connection back for the slow work that follows."""
    user = await queries.select_user(session, actor_id)
    await session.close()
    if user is None:
        raise Unauthenticated("Could not validate credentials")
    return user


async def write_account(
    session: AsyncSession,
    actor_id: int,
    values: dict[str, Any],
    accepted: Versions,
    *,
    ends_sessions: bool,
) -> User:
    user = await queries.update_user(
        session, actor_id, values, accepted, ends_sessions=ends_sessions
    )
    if user is None:
        raise await refusal(session, actor_id)
    if ends_sessions:  # the statement before did not see a log-in that it had to wait for
        await session_queries.delete_sessions(session, actor_id)
    return user


async def delete_account(session: AsyncSession, actor_id: int, accepted: Versions = None) -> None:
    """Delete it under a condition, or see that it is gone already."""
    if not await queries.delete_user(session, actor_id, accepted) and accepted is not None:
        raise await refusal(session, actor_id)


async def refusal(session: AsyncSession, actor_id: int) -> DomainError:
    """Tell why a write found no row: another version, or deleted since the request began."""
    user = await queries.select_user(session, actor_id)
    if user is None:
        return Unauthenticated("Could not validate credentials")
    return Stale(etags.tag(user.version))
