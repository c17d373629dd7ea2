"""Saved filters: their todos, and what creates, orders, changes and deletes them."""

from fastapi import APIRouter, Response

from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError, Invalid
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import PageParams
from fast_zero.core.types import Id
from fast_zero.saved_filters import queries, service
from fast_zero.saved_filters.models import MAX_FILTERS
from fast_zero.saved_filters.schemas import SavedFilterCreate, SavedFilterMove, SavedFilterUpdate
from fast_zero.search import queries as search
from fast_zero.search.filters import TodoFilter, split_todos
from fast_zero.summaries.queries import Opened
from fast_zero.web.attempts import Done, Once, answer, attempt_in_transaction, notice_of
from fast_zero.web.dependencies import Fields, Page, UserPage
from fast_zero.web.forms import Form
from fast_zero.web.notices import Notice
from fast_zero.web.pages.places.ordering import find_step
from fast_zero.web.pages.todos.lists import PER_PAGE
from fast_zero.web.pages.todos.panel import OpenPanel
from fast_zero.web.presentation.filter_faults import FilterFault
from fast_zero.web.presentation.rows import rows_of
from fast_zero.web.shell import read_place, read_shell
from fast_zero.web.texts import mark

FILTER = "filters/filter.html"
LIST = "filters/list.html"
EDIT = "filters/edit.html"
MANAGE = "/app/filters"
SORTS = {
    "": mark("Oldest first"),
    "-created_at": mark("Newest first"),
    "due": mark("By due day"),
    "-priority,due": mark("By priority, then by due day"),
    "due,-priority": mark("By due day, then by priority"),
    "title": mark("By title"),
    "-completed_at": mark("By completion, the last one first"),
}

router = APIRouter()


@router.get("/app/filters")
async def show_filters(page: UserPage, session: CurrentSession) -> Response:
    """Show the filters, with a form for a new one: `?filter=` fills it in."""
    typed = page.request.query_params.get("filter", "")
    form = page.form({"color": "grey", "filter": typed})
    return await render_list(page, session, form)


async def render_list(
    page: Page, session: Session, form: Form, error: DomainError | None = None
) -> Response:
    shell = await read_shell(session, page.reader.id)
    found = await queries.select_filters(session, page.reader.id, PageParams(limit=MAX_FILTERS))
    in_order = sorted(found, key=lambda row: str(row.position))
    shown = {"place": "filters", "shell": shell, "filters": in_order, "sorts": SORTS}
    shown["fault"] = fault_in(page, form, error)
    if error is None and not form.errors:
        return page.render(LIST, form=form, **shown)
    return page.show_errors(LIST, form, error, **shown)


def parse_filter(form: Form) -> SavedFilterCreate | Invalid | None:
    """Return the filter of a form, or what is wrong with its text; None: see the form."""
    try:
        return form.parse(SavedFilterCreate)
    except Invalid as error:
        return error


def fault_in(page: Page, form: Form, error: DomainError | None) -> FilterFault | None:
    """Return what is wrong with the text of a filter; the form says it beside the field."""
    if not isinstance(error, Invalid) or error.members is None:
        return None
    return FilterFault.of(error.members, form.given("filter"), page.catalogue.gettext)


@router.post("/app/filters")
async def create_filter(
    page: UserPage, fields: Fields, session: CurrentSession, once: Once
) -> Response:
    form = page.form(fields)
    new = parse_filter(form)
    if not isinstance(new, SavedFilterCreate):
        return await render_list(page, session, form, new)

    async def create() -> Done:
        made = await queries.insert_filter(session, page.reader.id, new)
        # After an Undo, there would be no page to go back to.
        notice = Notice(code="filter_created", title=made.name)
        return Done(address=f"/app/filters/{made.id}", notice=notice)

    done = await once.attempt(page, session, create, Done)
    if isinstance(done, DomainError):
        return await render_list(page, session, form, done)
    return page.redirect(done.address, done.notice)


@router.post("/app/filters/move")
async def move_filter(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Move a filter up or down."""

    async def move() -> Notice | None:
        shell = await read_shell(session, page.reader.id)
        step = find_step(fields, [each.id for each in shell.filters])
        if step is None:
            return None
        there = SavedFilterMove.model_validate(step.beside())
        moved = await service.move_filter(session, page.reader.id, step.id, there, None)
        return notice_of("reordered", page, moved.name, details=step.place, focus=f"f{step.id}")

    return await answer(page, session, MANAGE, move)


@router.get("/app/filters/{filter_id}")
async def show_filter(
    filter_id: Id,
    page: UserPage,
    session: CurrentSession,
    panel: OpenPanel,
    after: str | None = None,
) -> Response:
    shell, place = await read_place(session, page.reader.id, Opened("filter", filter_id))
    saved = shell.place or {}
    wanted = TodoFilter(saved_filter=filter_id, limit=PER_PAGE, after=after)
    wanted.use_saved(saved["filter"], saved["sort"])
    found = await search.select_todos(session, page.reader.id, wanted, saved["filter"])
    todos, cursor = split_todos(found, wanted)
    return page.render(
        FILTER,
        place="filter",
        filter_id=filter_id,
        filter=place,
        text=saved["filter"],
        shell=shell,
        panel=panel,
        todos=rows_of(todos, page.dates, shell.places),
        after=cursor,
    )


@router.get("/app/filters/{filter_id}/edit")
async def show_form(filter_id: Id, page: UserPage, session: CurrentSession) -> Response:
    return await render_form(page, session, filter_id)


async def render_form(
    page: Page,
    session: Session,
    filter_id: int,
    form: Form | None = None,
    error: DomainError | None = None,
) -> Response:
    shell, place = await read_place(session, page.reader.id, Opened("filter", filter_id))
    saved = {**(shell.place or {})}
    sort = saved["sort"] or ""
    # Other programs can choose others.
    sorts = SORTS if sort in SORTS else {**SORTS, sort: sort}
    shown = {"place": "filter", "filter_id": filter_id, "filter": place, "shell": shell}
    shown["sorts"] = sorts
    if form is None:
        form = page.form({**saved, "sort": sort})
        return page.render(EDIT, form=form, fault=None, **shown)
    return page.show_errors(EDIT, form, error, fault=fault_in(page, form, error), **shown)


@router.post("/app/filters/{filter_id}/edit")
async def update_filter(
    filter_id: Id, page: UserPage, fields: Fields, session: CurrentSession
) -> Response:
    form = page.form(fields)
    new = parse_filter(form)
    if not isinstance(new, SavedFilterCreate):
        return await render_form(page, session, filter_id, form, new)
    change = SavedFilterUpdate.model_validate(new.model_dump())
    done = await attempt_in_transaction(
        session, lambda: service.update_filter(session, page.reader.id, filter_id, change, None)
    )
    if isinstance(done, DomainError):
        return await render_form(page, session, filter_id, form, done)
    return page.redirect(f"/app/filters/{filter_id}", notice_of("saved", page, done.name))


@router.post("/app/filters/{filter_id}/delete")
async def delete_filter(filter_id: Id, page: UserPage, session: CurrentSession) -> Response:
    """Delete a filter. The todos that it finds stay."""

    async def delete() -> Notice:
        found = await service.read_filter(session, page.reader.id, filter_id)
        await service.delete_filter(session, page.reader.id, filter_id, None)
        return notice_of("filter_deleted", page, found.name)

    return await answer(page, session, MANAGE, delete)
