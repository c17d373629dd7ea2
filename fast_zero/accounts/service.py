from typing import Any

from sqlalchemy import ColumnElement

from fast_zero.accounts import attempts, invitations, outbox, queries, session_queries
from fast_zero.accounts.letters import Notice
from fast_zero.accounts.models import Purpose
from fast_zero.accounts.passwords import check_password
from fast_zero.accounts.schemas import MeUpdate, UserCreate, UserUpdate
from fast_zero.core import etags, languages, password_queue, security
from fast_zero.core.database import AnyRow, AnySession
from fast_zero.core.errors import Conflict, DomainError, Forbidden, Stale, Unauthenticated
from fast_zero.core.etags import Versions
from fast_zero.core.password_queue import Caller
from fast_zero.core.settings import Settings

Letters = list[ColumnElement[Any]]


async def register(session: AnySession, new: UserCreate, settings: Settings) -> AnyRow:
    """Make an account for somebody, as an operator does."""
    password_hash = await hash_new_password(new.password, settings, password_queue.OPERATOR)
    return await insert_account(session, new, password_hash, languages.DEFAULT)


async def insert_account(
    session: AnySession, new: UserCreate, password_hash: str, language: str
) -> AnyRow:
    """Make an account that is written to in the language it asks for, or else in the given one."""
    given = new.model_dump()
    chosen = given.get("language", language)
    if "invitation" in given:
        return await invitations.accept(session, new, given["invitation"], password_hash, chosen)
    return await queries.insert_user(session, new.username, new.email, password_hash, chosen)


async def hash_new_password(password: str, settings: Settings, caller: Caller) -> str:
    check_password(password, settings.password_min_length)
    return await security.hash_password(password, caller)


async def replace_account(
    session: AnySession,
    actor_id: int,
    new: UserUpdate,
    settings: Settings,
    accepted: Versions = None,
) -> tuple[AnyRow, bool]:
    """Write all of an account, and tell whether that ended the user's sessions.

    Another address is in force at once, as clients rely on, and has to be verified again.
    """
    check_password(new.password, settings.password_min_length)
    user = await read_account(session, actor_id)
    values: dict[str, Any] = {"username": new.username, "email": new.email, "pending_email": None}
    letters: Letters = []
    caller = password_queue.user(settings, actor_id)
    same, upgraded = await security.verify_password(new.password, user.password_hash, caller)
    if not same:
        upgraded = await security.hash_password(new.password, caller)
    if upgraded:
        values["password_hash"] = upgraded
    if not same:
        letters.append(outbox.notice(Notice.PASSWORD_CHANGED, user.email, user.language))
    if moves := new.email != user.email:
        await attempts.limit_letters(session, settings, f"user {actor_id}", new.email, user.email)
        values["email_verified_at"] = None
        letters.append(outbox.notice(Notice.ADDRESS_CHANGED, user.email, user.language))
        letters.append(outbox.link(Purpose.VERIFICATION, new.email, actor_id))
    ends = moves or not same
    try:
        written = await write_account(
            session,
            actor_id,
            values,
            accepted,
            password_hash=user.password_hash,
            email=user.email,
            ends_sessions=ends,
            letters=letters,
        )
    except Conflict as conflict:
        raise Conflict("Username or Email already exists") from conflict.__cause__
    if written is None:
        return await replace_account(session, actor_id, new, settings, accepted)
    return written, ends


async def change_account(
    session: AnySession,
    actor_id: int,
    change: MeUpdate,
    settings: Settings,
    accepted: Versions = None,
    *,
    session_id: int | None = None,
) -> tuple[AnyRow, bool]:
    """Write what was sent, and tell whether that ended the user's sessions.

    A new address or password is taken from who knows the password of now. The address waits
    until somebody there confirms it; that of now stops the wait.
    """
    values = change.model_dump()
    current, address = values.pop("current_password", ""), values.pop("email", None)
    password = values.pop("password", None)
    user = await read_account(session, actor_id)
    language = values.get("language", user.language)
    moves = address is not None and address != user.email
    letters: Letters = []
    if moves or password is not None:
        actor = (actor_id, session_id)
        if not current or not await attempts.own_password_is_right(
            session, settings, actor, current, user.password_hash
        ):
            raise Forbidden("A new address or password needs your current password")
    if password is not None:
        caller = password_queue.user(settings, actor_id)
        values["password_hash"] = await hash_new_password(password, settings, caller)
        values["pending_email"] = None  # it may be a thief's, whom the new password shuts out
        letters.append(outbox.notice(Notice.PASSWORD_CHANGED, user.email, language))
    if moves:
        asker = f"user {actor_id}"
        await attempts.limit_letters(session, settings, asker, address, user.email)
        if await queries.address_is_taken(session, actor_id, address):
            raise Conflict("Email already exists")  # told now; what holds is the constraint
        values["pending_email"] = address
        letters.append(outbox.link(Purpose.ADDRESS, address, actor_id))
        letters.append(outbox.notice(Notice.ADDRESS_ASKED, user.email, language))
    elif address is not None and user.pending_email is not None:
        values["pending_email"] = None
    if not values:
        if accepted is not None and user.version not in accepted:
            raise Stale(etags.tag(user.version))
        return user, False
    ends = password is not None
    written = await write_account(
        session,
        actor_id,
        values,
        accepted,
        password_hash=user.password_hash if moves or ends else None,
        ends_sessions=ends,
        letters=letters,
    )
    if written is None:
        return await change_account(
            session, actor_id, change, settings, accepted, session_id=session_id
        )
    return written, ends


async def read_account(session: AnySession, actor_id: int) -> AnyRow:
    user = await queries.select_user(session, actor_id)
    if user is None:
        raise Unauthenticated("Could not validate credentials")
    return user


async def write_account(
    session: AnySession,
    actor_id: int,
    values: dict[str, Any],
    accepted: Versions,
    *,
    password_hash: str | None,
    ends_sessions: bool,
    letters: Letters,
    email: str | None = None,
) -> AnyRow | None:
    """Write, or give None when the password or the address is no longer the one that was read."""
    user = await queries.update_user(
        session,
        actor_id,
        values,
        accepted,
        password_hash=password_hash,
        email=email,
        ends_sessions=ends_sessions,
        letters=letters,
    )
    if user is None:
        now = await queries.select_user(session, actor_id)
        if now is not None and (accepted is None or now.version in accepted):
            return None
        raise refusal(now)
    if ends_sessions:  # the statement before did not see a log-in that it had to wait for
        await session_queries.delete_sessions(session, actor_id)
    return user


async def delete_account(session: AnySession, actor_id: int, accepted: Versions = None) -> None:
    """Delete it under a condition, or see that it is gone already."""
    if not await queries.delete_user(session, actor_id, accepted) and accepted is not None:
        raise refusal(await queries.select_user(session, actor_id))


def refusal(user: AnyRow | None) -> DomainError:
    """Tell why a write found no row: deleted since the request began, or another version."""
    if user is None:
        return Unauthenticated("Could not validate credentials")
    return Stale(etags.tag(user.version))
