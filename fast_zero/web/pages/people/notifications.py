"""Notifications: what happened, newest first, and what of it is read."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import Cursor, split_page
from fast_zero.notifications import queries
from fast_zero.notifications.schemas import NotificationParams
from fast_zero.web import links
from fast_zero.web.attempts import answer, read_id
from fast_zero.web.dependencies import Fields, NextAddress, UserPage
from fast_zero.web.notices import Notice, Refused
from fast_zero.web.pages.people.feed import cursor_of
from fast_zero.web.presentation.people import Person, local
from fast_zero.web.shell import read_shell

NOTIFICATIONS = "notifications/list.html"
ADDRESS = "/app/notifications"
PER_PAGE = 50

router = APIRouter()


class NotificationAddress(BaseModel):
    unread: bool = False
    after: Cursor | None = None

    def written(self, after: str | None = None) -> str:
        return links.with_query(ADDRESS, unread="true" if self.unread else None, after=after)


@router.get("/app/notifications")
async def show_notifications(
    page: UserPage,
    session: CurrentSession,
    wanted: Annotated[NotificationAddress, Query()],
) -> Response:
    shell = await read_shell(session, page.reader.id)
    params = NotificationParams(limit=PER_PAGE, unread=wanted.unread)
    params.after = wanted.after
    found, unread = await queries.select_news(session, page.reader.id, params)
    rows, cursor = split_page(found, params)
    return page.render(
        NOTIFICATIONS,
        place="notifications",
        shell=shell,
        news=[shown(row, page) for row in rows],
        unread=unread,
        newest=rows[0].id if rows and wanted.after is None else None,
        only_unread=wanted.unread,
        here=wanted.written(cursor_of(wanted.after)),
        more=wanted.written(cursor) if cursor else None,
    )


def shown(row: Any, page: UserPage) -> dict[str, Any]:  # noqa: ANN401  # a row of SQLAlchemy
    people = [Person.of(person) for person in row.people]
    return {
        "id": row.id,
        "kind": row.kind,
        "post": row.post,
        "todo": row.todo,
        "minutes_late": row.minutes_late,
        "people": people,
        "count": row.people_count,
        "others": row.people_count - len(people),
        "read": row.read,
        "moment": local(row.at, page.dates),
        "ago": page.dates.ago(row.at),
    }


@router.post("/app/notifications")
async def mark_read(
    page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Mark as read one notification, or all that the page has shown and those before."""
    one = "read" in fields

    async def change() -> Notice | None:
        named = fields.get("read") or fields.get("up_to", "")
        id_ = read_id(named, "notification_not_found")
        found = await queries.mark_read(session, page.reader.id, id_, one=one)
        if one and not found:
            raise Refused("notification_not_found")
        return None if one else Notice(code="notifications_read")

    return await answer(page, session, address, change)
