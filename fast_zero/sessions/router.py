from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request

from fast_zero.core.errors import (
    INVALID_TOKEN,
    Forbidden,
    NotFound,
    Reason,
    TooManyRequests,
    Unauthenticated,
)
from fast_zero.core.http.dependencies import NO_STORE, CurrentSession, CurrentSettings, PageQuery
from fast_zero.core.http.media_types import form_only
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED
from fast_zero.core.http.problems import missing_fields, responses
from fast_zero.core.pagination import split_page
from fast_zero.core.security import throttle
from fast_zero.core.security.password_queue import TOO_MANY_PASSWORDS
from fast_zero.core.settings import Settings
from fast_zero.core.types import Id
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.dependencies import (
    NEEDS_TOKEN,
    NO_PERSONAL_TOKENS,
    NO_SCOPE,
    AccountReader,
    AccountWriter,
    CurrentRevocations,
    CurrentUser,
    session_of,
)
from fast_zero.sessions import metrics, queries, service
from fast_zero.sessions.dependencies import client_of
from fast_zero.sessions.schemas import SessionPage, Token, TokenForm
from fast_zero.two_factor import service as two_factor

NO_SESSION = Reason("session_not_found", "Session not found")
DONE = HTTPStatus.NO_CONTENT

router = APIRouter(prefix="/auth", tags=["auth"], responses=NEEDS_TOKEN)


@router.post(
    "/token",
    response_model_exclude_none=True,
    responses=responses(
        Unauthenticated(service.INCORRECT),
        Unauthenticated(INVALID_TOKEN),
        two_factor.OneTimeCodeRequired(),
        Unauthenticated(two_factor.INCORRECT),
        Forbidden(service.DISABLED),
        Forbidden(service.NOT_ADMIN),
        TooManyRequests(throttle.TOO_MANY_FAILURES),
        TOO_MANY_PASSWORDS,
        EXHAUSTED,
    ),
    dependencies=[Depends(form_only), NO_STORE],
)
async def create_token(
    form: Annotated[TokenForm, Form()],
    request: Request,
    session: CurrentSession,
    settings: CurrentSettings,
) -> Token:
    """Log in, or exchange a refresh token. `username` is your email address, or your username.

    A refresh token works once. If it is used again, it was stolen, and its session ends.
    """
    if missing := form.missing():
        raise missing_fields(*missing)
    if form.grant_type == "refresh_token":
        tokens = await service.refresh(session, settings, form.refresh_token)
        return token_response(tokens, settings)
    with metrics.count_log_in():
        tokens = await service.log_in(session, settings, form, client_of(request))
    return token_response(tokens, settings)


@router.post(
    "/refresh_token",
    response_model_exclude_none=True,
    responses=responses(NO_SCOPE, NO_PERSONAL_TOKENS),
    dependencies=[NO_STORE],
)
async def refresh_token(
    user: CurrentUser, session: CurrentSession, settings: CurrentSettings
) -> Token:
    """Renew an access token that has not expired. The new token belongs to the same session."""
    tokens = await service.renew(session, settings, user.id, session_of(user), user.scopes)
    return token_response(tokens, settings)


@router.post("/logout", status_code=DONE, responses=responses(NO_SCOPE, NO_PERSONAL_TOKENS))
async def log_out(
    user: CurrentUser, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """Log out. The tokens of this session are refused from now on."""
    session_id = session_of(user)
    await queries.delete_session(session, user.id, session_id)
    revocations.add_at_commit(session, session_id)


@router.get("/sessions", response_model=SessionPage)
async def list_sessions(page: PageQuery, user: AccountReader, session: CurrentSession) -> object:
    """List the sessions in which you are logged in."""
    rows, cursor = split_page(await queries.select_sessions(session, user.id, page), page)
    return {"sessions": rows, "current": user.session_id, "next": cursor}


@router.delete(
    "/sessions/{session_id}", status_code=DONE, responses=responses(NotFound(NO_SESSION))
)
async def end_session(
    session_id: Id, user: AccountWriter, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """End one of your sessions. Its tokens are refused from now on."""
    if not await queries.delete_session(session, user.id, session_id):
        raise NotFound(NO_SESSION)
    revocations.add_at_commit(session, session_id)


@router.delete("/sessions", status_code=DONE)
async def end_other_sessions(
    user: AccountWriter, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """End all of your sessions except this one."""
    ended = await identity_queries.delete_sessions(session, user.id, but=user.session_id)
    revocations.add_at_commit(session, *ended)


def token_response(tokens: service.Tokens, settings: Settings) -> Token:
    return Token(
        access_token=tokens.access_token,
        expires_in=settings.access_token_minutes * 60,
        refresh_token=tokens.refresh_token,
        scope=" ".join(sorted(tokens.scopes)),
    )
