from datetime import UTC, datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import Form, Request, Response

from fast_zero.accounts import measures, otp, programs, session_queries, sessions
from fast_zero.accounts.dependencies import (
    NEEDS_TOKEN,
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
    Token,
    TokenForm,
)
from fast_zero.core import conditions, etags, idempotency, throttle
from fast_zero.core.budget import EXHAUSTED
from fast_zero.core.conditions import IfMatch, IfNoneMatch
from fast_zero.core.dependencies import Autocommit, CurrentSettings, Session
from fast_zero.core.errors import Conflict, Forbidden, NotFound, TooManyRequests, Unauthenticated
from fast_zero.core.idempotency import DoOnce
from fast_zero.core.pagination import cut
from fast_zero.core.parameters import PageQuery
from fast_zero.core.password_queue import CROWDED
from fast_zero.core.problems import missing_fields, responses
from fast_zero.core.routing import room
from fast_zero.core.settings import Settings
from fast_zero.core.types import Id

NO_SESSION = "Session not found"

router = room("/auth", "auth")


@router.post(
    "/token",
    response_model_exclude_none=True,
    responses=responses(
        Unauthenticated("Incorrect email or password"),
        Unauthenticated("Could not validate credentials"),
        otp.OneTimeCodeRequired(),
        Unauthenticated(otp.INCORRECT),
        Forbidden(sessions.DISABLED),
        Forbidden(sessions.NOT_ADMIN),
        TooManyRequests(throttle.TOO_MANY_FAILURES),
        CROWDED,
        EXHAUSTED,
    ),
)
async def create_token(
    form: Annotated[TokenForm, Form()],
    request: Request,
    session: Autocommit,
    settings: CurrentSettings,
    response: Response,
) -> Token:
    """Log in with your e-mail address or username, or exchange a refresh token.

    A refresh token works once. One that comes back was stolen from somebody, and ends its session.
    """
    if missing := form.missing():
        raise missing_fields(*missing)
    if form.grant_type == "refresh_token":
        tokens = await sessions.refresh(session, settings, form.refresh_token)
        return answer_tokens(tokens, settings, response)
    with measures.attempt_to_log_in():
        tokens = await sessions.log_in(
            session,
            settings,
            login=form.username,
            password=form.password,
            scope=form.scope,
            code=form.otp,
            client=client_of(request),
        )
    return answer_tokens(tokens, settings, response)


@router.post(
    "/refresh_token",
    response_model_exclude_none=True,
    responses=responses(*NEEDS_TOKEN, NOT_FOR_PROGRAMS),
)
async def refresh_token(
    actor: AnyActor, session: Autocommit, settings: CurrentSettings, response: Response
) -> Token:
    """Exchange an access token that still lives for a new one of the same session."""
    tokens = await sessions.renew(session, settings, actor.id, session_of(actor), actor.scopes)
    return answer_tokens(tokens, settings, response)


@router.post(
    "/logout",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(*NEEDS_TOKEN, NOT_FOR_PROGRAMS),
)
async def log_out(actor: AnyActor, session: Autocommit, revocations: CurrentRevocations) -> None:
    """End this session: its tokens are refused from now on."""
    session_id = session_of(actor)
    await session_queries.delete_session(session, actor.id, session_id)
    revocations.add(session_id)


@router.get("/sessions", response_model=SessionPage, responses=responses(*NEEDS_TOKEN))
async def list_sessions(page: PageQuery, actor: AccountReader, session: Autocommit) -> object:
    """List where you are logged in."""
    rows, cursor = cut(await session_queries.select_sessions(session, actor.id, page), page)
    return {"sessions": rows, "current": actor.session_id, "next": cursor}


@router.delete(
    "/sessions/{session_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(*NEEDS_TOKEN, NotFound(NO_SESSION)),
)
async def end_session(
    session_id: Id, actor: AccountWriter, session: Autocommit, revocations: CurrentRevocations
) -> None:
    """End one of your sessions: its tokens are refused from now on."""
    if not await session_queries.delete_session(session, actor.id, session_id):
        raise NotFound(NO_SESSION)
    revocations.add(session_id)


