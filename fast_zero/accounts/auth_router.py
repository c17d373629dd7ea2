from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Request, Response

from fast_zero.accounts import measures, otp, programs, session_queries, sessions
from fast_zero.accounts.dependencies import (
    NEEDS_TOKEN,
    NO_SCOPE,
    NOT_FOR_PROGRAMS,
    AccountReader,
    AccountWriter,
    AnyActor,
    CurrentRevocations,
    address_of,
    session_of,
)
from fast_zero.accounts.schemas import (
    PersonalTokenCreate,
    PersonalTokenCreated,
    PersonalTokenKept,
    PersonalTokenPage,
    PersonalTokenPublic,
    SessionPage,
)
from fast_zero.accounts.token_schemas import Token, TokenForm
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Conflict,
    Forbidden,
    NotFound,
    Reason,
    TooManyRequests,
    Unauthenticated,
)
from fast_zero.core.http import conditions, etags, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import NO_STORE, CurrentSession, CurrentSettings, PageQuery
from fast_zero.core.http.idempotency import DoOnce
from fast_zero.core.http.media_types import form_only
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED
from fast_zero.core.http.problems import missing_fields, responses
from fast_zero.core.pagination import cut
from fast_zero.core.security import throttle
from fast_zero.core.security.password_queue import CROWDED
from fast_zero.core.settings import Settings
from fast_zero.core.types import Id

NO_SESSION = Reason("session_not_found", "Session not found")
DONE = HTTPStatus.NO_CONTENT
USER_AGENT_LENGTH = 300  # characters that are kept of it

router = APIRouter(prefix="/auth", tags=["auth"], responses=NEEDS_TOKEN)


