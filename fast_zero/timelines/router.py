from fastapi import APIRouter

from fast_zero.core.http.dependencies import ReadSession
from fast_zero.core.pagination import split_page
from fast_zero.identity.dependencies import NEEDS_TOKEN
from fast_zero.people.dependencies import Reader
from fast_zero.posts.dependencies import FeedQuery
from fast_zero.posts.schemas import (
    PostPage,
)
from fast_zero.timelines import queries

router = APIRouter(tags=["feed"], responses=NEEDS_TOKEN)


@router.get("/timeline", response_model=PostPage)
async def read_timeline(wanted: FeedQuery, user: Reader, session: ReadSession) -> object:
    """List your timeline. Your posts and those of the users whom you follow, newest first."""
    rows = await queries.select_timeline(session, user.id, wanted)
    rows, cursor = split_page(rows, wanted)
    return {"posts": rows, "next": cursor}
