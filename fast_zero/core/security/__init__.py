"""Password hashes, access tokens, and secrets that are stored as digests.

Passwords are hashed in a worker thread, one at a time: see `password_queue`.
"""

import base64
import hashlib
import hmac
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

import jwt
from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError

from fast_zero.core.clock import deadline_paused
from fast_zero.core.database import Session
from fast_zero.core.errors import INVALID_TOKEN, Unauthenticated
from fast_zero.core.security.password_queue import Caller, passwords
from fast_zero.core.settings import Settings

ALGORITHM = "HS256"
ISSUER = AUDIENCE = "fast_zero"
LEEWAY_SECONDS = 10  # clocks of the servers that share a key may differ by this much
REQUIRED_CLAIMS = ["iss", "aud", "sub", "sid", "scope", "iat", "nbf", "exp", "jti"]
SECRET_BYTES = 32

Result = TypeVar("Result")

hasher = PasswordHash.recommended()

# Verified if the user does not exist, so that a failed log-in takes the same time in both cases.
DUMMY_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$Ni3YsvyGcBCsJJVmCtBGdQ"
    "$Cni5NEaVSyMwyBpVEYOjqwGjJIg8vZLfYFgHIiRdDjQ"
)


@dataclass(frozen=True)
class AccessToken:
    """The claims of a signed token: the user, the session and the scopes."""

    user_id: int
    session_id: int
    scopes: frozenset[str]
    not_before: int
    expires: int


async def hash_password(session: Session, password: str, caller: Caller) -> str:
    return await run_in_queue(session, lambda: hasher.hash(password), caller)


async def verify_password(
    session: Session, password: str, password_hash: str | None, caller: Caller
) -> tuple[bool, str | None]:
    """Verify a password in a time that does not reveal whether there is a hash.

    Returns whether it is right, and a new hash to store if the hash parameters have changed.
    """

    def verify() -> tuple[bool, str | None]:
        try:
            return hasher.verify_and_update(password, password_hash or DUMMY_HASH)
        except UnknownHashError:
            return False, None

    right, upgraded = await run_in_queue(session, verify, caller)
    return (right, upgraded) if password_hash else (False, None)


async def run_in_queue(session: Session, work: Callable[[], Result], caller: Caller) -> Result:
    """Run `work` in the password queue.

    Earlier changes, such as a recorded log-in attempt, are committed first and the connection is
    returned, so that no connection is held while a password waits to be hashed.
    """
    await session.commit()
    with deadline_paused():  # the queue does not depend on the database
        return await passwords.run(caller, work)


def create_access_token(
    settings: Settings, user_id: int, session_id: int, scopes: Iterable[str]
) -> str:
    """Create a token (RFC 7519), signed with the first key."""
    now = datetime.now(UTC)
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user_id),
        "sid": session_id,
        "scope": " ".join(sorted(scopes)),
        "iat": now,
        "nbf": now,
        "exp": now + timedelta(minutes=settings.access_token_minutes),
        "jti": secrets.token_urlsafe(12),
    }
    return jwt.encode(claims, settings.signing_keys()[0], ALGORITHM)


def read_access_token(settings: Settings, token: str) -> AccessToken:
    """Verify a token with all keys. Raises Unauthenticated if it is invalid or has expired."""
    for key in settings.signing_keys():
        try:
            claims = decode(token, key)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, TypeError, ValueError):
            break
        if claims.not_before - LEEWAY_SECONDS <= time.time() < claims.expires + LEEWAY_SECONDS:
            return claims
        break
    raise Unauthenticated(INVALID_TOKEN)


# A client sends the same token with every request, and verifying it costs as much as a statement.
# Claims that depend on the time are not checked here.
@lru_cache(maxsize=4096)
def decode(token: str, key: str) -> AccessToken:
    claims = jwt.decode(
        token,
        key,
        algorithms=[ALGORITHM],
        audience=AUDIENCE,
        issuer=ISSUER,
        options={
            "require": REQUIRED_CLAIMS,
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        },
    )
    return AccessToken(
        user_id=int(claims["sub"]),
        session_id=int(claims["sid"]),
        scopes=scopes_of(str(claims["scope"])),
        not_before=max(int(claims["nbf"]), int(claims["iat"])),
        expires=int(claims["exp"]),
    )


@lru_cache(maxsize=256)
def scopes_of(words: str) -> frozenset[str]:
    """Split a list of scopes. Most tokens have the same scopes, so the set is cached."""
    return frozenset(words.split())


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def derived_secret(key: str, seed: str) -> bytes:
    """Derive a secret from a random seed. The seed is useless without the key."""
    return hmac.digest(key.encode(), f"secret of {seed}".encode(), hashlib.sha256)


def derived_token(settings: Settings, seed: str) -> str:
    return derived_tokens(settings, seed)[0]


def derived_tokens(settings: Settings, seed: str) -> list[str]:
    """Derive a token with each key. The first one is derived with the signing key."""
    made = [derived_secret(key, seed) for key in settings.signing_keys()]
    return [base64.urlsafe_b64encode(secret).rstrip(b"=").decode() for secret in made]


def digest(secret: str) -> bytes:
    """Hash a generated secret for storage. It is random and long, so one pass is enough."""
    return hashlib.sha256(secret.encode()).digest()
