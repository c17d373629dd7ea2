"""Whether something of the reader has changed, asked by a page that comes to the front again."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from fast_zero.changes import service
from fast_zero.changes.cursors import parse
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.web.dependencies import UserPage

router = APIRouter()


@router.get("/app/changes")
async def show_changes(
    page: UserPage, session: CurrentSession, since: str = "", account: str = ""
) -> Response:
    """Return a new cursor if something changed behind the one of the page, or if it has none.

    Also if `account`, for which the page was rendered, is not the one that is logged in: the
    cursors of two accounts can be the same.
    """
    newest = await service.read_newest(session, page.reader.id)
    if is_newest := bool(since) and account == str(page.reader.id):
        try:
            is_newest = newest.is_same_place(parse(since))
        except ValueError:
            is_newest = False
    if is_newest:
        return Response(status_code=HTTPStatus.NO_CONTENT)
    return JSONResponse({"cursor": str(newest)})
