from fast_zero.accounts import invitations, queries
from fast_zero.accounts.queries import AccountChange
from fast_zero.accounts.schemas import MeUpdate, UserCreate, UserUpdate
from fast_zero.core import languages, security
from fast_zero.core.database import Session
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Conflict,
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
from fast_zero.identity import limits
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.models import EITHER_TAKEN, EMAIL_TAKEN, User
from fast_zero.identity.passwords import check_password

NEEDS_PASSWORD = Reason(
    "current_password_required", "A new address or password needs your current password"
)


async def register(session: Session, new: UserCreate, settings: Settings) -> User:
    """Create an account from the command line."""
    caller = password_queue.OPERATOR
    password_hash = await hash_new_password(session, new.password, settings, caller)
    return await insert_account(session, new, password_hash, languages.DEFAULT)


async def hash_for_registration(
    session: Session, settings: Settings, password: str, address: str
) -> str:
    """Check the limit of registrations of an IP address, and hash the password."""
    check_password(password, settings.password_min_length)
    await limits.limit_registrations(session, settings, address)
    caller = password_queue.address(settings, address)
    return await security.hash_password(session, password, caller)


async def insert_account(
    session: Session, new: UserCreate, password_hash: str, language: str
) -> User:
    """Create an account. `language` is the default of the language of its emails."""
    given = new.model_dump(exclude={"password"})
    invitation = given.pop("invitation", None)
    values = {"language": language, **given, "password_hash": password_hash}
    if invitation is not None:
        return await invitations.accept(session, invitation, values)
    return await queries.insert_user(session, values)


async def hash_new_password(
    session: Session, password: str, settings: Settings, caller: Caller
) -> str:
    check_password(password, settings.password_min_length)
    return await security.hash_password(session, password, caller)


async def replace_account(
    session: Session, user_id: int, new: UserUpdate, settings: Settings, accepted: Versions = None
) -> tuple[User, bool]:
    """Write all fields of an account; return it, and whether its sessions ended.

    Clients rely on a new address being in force at once. It has to be verified again.
    """
    check_password(new.password, settings.password_min_length)
    while True:
        user = await read_account(session, user_id)
        change = await replacement(session, user, new, settings)
        try:
            written = await update_account(session, user, change, accepted)
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
        await limits.limit_emails(session, settings, f"user {user.id}", new.email, user.email)
        change.values["email_verified_at"] = None
        change.emails.append(outbox.notice(Notice.ADDRESS_CHANGED, user.email, user.language))
        change.emails.append(outbox.link(Purpose.VERIFICATION, new.email, user.id))
    change.ends_sessions = moves or not same
    return change


async def change_account(
    session: Session,
    user: tuple[int, int | None],
    wanted: MeUpdate,
    settings: Settings,
    accepted: Versions = None,
) -> tuple[User, bool]:
    """Write the fields that were sent; return the account, and whether its sessions ended.

    `user` is the user's id and the session's id. A new address or password requires the current
    password. A new address is pending until it is confirmed; sending the current address cancels
    it.
    """
    while True:
        account = await read_account(session, user[0])
        change = await partial_change(session, user, account, wanted, settings)
        if not change.values:
            if accepted is not None and account.version not in accepted:
                raise Stale(etags.tag(account.version))
            return account, False
        if written := await update_account(session, account, change, accepted):
            return written, change.ends_sessions


async def partial_change(
    session: Session,
    user: tuple[int, int | None],
    account: User,
    wanted: MeUpdate,
    settings: Settings,
) -> AccountChange:
    values = wanted.model_dump()
    current_password = values.pop("current_password", "")
    email, password = values.pop("email", None), values.pop("password", None)
    change = AccountChange(values)
    has_new_email = email not in (None, account.email)
    if has_new_email or password is not None:
        await require_password(session, settings, user, account, current_password)
        change.password_hash = account.password_hash
    if password is not None:
        await add_password(session, settings, account, change, password)
    if has_new_email:
        await add_pending_email(session, settings, account, change, email)
    elif email is not None and account.pending_email is not None:
        values["pending_email"] = None
    return change


async def require_password(
    session: Session,
    settings: Settings,
    user: tuple[int, int | None],
    account: User,
    current_password: str,
) -> None:
    if not current_password or not await limits.is_own_password(
        session, settings, user, current_password, account.password_hash
    ):
        raise Forbidden(NEEDS_PASSWORD)


async def add_password(
    session: Session, settings: Settings, user: User, change: AccountChange, password: str
) -> None:
    caller = password_queue.user(settings, user.id)
    password_hash = await hash_new_password(session, password, settings, caller)
    # A pending address may be a thief's, who is locked out by the new password.
    change.values |= {"password_hash": password_hash, "pending_email": None}
    language = change.values.get("language", user.language)
    change.emails.append(outbox.notice(Notice.PASSWORD_CHANGED, user.email, language))
    change.ends_sessions = True


async def add_pending_email(
    session: Session, settings: Settings, user: User, change: AccountChange, email: str
) -> None:
    await limits.limit_emails(session, settings, f"user {user.id}", email, user.email)
    if await queries.address_is_taken(session, user.id, email):
        raise Conflict(EMAIL_TAKEN)  # an early check; the constraint decides
    change.values["pending_email"] = email
    language = change.values.get("language", user.language)
    change.emails.append(outbox.link(Purpose.ADDRESS, email, user.id))
    change.emails.append(outbox.notice(Notice.ADDRESS_ASKED, user.email, language))


async def read_account(session: Session, user_id: int) -> User:
    user = await identity_queries.select_user(session, user_id)
    if user is None:
        raise Unauthenticated(INVALID_TOKEN)
    return user


async def update_account(
    session: Session, user: User, change: AccountChange, accepted: Versions
) -> User | None:
    """Update the account; return None if it has changed since it was read: then read it again."""
    written = await queries.update_user(session, user.id, change, accepted)
    if written is None:
        current = await identity_queries.select_user(session, user.id)
        if current is not None and (accepted is None or current.version in accepted):
            return None
        version = None if current is None else current.version
        raise etags.refusal(Unauthenticated(INVALID_TOKEN), version)
    if change.ends_sessions:  # after the update, so that a log-in that it waited for ends, too
        await identity_queries.delete_sessions(session, user.id)
    return written


async def delete_account_with_password(
    session: Session, settings: Settings, user: tuple[int, int | None], password: str
) -> None:
    """Delete an account after its owner has entered the password again."""
    account = await read_account(session, user[0])
    await require_password(session, settings, user, account, password)
    await delete_account(session, account.id)


async def delete_account(session: Session, user_id: int, accepted: Versions = None) -> None:
    """Delete an account. Under a condition, refuse it if the account has changed or is gone."""
    if not await queries.delete_user(session, user_id, accepted) and accepted is not None:
        current = await identity_queries.select_user(session, user_id)
        version = None if current is None else current.version
        raise etags.refusal(Unauthenticated(INVALID_TOKEN), version)
