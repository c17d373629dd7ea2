from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from fast_zero.core.errors import Conflict, NotFound, UnsupportedMediaType
from fast_zero.core.http import conditions, idempotency
from fast_zero.core.http.dependencies import CurrentSession, PageQuery, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.media_types import has_body
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader, TodoWriter
from fast_zero.imports import queries, service
from fast_zero.imports.formats import MEDIA_TYPES
from fast_zero.imports.models import NO_IMPORT, NOT_DONE, RUNNING, UNFINISHED
from fast_zero.imports.schemas import ImportPage, ImportParams, ImportPublic

PATH = "/imports"
MISSING = NotFound(NO_IMPORT)
EXAMPLES = {
    "text/csv": "title,due_on,labels\nBuy bread,2026-12-04,errands\n",
    "text/calendar": "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Example//EN\r\nBEGIN:VTODO\r\n"
    "UID:1@example.com\r\nSUMMARY:Buy bread\r\nEND:VTODO\r\nEND:VCALENDAR\r\n",
    "application/json": {"items": [{"id": "1", "content": "Buy bread"}]},
}
FILE: dict[str, Any] = {
    "requestBody": {
        "description": "The file itself. Text is UTF-8, or UTF-16 with a byte order mark.",
        "required": True,
        "content": {
            kind: {
                "schema": {"type": "object" if kind == "application/json" else "string"},
                "example": EXAMPLES[kind],
            }
            for kind in MEDIA_TYPES
        },
    }
}
ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "The file was accepted. `Location` shows how far its import is.",
        "headers": conditions.LOCATION | idempotency.REPLAYED,
    }
}
UNDO_ACCEPTED: dict[int | str, dict[str, Any]] = {
    202: {
        "description": "It will be undone. `X-Change-Set` names the undo.",
        "headers": idempotency.REPLAYED,
    }
}


async def media_type(request: Request) -> str:
    """Return the media type of the body, before the body is read. A missing one needs none."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in MEDIA_TYPES and has_body(request):
        raise UnsupportedMediaType(", ".join(MEDIA_TYPES))
    return kind


MediaType = Annotated[str, Depends(media_type)]

router = APIRouter(prefix=PATH, tags=["todos"], responses=NEEDS_TOKEN)


@router.post(
    "",
    status_code=HTTPStatus.ACCEPTED,
    response_model=ImportPublic,
    responses=responses(Conflict(UNFINISHED), idempotency.UNFINISHED) | ACCEPTED,
    openapi_extra=FILE,
)
async def create_import(
    request: Request,
    wanted: Annotated[ImportParams, Query()],
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
    kind: MediaType,
) -> object:
    """Import todos from a file, all of it or nothing.

    A job does it: `GET /imports/{import_id}` shows how far it is, and then what was lost, line by
    line. The same file again creates only what is not there. `X-Change-Set` names what it creates,
    so that it can be undone. At most 20,000 todos, and one import at a time.
    """
    content = await request.body()

    async def accept() -> ImportPublic:
        row = await service.accept_import(session, user.id, kind, content, wanted)
        response.headers["Location"] = f"{PATH}/{row.id}"
        return ImportPublic.model_validate(row)

    return await idempotent(session, user.id, accept, status=HTTPStatus.ACCEPTED)


@router.get("", response_model=ImportPage)
async def list_imports(page: PageQuery, user: TodoReader, session: ReadSession) -> object:
    """List your last imports without their reports, oldest first. Twenty are kept."""
    rows, cursor = split_page(await queries.select_imports(session, user.id, page), page)
    return {"imports": rows, "next": cursor}


@router.get("/{import_id}", response_model=ImportPublic, responses=responses(MISSING))
async def read_import(import_id: Id, user: TodoReader, session: ReadSession) -> object:
    """Show how far an import is, or its report."""
    return await service.read_import(session, user.id, import_id)


@router.post(
    "/{import_id}/undo",
    status_code=HTTPStatus.ACCEPTED,
    response_model=ImportPublic,
    responses=responses(MISSING, Conflict(NOT_DONE), idempotency.UNFINISHED) | UNDO_ACCEPTED,
)
async def undo_import(
    import_id: Id, user: TodoWriter, session: CurrentSession, idempotent: Idempotent
) -> object:
    """Undo an import.

    What it created is moved into the trash. A job does that, since it may take longer than a
    request; `undone_at` says when it is done. What was changed since stays, as with
    `POST /change-sets/{change_set_id}/undo`.
    """

    async def undo() -> ImportPublic:
        return ImportPublic.model_validate(await service.undo_import(session, user.id, import_id))

    return await idempotent(session, user.id, undo, status=HTTPStatus.ACCEPTED)


@router.delete(
    "/{import_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(MISSING, Conflict(RUNNING)),
)
async def delete_import(import_id: Id, user: TodoWriter, session: CurrentSession) -> None:
    """Forget an import. What it created stays. One that has not begun is cancelled."""
    await service.delete_import(session, user.id, import_id)
