"""The keys of the page, as a page of its own and as what `?` opens."""

from fastapi import APIRouter, Response

from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.web.dependencies import UserPage
from fast_zero.web.shell import show

router = APIRouter()


@router.get("/app/keys")
async def show_keys(page: UserPage, session: CurrentSession) -> Response:
    return await show(page, session, "keys/keys.html", place="keys")
