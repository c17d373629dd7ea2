from fast_zero.accounts import invitations, queries
from fast_zero.accounts.queries import AccountChange
from fast_zero.accounts.schemas import MeUpdate, UserCreate, UserUpdate
from fast_zero.core import languages, security
from fast_zero.core.database import Session
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Conflict,
    DomainError,
    Forbidden,
    Reason,
    Stale,
    Unauthenticated,
)
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.core.security import password_queue
from fast_zero.core.security.password_queue import Caller
from fast_zero.core.settings import Settings
from fast_zero.email_links import outbox
from fast_zero.email_links.emails import Notice
from fast_zero.email_links.models import Purpose
from fast_zero.identity import attempts
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.models import EITHER_TAKEN, EMAIL_TAKEN, User
from fast_zero.identity.passwords import check_password

NEEDS_PASSWORD = Reason(
    "current_password_required", "A new address or password needs your current password"
)


async def register(session: Session, new: UserCreate, settings: Settings) -> User:
    """Make an account for somebody, as an operator does."""
    caller = password_queue.OPERATOR
    password_hash = await hash_new_password(session, new.password, settings, caller)
    return await insert_account(session, new, password_hash, languages.DEFAULT)


async def hash_for_registration(
    session: Session, settings: Settings, password: str, address: str
) -> str:
    """Hash the password of somebody who registers from an address, if it may have one more."""
    check_password(password, settings.password_min_length)
    await attempts.limit_registrations(session, settings, address)
    caller = password_queue.address(settings, address)
    return await security.hash_password(session, password, caller)


async def insert_account(
    session: Session, new: UserCreate, password_hash: str, language: str
) -> User:
    """Make an account that is written to in the language it asks for, or else in the given one."""
    given = new.model_dump()
    chosen = given.get("language", language)
    if "invitation" in given:
        return await invitations.accept(session, new, given["invitation"], password_hash, chosen)
    return await queries.insert_user(session, new.username, new.email, password_hash, chosen)


async def hash_new_password(
    session: Session, password: str, settings: Settings, caller: Caller
) -> str:
    check_password(password, settings.password_min_length)
    return await security.hash_password(session, password, caller)


async def replace_account(
    session: Session, actor_id: int, new: UserUpdate, settings: Settings, accepted: Versions = None
) -> tuple[User, bool]:
    """Write all of an account, and tell whether that ended the user's sessions.

    Another address is in force at once, as clients rely on, and has to be verified again.
    """
    check_password(new.password, settings.password_min_length)
    while True:
        user = await read_account(session, actor_id)
        change = await replacement(session, user, new, settings)
        try:
            written = await write_account(session, user, change, accepted)
        except Conflict as conflict:
            raise Conflict(EITHER_TAKEN) from conflict.__cause__
        if written:
            return written, change.ends_sessions


async def replacement(
    session: Session, user: User, new: UserUpdate, settings: Settings
) -> AccountChange:
    change = AccountChange(
        {"username": new.username, "email": new.email, "pending_email": None},
        password_hash=user.password_hash,
        email=user.email,
    )
    caller = password_queue.user(settings, user.id)
    same, upgraded = await security.verify_password(
        session, new.password, user.password_hash, caller
    )
    if not same:
        upgraded = await security.hash_password(session, new.password, caller)
        change.emails.append(outbox.notice(Notice.PASSWORD_CHANGED, user.email, user.language))
    if upgraded:
        change.values["password_hash"] = upgraded
    if moves := new.email != user.email:
        await attempts.limit_letters(session, settings, f"user {user.id}", new.email, user.email)
        change.values["email_verified_at"] = None
        change.emails.append(outbox.notice(Notice.ADDRESS_CHANGED, user.email, user.language))
        change.emails.append(outbox.link(Purpose.VERIFICATION, new.email, user.id))
    change.ends_sessions = moves or not same
    return change


async def change_account(
    session: Session,
    actor: tuple[int, int | None],
    wanted: MeUpdate,
    settings: Settings,
    accepted: Versions = None,
) -> tuple[User, bool]:
    """Write what was sent, and tell whether that ended the user's sessions.

    `actor` is the id of the user and that of the session. A new address or password is taken from
    who knows the password of now. The address waits until somebody there confirms it; that of now
    stops the wait.
    """
    while True:
        user = await read_account(session, actor[0])
        change = await partial_change(session, actor, user, wanted, settings)
        if not change.values:
            if accepted is not None and user.version not in accepted:
                raise Stale(etags.tag(user.version))
            return user, False
        if written := await write_account(session, user, change, accepted):
            return written, change.ends_sessions


async def partial_change(
    session: Session,
    actor: tuple[int, int | None],
    user: User,
    wanted: MeUpdate,
    settings: Settings,
) -> AccountChange:
    values = wanted.model_dump()
    current, address = values.pop("current_password", ""), values.pop("email", None)
    password = values.pop("password", None)
    moves = address is not None and address != user.email
    change = AccountChange(values)
    language = values.get("language", user.language)
    if moves or password is not None:
        if not current or not await attempts.own_password_is_right(
            session, settings, actor, current, user.password_hash
        ):
            raise Forbidden(NEEDS_PASSWORD)
        change.password_hash = user.password_hash
    if password is not None:
        caller = password_queue.user(settings, user.id)
        values["password_hash"] = await hash_new_password(session, password, settings, caller)
        values["pending_email"] = None  # it may be a thief's, whom the new password shuts out
        change.emails.append(outbox.notice(Notice.PASSWORD_CHANGED, user.email, language))
        change.ends_sessions = True
    if moves:
        await attempts.limit_letters(session, settings, f"user {user.id}", address, user.email)
        if await queries.address_is_taken(session, user.id, address):
            raise Conflict(EMAIL_TAKEN)  # told now; what holds is the constraint
        values["pending_email"] = address
        change.emails.append(outbox.link(Purpose.ADDRESS, address, user.id))
        change.emails.append(outbox.notice(Notice.ADDRESS_ASKED, user.email, language))
    elif address is not None and user.pending_email is not None:
        values["pending_email"] = None
    return change


async def read_account(session: Session, actor_id: int) -> User:
    user = await identity_queries.select_user(session, actor_id)
    if user is None:
        raise Unauthenticated(INVALID_TOKEN)
    return user


async def write_account(
    session: Session, user: User, change: AccountChange, accepted: Versions
) -> User | None:
    """Write, or give None when the account is no longer as it was read: then it is read again."""
    written = await queries.update_user(session, user.id, change, accepted)
    if written is None:
        now = await identity_queries.select_user(session, user.id)
        if now is not None and (accepted is None or now.version in accepted):
            return None
        raise refusal(now)
    if change.ends_sessions:  # after the change: a log-in that it had to wait for ends, too
        await identity_queries.delete_sessions(session, user.id)
    return written


async def delete_account(session: Session, actor_id: int, accepted: Versions = None) -> None:
    """Delete it under a condition, or see that it is gone already."""
    if not await queries.delete_user(session, actor_id, accepted) and accepted is not None:
        raise refusal(await identity_queries.select_user(session, actor_id))


def refusal(user: User | None) -> DomainError:
    """Tell why a write found no row: deleted since the request began, or another version."""
    if user is None:
        return Unauthenticated(INVALID_TOKEN)
    return Stale(etags.tag(user.version))
