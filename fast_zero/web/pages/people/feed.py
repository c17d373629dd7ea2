"""The feed: the posts of those whom one follows, of all, and those that one likes."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from fast_zero.core.database import Session
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import Cursor, PageParams, encode_cursor, split_page
from fast_zero.posts import queries, service
from fast_zero.posts.schemas import FeedParams, PostCreate
from fast_zero.profiles import statistics
from fast_zero.profiles.schemas import UserStats
from fast_zero.timelines import queries as timeline_queries
from fast_zero.web import links
from fast_zero.web.attempts import Once
from fast_zero.web.dependencies import Fields, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice, shortened
from fast_zero.web.presentation import heat_map
from fast_zero.web.presentation.people import VISIBILITIES, PostRow, post_rows, profile_address
from fast_zero.web.shell import read_shell

FEED = "feed/feed.html"
ADDRESS = "/app/feed"
PER_PAGE = 30
LONGEST_TITLE = 80

router = APIRouter()


class FeedAddress(BaseModel):
    of: Literal["following", "all", "liked"] = "following"
    after: Cursor | None = None

    def written(self, after: str | None = None) -> str:
        return links.with_query(
            ADDRESS, of=self.of if self.of != "following" else None, after=after
        )


Wanted = Annotated[FeedAddress, Query()]


@router.get("/app/feed")
async def show_feed(page: UserPage, session: CurrentSession, wanted: Wanted) -> Response:
    return page.render(FEED, form=page.form(), **await read_feed(session, page, wanted))


@router.post("/app/feed")
async def create_post(
    page: UserPage, session: CurrentSession, fields: Fields, wanted: Wanted, once: Once
) -> Response:
    """Create a post. If it is refused, the feed is shown again, with what was written."""
    form = text_form(page, fields)
    new = form.parse(PostCreate, reply_to=None)
    if new is None:
        return page.show_errors(FEED, form, None, **await read_feed(session, page, wanted))

    async def create() -> Notice:
        post = await service.create_post(session, page.reader.id, new)
        return notice_of_post("post_created", post.text)

    return await once.answer(page, session, wanted.written(), create)


def text_form(page: Page, fields: Mapping[str, str]) -> Form:
    """Return a form whose text has one character for each new line, as people count."""
    return page.form({**fields, "text": fields.get("text", "").replace("\r\n", "\n")})


def notice_of_post(code: str, text: str) -> Notice:
    return Notice(code=code, title=shortened(" ".join(text.split()), LONGEST_TITLE))


async def read_feed(session: Session, page: Page, wanted: FeedAddress) -> dict[str, Any]:
    shell = await read_shell(session, page.reader.id)
    posts, cursor = await read_posts(session, page, wanted)
    stats = await read_stats(session, page, page.reader.id)
    return {
        "place": "feed",
        "shell": shell,
        "of": wanted.of,
        "address": wanted.written(),
        "here": wanted.written(cursor_of(wanted.after)),
        "more": wanted.written(cursor) if cursor else None,
        "posts": posts,
        "stats": stats,
        "map": draw(page, stats),
        "visibilities": VISIBILITIES,
        "own_address": profile_address(page.reader.username),
    }


def cursor_of(position: int | None) -> str | None:
    """Return the cursor of the page that is shown, to come back to it."""
    return None if position is None else encode_cursor(position)


async def read_posts(
    session: Session, page: Page, wanted: FeedAddress
) -> tuple[list[PostRow], str | None]:
    reader_id = page.reader.id
    params = FeedParams(limit=PER_PAGE)
    params.after = wanted.after
    match wanted.of:
        case "following":
            rows: Any = await timeline_queries.select_timeline(session, reader_id, params)
            rows, cursor = split_page(rows, params)
        case "all":
            found = await queries.select_posts(session, reader_id, params, "home")
            rows, cursor = split_page(found, params)
        case "liked":
            liked = PageParams(limit=PER_PAGE)
            liked.after = wanted.after
            found = await queries.select_posts(session, reader_id, liked, "likes")
            rows, cursor = split_page(found, liked, "position")
    return post_rows(rows, page.dates, reader_id), cursor


async def read_stats(session: Session, page: Page, user_id: int) -> UserStats:
    """Return how many todos somebody has finished on each day. The reader can see the person."""
    now = datetime.now(UTC)
    stats = await statistics.select_stats(session, page.reader.id, user_id, now)
    return UserStats.model_validate(stats)


def draw(page: Page, stats: UserStats) -> heat_map.HeatMap:
    finished = {each.day: each.finished for each in stats.days}
    return heat_map.draw(finished, stats.today, page.reader.week_starts_on)
