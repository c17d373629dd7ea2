"""Password hashes, access tokens, and secrets that are stored as digests.

Passwords are hashed in a worker thread, each in its turn: see `password_queue`.
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

from fast_zero.core.clock import uncounted
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

# Verified for a user who does not exist, so that refusing costs the same as for one who does.
NOBODYS_HASH = (
    "$argon2id$v=19$m=65536,t=3,p=4$Ni3YsvyGcBCsJJVmCtBGdQ"
    "$Cni5NEaVSyMwyBpVEYOjqwGjJIg8vZLfYFgHIiRdDjQ"
)


@dataclass(frozen=True)
class AccessToken:
    """What a signed token says: who, in which session, and what they may do there."""

    user_id: int
    session_id: int
    scopes: frozenset[str]
    not_before: int
    expires: int


async def hash_password(session: Session, password: str, caller: Caller) -> str:
    return await in_turn(session, lambda: hasher.hash(password), caller)


async def verify_password(
    session: Session, password: str, password_hash: str | None, caller: Caller
) -> tuple[bool, str | None]:
    """Compare in a time that does not tell whether there was a hash to compare with.

    The second part is a new hash to store, when the parameters have changed since.
    """

    def verify() -> tuple[bool, str | None]:
        try:
            return hasher.verify_and_update(password, password_hash or NOBODYS_HASH)
        except UnknownHashError:
            return False, None

    right, upgraded = await in_turn(session, verify, caller)
    return (right, upgraded) if password_hash else (False, None)


async def in_turn(session: Session, work: Callable[[], Result], caller: Caller) -> Result:
    """Do the work when it is the caller's turn.

    What was written before is committed, such as the attempt to log in, and the connection given
    back: nobody holds one while passwords wait to be hashed.
    """
    await session.commit()
    with uncounted():  # the queue moves on whatever the database does
        return await passwords.run(caller, work)


def create_access_token(
    settings: Settings, user_id: int, session_id: int, scopes: Iterable[str]
) -> str:
    """Sign a token (RFC 7519) with the first of the keys."""
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
    """Read a token that one of the keys signed; refuse one that is expired or not ours."""
    for key in settings.signing_keys():
        try:
            said = decode(token, key)
        except jwt.InvalidSignatureError:
            continue
        except (jwt.InvalidTokenError, TypeError, ValueError):
            break
        if said.not_before - LEEWAY_SECONDS <= time.time() < said.expires + LEEWAY_SECONDS:
            return said
        break
    raise Unauthenticated(INVALID_TOKEN)


# The same token comes with request after request, and checking it costs as much as a statement
# does. What changes with time is not checked here.
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
    """Take a list of scopes apart. Most tokens have the same, which is kept once."""
    return frozenset(words.split())


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def derived_secret(key: str, seed: str) -> bytes:
    """Make a secret that can be made again from a random seed, which is none without the key."""
    return hmac.digest(key.encode(), f"secret of {seed}".encode(), hashlib.sha256)


def derived_token(settings: Settings, seed: str) -> str:
    return derived_tokens(settings, seed)[0]


def derived_tokens(settings: Settings, seed: str) -> list[str]:
    """Make a token by each key; the first is by the one that signs."""
    made = [derived_secret(key, seed) for key in settings.signing_keys()]
    return [base64.urlsafe_b64encode(secret).rstrip(b"=").decode() for secret in made]


def digest(secret: str) -> bytes:
    """Hash a secret of ours for storing. It is random and long, so one pass is enough."""
    return hashlib.sha256(secret.encode()).digest()
