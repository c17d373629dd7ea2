"""Projects: their todos by section, and what creates, orders, changes and deletes them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from itertools import groupby
from typing import Any

from fastapi import APIRouter, Response

from fast_zero.core.database import Session
from fast_zero.core.errors import DomainError
from fast_zero.core.http.dependencies import CurrentSession
from fast_zero.core.pagination import MAX_LIMIT
from fast_zero.core.types import Id
from fast_zero.projects import queries, service
from fast_zero.projects.queries import SectionKey
from fast_zero.projects.schemas import (
    ProjectCreate,
    ProjectFilter,
    ProjectMove,
    ProjectUpdate,
    SectionCreate,
    SectionMove,
    SectionUpdate,
)
from fast_zero.search import service as search
from fast_zero.summaries.queries import Opened
from fast_zero.web.attempts import Done, Once, answer, attempt_in_transaction, notice_of
from fast_zero.web.dependencies import Fields, NextAddress, Page, UserPage
from fast_zero.web.forms import Form, id_of
from fast_zero.web.notices import Notice
from fast_zero.web.pages.places.ordering import find_step
from fast_zero.web.pages.todos.lists import PER_PAGE
from fast_zero.web.pages.todos.panel import OpenPanel
from fast_zero.web.presentation.rows import Place, Row, rows_of
from fast_zero.web.shell import Shell, SidebarProject, read_place, read_shell

PROJECT = "projects/project.html"
LIST = "projects/list.html"
EDIT = "projects/edit.html"
MANAGE = "/app/projects"
SAME = "same"
"""The choice of a parent that changes nothing: it is archived, so it is not in the list."""

router = APIRouter()


@dataclass(frozen=True)
class SectionForm:
    """The form of a section that was refused; without an id, that of a new one."""

    id: int | None
    form: Form


NO_SECTION_FORM = SectionForm(None, Form())


@router.get("/app/projects")
async def show_projects(page: UserPage, session: CurrentSession) -> Response:
    return await render_list(page, session)


async def render_list(
    page: Page, session: Session, form: Form | None = None, error: DomainError | None = None
) -> Response:
    shell = await read_shell(session, page.reader.id)
    wanted = ProjectFilter(archived=True, limit=MAX_LIMIT)
    archived = await queries.select_projects(session, page.reader.id, wanted)
    shown = {"place": "projects", "shell": shell, "archived": archived[:MAX_LIMIT]}
    shown |= {"parents": shell.projects, "siblings": siblings_of}
    if form is None:
        return page.render(LIST, form=page.form({"color": "grey"}), **shown)
    return page.show_errors(LIST, form, error, **shown)


def siblings_of(shell: Shell, project: SidebarProject) -> list[int]:
    """Return the projects that one is ordered with, in their order."""
    return [each.place.id for each in shell.projects if each.parent_id == project.parent_id]


@router.post("/app/projects")
async def create_project(
    page: UserPage, fields: Fields, session: CurrentSession, once: Once
) -> Response:
    form, new = parse_project(page, fields)
    if new is None:
        return await render_list(page, session, form)

    async def create() -> Done:
        made = await queries.insert_project(session, page.reader.id, new)
        # Its page offers to delete it; after an Undo, there would be no page to go back to.
        notice = Notice(code="project_created", title=made.name)
        return Done(address=f"/app/projects/{made.id}", notice=notice)

    done = await once.attempt(page, session, create, Done)
    if isinstance(done, DomainError):
        return await render_list(page, session, form, done)
    return page.redirect(done.address, done.notice)


def parse_project(page: Page, fields: Mapping[str, str]) -> tuple[Form, ProjectCreate | None]:
    form, parent = page.form(fields), fields.get("parent_id", "")
    parent_id = None if parent == SAME else id_of(parent)
    more = {"description": fields.get("description", ""), "parent_id": parent_id}
    return form, form.parse(ProjectCreate, **more)


@router.post("/app/projects/move")
async def move_project(page: UserPage, fields: Fields, session: CurrentSession) -> Response:
    """Move a project up or down among those of its parent."""
    user_id = page.reader.id

    async def move() -> Notice | None:
        shell = await read_shell(session, user_id)
        pressed = {fields.get("up"), fields.get("down")}
        named = [each for each in shell.projects if str(each.place.id) in pressed]
        step = find_step(fields, siblings_of(shell, named[0])) if named else None
        if step is None:
            return None
        there = ProjectMove.model_validate(step.beside())
        project = await service.move_project(session, user_id, step.id, there, None)
        return notice_of("reordered", page, project.name, details=step.place, focus=f"p{step.id}")

    return await answer(page, session, MANAGE, move)


@router.get("/app/projects/{project_id}")
async def show_project(
    project_id: Id,
    page: UserPage,
    session: CurrentSession,
    panel: OpenPanel,
    after: str | None = None,
) -> Response:
    shell, project = await read_place(session, page.reader.id, Opened("project", project_id))
    todos, cursor = await search.list_by_section(
        session, page.reader.id, project_id, after, PER_PAGE
    )
    sections = (shell.place or {})["sections"]
    rows = {
        section: rows_of(together, page.dates, shell.places)
        for section, together in groupby(todos, lambda todo: todo["section_id"])
    }
    shown = groups_of(sections, rows, begins=after is None, ends=cursor is None)
    totals = {each["section_id"]: each["open"] for each in (shell.place or {})["counts"]}
    return page.render(
        PROJECT,
        place="project",
        project_id=project_id,
        project=project,
        shell=shell,
        panel=panel,
        sections=sections,
        groups=shown,
        totals=totals,
        after=cursor,
    )


def groups_of(
    sections: Sequence[Mapping[str, Any]],
    rows: Mapping[int | None, list[Row]],
    *,
    begins: bool,
    ends: bool,
) -> list[tuple[Mapping[str, Any] | None, list[Row]]]:
    """Return the sections of a page with their rows; first those in none.

    Sections without todos are shown where they belong: on the first page those before its first
    row, on the last one those behind its last row.
    """
    in_order = [None, *(section["id"] for section in sections)]
    found = [at for at, id_ in enumerate(in_order) if rows.get(id_)]
    first = 0 if begins or not found else found[0]
    last = len(in_order) - 1 if ends or not found else found[-1]
    named = {section["id"]: section for section in sections}
    return [
        (named.get(id_) if id_ else None, rows.get(id_, []))
        for id_ in in_order[first : last + 1]
        if id_ is not None or rows.get(None)
    ]


@router.get("/app/projects/{project_id}/edit")
async def show_form(project_id: Id, page: UserPage, session: CurrentSession) -> Response:
    return await render_form(page, session, project_id)


async def render_form(
    page: Page,
    session: Session,
    project_id: int,
    refused: tuple[Form, DomainError | None] | None = None,
    section: SectionForm = NO_SECTION_FORM,
) -> Response:
    shell, project = await read_place(session, page.reader.id, Opened("project", project_id))
    place = dict(shell.place or {})
    parents = possible_parents(shell, project)
    shown = {
        "place": "project",
        "project_id": project_id,
        "project": project,
        "shell": shell,
        "parents": parents,
        "has_hidden_parent": place["parent_id"] is not None
        and place["parent_id"] not in {each.place.id for each in parents},
        "section": section,
    }
    if refused:
        return page.show_errors(EDIT, refused[0], refused[1], **shown)
    parent = SAME if shown["has_hidden_parent"] else str(place["parent_id"] or "")
    form = page.form({**place, "parent_id": parent})
    status = HTTPStatus.UNPROCESSABLE_ENTITY if section.form.errors else HTTPStatus.OK
    return page.render(EDIT, status, form=form, **shown)


def possible_parents(shell: Shell, project: Place) -> list[SidebarProject]:
    """Return the projects that another one can be inside of: not itself, nor what is inside."""
    possible, inside = [], None
    for each in shell.projects:
        if inside is not None and each.level > inside:
            continue
        inside = each.level if each.place.id == project.id else None
        if inside is None:
            possible.append(each)
    return possible


@router.post("/app/projects/{project_id}/edit")
async def update_project(
    project_id: Id, page: UserPage, fields: Fields, session: CurrentSession
) -> Response:
    form, new = parse_project(page, fields)
    if new is None:
        return await render_form(page, session, project_id, (form, None))
    user_id, stays = page.reader.id, fields.get("parent_id") == SAME
    values = {"name": new.name, "description": new.description, "color": new.color}

    async def update() -> Notice:
        change = ProjectUpdate.model_validate(values)
        project = await service.update_project(session, user_id, project_id, change, None)
        if not stays and project.parent_id != new.parent_id:
            there = ProjectMove(parent_id=new.parent_id)
            await service.move_project(session, user_id, project_id, there, None)
        return notice_of("saved", page, project.name)

    done = await attempt_in_transaction(session, update)
    if isinstance(done, DomainError):
        return await render_form(page, session, project_id, (form, done))
    return page.redirect(f"/app/projects/{project_id}", done)


@router.post("/app/projects/{project_id}/archive")
async def archive_project(
    project_id: Id, page: UserPage, fields: Fields, session: CurrentSession
) -> Response:
    """Put a project away, or back."""
    archived = fields.get("archived") != "0"

    async def archive() -> Notice:
        change = ProjectUpdate(archived=archived)
        project = await service.update_project(session, page.reader.id, project_id, change, None)
        return notice_of("archived" if archived else "unarchived", page, project.name)

    return await answer(page, session, f"/app/projects/{project_id}", archive)


@router.post("/app/projects/{project_id}/delete")
async def delete_project(project_id: Id, page: UserPage, session: CurrentSession) -> Response:
    async def delete() -> Notice:
        project = await service.read_project(session, page.reader.id, project_id)
        await service.delete_project(session, page.reader.id, project_id, None)
        return notice_of("moved_to_trash", page, project.name)

    return await answer(page, session, MANAGE, delete)


@router.post("/app/projects/{project_id}/sections")
async def create_section(
    project_id: Id, page: UserPage, address: NextAddress, session: CurrentSession, once: Once
) -> Response:
    form = page.form(once.fields)
    new = form.parse(SectionCreate)
    if new is None:
        return await render_form(page, session, project_id, section=SectionForm(None, form))

    async def create() -> Notice:
        section = await service.create_section(session, page.reader.id, project_id, new)
        return notice_of("section_created", page, section.name)

    return await once.answer(page, session, address, create)


@router.post("/app/projects/{project_id}/sections/move")
async def move_section(
    project_id: Id, page: UserPage, fields: Fields, session: CurrentSession
) -> Response:
    user_id, opened = page.reader.id, Opened("project", project_id)

    async def move() -> Notice | None:
        shell, _ = await read_place(session, user_id, opened)
        step = find_step(fields, [each["id"] for each in (shell.place or {})["sections"]])
        if step is None:
            return None
        there, key = SectionMove.model_validate(step.beside()), SectionKey(project_id, step.id)
        section = await service.move_section(session, user_id, key, there, None)
        return notice_of("reordered", page, section.name, details=step.place, focus=f"s{step.id}")

    return await answer(page, session, f"/app/projects/{project_id}/edit", move)


@router.post("/app/projects/{project_id}/sections/{section_id}")
async def update_section(
    project_id: Id, section_id: Id, page: UserPage, fields: Fields, session: CurrentSession
) -> Response:
    """Rename a section."""
    form = page.form(fields)
    new = form.parse(SectionCreate)
    if new is None:
        section = SectionForm(section_id, form)
        return await render_form(page, session, project_id, section=section)

    async def update() -> Notice:
        key, change = SectionKey(project_id, section_id), SectionUpdate(name=new.name)
        section = await service.update_section(session, page.reader.id, key, change, None)
        return notice_of("saved", page, section.name)

    return await answer(page, session, f"/app/projects/{project_id}/edit", update)


@router.post("/app/projects/{project_id}/sections/{section_id}/delete")
async def delete_section(
    project_id: Id, section_id: Id, page: UserPage, session: CurrentSession
) -> Response:
    """Delete a section. Its todos stay in the project."""
    key = SectionKey(project_id, section_id)

    async def delete() -> Notice:
        section = await service.read_section(session, page.reader.id, key)
        await service.delete_section(session, page.reader.id, key, None)
        return notice_of("section_deleted", page, section.name)

    return await answer(page, session, f"/app/projects/{project_id}/edit", delete)
