"""Opening, keeping and ending sessions."""

from collections.abc import Iterable
from dataclasses import dataclass

from fast_zero.accounts import attempts, otp, queries, session_queries
from fast_zero.accounts.models import Role
from fast_zero.accounts.scopes import ALL_SCOPES, Scope
from fast_zero.core import password_queue, security, throttle
from fast_zero.core.database import AnySession
from fast_zero.core.errors import Forbidden, Invalid, Unauthenticated
from fast_zero.core.settings import Settings

USER_AGENT_LENGTH = 300
DISABLED = "This account is disabled. Write to whoever runs the server."
NOT_ADMIN = "Only administrators may have the scope admin."


@dataclass(frozen=True)
class Client:
    """Where a log-in comes from."""

    user_agent: str
    address: str


@dataclass(frozen=True)
class Tokens:
    """What a session hands out."""

    access_token: str
    scopes: frozenset[str]
    refresh_token: str | None = None


async def log_in(
    session: AnySession,
    settings: Settings,
    *,
    login: str,
    password: str,
    scope: str,
    code: str,
    client: Client,
    proven: str = "",
) -> Tokens:
    """Open a session, or refuse in the same words and time whatever was wrong.

    `proven` is the secret of the second factor that the code was taken for already.
    """
    wanted = wanted_scopes(scope)
    found = await queries.select_credentials(session, login)
    key, user_id, password_hash, otp_secret, role, disabled_at = found
    limits = attempts.at_log_in(settings, key, client.address)
    caller = password_queue.address(settings, client.address)
    right, upgraded = await attempts.try_password(session, limits, caller, password, password_hash)
    its_origin = {
        "address": client.address,
        "user_agent": client.user_agent[:USER_AGENT_LENGTH],
    }
    if not right or user_id is None or password_hash is None or role is None:
        await session_queries.note_refused_log_in(session, user_id, wrong="password", **its_origin)
        raise Unauthenticated("Incorrect email or password")
    if otp_secret and not code:
        await throttle.take_back(session, *limits)
        raise otp.OneTimeCodeRequired
    if (
        otp_secret
        and otp_secret != proven
        and not await otp.use_code(session, user_id, otp_secret, code)
    ):
        await session_queries.note_refused_log_in(session, user_id, wrong="code", **its_origin)
        raise Unauthenticated(otp.INCORRECT)
    await throttle.forgive(session, *limits)
    if disabled_at is not None:
        await session_queries.note_refused_log_in(session, user_id, wrong="disabled", **its_origin)
        raise Forbidden(DISABLED)
    scopes = granted_scopes(wanted, role)
    if upgraded:
        await queries.upgrade_password_hash(session, user_id, password_hash, upgraded)
        password_hash = upgraded
    refresh_token = security.new_secret()
    session_id = await session_queries.insert_session(
        session,
        user_id,
        password_hash,
        role,
        refresh_digest=security.digest(refresh_token),
        scopes=scopes,
        days=settings.refresh_token_days,
        **its_origin,
    )
    if session_id is None:  # what was read has changed since; so the password may have, too
        return await log_in(
            session,
            settings,
            login=login,
            password=password,
            scope=scope,
            code=code,
            client=client,
            proven=otp_secret or "",
        )
    access_token = security.create_access_token(settings, user_id, session_id, scopes)
    return Tokens(access_token, scopes, refresh_token)


def wanted_scopes(scope: str) -> frozenset[str]:
    wanted = frozenset(scope.split())
    if unknown := wanted - frozenset(Scope):
        known = ", ".join(sorted(Scope))
        raise Invalid(f"There is no scope {min(unknown)}. There are {known}.", "scope")
    return wanted


def granted_scopes(wanted: frozenset[str], role: str) -> frozenset[str]:
    """Grant what was asked for, or else all that a role may have."""
    allowed = frozenset(Scope) if role == Role.ADMIN else ALL_SCOPES
    if not wanted <= allowed:
        raise Forbidden(NOT_ADMIN)
    return wanted or allowed


async def refresh(session: AnySession, settings: Settings, spent: str) -> Tokens:
    """Exchange a refresh token for new tokens; one that comes back ends its session."""
    successor = security.new_secret()
    old, new = security.digest(spent), security.digest(successor)
    rotated = await session_queries.rotate_session(session, old, new, settings.refresh_token_days)
    if rotated is None:
        await session_queries.end_session_of_spent(session, old)
        raise Unauthenticated("Could not validate credentials")
    session_id, user_id, granted = rotated
    scopes = frozenset(granted)
    access_token = security.create_access_token(settings, user_id, session_id, scopes)
    return Tokens(access_token, scopes, successor)


async def renew(
    session: AnySession, settings: Settings, user_id: int, session_id: int, scopes: Iterable[str]
) -> Tokens:
    """Give a fresh access token to who has one that still lives, while the session does."""
    if not await session_queries.touch_session(session, user_id, session_id):
        raise Unauthenticated("Could not validate credentials")
    scopes = frozenset(scopes)
    return Tokens(security.create_access_token(settings, user_id, session_id, scopes), scopes)
