from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request, Response, Security
from fastapi.security import OAuth2PasswordBearer, SecurityScopes

from fast_zero.core import security
from fast_zero.core.database import Writer, current_writer, transaction
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Forbidden,
    InsufficientScope,
    Reason,
    Unauthenticated,
)
from fast_zero.core.http.bearer import access_token_of
from fast_zero.core.http.idempotency import CHANGE_SET
from fast_zero.core.http.middleware.rate_limit import RateLimitClient
from fast_zero.core.http.problems import responses
from fast_zero.core.observability.logs import current_request
from fast_zero.identity import personal_tokens, queries
from fast_zero.identity.revocations import Revocations
from fast_zero.identity.scopes import ALL_SCOPES, DESCRIPTIONS, Scope

NO_TOKEN = (Unauthenticated("Not authenticated"), Unauthenticated(INVALID_TOKEN))
NO_SCOPE = InsufficientScope("…")
NEEDS_TOKEN = responses(*NO_TOKEN, NO_SCOPE)
"""The error responses of every route that takes the current user.

In FastAPI, a response of a route replaces that of its router with the same status. So a route
with a 403 of its own has to include `NO_SCOPE`.
"""

NEEDS_LOG_IN = Reason(
    "personal_token_not_allowed", "This needs a token from a log-in, not a personal one"
)
NO_PERSONAL_TOKENS = Forbidden(NEEDS_LOG_IN)
"""The error response to a personal token where a route needs a log-in session."""


@dataclass(frozen=True)
class AuthenticatedUser:
    """The current user, and what the token of the request allows."""

    id: int
    scopes: frozenset[str] = ALL_SCOPES
    session_id: int | None = None  # None for a personal token
    token_id: int | None = None  # of a personal token

    def client(self) -> str:
        """Return through what the user writes, as the log of changes stores it."""
        return f"session:{self.session_id}" if self.token_id is None else f"token:{self.token_id}"


class BearerToken(OAuth2PasswordBearer):
    """Reads the current user from the token.

    An access token needs no statement while the list of ended sessions is complete. A personal
    token needs one, in a session of its own: the session of the route may read from a standby.
    """

    async def __call__(  # type: ignore[override]  # more than the token itself
        self, request: Request, needed: SecurityScopes, response: Response
    ) -> AuthenticatedUser:
        token = await super().__call__(request)
        if token is None:
            raise Unauthenticated("Not authenticated")
        client: RateLimitClient | None = request.scope["state"].get("rate_limit")
        try:
            user = await authenticate(request, token)
        except Unauthenticated:
            if client:
                client.charge_address()
            raise
        if client:
            client.charge_user(user.id)
        if request_known := current_request.get():
            request_known.user_id = user.id
        if missing := [scope for scope in needed.scopes if scope not in user.scopes]:
            raise InsufficientScope(*missing)
        if Scope.TODOS_WRITE in needed.scopes:
            begin_change_set(user, response)
        return user


def begin_change_set(user: AuthenticatedUser, response: Response) -> None:
    """Let the log of changes know who writes in this request, and name its change set."""
    writer = Writer(user.client(), user.id)
    current_writer.set(writer)
    response.headers[CHANGE_SET] = str(writer.change_set_id)


async def authenticate(request: Request, token: str) -> AuthenticatedUser:
    if token.startswith(personal_tokens.PREFIX):
        return await authenticate_personal_token(request, token)
    return await authenticate_access_token(request)


async def authenticate_access_token(request: Request) -> AuthenticatedUser:
    claims = access_token_of(request.scope)
    if claims is None:
        raise Unauthenticated(INVALID_TOKEN)
    revocations: Revocations = request.state.revocations
    ended = claims.session_id in revocations.ended
    if not ended and not revocations.complete:
        async with transaction(request.state.sessions) as session:
            is_open = queries.is_session_open
            ended = not await is_open(session, claims.user_id, claims.session_id)
    if ended:
        raise Unauthenticated(INVALID_TOKEN)
    return AuthenticatedUser(claims.user_id, claims.scopes, claims.session_id)


async def authenticate_personal_token(request: Request, token: str) -> AuthenticatedUser:
    if not personal_tokens.is_well_formed(token):
        raise Unauthenticated(INVALID_TOKEN)
    async with transaction(request.state.sessions) as session:
        found = await queries.use_personal_token(session, security.digest(token))
    if found is None:
        raise Unauthenticated(INVALID_TOKEN)
    scopes = frozenset(found["scopes"])
    return AuthenticatedUser(found["owner_id"], scopes, token_id=found["id"])


def session_of(user: AuthenticatedUser) -> int:
    """Return the id of the current user's log-in session. A personal token has none."""
    if user.session_id is None:
        raise Forbidden(NEEDS_LOG_IN)
    return user.session_id


def address_of(request: Request) -> str:
    return request.client.host if request.client else ""


async def current_revocations(request: Request) -> Revocations:
    revocations: Revocations = request.state.revocations
    return revocations


current_user = BearerToken(
    tokenUrl="/auth/token",
    refreshUrl="/auth/token",
    scheme_name="OAuth2PasswordBearer",
    scopes={scope.value: words for scope, words in DESCRIPTIONS.items()},
    description="Log in with your email address or username.",
    auto_error=False,
)

CurrentUser = Annotated[AuthenticatedUser, Security(current_user)]
AccountReader = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.ACCOUNT_READ])]
AccountWriter = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.ACCOUNT_WRITE])]
TodoReader = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.TODOS_READ])]
TodoWriter = Annotated[AuthenticatedUser, Security(current_user, scopes=[Scope.TODOS_WRITE])]
CurrentRevocations = Annotated[Revocations, Depends(current_revocations)]
