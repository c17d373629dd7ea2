"""A post with its replies, and what one does to it: reply, like, edit, delete."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ValidationError

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.errors import DomainError, NotFound, Unavailable
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import Cursor, PageParams, split_page
from fast_zero.core.types import Id
from fast_zero.posts import queries, service
from fast_zero.posts.models import NO_POST
from fast_zero.posts.schemas import PostCreate, PostPublic, PostUpdate, ThreadParams
from fast_zero.web import links
from fast_zero.web.attempts import ID, Done, Once
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.notices import fault_of
from fast_zero.web.pages.people.feed import ADDRESS, cursor_of, notice_of_post, text_form
from fast_zero.web.presentation.people import PostRow, people_of, post_row
from fast_zero.web.shell import read_shell

POST = "posts/post.html"
EDIT = "posts/edit.html"
DELETE = "posts/delete.html"
LIKERS = "posts/likers.html"
EARLIER_TEXTS = 20
PER_PAGE = 50

router = APIRouter()


class Later(BaseModel):
    after: Cursor | None = None


After = Annotated[Later, Query()]
Next = Annotated[str, Query(alias="next")]


@router.get("/app/posts/{post_id}")
async def show_post(post_id: Id, page: UserPage, session: CurrentSession, later: After) -> Response:
    return page.render(POST, form=page.form(), **await read_thread(session, page, post_id, later))


@router.post("/app/posts/{post_id}")
async def reply(
    post_id: Id, page: UserPage, session: CurrentSession, fields: Fields, once: Once
) -> Response:
    """Reply to a post. If it is refused, the post is shown again, with what was written."""
    form = text_form(page, {"text": fields.get("text", "")})
    new = form.parse(PostCreate, reply_to=post_id)
    if new is None:
        thread = await read_thread(session, page, post_id, Later())
        return page.show_errors(POST, form, None, **thread)

    async def create() -> Done:
        post = await service.create_post(session, page.reader.id, new)
        notice = notice_of_post("replied", post.text)
        return Done(address=f"/app/posts/{post_id}", notice=notice)

    done = await once.attempt(page, session, create, Done)
    if isinstance(done, DomainError):  # such as a post that is gone: there is no page to go to
        raise done
    return page.redirect(done.address, done.notice)


@router.post("/app/posts/{post_id}/like")
async def like(
    post_id: Id, page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Like a post, or take that back."""
    change = queries.unlike if fields.get("like") == "no" else queries.like
    if not await change(session, page.reader.id, post_id):
        return page.redirect(address, fault_of(NotFound(NO_POST)))
    return page.redirect(address)


@router.get("/app/posts/{post_id}/likes")
async def show_likers(
    post_id: Id, page: UserPage, session: CurrentSession, later: After
) -> Response:
    shell = await read_shell(session, page.reader.id)
    if await queries.select_post(session, page.reader.id, post_id) is None:
        raise NotFound(NO_POST)
    params = PageParams(limit=PER_PAGE)
    params.after = later.after
    found = await queries.select_likers(session, page.reader.id, post_id, params)
    rows, cursor = split_page(found, params, "position")
    return page.render(
        LIKERS, place="feed", shell=shell, post_id=post_id, people=people_of(rows), after=cursor
    )


@router.get("/app/posts/{post_id}/edit")
async def show_edit(
    post_id: Id, page: UserPage, session: CurrentSession, then: Next = ""
) -> Response:
    values = await read_own(session, page, post_id)
    form = page.form({"text": values["post"].text, "version": str(values["post"].version)})
    return page.render(EDIT, form=form, next=next_of(then, post_id), **values)


@router.post("/app/posts/{post_id}/edit")
async def edit(
    post_id: Id, page: UserPage, fields: Fields, address: NextAddress, session: CurrentSession
) -> Response:
    """Change the text of a post, unless it was changed elsewhere meanwhile."""
    form = text_form(page, fields)
    change = form.parse(PostUpdate, text=form.given("text"))
    error: DomainError | None = None
    if change is not None:
        accepted = (version_of(form.given("version")),)
        try:
            post = await service.update_post(session, page.reader.id, post_id, change, accepted)
        except (NotFound, Unavailable):
            raise
        except DomainError as stale:
            error = stale
        else:
            return page.redirect(address, notice_of_post("post_changed", post.text))
    values = await read_own(session, page, post_id)
    form.values = {**form.values, "version": str(values["post"].version)}
    return page.show_errors(EDIT, form, error, next=address, **values)


@router.get("/app/posts/{post_id}/delete")
async def show_delete(
    post_id: Id, page: UserPage, session: CurrentSession, then: Next = ""
) -> Response:
    """Ask, since a deleted post does not come back."""
    values = await read_own(session, page, post_id)
    return page.render(DELETE, next=next_of(then, post_id), **values)


@router.post("/app/posts/{post_id}/delete")
async def delete(
    post_id: Id, page: UserPage, address: NextAddress, session: CurrentSession
) -> Response:
    await session.begin()
    post = await own_post(session, page, post_id)
    await service.delete_post(session, page.reader.id, post_id, None)
    is_here = address.partition("?")[0] == f"/app/posts/{post_id}"
    return page.redirect(ADDRESS if is_here else address, notice_of_post("post_deleted", post.text))


def next_of(address: str, post_id: int) -> str:
    return links.own_path(address, f"/app/posts/{post_id}")


def version_of(value: str) -> int:
    """Return the version that a form was made of, or one that no post has."""
    try:
        return ID.validate_python(value)
    except ValidationError:
        return 0


async def own_post(session: Session, page: Page, post_id: int) -> AnyRow:
    post = await queries.select_post(session, page.reader.id, post_id)
    if post is None or post.author["id"] != page.reader.id:
        raise NotFound(NO_POST)
    return post


async def read_own(session: Session, page: Page, post_id: int) -> dict[str, Any]:
    shell = await read_shell(session, page.reader.id)
    post = await own_post(session, page, post_id)
    params = PageParams(limit=EARLIER_TEXTS)
    earlier = await queries.select_earlier_texts(session, page.reader.id, post_id, params)
    row = post_row(PostPublic.model_validate(post), page.dates, page.reader.id)
    return {"place": "feed", "shell": shell, "post": row, "earlier": earlier[:EARLIER_TEXTS]}


async def read_thread(session: Session, page: Page, post_id: int, later: Later) -> dict[str, Any]:
    shell = await read_shell(session, page.reader.id)
    params = ThreadParams()
    params.after = later.after
    thread = await service.read_thread(session, page.reader.id, post_id, params)
    post: PostRow = post_row(thread, page.dates, page.reader.id)
    address = f"/app/posts/{post_id}"
    return {
        "place": "feed",
        "shell": shell,
        "post": post,
        "address": address,
        "here": links.with_query(address, after=cursor_of(later.after)),
        "more": links.with_query(address, after=thread.next) if thread.next else None,
    }
