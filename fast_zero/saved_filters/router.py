from http import HTTPStatus

from fastapi import APIRouter, Response

from fast_zero.core.database import AnyRow
from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import conditions, etags, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession, PageQuery, ReadSession
from fast_zero.core.http.etags import Tags
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader, TodoWriter
from fast_zero.saved_filters import queries, service
from fast_zero.saved_filters.models import FILTER_EXISTS, NO_FILTER, TOO_MANY_FILTERS
from fast_zero.saved_filters.schemas import (
    SavedFilterCreate,
    SavedFilterMove,
    SavedFilterPage,
    SavedFilterPublic,
    SavedFilterUpdate,
)

MISSING = NotFound(NO_FILTER)
EXISTS, TOO_MANY = Conflict(FILTER_EXISTS), Conflict(TOO_MANY_FILTERS)
UNFINISHED, STALE = idempotency.UNFINISHED, conditions.STALE

router = APIRouter(prefix="/filters", tags=["filters"], responses=NEEDS_TOKEN)


def tagged(response: Response, row: AnyRow, seen: Tags = None) -> SavedFilterPublic:
    conditions.set_tag(response, etags.tag(row.version), seen)
    return SavedFilterPublic.model_validate(row)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=SavedFilterPublic,
    responses=responses(EXISTS, TOO_MANY, UNFINISHED) | idempotency.CREATED,
)
async def create_filter(
    new: SavedFilterCreate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Save a filter. It is the last one."""

    async def create() -> SavedFilterPublic:
        row = await queries.insert_filter(session, user.id, new)
        conditions.set_created(response, etags.tag(row.version), f"/filters/{row.id}")
        return SavedFilterPublic.model_validate(row)

    return await idempotent(session, user.id, create)


@router.get("", response_model=SavedFilterPage)
async def list_filters(page: PageQuery, user: TodoReader, session: ReadSession) -> object:
    """List your saved filters, oldest first. `position` is their order."""
    rows, cursor = split_page(await queries.select_filters(session, user.id, page), page)
    return {"filters": rows, "next": cursor}


@router.get(
    "/{filter_id}",
    response_model=SavedFilterPublic,
    responses=responses(MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_filter(
    filter_id: Id, user: TodoReader, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show one of your saved filters. `GET /todos?saved_filter=` lists its todos."""
    return tagged(response, await service.read_filter(session, user.id, filter_id), seen)


@router.patch(
    "/{filter_id}",
    response_model=SavedFilterPublic,
    responses=responses(MISSING, EXISTS, STALE) | conditions.TAGGED,
)
async def update_filter(
    filter_id: Id,
    change: SavedFilterUpdate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Change some fields of a saved filter. Fields that are not sent stay as they are."""
    accepted = etags.versions(condition)
    row = await service.update_filter(session, user.id, filter_id, change, accepted)
    return tagged(response, row)


@router.delete(
    "/{filter_id}", status_code=HTTPStatus.NO_CONTENT, responses=responses(MISSING, STALE)
)
async def delete_filter(
    filter_id: Id, user: TodoWriter, session: CurrentSession, condition: IfMatch
) -> None:
    """Delete a saved filter. The todos that it finds stay."""
    await service.delete_filter(session, user.id, filter_id, etags.versions(condition))


@router.post(
    "/{filter_id}/move",
    response_model=SavedFilterPublic,
    responses=responses(MISSING, STALE, UNFINISHED) | idempotency.CHANGED,
)
async def move_filter(
    filter_id: Id,
    move: SavedFilterMove,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
    idempotent: Idempotent,
) -> object:
    """Move a saved filter before or after another one."""

    async def run() -> SavedFilterPublic:
        accepted = etags.versions(condition)
        row = await service.move_filter(session, user.id, filter_id, move, accepted)
        return tagged(response, row)

    return await idempotent(session, user.id, run, status=HTTPStatus.OK)
