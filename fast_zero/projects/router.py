from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Query, Response

from fast_zero.core.database import AnyRow
from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.http import conditions, etags, examples, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession, PageQuery, ReadSession
from fast_zero.core.http.etags import Tags
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.problems import responses
from fast_zero.core.pagination import split_page
from fast_zero.core.types import Id, Message
from fast_zero.identity.dependencies import NEEDS_TOKEN, TodoReader, TodoWriter
from fast_zero.projects import queries, service
from fast_zero.projects.models import NO_PROJECT, NO_SECTION, PROJECT_CYCLE, PROJECT_TOO_DEEP
from fast_zero.projects.queries import SectionKey
from fast_zero.projects.schemas import (
    ProjectCreate,
    ProjectFilter,
    ProjectMove,
    ProjectPage,
    ProjectPublic,
    ProjectUpdate,
    SectionCreate,
    SectionMove,
    SectionPage,
    SectionPublic,
    SectionUpdate,
)

MISSING = NotFound(NO_PROJECT)
MISSING_SECTION = NotFound(NO_SECTION)
CYCLE, TOO_DEEP = Conflict(PROJECT_CYCLE), Conflict(PROJECT_TOO_DEEP)
UNFINISHED, STALE = idempotency.UNFINISHED, conditions.STALE
DELETED = "Project has been moved to the trash."

router = APIRouter(prefix="/projects", tags=["projects"], responses=NEEDS_TOKEN)


def tagged(response: Response, row: AnyRow, seen: Tags = None) -> ProjectPublic:
    conditions.set_tag(response, etags.tag(row.version), seen)
    return ProjectPublic.model_validate(row)


