from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from fast_zero.core import security
from fast_zero.core.database import transaction
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Forbidden,
    InsufficientScope,
    Reason,
    Unauthenticated,
)
from fast_zero.core.http.bearer import access_token_of
from fast_zero.core.http.middleware.rate_limit import Charge
from fast_zero.core.http.problems import responses
from fast_zero.core.observability.logs import asked
from fast_zero.identity import personal_tokens, queries
from fast_zero.identity.revocations import Revocations
from fast_zero.identity.scopes import ALL_SCOPES, DESCRIPTIONS, Scope

NO_TOKEN = (Unauthenticated("Not authenticated"), Unauthenticated(INVALID_TOKEN))
NO_SCOPE = InsufficientScope("…")
NEEDS_TOKEN = responses(*NO_TOKEN, NO_SCOPE)
"""What every route that takes an actor may return.

FastAPI lets the responses of a route take the place of its router's, status by status. So a route
with a 403 of its own names `NO_SCOPE`, too.
"""

NEEDS_LOG_IN = Reason(
    "personal_token_not_allowed", "This needs a token from a log-in, not a personal one"
)
NOT_FOR_PROGRAMS = Forbidden(NEEDS_LOG_IN)
"""What a route that needs the session of a log-in returns to a personal token."""


@dataclass(frozen=True)
class Actor:
    """The person asking, and what the token that they sent is allowed to do."""

    id: int
    scopes: frozenset[str] = ALL_SCOPES
    session_id: int | None = None  # none where a personal token asks


class BearerToken(OAuth2PasswordBearer):
    """Reads the current user from the token.

    An access token says it all, and costs no statement while the list of ended sessions is
    complete. A personal token costs one, in a session of its own: the route may read elsewhere.
    """

    async def __call__(  # type: ignore[override]  # more than the token itself
        self, request: Request, needed: SecurityScopes
    ) -> Actor:
        token = await super().__call__(request)
        if token is None:
            raise Unauthenticated("Not authenticated")
        charge: Charge | None = request.scope["state"].get("charge")
        try:
            actor = await actor_of(request, token)
        except Unauthenticated:
            if charge:
                charge.to_address()
            raise
        if charge:
            charge.to_user(actor.id)
        if request_known := asked.get():
            request_known.actor_id = actor.id
        if missing := [scope for scope in needed.scopes if scope not in actor.scopes]:
            raise InsufficientScope(*missing)
        return actor


async def actor_of(request: Request, token: str) -> Actor:
    if token.startswith(personal_tokens.PREFIX):
        return await actor_of_personal_token(request, token)
    return await actor_of_access_token(request)


async def actor_of_access_token(request: Request) -> Actor:
    said = access_token_of(request.scope)
    if said is None:
        raise Unauthenticated(INVALID_TOKEN)
    revocations: Revocations = request.state.revocations
    ended = said.session_id in revocations.ended
    if not ended and not revocations.complete:
        async with transaction(request.state.sessions) as session:
            lives = queries.session_lives
            ended = not await lives(session, said.user_id, said.session_id)
    if ended:
        raise Unauthenticated(INVALID_TOKEN)
    return Actor(said.user_id, said.scopes, said.session_id)


async def actor_of_personal_token(request: Request, token: str) -> Actor:
    if not personal_tokens.is_well_formed(token):
        raise Unauthenticated(INVALID_TOKEN)
    async with transaction(request.state.sessions) as session:
        found = await queries.use_personal_token(session, security.digest(token))
    if found is None:
        raise Unauthenticated(INVALID_TOKEN)
    return Actor(found["owner_id"], frozenset(found["scopes"]))


def session_of(actor: Actor) -> int:
    """Give the session that the actor logged in with; a personal token has none."""
    if actor.session_id is None:
        raise Forbidden(NEEDS_LOG_IN)
    return actor.session_id


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


async def current_revocations(request: Request) -> Revocations:
    revocations: Revocations = request.state.revocations
    return revocations


current_actor = BearerToken(
    tokenUrl="/auth/token",
    refreshUrl="/auth/token",
    scheme_name="OAuth2PasswordBearer",
    scopes={scope.value: words for scope, words in DESCRIPTIONS.items()},
    description="Log in with your email address or username.",
    auto_error=False,
)

AnyActor = Annotated[Actor, Security(current_actor)]
AccountReader = Annotated[Actor, Security(current_actor, scopes=[Scope.ACCOUNT_READ])]
AccountWriter = Annotated[Actor, Security(current_actor, scopes=[Scope.ACCOUNT_WRITE])]
CurrentRevocations = Annotated[Revocations, Depends(current_revocations)]
