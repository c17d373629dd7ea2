"""Log-ins, token refresh and renewal."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import (
    INVALID_TOKEN,
    DomainError,
    Forbidden,
    Invalid,
    Reason,
    Unauthenticated,
)
from fast_zero.core.security import password_queue, throttle
from fast_zero.core.settings import Settings
from fast_zero.identity import limits
from fast_zero.identity.models import Role
from fast_zero.identity.scopes import ALL_SCOPES, Scope
from fast_zero.sessions import queries
from fast_zero.sessions.queries import NewSession
from fast_zero.sessions.schemas import TokenForm
from fast_zero.two_factor import service as two_factor

INCORRECT = Reason("incorrect_credentials", "Incorrect email or password")
DISABLED = Reason("account_disabled", "This account is disabled. Write to whoever runs the server.")
NOT_ADMIN = Reason("scope_not_allowed", "Only administrators may have the scope admin.")


@dataclass(frozen=True)
class Client:
    """The client of a log-in."""

    user_agent: str
    address: str


@dataclass(frozen=True)
class Credentials:
    """An account whose password was verified."""

    user_id: int
    password_hash: str
    upgraded_hash: str | None  # of the same password, with the current parameters
    role: str


class CodeNeeded(two_factor.OneTimeCodeRequired):
    """The password was correct; the log-in of this account needs a code as well."""

    def __init__(self, account: Credentials) -> None:
        super().__init__()
        self.account = account


@dataclass(frozen=True)
class Tokens:
    """The tokens that a session issues."""

    access_token: str
    scopes: frozenset[str]
    refresh_token: str | None = None


async def log_in(session: Session, settings: Settings, form: TokenForm, client: Client) -> Tokens:
    """Open a session. All refusals look alike and take the same time."""
    wanted = wanted_scopes(form.scope)
    while True:
        account = await verify(session, settings, form, client)
        scopes = await granted_scopes(session, wanted, account.role)
        secret = security.new_secret()
        new = new_session(settings, account, scopes, client)
        new = replace(new, refresh_digest=security.digest(secret))
        session_id = await open_session(session, account, new)
        if session_id is not None:
            token = security.create_access_token(settings, account.user_id, session_id, scopes)
            return Tokens(token, scopes, secret)
        await session.rollback()  # the account has changed since it was read: try again


async def verify(
    session: Session, settings: Settings, form: TokenForm, client: Client
) -> Credentials:
    """Find the account, and verify password and one-time code."""
    found = await queries.select_credentials(session, form.username)
    counted = limits.log_in_limits(settings, found.key, client.address)
    caller = password_queue.address(settings, client.address)
    right, upgraded = await limits.verify_limited_password(
        session, counted, caller, form.password, found.password_hash
    )
    if not right:
        incorrect = Unauthenticated(INCORRECT)
        raise await note_refusal(session, found.id, "password", client, incorrect)
    account = Credentials(found.id, found.password_hash, upgraded, found.role)
    if found.secret and not form.otp:
        await throttle.cancel_attempt(session, *counted)
        raise CodeNeeded(account)
    await check_account(session, found, counted, form.otp, client)
    return account


async def check_account(
    session: Session,
    found: queries.FoundCredentials,
    counted: tuple[throttle.Limit, ...],
    code: str,
    client: Client,
) -> None:
    """Verify the code of an account whose password is right, and that it is not disabled."""
    if found.secret and not await two_factor.use_code(session, found.id or 0, found.secret, code):
        incorrect = Unauthenticated(two_factor.INCORRECT)
        raise await note_refusal(session, found.id, "code", client, incorrect)
    await throttle.record_success(session, *counted)
    if found.disabled_at is not None:
        raise await note_refusal(session, found.id, "disabled", client, Forbidden(DISABLED))


def new_session(
    settings: Settings, account: Credentials, scopes: frozenset[str], client: Client
) -> NewSession:
    """Describe a session, still without a secret."""
    return NewSession(
        owner_id=account.user_id,
        scopes=scopes,
        days=settings.refresh_token_days,
        user_agent=client.user_agent,
        address=client.address,
    )


async def open_session(session: Session, account: Credentials, new: NewSession) -> int | None:
    """Open a session; return None if the account has changed since it was read."""
    if account.upgraded_hash:
        await queries.upgrade_password_hash(
            session, account.user_id, account.password_hash, account.upgraded_hash
        )
    known_hash = account.upgraded_hash or account.password_hash
    return await queries.insert_session(session, new, known_hash, account.role)


async def note_refusal(
    session: Session, user_id: int | None, wrong: str, client: Client, error: DomainError
) -> DomainError:
    """Write the audit event of a note_refusal log-in, if the account exists; return the error."""
    await queries.note_refused_log_in(
        session,
        user_id,
        wrong=wrong,
        address=client.address,
        user_agent=client.user_agent,
    )
    await session.commit()  # the event is kept, though the request fails
    return error


def wanted_scopes(scope: str) -> frozenset[str]:
    wanted = frozenset(scope.split())
    if unknown := wanted - frozenset(Scope):
        known = ", ".join(sorted(Scope))
        raise Invalid(f"There is no scope {min(unknown)}. There are {known}.", "scope")
    return wanted


async def granted_scopes(session: Session, wanted: frozenset[str], role: str) -> frozenset[str]:
    """Return the requested scopes; if none was requested, all that the role may have."""
    allowed = frozenset(Scope) if role == Role.ADMIN else ALL_SCOPES
    if not wanted <= allowed:
        await session.commit()  # the password was right: the attempt stays forgiven
        raise Forbidden(NOT_ADMIN)
    return wanted or allowed


async def refresh(session: Session, settings: Settings, spent: str) -> Tokens:
    """Exchange a refresh token for new tokens. A token that is used again ends its session."""
    successor = security.new_secret()
    old, new = security.digest(spent), security.digest(successor)
    rotated = await queries.rotate_session(session, old, new, settings.refresh_token_days)
    if rotated is None:
        await queries.end_session_of_spent(session, old)
        await session.commit()  # the session stays ended, though the request fails
        raise Unauthenticated(INVALID_TOKEN)
    session_id, user_id, granted = rotated
    scopes = frozenset(granted)
    access_token = security.create_access_token(settings, user_id, session_id, scopes)
    return Tokens(access_token, scopes, successor)


async def renew(
    session: Session, settings: Settings, user_id: int, session_id: int, scopes: Iterable[str]
) -> Tokens:
    """Issue a new access token of a session that is still open."""
    if not await queries.touch_session(session, user_id, session_id):
        raise Unauthenticated(INVALID_TOKEN)
    scopes = frozenset(scopes)
    return Tokens(security.create_access_token(settings, user_id, session_id, scopes), scopes)
