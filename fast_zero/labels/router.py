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
from fast_zero.labels import queries, service
from fast_zero.labels.models import LABEL_EXISTS, NO_LABEL
from fast_zero.labels.schemas import (
    LabelCreate,
    LabelMerge,
    LabelPage,
    LabelPublic,
    LabelUpdate,
)

MISSING = NotFound(NO_LABEL)
EXISTS = Conflict(LABEL_EXISTS)
UNFINISHED, STALE = idempotency.UNFINISHED, conditions.STALE

router = APIRouter(prefix="/labels", tags=["labels"], responses=NEEDS_TOKEN)


def tagged(response: Response, row: AnyRow, seen: Tags = None) -> LabelPublic:
    label = LabelPublic.model_validate(row)
    conditions.set_tag(response, etags.tag(label.version), seen)
    return label


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=LabelPublic,
    responses=responses(EXISTS, UNFINISHED) | idempotency.CREATED,
)
async def create_label(
    new: LabelCreate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a label. Its name must differ from your others in more than case."""

    async def create() -> LabelPublic:
        label = LabelPublic.model_validate(await queries.insert_label(session, user.id, new))
        conditions.set_created(response, etags.tag(label.version), f"/labels/{label.id}")
        return label

    return await idempotent(session, user.id, create)


@router.get("", response_model=LabelPage)
async def list_labels(page: PageQuery, user: TodoReader, session: ReadSession) -> object:
    """List your labels, oldest first."""
    rows, cursor = split_page(await queries.select_labels(session, user.id, page), page)
    return {"labels": rows, "next": cursor}


@router.get(
    "/{label_id}",
    response_model=LabelPublic,
    responses=responses(MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_label(
    label_id: Id, user: TodoReader, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show one of your labels."""
    return tagged(response, await service.read_label(session, user.id, label_id), seen)


@router.patch(
    "/{label_id}",
    response_model=LabelPublic,
    responses=responses(MISSING, EXISTS, STALE) | conditions.TAGGED,
)
async def update_label(
    label_id: Id,
    change: LabelUpdate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Rename or recolor a label. A new name shows on every todo that carries it."""
    accepted = etags.versions(condition)
    label = await service.update_label(session, user.id, label_id, change, accepted)
    return tagged(response, label)


@router.delete(
    "/{label_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(MISSING, STALE),
)
async def delete_label(
    label_id: Id, user: TodoWriter, session: CurrentSession, condition: IfMatch
) -> None:
    """Delete a label. Todos that carry it stay."""
    await service.delete_label(session, user.id, label_id, etags.versions(condition))


@router.post(
    "/{label_id}/merge",
    response_model=LabelPublic,
    responses=responses(MISSING, STALE, UNFINISHED) | idempotency.CHANGED,
)
async def merge_label(
    label_id: Id,
    merge: LabelMerge,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
    idempotent: Idempotent,
) -> object:
    """Merge a label into another one, which is returned.

    Todos that carry the first label carry the other one afterwards. The first one is deleted.
    """

    async def run() -> LabelPublic:
        accepted = etags.versions(condition)
        label = await service.merge_label(session, user.id, label_id, merge.into, accepted)
        return tagged(response, label)

    return await idempotent(session, user.id, run, status=HTTPStatus.OK)