@router.delete("/sessions", status_code=HTTPStatus.NO_CONTENT, responses=responses(*NEEDS_TOKEN))
async def end_other_sessions(
    actor: AccountWriter, session: Autocommit, revocations: CurrentRevocations
) -> None:
    """End all of your sessions but this one."""
    for ended in await session_queries.delete_sessions(session, actor.id, but=actor.session_id):
        revocations.add(ended)


@router.post(
    "/tokens",
    status_code=HTTPStatus.CREATED,
    response_model=PersonalTokenCreated,
    responses=responses(
        *NEEDS_TOKEN,
        NOT_FOR_PROGRAMS,
        Forbidden(programs.NO_MORE_SCOPES),
        idempotency.UNFINISHED,
        Conflict(programs.TOO_MANY.format(100)),
        Conflict(programs.UNSHOWN),
    )
    | idempotency.CREATED,
)
async def create_personal_token(
    new: PersonalTokenCreate, actor: AccountWriter, settings: CurrentSettings, once: DoOnce
) -> Response:
    """Make a personal access token for a program. It is shown once."""
    session_id = session_of(actor)  # or one token could make the next, and none would ever end
    programs.check_scopes(new.scopes, actor.scopes)  # here, so that a replay is refused, too

    async def create(session: Session) -> Response:
        maker = (actor.id, session_id)
        kept = await programs.create(session, settings, maker, new, datetime.now(UTC))
        made = conditions.created(kept, etags.tag(1), f"/auth/tokens/{kept.id}")
        made.headers["Cache-Control"] = "no-store"
        return made

    def show(kept: bytes) -> str:
        found = PersonalTokenKept.model_validate_json(kept)
        return programs.show(settings, found).model_dump_json()

    return await once(actor.id, create, in_transaction=True, show=show)


@router.get("/tokens", response_model=PersonalTokenPage, responses=responses(*NEEDS_TOKEN))
async def list_personal_tokens(
    page: PageQuery, actor: AccountReader, session: Autocommit
) -> object:
    """List your personal access tokens, without the tokens themselves."""
    rows, cursor = cut(await session_queries.select_personal_tokens(session, actor.id, page), page)
    return {"tokens": rows, "next": cursor}


@router.get(
    "/tokens/{token_id}",
    response_model=PersonalTokenPublic,
    responses=responses(*NEEDS_TOKEN, NotFound(programs.NO_TOKEN)) | conditions.TAGGED_OR_SEEN,
)
async def read_personal_token(
    token_id: Id, actor: AccountReader, session: Autocommit, seen: IfNoneMatch
) -> Response:
    """Show one of your personal access tokens, without the token itself."""
    row = await session_queries.select_personal_token(session, actor.id, token_id)
    if row is None:
        raise NotFound(programs.NO_TOKEN)
    return conditions.answer(
        PersonalTokenPublic.model_validate(row), etags.tag(row.version), seen=seen
    )


@router.delete(
    "/tokens/{token_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(*NEEDS_TOKEN, NotFound(programs.NO_TOKEN), conditions.STALE),
)
async def delete_personal_token(
    token_id: Id, actor: AccountWriter, session: Autocommit, condition: IfMatch
) -> None:
    """Revoke one of your personal access tokens, at once."""
    await programs.revoke(session, actor.id, token_id, etags.versions(condition))


def client_of(request: Request) -> sessions.Client:
    return sessions.Client(
        user_agent=request.headers.get("user-agent", "").replace("\x00", ""),
        address=address_of(request),
    )


def answer_tokens(tokens: sessions.Tokens, settings: Settings, response: Response) -> Token:
    response.headers["Cache-Control"] = "no-store"  # RFC 6749, section 5.1
    return Token(
        access_token=tokens.access_token,
        expires_in=settings.access_token_minutes * 60,
        refresh_token=tokens.refresh_token,
        scope=" ".join(sorted(tokens.scopes)),
    )
