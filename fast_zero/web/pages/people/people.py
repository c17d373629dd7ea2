"""Profiles, finding people, following and blocking them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from fast_zero.core.database import Session
from fast_zero.core.errors import NotFound
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import Cursor, PageParams, split_page
from fast_zero.identity.schemas import Name
from fast_zero.people import queries, service
from fast_zero.people.models import NO_USER
from fast_zero.people.queries import People
from fast_zero.posts import service as post_service
from fast_zero.posts.schemas import FeedParams
from fast_zero.profiles import queries as profile_queries
from fast_zero.profiles import service as profiles
from fast_zero.web import links
from fast_zero.web.attempts import answer, read_id
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.notices import Notice
from fast_zero.web.pages.people.feed import cursor_of, draw, read_stats
from fast_zero.web.presentation.people import Person, people_of, post_rows, profile_address
from fast_zero.web.shell import read_shell

PROFILE = "people/profile.html"
FIND = "people/find.html"
BLOCKED = "people/blocked.html"
PER_PAGE = 30
PEOPLE_PER_PAGE = 50

CHANGES = {
    "follow": (service.follow, "followed"),
    "unfollow": (service.unfollow, "unfollowed"),
    "block": (service.block, "person_blocked"),
    "unblock": (service.unblock, "person_unblocked"),
}
"""By the name of the button that was pressed; its value says whom."""

router = APIRouter()


class ProfileAddress(BaseModel):
    show: Literal["posts", "replies", "followers", "following"] = "posts"
    after: Cursor | None = None

    def written(self, address: str, after: str | None) -> str:
        show = self.show if self.show != "posts" else None
        return links.with_query(address, show=show, after=after)


class Search(BaseModel):
    username: Name = ""
    after: Cursor | None = None


@router.get("/app/people")
async def find_people(
    page: UserPage, session: CurrentSession, wanted: Annotated[Search, Query()]
) -> Response:
    """List everybody, or go to the profile of a username."""
    name = wanted.username.strip().removeprefix("@")
    if name:
        found = await profile_queries.select_profile_by_name(session, page.reader.id, name)
        if found is not None:
            return page.redirect(profile_address(found.username))
    shell = await read_shell(session, page.reader.id)
    people, cursor = await read_people(session, page, "everybody", wanted.after)
    return page.render(
        FIND, place="feed", shell=shell, people=people, after=cursor, username=wanted.username
    )


@router.post("/app/people")
async def change_relation(
    page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Follow, unfollow, block or unblock somebody: what the button says that was pressed."""
    pressed = next((name for name in CHANGES if name in fields), None)
    if pressed is None:
        return page.redirect(address)

    async def change() -> Notice:
        return await do(session, page, pressed, read_id(fields[pressed], "user_not_found"))

    return await answer(page, session, address, change)


async def do(session: Session, page: Page, name: str, user_id: int) -> Notice:
    change, code = CHANGES[name]
    person = await queries.select_person(session, page.reader.id, user_id)
    if person is None:
        raise NotFound(NO_USER)
    await change(session, page.reader.id, user_id)
    [whom] = people_of([person])
    return Notice(code=code, title=whom.name)


# The name is a path, since a username may have slashes.
@router.get("/app/people/{username:path}")
async def show_profile(
    username: Name,
    page: UserPage,
    session: CurrentSession,
    wanted: Annotated[ProfileAddress, Query()],
) -> Response:
    reader_id = page.reader.id
    shell = await read_shell(session, reader_id)
    profile, _ = await profiles.read_profile_by_name(session, reader_id, username)
    person = Person.of(profile.model_dump())
    stats = await read_stats(session, page, profile.id)
    shown, after = await read_shown(session, page, profile.id, wanted)
    return page.render(
        PROFILE,
        place="feed",
        shell=shell,
        profile=profile,
        person=person,
        is_own=profile.id == reader_id,
        since=page.dates.day(page.dates.day_of(profile.created_at)),
        stats=stats,
        map=draw(page, stats),
        show=wanted.show,
        here=wanted.written(person.address, cursor_of(wanted.after)),
        more=wanted.written(person.address, after) if after else None,
        **shown,
    )


async def read_shown(
    session: Session, page: Page, user_id: int, wanted: ProfileAddress
) -> tuple[dict[str, Any], str | None]:
    """Read what the tab of a profile shows: posts or people."""
    reader_id = page.reader.id
    if wanted.show in {"posts", "replies"}:
        params = FeedParams(limit=PER_PAGE, replies=wanted.show == "replies")
        params.after = wanted.after
        found = await post_service.list_users_posts(session, reader_id, params, user_id)
        rows, cursor = split_page(found, params)
        return {"posts": post_rows(rows, page.dates, reader_id), "people": []}, cursor
    which: People = "followers" if wanted.show == "followers" else "following"
    people, cursor = await read_people(session, page, which, wanted.after, user_id)
    return {"posts": [], "people": people}, cursor


async def read_people(
    session: Session, page: Page, which: People, after: int | None, user_id: int = 0
) -> tuple[list[Person], str | None]:
    params = PageParams(limit=PEOPLE_PER_PAGE)
    params.after = after
    of = {"user_id": user_id} if user_id else {}
    found = await queries.select_people(session, page.reader.id, params, which, **of)
    rows, cursor = split_page(found, params, "position")
    return people_of(rows), cursor


@router.get("/app/settings/blocked")
async def show_blocked(
    page: UserPage, session: CurrentSession, after: Cursor | None = None
) -> Response:
    shell = await read_shell(session, page.reader.id)
    people, cursor = await read_people(session, page, "blocked", after)
    return page.render(BLOCKED, shell=shell, people=people, after=cursor)
