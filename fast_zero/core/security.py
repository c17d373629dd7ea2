"""Password hashes and access tokens.

A hash takes 64 MiB and a tenth of a second on purpose. It is made in a worker thread, one
at a time, so that a storm of log-ins slows log-ins and nothing else.
"""

import secrets
from datetime import UTC, datetime, timedelta

import jwt
from anyio import CapacityLimiter, to_thread
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from fast_zero.core.deadline import uncounted
from fast_zero.core.errors import Unauthenticated
from fast_zero.core.settings import Settings

ALGORITHM = "HS256"
LEEWAY_SECONDS = 10  # clocks of the servers that share a key may differ by this much

hasher = PasswordHash.recommended()
one_at_a_time = CapacityLimiter(1)

# Verified for a user who does not exist, so that refusing costs the same as for one who does.
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$Ni3YsvyGcBCsJJVmCtBGdQ"
    "$Cni5NEaVSyMwyBpVEYOjqwGjJIg8vZLfYFgHIiRdDjQ"
)


async def hash_password(password: str) -> str:
    with uncounted():  # the queue before it moves on whatever the database does
        return await to_thread.run_sync(hasher.hash, password, limiter=one_at_a_time)


async def verify_password(password: str, password_hash: str | None) -> bool:
    """Compare in a time that does not tell whether there was a hash to compare with."""

    def verify() -> bool:
        try:
            return hasher.verify(password, password_hash or NOBODYS_HASH)
        except UnknownHashError:
            return False

    with uncounted():
        matches = await to_thread.run_sync(verify, limiter=one_at_a_time)
    return matches and password_hash is not None


def create_access_token(settings: Settings, user_id: int) -> str:
    now = datetime.now(UTC)
    claims = {
        "sub": str(user_id),
        "iat": now,
        "exp": now + timedelta(minutes=settings.access_token_minutes),
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, settings.signing_key(), ALGORITHM)


def read_access_token(settings: Settings, token: str) -> int:
    """Give the id of the user whom the token names; refuse one that is expired or not ours."""
    try:
        claims = jwt.decode(
            token,
            settings.signing_key(),
            algorithms=[ALGORITHM],
            leeway=LEEWAY_SECONDS,
            options={"require": ["exp", "iat", "sub"]},
        )
        return int(claims["sub"])
    except (jwt.InvalidTokenError, ValueError):
        raise Unauthenticated("Could not validate credentials") from None
