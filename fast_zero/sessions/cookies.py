"""Log-ins of the page: sessions with a cookie, whose secret does not change.

Refresh tokens rotate, but two tabs share one cookie, and would end one another.
"""

import base64
import time
from dataclasses import dataclass, replace
from typing import Any

import jwt

from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.security import throttle
from fast_zero.core.settings import Settings
from fast_zero.identity import limits
from fast_zero.identity.models import User
from fast_zero.sessions import queries, service
from fast_zero.sessions.schemas import TokenForm
from fast_zero.sessions.service import Client, Credentials

AUDIENCE = "fast_zero second factor"
PENDING_SECONDS = 600


class LogInAgain(Unauthenticated):
    """A log-in that waited for a code too long, or whose account has changed meanwhile."""

    def __init__(self) -> None:
        super().__init__("Too much time has passed. Log in again.")


@dataclass(frozen=True)
class Verified:
    """A log-in whose password was right, and that waits for a code."""

    login: str
    password: str
    """The digest of the stored hash: another password makes the log-in invalid."""


async def log_in(session: Session, settings: Settings, form: TokenForm, client: Client) -> str:
    """Open a session with all that the role may do; return the secret of its cookie."""
    while True:
        account = await service.verify(session, settings, form, client)
        if secret := await open_session(session, settings, account, client):
            return secret
        await session.rollback()  # the account has changed since it was read: try again


async def log_in_with_code(
    session: Session, settings: Settings, token: str, code: str, client: Client
) -> str:
    """Finish a log-in that waits for a code."""
    verified = read_verified(settings, token)
    found = await queries.select_credentials(session, verified.login)
    if not found.password_hash or fingerprint(found.password_hash) != verified.password:
        raise LogInAgain
    counted = limits.log_in_limits(settings, found.key, client.address)
    await throttle.record_attempt(session, *counted)
    await service.check_account(session, found, counted, code, client)
    account = Credentials(found.id or 0, found.password_hash, None, found.role or "")
    secret = await open_session(session, settings, account, client)
    if secret is None:
        raise LogInAgain
    return secret


async def log_in_new(session: Session, settings: Settings, user: User, client: Client) -> str:
    """Open the first session of an account, in the transaction that has created it."""
    account = Credentials(user.id, user.password_hash, None, user.role)
    secret = await open_session(session, settings, account, client)
    if secret is None:
        raise LogInAgain
    return secret


async def open_session(
    session: Session, settings: Settings, account: Credentials, client: Client
) -> str | None:
    secret = security.new_secret()
    scopes = await service.granted_scopes(session, frozenset(), account.role)
    new = service.new_session(settings, account, scopes, client)
    new = replace(new, cookie_digest=security.digest(secret))
    return None if await service.open_session(session, account, new) is None else secret


def fingerprint(password_hash: str) -> str:
    return base64.b64encode(security.digest(password_hash)).decode()


def pending_token(settings: Settings, login: str, account: Credentials) -> str:
    """Sign that a password was right. It opens no session without a code."""
    claims = {
        "aud": AUDIENCE,
        "exp": int(time.time()) + PENDING_SECONDS,
        "login": login,
        "password": fingerprint(account.password_hash),
    }
    return jwt.encode(claims, settings.signing_keys()[0], security.ALGORITHM)


def read_verified(settings: Settings, token: str) -> Verified:
    for key in settings.signing_keys():
        try:
            claims: dict[str, Any] = jwt.decode(
                token, key, algorithms=[security.ALGORITHM], audience=AUDIENCE
            )
        except jwt.InvalidTokenError:
            continue
        return Verified(str(claims["login"]), str(claims["password"]))
    raise LogInAgain
