"""Labels: their todos, and what creates, changes and deletes them."""

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse

from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError
from fast_zero.core.http.dependencies import CurrentSession, ReadSession
from fast_zero.core.pagination import MAX_LIMIT, Cursor, PageParams, split_page
from fast_zero.core.types import Id
from fast_zero.labels import queries, service
from fast_zero.labels.schemas import LabelCreate, LabelUpdate
from fast_zero.search.filters import TodoFilter
from fast_zero.summaries import queries as summaries
from fast_zero.summaries.queries import Opened
from fast_zero.todos.models import OPEN
from fast_zero.web.attempts import Done, Once, answer, attempt_in_transaction, notice_of
from fast_zero.web.dependencies import Fields, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice
from fast_zero.web.pages.todos.lists import PER_PAGE, read_todos
from fast_zero.web.pages.todos.panel import OpenPanel
from fast_zero.web.presentation.rows import rows_of
from fast_zero.web.shell import read_place, read_shell

LABEL = "labels/label.html"
LIST = "labels/list.html"
EDIT = "labels/edit.html"
MANAGE = "/app/labels"

router = APIRouter()


@router.get("/app/labels")
async def show_labels(
    page: UserPage, session: CurrentSession, after: Cursor | None = None
) -> Response:
    return await render_list(page, session, after)


async def render_list(
    page: Page,
    session: Session,
    after: int | None = None,
    form: Form | None = None,
    error: DomainError | None = None,
) -> Response:
    shell, wanted = await read_shell(session, page.reader.id), PageParams(limit=PER_PAGE)
    wanted.after = after
    found = await summaries.select_labels(session, page.reader.id, wanted)
    labels, cursor = split_page(found, wanted)
    shown = {"place": "labels", "shell": shell, "labels": labels, "after": cursor}
    if form is None:
        return page.render(LIST, form=page.form({"color": "grey"}), **shown)
    return page.show_errors(LIST, form, error, **shown)


@router.post("/app/labels")
async def create_label(
    page: UserPage, fields: Fields, session: CurrentSession, once: Once
) -> Response:
    form = page.form(fields)
    new = form.parse(LabelCreate)
    if new is None:
        return await render_list(page, session, form=form)

    async def create() -> Done:
        made = await queries.insert_label(session, page.reader.id, new)
        return Done(address=MANAGE, notice=notice_of("label_created", page, made.name))

    done = await once.attempt(page, session, create, Done)
    if isinstance(done, DomainError):
        return await render_list(page, session, form=form, error=done)
    return page.redirect(done.address, done.notice)


@router.get("/app/labels/names")
async def show_names(page: UserPage, session: ReadSession) -> Response:
    """Return the names of the labels, for the script that suggests them."""
    found = await queries.select_labels(session, page.reader.id, PageParams(limit=MAX_LIMIT))
    return JSONResponse({"names": [label.name for label in found[:MAX_LIMIT]]})


@router.get("/app/labels/{label_id}")
async def show_label(
    label_id: Id,
    page: UserPage,
    session: CurrentSession,
    panel: OpenPanel,
    after: str | None = None,
) -> Response:
    shell, label = await read_place(session, page.reader.id, Opened("label", label_id))
    wanted = TodoFilter(
        label=[label.name], state=list(OPEN), sort="due,-priority", limit=PER_PAGE, after=after
    )
    todos, cursor = await read_todos(session, page, wanted)
    others = [{**todo, "labels": without(todo["labels"], label.name)} for todo in todos]
    rows = rows_of(others, page.dates, shell.places)
    shown = {"shell": shell, "panel": panel, "label": label, "todos": rows, "after": cursor}
    return page.render(LABEL, place="labels", **shown)


def without(names: list[str], name: str) -> list[str]:
    return [other for other in names if other != name]


@router.get("/app/labels/{label_id}/edit")
async def show_form(label_id: Id, page: UserPage, session: CurrentSession) -> Response:
    return await render_form(page, session, label_id)


async def render_form(
    page: Page,
    session: Session,
    label_id: int,
    form: Form | None = None,
    error: DomainError | None = None,
) -> Response:
    shell, label = await read_place(session, page.reader.id, Opened("label", label_id))
    shown = {"place": "labels", "shell": shell, "label": label}
    if form is None:
        return page.render(EDIT, form=page.form(shell.place), **shown)
    return page.show_errors(EDIT, form, error, **shown)


@router.post("/app/labels/{label_id}/edit")
async def update_label(
    label_id: Id, page: UserPage, fields: Fields, session: CurrentSession
) -> Response:
    """Rename or recolour a label."""
    form = page.form(fields)
    new = form.parse(LabelCreate)
    if new is None:
        return await render_form(page, session, label_id, form)
    change = LabelUpdate.model_validate(new.model_dump())
    done = await attempt_in_transaction(
        session, lambda: service.update_label(session, page.reader.id, label_id, change, None)
    )
    if isinstance(done, DomainError):
        return await render_form(page, session, label_id, form, done)
    return page.redirect(MANAGE, notice_of("saved", page, done.name))


@router.post("/app/labels/{label_id}/delete")
async def delete_label(label_id: Id, page: UserPage, session: CurrentSession) -> Response:
    """Delete a label. Todos that carry it stay."""

    async def delete() -> Notice:
        label = await service.read_label(session, page.reader.id, label_id)
        await service.delete_label(session, page.reader.id, label_id, None)
        return notice_of("label_deleted", page, label.name)

    return await answer(page, session, MANAGE, delete)
