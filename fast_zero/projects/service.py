from collections.abc import Sequence

from fast_zero.core.database import AnyRow, Session, lock_lists, retry_transaction
from fast_zero.core.errors import DomainError, Invalid, NotFound, Reason
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.core.pagination import PageParams
from fast_zero.core.siblings import find_position
from fast_zero.projects import queries
from fast_zero.projects.models import NO_PROJECT, NO_SECTION, Project
from fast_zero.projects.queries import SectionKey
from fast_zero.projects.schemas import (
    Move,
    ProjectMove,
    ProjectUpdate,
    SectionCreate,
    SectionMove,
    SectionUpdate,
)
from fast_zero.trash import queries as trash_queries
from fast_zero.trash.models import TrashKind

NOT_IN_TRASH = Reason("project_not_in_trash", "There is no such project in the trash.")
NEXT_TO_ITSELF = "It cannot be moved next to itself."


async def read_project(session: Session, user_id: int, project_id: int) -> AnyRow:
    project = await queries.select_project(session, user_id, project_id)
    if project is None:
        raise NotFound(NO_PROJECT)
    return project


async def update_project(
    session: Session, user_id: int, project_id: int, change: ProjectUpdate, accepted: Versions
) -> AnyRow:
    project = await queries.update_project(session, user_id, project_id, change, accepted)
    if project is None:
        raise await refusal(session, user_id, project_id, accepted)
    return project


async def delete_project(
    session: Session, user_id: int, project_id: int, accepted: Versions
) -> None:
    """Move a project into the trash, with the projects inside of it and all of their todos."""

    async def delete() -> None:
        await lock_lists(session, user_id)
        if not await queries.delete_project(session, user_id, project_id, accepted):
            raise await refusal(session, user_id, project_id, accepted)

    # Whoever completes todos of the project meanwhile locks them in another order.
    await retry_transaction(session, delete)


async def restore_project(session: Session, user_id: int, project_id: int) -> AnyRow:
    """Take a project out of the trash, with what was deleted with it and is inside of it."""
    await lock_lists(session, user_id)
    deletion = await trash_queries.lock_deletion(session, user_id, Project.__table__, project_id)
    if deletion is None:
        raise NotFound(NOT_IN_TRASH)
    await queries.restore_project(session, user_id, project_id)
    if deletion.kind == TrashKind.PROJECT and deletion.item_id == project_id:
        await trash_queries.delete_deletion(session, user_id, deletion.id)
    return await read_project(session, user_id, project_id)


async def move_project(
    session: Session, user_id: int, project_id: int, move: ProjectMove, accepted: Versions
) -> AnyRow:
    """Move a project to another parent, next to a sibling, or both."""
    refuse_itself(move, project_id)
    await lock_lists(session, user_id)
    parent_id = move.parent_id if isinstance(move.parent_id, int) else None
    known = None
    if (sibling_id := move.sibling_id()) is not None:
        sibling = await read_project(session, user_id, sibling_id)
        if move.changes_parent() and sibling.parent_id != parent_id:
            raise NotFound(NO_PROJECT)
        parent_id, known = sibling.parent_id, sibling.position
    siblings = queries.siblings_of_project(user_id, parent_id, project_id)
    position = await find_position(session, siblings, known, is_before=move.is_before())
    values = {"parent_id": parent_id, "position": position}
    project = await queries.write_project(session, user_id, project_id, values, accepted)
    if project is None:
        raise await refusal(session, user_id, project_id, accepted)
    return project


def refuse_itself(move: Move, moved_id: int) -> None:
    if move.sibling_id() == moved_id:
        raise Invalid(NEXT_TO_ITSELF, "before" if move.is_before() else "after")


async def refusal(
    session: Session, user_id: int, project_id: int, accepted: Versions
) -> DomainError:
    """Return why a write found no row. Without a condition, the project does not exist."""
    found = None if accepted is None else await queries.select_project(session, user_id, project_id)
    return etags.refusal(NotFound(NO_PROJECT), None if found is None else found.version)


async def create_section(
    session: Session, user_id: int, project_id: int, new: SectionCreate
) -> AnyRow:
    section = await queries.insert_section(session, user_id, project_id, new)
    if section is None:
        raise NotFound(NO_PROJECT)
    return section


async def list_sections(
    session: Session, user_id: int, project_id: int, page: PageParams
) -> Sequence[AnyRow]:
    rows = await queries.select_sections(session, user_id, project_id, page)
    if not rows:
        await read_project(session, user_id, project_id)
    return rows


async def read_section(session: Session, user_id: int, key: SectionKey) -> AnyRow:
    section = await queries.select_section(session, user_id, key)
    if section is None:
        raise NotFound(NO_SECTION)
    return section


async def update_section(
    session: Session, user_id: int, key: SectionKey, change: SectionUpdate, accepted: Versions
) -> AnyRow:
    section = await queries.update_section(session, user_id, key, change, accepted)
    if section is None:
        raise await section_refusal(session, user_id, key, accepted)
    return section


async def delete_section(
    session: Session, user_id: int, key: SectionKey, accepted: Versions
) -> None:
    """Delete a section. Its todos stay in the project."""

    async def delete() -> None:
        await lock_lists(session, user_id)
        if not await queries.delete_section(session, user_id, key, accepted):
            raise await section_refusal(session, user_id, key, accepted)

    # As in `delete_project`.
    await retry_transaction(session, delete)


async def move_section(
    session: Session, user_id: int, key: SectionKey, move: SectionMove, accepted: Versions
) -> AnyRow:
    """Move a section next to another one of its project."""
    refuse_itself(move, key.section_id)
    await lock_lists(session, user_id)
    sibling_key = SectionKey(key.project_id, move.sibling_id() or 0)
    sibling = await read_section(session, user_id, sibling_key)
    siblings = queries.siblings_of_section(user_id, key)
    position = await find_position(session, siblings, sibling.position, is_before=move.is_before())
    section = await queries.write_section(session, user_id, key, {"position": position}, accepted)
    if section is None:
        raise await section_refusal(session, user_id, key, accepted)
    return section


async def section_refusal(
    session: Session, user_id: int, key: SectionKey, accepted: Versions
) -> DomainError:
    """Return why a write found no row, as `refusal` does."""
    found = None if accepted is None else await queries.select_section(session, user_id, key)
    return etags.refusal(NotFound(NO_SECTION), None if found is None else found.version)
