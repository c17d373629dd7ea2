"""Tokens for programs: making, showing and revoking them."""

from datetime import datetime, timedelta

from fast_zero.accounts import personal_tokens, session_queries
from fast_zero.accounts.schemas import (
    PersonalTokenCreate,
    PersonalTokenCreated,
    PersonalTokenKept,
    PersonalTokenPublic,
)
from fast_zero.core import etags, security
from fast_zero.core.database import AnySession
from fast_zero.core.errors import Conflict, Forbidden, Invalid, NotFound, Stale
from fast_zero.core.etags import Versions
from fast_zero.core.settings import Settings

LONGEST_LIFE = timedelta(days=366)
NO_TOKEN = "Token not found"  # noqa: S105  # a sentence
UNSHOWN = "This token cannot be shown again, since the keys were changed. Delete it, make another."


async def create(
    session: AnySession,
    settings: Settings,
    actor: tuple[int, frozenset[str]],
    new: PersonalTokenCreate,
    now: datetime,
) -> PersonalTokenKept:
    """Make a token that may do no more than its maker.

    Nobody keeps the token. What is given back makes it again, with the key, and so may be kept for
    who sends the request again.
    """
    actor_id, actor_scopes = actor
    if not now < new.expires_at <= now + LONGEST_LIFE:
        raise Invalid("It must expire in the future, and within a year.", "expires_at")
    if not set(new.scopes) <= actor_scopes:
        raise Forbidden("A token cannot be made to do more than the one that makes it")
    seed = security.new_secret()
    digest = security.digest(token_of(settings.signing_keys()[0], seed))
    row = await session_queries.insert_personal_token(
        session,
        actor_id,
        digest=digest,
        name=new.name,
        scopes=set(new.scopes),
        expires_at=new.expires_at,
    )
    public = PersonalTokenPublic.model_validate(row)
    return PersonalTokenKept(**public.model_dump(), seed=seed, digest=digest.hex())


def show(settings: Settings, kept: PersonalTokenKept) -> PersonalTokenCreated:
    for key in settings.signing_keys():
        token = token_of(key, kept.seed)
        if security.digest(token).hex() == kept.digest:
            return PersonalTokenCreated(**kept.model_dump(exclude={"seed", "digest"}), token=token)
    raise Conflict(UNSHOWN)


def token_of(key: str, seed: str) -> str:
    return personal_tokens.token_of(security.derived_secret(key, seed))


async def revoke(session: AnySession, actor_id: int, token_id: int, accepted: Versions) -> None:
    if await session_queries.delete_personal_token(session, actor_id, token_id, accepted):
        return
    row = None
    if accepted is not None:
        row = await session_queries.select_personal_token(session, actor_id, token_id)
    raise NotFound(NO_TOKEN) if row is None else Stale(etags.tag(row.version))
