from datetime import UTC, datetime
from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.core.errors import (
    Conflict,
    Forbidden,
    NotFound,
)
from fast_zero.core.http import conditions, etags, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import NO_STORE, CurrentSession, CurrentSettings, PageQuery
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity import queries, service
from fast_zero.identity.dependencies import (
    NEEDS_TOKEN,
    NO_PERSONAL_TOKENS,
    NO_SCOPE,
    AccountReader,
    AccountWriter,
    session_of,
)
from fast_zero.identity.schemas import (
    PersonalTokenCreate,
    PersonalTokenCreated,
    PersonalTokenPage,
    PersonalTokenPublic,
    StoredPersonalToken,
)

DONE = HTTPStatus.NO_CONTENT

router = APIRouter(prefix="/auth", tags=["auth"], responses=NEEDS_TOKEN)


@router.post(
    "/tokens",
    status_code=HTTPStatus.CREATED,
    response_model=PersonalTokenCreated,
    responses=responses(
        NO_SCOPE,
        NO_PERSONAL_TOKENS,
        Forbidden(service.NO_MORE_SCOPES),
        idempotency.UNFINISHED,
        Conflict(service.too_many(100)),
        Conflict(service.NOT_RECOVERABLE),
    )
    | idempotency.CREATED,
    dependencies=[NO_STORE],
)
async def create_personal_token(
    new: PersonalTokenCreate,
    user: AccountWriter,
    session: CurrentSession,
    settings: CurrentSettings,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a personal access token. The token is shown only in this response."""
    maker = (
        user.id,
        session_of(user),
    )  # else a token could create its successor, and would never expire
    service.check_scopes(new.scopes, user.scopes)  # here, so that a retried request is checked, too

    async def create() -> StoredPersonalToken:
        stored = await service.create(session, settings, maker, new, datetime.now(UTC))
        conditions.set_created(response, etags.tag(1), f"/auth/tokens/{stored.id}")
        return stored

    def show(stored: bytes) -> PersonalTokenCreated:
        return service.show(settings, StoredPersonalToken.model_validate_json(stored))

    return await idempotent(session, user.id, create, show=show)


@router.get("/tokens", response_model=PersonalTokenPage)
async def list_personal_tokens(
    page: PageQuery, user: AccountReader, session: CurrentSession
) -> object:
    """List your personal access tokens. The tokens themselves are not shown."""
    rows, cursor = split_page(await queries.select_personal_tokens(session, user.id, page), page)
    return {"tokens": rows, "next": cursor}


@router.get(
    "/tokens/{token_id}",
    response_model=PersonalTokenPublic,
    responses=responses(NotFound(service.NO_TOKEN)) | conditions.TAGGED_OR_SEEN,
)
async def read_personal_token(
    token_id: Id,
    user: AccountReader,
    session: CurrentSession,
    response: Response,
    seen: IfNoneMatch,
) -> object:
    """Show one of your personal access tokens. The token itself is not shown."""
    row = await queries.select_personal_token(session, user.id, token_id)
    if row is None:
        raise NotFound(service.NO_TOKEN)
    conditions.set_tag(response, etags.tag(row.version), seen)
    return row


@router.delete(
    "/tokens/{token_id}",
    status_code=DONE,
    responses=responses(NotFound(service.NO_TOKEN), conditions.STALE),
)
async def delete_personal_token(
    token_id: Id, user: AccountWriter, session: CurrentSession, condition: IfMatch
) -> None:
    """Revoke one of your personal access tokens. It is refused at once."""
    await service.revoke(session, user.id, token_id, etags.versions(condition))