@router.post(
    "/token",
    response_model_exclude_none=True,
    responses=responses(
        Unauthenticated(sessions.INCORRECT),
        Unauthenticated(INVALID_TOKEN),
        otp.OneTimeCodeRequired(),
        Unauthenticated(otp.INCORRECT),
        Forbidden(sessions.DISABLED),
        Forbidden(sessions.NOT_ADMIN),
        TooManyRequests(throttle.TOO_MANY_FAILURES),
        CROWDED,
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

    A refresh token works once. One that comes back was stolen from somebody, and ends its session.
    """
    if missing := form.missing():
        raise missing_fields(*missing)
    if form.grant_type == "refresh_token":
        tokens = await sessions.refresh(session, settings, form.refresh_token)
        return answer_tokens(tokens, settings)
    with measures.attempt_to_log_in():
        tokens = await sessions.log_in(session, settings, form, client_of(request))
    return answer_tokens(tokens, settings)


@router.post(
    "/refresh_token",
    response_model_exclude_none=True,
    responses=responses(NO_SCOPE, NOT_FOR_PROGRAMS),
    dependencies=[NO_STORE],
)
async def refresh_token(
    actor: AnyActor, session: CurrentSession, settings: CurrentSettings
) -> Token:
    """Renew an access token. It has to live still; the new one is of the same session."""
    tokens = await sessions.renew(session, settings, actor.id, session_of(actor), actor.scopes)
    return answer_tokens(tokens, settings)


@router.post("/logout", status_code=DONE, responses=responses(NO_SCOPE, NOT_FOR_PROGRAMS))
async def log_out(
    actor: AnyActor, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """Log out. The tokens of this session are refused from now on."""
    session_id = session_of(actor)
    await session_queries.delete_session(session, actor.id, session_id)
    revocations.add_at_commit(session, session_id)


@router.get("/sessions", response_model=SessionPage)
async def list_sessions(page: PageQuery, actor: AccountReader, session: CurrentSession) -> object:
    """List where you are logged in."""
    rows, cursor = cut(await session_queries.select_sessions(session, actor.id, page), page)
    return {"sessions": rows, "current": actor.session_id, "next": cursor}


@router.delete(
    "/sessions/{session_id}", status_code=DONE, responses=responses(NotFound(NO_SESSION))
)
async def end_session(
    session_id: Id, actor: AccountWriter, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """End one of your sessions. Its tokens are refused from now on."""
    if not await session_queries.delete_session(session, actor.id, session_id):
        raise NotFound(NO_SESSION)
    revocations.add_at_commit(session, session_id)


@router.delete("/sessions", status_code=DONE)
async def end_other_sessions(
    actor: AccountWriter, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """End all of your sessions but this one."""
    ended = await session_queries.delete_sessions(session, actor.id, but=actor.session_id)
    revocations.add_at_commit(session, *ended)


@router.post(
    "/tokens",
    status_code=HTTPStatus.CREATED,
    response_model=PersonalTokenCreated,
    responses=responses(
        NO_SCOPE,
        NOT_FOR_PROGRAMS,
        Forbidden(programs.NO_MORE_SCOPES),
        idempotency.UNFINISHED,
        Conflict(programs.too_many(100)),
        Conflict(programs.UNSHOWN),
    )
    | idempotency.CREATED,
    dependencies=[NO_STORE],
)
async def create_personal_token(
    new: PersonalTokenCreate,
    actor: AccountWriter,
    session: CurrentSession,
    settings: CurrentSettings,
    response: Response,
    once: DoOnce,
) -> object:
    """Make a personal access token for a program. It is shown once."""
    maker = (actor.id, session_of(actor))  # or one token could make the next, and none would end
    programs.check_scopes(new.scopes, actor.scopes)  # here, so that a replay is refused, too

    async def create() -> PersonalTokenKept:
        kept = await programs.create(session, settings, maker, new, datetime.now(UTC))
        conditions.set_created(response, etags.tag(1), f"/auth/tokens/{kept.id}")
        return kept

    def show(kept: bytes) -> PersonalTokenCreated:
        return programs.show(settings, PersonalTokenKept.model_validate_json(kept))

    return await once(session, actor.id, create, show=show)


@router.get("/tokens", response_model=PersonalTokenPage)
async def list_personal_tokens(
    page: PageQuery, actor: AccountReader, session: CurrentSession
) -> object:
    """List your personal access tokens. The tokens themselves are not shown."""
    rows, cursor = cut(await session_queries.select_personal_tokens(session, actor.id, page), page)
    return {"tokens": rows, "next": cursor}


@router.get(
    "/tokens/{token_id}",
    response_model=PersonalTokenPublic,
    responses=responses(NotFound(programs.NO_TOKEN)) | conditions.TAGGED_OR_SEEN,
)
async def read_personal_token(
    token_id: Id,
    actor: AccountReader,
    session: CurrentSession,
    response: Response,
    seen: IfNoneMatch,
) -> object:
    """Show one of your personal access tokens. The token itself is not shown."""
    row = await session_queries.select_personal_token(session, actor.id, token_id)
    if row is None:
        raise NotFound(programs.NO_TOKEN)
    conditions.set_tag(response, etags.tag(row.version), seen)
    return row


@router.delete(
    "/tokens/{token_id}",
    status_code=DONE,
    responses=responses(NotFound(programs.NO_TOKEN), conditions.STALE),
)
async def delete_personal_token(
    token_id: Id, actor: AccountWriter, session: CurrentSession, condition: IfMatch
) -> None:
    """Revoke one of your personal access tokens. It is refused at once."""
    await programs.revoke(session, actor.id, token_id, etags.versions(condition))


def client_of(request: Request) -> sessions.Client:
    return sessions.Client(
        user_agent=request.headers.get("user-agent", "").replace("\x00", "")[:USER_AGENT_LENGTH],
        address=address_of(request),
    )


def answer_tokens(tokens: sessions.Tokens, settings: Settings) -> Token:
    return Token(
        access_token=tokens.access_token,
        expires_in=settings.access_token_minutes * 60,
        refresh_token=tokens.refresh_token,
        scope=" ".join(sorted(tokens.scopes)),
    )
