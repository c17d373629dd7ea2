"""The calendar feed. Calendar apps do not log in: its address is the secret."""

from hashlib import blake2b
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Response

from fast_zero.calendar_feeds.models import NO_FEED
from fast_zero.calendars import documents, service
from fast_zero.core.errors import NotFound
from fast_zero.core.http import conditions, etags
from fast_zero.core.http.conditions import IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.http.problems import Responses, responses

Secret = Annotated[str, Path(description="The secret of the address.", examples=["Yp0H8uG2mJ4i"])]
EXAMPLE = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n…\r\nEND:VCALENDAR\r\n"
CALENDAR: Responses = {
    200: {
        "headers": conditions.ETAG,
        "content": {documents.ICALENDAR: {"example": EXAMPLE}},
    },
    304: conditions.TAGGED_OR_SEEN[304],
}


class CalendarResponse(Response):
    media_type = documents.ICALENDAR


router = APIRouter(tags=["todos"])


@router.get(
    "/calendars/{secret}.ics",
    response_class=CalendarResponse,
    responses=responses(NotFound(NO_FEED)) | CALENDAR,
)
async def read_calendar(secret: Secret, session: CurrentSession, seen: IfNoneMatch) -> Response:
    """Read the dues of a user as iCalendar. The address is the secret of the user."""
    body = await service.read(session, secret)
    current = f'"{blake2b(body, digest_size=8).hexdigest()}"'
    headers = {"ETag": current, "Cache-Control": "private, no-cache"}
    if etags.seen_before(seen, current):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
    return CalendarResponse(body, headers=headers)
