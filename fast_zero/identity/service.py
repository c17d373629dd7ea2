"""Create, show and revoke personal access tokens."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from fast_zero.core import security
from fast_zero.core.database import Session
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    Reason,
    Unauthenticated,
)
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.core.settings import Settings
from fast_zero.identity import personal_tokens, queries
from fast_zero.identity.models import Role
from fast_zero.identity.schemas import (
    PersonalTokenCreate,
    PersonalTokenCreated,
    PersonalTokenPublic,
    StoredPersonalToken,
)
from fast_zero.identity.scopes import Scope

LONGEST_LIFE = timedelta(days=366)
NO_TOKEN = Reason("token_not_found", "Token not found")
NO_MORE_SCOPES = Reason(
    "scope_not_allowed", "A token cannot be made to do more than the one that makes it"
)
NOT_RECOVERABLE = Reason(
    "token_not_recoverable",
    "This token cannot be shown again, since the keys were changed. Delete it, make another.",
)


def too_many(limit: int | None) -> Reason:
    detail = f"You have {limit} personal tokens, the most that you may have. Delete one first."
    return Reason("too_many_tokens", detail)


def check_scopes(wanted: Iterable[str], allowed: frozenset[str]) -> None:
    if not set(wanted) <= allowed:
        raise Forbidden(NO_MORE_SCOPES)


async def create(
    session: Session,
    settings: Settings,
    maker: tuple[int, int],
    new: PersonalTokenCreate,
    now: datetime,
) -> StoredPersonalToken:
    """Create a token for an account, from one of its sessions: `maker` has the ids of both.

    The token itself is not stored. The returned value contains the seed from which the server's key
    derives it, so it may be stored as the response to a retried request.
    """
    if not now < new.expires_at <= now + LONGEST_LIFE:
        raise Invalid("It must expire in the future, and within a year.", "expires_at")
    role = await queries.lock_owner(session, *maker)
    if role is None:
        raise Unauthenticated(INVALID_TOKEN)
    if Scope.ADMIN in new.scopes and role != Role.ADMIN:
        raise Forbidden(NO_MORE_SCOPES)
    seed = security.new_secret()
    digest = security.digest(token_of(settings.signing_keys()[0], seed))
    values = {
        "digest": digest,
        "name": new.name,
        "scopes": sorted(set(new.scopes)),
        "expires_at": new.expires_at,
    }
    limit = settings.personal_tokens_per_user
    row = await queries.insert_personal_token(session, maker[0], values, limit)
    if row is None:
        raise Conflict(too_many(limit))
    public = PersonalTokenPublic.model_validate(row)
    return StoredPersonalToken(**public.model_dump(), seed=seed, digest=digest.hex())


def show(settings: Settings, stored: StoredPersonalToken) -> PersonalTokenCreated:
    for key in settings.signing_keys():
        token = token_of(key, stored.seed)
        if security.digest(token).hex() == stored.digest:
            return PersonalTokenCreated(
                **stored.model_dump(exclude={"seed", "digest"}), token=token
            )
    raise Conflict(NOT_RECOVERABLE)


def token_of(key: str, seed: str) -> str:
    return personal_tokens.token_of(security.derived_secret(key, seed))


async def revoke(session: Session, user_id: int, token_id: int, accepted: Versions) -> None:
    if await queries.delete_personal_token(session, user_id, token_id, accepted):
        return
    row = None
    if accepted is not None:
        row = await queries.select_personal_token(session, user_id, token_id)
    raise etags.refusal(NotFound(NO_TOKEN), None if row is None else row.version)
