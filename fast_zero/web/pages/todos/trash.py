"""The trash: what was deleted, how it comes back, and how it goes for good."""

from datetime import timedelta

from fastapi import APIRouter, Response

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import Cursor, PageParams, split_page
from fast_zero.core.types import Id
from fast_zero.projects import service as projects
from fast_zero.summaries import queries as summaries
from fast_zero.todos import service as todos
from fast_zero.trash import queries, service
from fast_zero.trash.models import NO_DELETION, TrashKind
from fast_zero.web.attempts import answer, notice_of, read_id
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.notices import Notice
from fast_zero.web.pages.todos.lists import PER_PAGE
from fast_zero.web.shell import read_shell, show

TRASH = "trash/trash.html"
ASK = "trash/ask.html"
ADDRESS = "/app/trash"

router = APIRouter()


@router.get("/app/trash")
async def show_trash(
    page: UserPage, session: CurrentSession, after: Cursor | None = None
) -> Response:
    shell, wanted = await read_shell(session, page.reader.id), PageParams(limit=PER_PAGE)
    wanted.after = after
    found = await summaries.select_trash(session, page.reader.id, wanted)
    deletions, cursor = split_page(found, wanted)
    dates, kept = page.dates, timedelta(days=page.settings.trash_days)
    rows = [
        (
            deletion,
            dates.day(dates.day_of(deletion.deleted_at)),
            dates.day(dates.day_of(deletion.deleted_at + kept)),
        )
        for deletion in deletions
    ]
    days = page.settings.trash_days
    return page.render(TRASH, place="trash", shell=shell, rows=rows, days=days, after=cursor)


@router.post("/app/trash/restore")
async def restore(
    page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Take a todo or a project out of the trash, with what was deleted with it."""
    kind, _, item = fields.get("restore", "").partition("/")

    async def take_out() -> Notice:
        user_id, id_ = page.reader.id, read_id(item, "deletion_not_found")
        if kind == TrashKind.PROJECT:
            project = await projects.restore_project(session, user_id, id_)
            return notice_of("restored", page, project.name)
        todo = await todos.restore_todo(session, user_id, id_)
        return notice_of("restored", page, todo["title"])

    return await answer(page, session, address, take_out)


@router.get("/app/trash/empty")
async def ask_about_all(page: UserPage, session: CurrentSession) -> Response:
    return await show(page, session, ASK, place="trash", deletion=None)


@router.post("/app/trash/empty")
async def empty_trash(page: UserPage, session: CurrentSession) -> Response:
    async def empty() -> Notice:
        await service.empty_trash(session, page.reader.id)
        return Notice(code="trash_emptied")

    return await answer(page, session, ADDRESS, empty)


@router.get("/app/trash/{deletion_id}/delete")
async def ask(deletion_id: Id, page: UserPage, session: CurrentSession) -> Response:
    deletion = await read_deletion(page, session, deletion_id)
    return await show(page, session, ASK, place="trash", deletion=deletion)


@router.post("/app/trash/{deletion_id}/delete")
async def delete_for_good(deletion_id: Id, page: UserPage, session: CurrentSession) -> Response:
    async def purge() -> Notice:
        deletion = await read_deletion(page, session, deletion_id)
        await service.purge_deletion(session, page.reader.id, deletion_id)
        return Notice(code="purged", title=deletion.title)

    return await answer(page, session, ADDRESS, purge)


async def read_deletion(page: Page, session: Session, deletion_id: int) -> AnyRow:
    deletion = await queries.select_deletion(session, page.reader.id, deletion_id)
    if deletion is None:
        raise NotFound(NO_DELETION)
    return deletion
