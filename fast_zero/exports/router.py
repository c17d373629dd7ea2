from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Request, Security
from fastapi.responses import StreamingResponse

from fast_zero.core.http.dependencies import ReadSession
from fast_zero.core.http.problems import Responses
from fast_zero.exports import files, service
from fast_zero.exports.schemas import Export
from fast_zero.identity.dependencies import (
    NEEDS_TOKEN,
    AuthenticatedUser,
    TodoReader,
    current_user,
)
from fast_zero.identity.scopes import Scope

Reader = Annotated[
    AuthenticatedUser,
    Security(current_user, scopes=[Scope.ACCOUNT_READ, Scope.TODOS_READ, Scope.FEED_READ]),
]
CSV, ICALENDAR = "text/csv", "text/calendar"
CSV_EXAMPLE = "key,title,due_on\r\nfast-zero-7-1764417600000000,Buy bread,2026-12-04\r\n"
ICALENDAR_EXAMPLE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n…\r\nEND:VCALENDAR\r\n"
AS_FILE: Responses = {
    200: {
        "headers": {
            "Content-Disposition": {
                "description": "A file name for the export.",
                "schema": {"type": "string"},
            }
        }
    }
}


class CsvResponse(StreamingResponse):
    media_type = CSV


class ICalendarResponse(StreamingResponse):
    media_type = ICALENDAR


def with_example(media_type: str, example: str) -> Responses:
    return {200: {**AS_FILE[200], "content": {media_type: {"example": example}}}}


router = APIRouter(prefix="/users/me/export", tags=["users"], responses=NEEDS_TOKEN)


@router.get("", response_model=Export, responses=AS_FILE)
async def export_me(user: Reader, session: ReadSession, request: Request) -> StreamingResponse:
    """Export everything that is stored about you. One JSON document, which is streamed.

    It is not a snapshot: changes during the export may or may not be included.
    """
    now = datetime.now(UTC)
    head = await service.read_head(session, user.id, now)
    return StreamingResponse(
        service.write(request.state.reads, user.id, head),
        media_type="application/json",
        headers=files.headers("export.json", now),
    )


@router.get("/todos.csv", response_class=CsvResponse, responses=with_example(CSV, CSV_EXAMPLE))
async def export_todos_as_csv(user: TodoReader, request: Request) -> CsvResponse:
    """Export your todos as CSV. Those in the trash are left out.

    `docs/export.md` describes the columns. An import reads them.
    """
    written = files.write_csv(request.state.reads, user.id)
    return CsvResponse(written, headers=files.headers("todos.csv", datetime.now(UTC)))


@router.get(
    "/todos.ics",
    response_class=ICalendarResponse,
    responses=with_example(ICALENDAR, ICALENDAR_EXAMPLE),
)
async def export_todos_as_icalendar(
    user: TodoReader, session: ReadSession, request: Request
) -> ICalendarResponse:
    """Export your todos as iCalendar. Each of them is a VTODO; those in the trash are left out.

    `docs/export.md` describes the properties. An import reads them.
    """
    now = datetime.now(UTC)
    head = await files.read_head(session, user.id)
    written = files.write_icalendar(request.state.reads, user.id, head, now)
    return ICalendarResponse(written, headers=files.headers("todos.ics", now))