def tagged_section(response: Response, row: AnyRow, seen: Tags = None) -> SectionPublic:
    conditions.set_tag(response, etags.tag(row.version), seen)
    return SectionPublic.model_validate(row)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=ProjectPublic,
    responses=responses(MISSING, TOO_DEEP, UNFINISHED) | idempotency.CREATED,
)
async def create_project(
    new: ProjectCreate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a project. It is the last one of its siblings."""

    async def create() -> ProjectPublic:
        row = await queries.insert_project(session, user.id, new)
        conditions.set_created(response, etags.tag(row.version), f"/projects/{row.id}")
        return ProjectPublic.model_validate(row)

    return await idempotent(session, user.id, create)


@router.get("", response_model=ProjectPage)
async def list_projects(
    wanted: Annotated[ProjectFilter, Query()], user: TodoReader, session: ReadSession
) -> object:
    """List your projects, oldest first. `position` is the order among those of one parent."""
    rows, cursor = split_page(await queries.select_projects(session, user.id, wanted), wanted)
    return {"projects": rows, "next": cursor}


@router.get(
    "/{project_id}",
    response_model=ProjectPublic,
    responses=responses(MISSING) | conditions.TAGGED_OR_SEEN,
)
async def read_project(
    project_id: Id, user: TodoReader, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show one of your projects."""
    return tagged(response, await service.read_project(session, user.id, project_id), seen)


@router.patch(
    "/{project_id}",
    response_model=ProjectPublic,
    responses=responses(MISSING, STALE) | conditions.TAGGED,
)
async def update_project(
    project_id: Id,
    change: ProjectUpdate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Change some fields of a project. Fields that are not sent stay as they are."""
    accepted = etags.versions(condition)
    row = await service.update_project(session, user.id, project_id, change, accepted)
    return tagged(response, row)


@router.delete("/{project_id}", responses=responses(MISSING, STALE) | examples.message(DELETED))
async def delete_project(
    project_id: Id, user: TodoWriter, session: CurrentSession, condition: IfMatch
) -> Message:
    """Move a project into the trash. What is inside of it goes with it: projects and todos."""
    await service.delete_project(session, user.id, project_id, etags.versions(condition))
    return Message(message=DELETED)


@router.post(
    "/{project_id}/move",
    response_model=ProjectPublic,
    responses=responses(MISSING, CYCLE, TOO_DEEP, STALE, UNFINISHED) | idempotency.CHANGED,
)
async def move_project(
    project_id: Id,
    move: ProjectMove,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
    idempotent: Idempotent,
) -> object:
    """Move a project to another parent, or next to a sibling.

    With `before` or `after` alone, it moves to the parent of that sibling. With `parent_id`, the
    sibling has to be inside of that project, and without one it becomes the last project there.
    """

    async def run() -> ProjectPublic:
        accepted = etags.versions(condition)
        row = await service.move_project(session, user.id, project_id, move, accepted)
        return tagged(response, row)

    return await idempotent(session, user.id, run, status=HTTPStatus.OK)


@router.post(
    "/{project_id}/restore",
    response_model=ProjectPublic,
    responses=responses(NotFound(service.NOT_IN_TRASH), UNFINISHED) | idempotency.CHANGED,
)
async def restore_project(
    project_id: Id,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Take a project out of the trash. All that was deleted with it comes back.

    A project that was deleted with its parent can be restored alone. `parent_id` is `null` if the
    parent is gone or in the trash.
    """

    async def restore() -> ProjectPublic:
        return tagged(response, await service.restore_project(session, user.id, project_id))

    return await idempotent(session, user.id, restore, status=HTTPStatus.OK)


@router.post(
    "/{project_id}/sections",
    status_code=HTTPStatus.CREATED,
    response_model=SectionPublic,
    responses=responses(MISSING, UNFINISHED) | idempotency.CREATED,
)
async def create_section(
    project_id: Id,
    new: SectionCreate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    idempotent: Idempotent,
) -> object:
    """Create a section of a project. It is the last one."""

    async def create() -> SectionPublic:
        row = await service.create_section(session, user.id, project_id, new)
        location = f"/projects/{project_id}/sections/{row.id}"
        conditions.set_created(response, etags.tag(row.version), location)
        return SectionPublic.model_validate(row)

    return await idempotent(session, user.id, create)


@router.get("/{project_id}/sections", response_model=SectionPage, responses=responses(MISSING))
async def list_sections(
    project_id: Id, page: PageQuery, user: TodoReader, session: ReadSession
) -> object:
    """List the sections of a project, oldest first. `position` is their order."""
    rows = await service.list_sections(session, user.id, project_id, page)
    rows, cursor = split_page(rows, page)
    return {"sections": rows, "next": cursor}


@router.get(
    "/{project_id}/sections/{section_id}",
    response_model=SectionPublic,
    responses=responses(MISSING_SECTION) | conditions.TAGGED_OR_SEEN,
)
async def read_section(
    project_id: Id,
    section_id: Id,
    user: TodoReader,
    session: ReadSession,
    response: Response,
    seen: IfNoneMatch,
) -> object:
    """Show one section of a project."""
    key = SectionKey(project_id, section_id)
    return tagged_section(response, await service.read_section(session, user.id, key), seen)


@router.patch(
    "/{project_id}/sections/{section_id}",
    response_model=SectionPublic,
    responses=responses(MISSING_SECTION, STALE) | conditions.TAGGED,
)
async def update_section(
    project_id: Id,
    section_id: Id,
    change: SectionUpdate,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
) -> object:
    """Change some fields of a section. Fields that are not sent stay as they are."""
    key, accepted = SectionKey(project_id, section_id), etags.versions(condition)
    return tagged_section(
        response, await service.update_section(session, user.id, key, change, accepted)
    )


@router.delete(
    "/{project_id}/sections/{section_id}",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(MISSING_SECTION, STALE),
)
async def delete_section(
    project_id: Id, section_id: Id, user: TodoWriter, session: CurrentSession, condition: IfMatch
) -> None:
    """Delete a section for good. Its todos stay in the project, behind those in no section."""
    key = SectionKey(project_id, section_id)
    await service.delete_section(session, user.id, key, etags.versions(condition))


@router.post(
    "/{project_id}/sections/{section_id}/move",
    response_model=SectionPublic,
    responses=responses(MISSING_SECTION, STALE, UNFINISHED) | idempotency.CHANGED,
)
async def move_section(
    project_id: Id,
    section_id: Id,
    move: SectionMove,
    user: TodoWriter,
    session: CurrentSession,
    response: Response,
    condition: IfMatch,
    idempotent: Idempotent,
) -> object:
    """Move a section before or after another one. Both are in the same project."""

    async def run() -> SectionPublic:
        key, accepted = SectionKey(project_id, section_id), etags.versions(condition)
        row = await service.move_section(session, user.id, key, move, accepted)
        return tagged_section(response, row)

    return await idempotent(session, user.id, run, status=HTTPStatus.OK)
