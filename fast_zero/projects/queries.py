from collections.abc import Sequence
from typing import Any, NamedTuple

from sqlalchemy import (
    CTE,
    BigInteger,
    BindParameter,
    ColumnElement,
    Table,
    Text,
    and_,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
    update,
)

from fast_zero.core.database import AnyRow, Session, as_writer
from fast_zero.core.http.etags import Versions, one_of
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.core.positions import position_of
from fast_zero.core.siblings import Siblings
from fast_zero.projects.models import Project, Section
from fast_zero.projects.schemas import (
    ProjectCreate,
    ProjectFilter,
    ProjectUpdate,
    SectionCreate,
    SectionUpdate,
)
from fast_zero.trash.models import Deletion, TrashKind

projects = Project.__table__
sections = Section.__table__
deletions = Deletion.__table__

Columns = list[ColumnElement[Any]]


class SectionKey(NamedTuple):
    """The id of a section, and the id of the project that it is looked for in."""

    project_id: int
    section_id: int


def shown_columns(table: Table, *hidden: str) -> Columns:
    position = position_of(table.c.position, table.c.id).label("position")
    return [
        position if column.name == "position" else column
        for column in table.c
        if column.name not in hidden
    ]


PROJECT: Columns = shown_columns(projects, "owner_id", "deletion_id")
SECTION: Columns = shown_columns(sections, "owner_id")


def visible_to(user_id: BindParameter[int] | int) -> ColumnElement[bool]:
    return and_(projects.c.owner_id == user_id, projects.c.deletion_id.is_(None))


def editable_by(user_id: int) -> ColumnElement[bool]:
    return and_(projects.c.owner_id == as_writer(user_id), projects.c.deletion_id.is_(None))


def section_visible_to(user_id: int) -> ColumnElement[bool]:
    visible = exists().where(visible_to(user_id), projects.c.id == sections.c.project_id)
    return and_(sections.c.owner_id == user_id, visible)


def siblings_of_project(user_id: int, parent_id: int | None, project_id: int) -> Siblings:
    """Return the other projects inside of a parent, or inside of none."""
    return Siblings(projects, editable_by(user_id), {"parent_id": parent_id}, project_id)


def siblings_of_section(user_id: int, key: SectionKey) -> Siblings:
    is_own = sections.c.owner_id == user_id
    return Siblings(sections, is_own, {"project_id": key.project_id}, key.section_id)


async def insert_project(session: Session, user_id: int, new: ProjectCreate) -> AnyRow:
    statement = insert(projects).values(owner_id=as_writer(user_id), **new.model_dump())
    return (await session.execute(statement.returning(*PROJECT))).one()


async def select_projects(
    session: Session, user_id: int, wanted: ProjectFilter
) -> Sequence[AnyRow]:
    statement = select(*PROJECT).where(visible_to(user_id))
    if wanted.archived is not None:
        statement = statement.where(projects.c.archived.is_(wanted.archived))
    return (await session.execute(keyset_page(statement, projects.c.id, wanted))).all()


async def select_project(session: Session, user_id: int, project_id: int) -> AnyRow | None:
    statement = select(*PROJECT).where(visible_to(user_id), projects.c.id == project_id)
    return (await session.execute(statement)).one_or_none()


async def update_project(
    session: Session, user_id: int, project_id: int, change: ProjectUpdate, accepted: Versions
) -> AnyRow | None:
    values = change.model_dump(exclude_unset=True)
    return await write_project(session, user_id, project_id, values, accepted)


async def write_project(
    session: Session, user_id: int, project_id: int, values: dict[str, Any], accepted: Versions
) -> AnyRow | None:
    """Set columns of a project. Without any, it is only selected."""
    wanted = (
        editable_by(user_id),
        projects.c.id == project_id,
        one_of(projects.c.version, accepted),
    )
    statement = (
        update(projects).where(*wanted).values(values).returning(*PROJECT)
        if values
        else select(*PROJECT).where(*wanted)
    )
    return (await session.execute(statement)).one_or_none()


def subtree(*root: ColumnElement[bool]) -> CTE:
    """Select the ids of a project and of those inside of it, with the same deletion or none."""
    columns = (projects.c.id, projects.c.owner_id, projects.c.deletion_id)
    tree = select(*columns).where(*root).cte("tree", recursive=True)
    inside = projects.alias("inside")
    return tree.union_all(
        select(inside.c.id, inside.c.owner_id, inside.c.deletion_id).join(
            tree,
            and_(
                inside.c.owner_id == tree.c.owner_id,
                inside.c.parent_id == tree.c.id,
                inside.c.deletion_id.is_not_distinct_from(tree.c.deletion_id),
            ),
        )
    )


async def delete_project(
    session: Session, user_id: int, project_id: int, accepted: Versions
) -> bool:
    """Move a project into the trash, with the projects inside of it. A trigger moves the todos.

    The version is compared when the project is locked, since it may have changed while this
    statement waited.
    """
    wanted = (
        editable_by(user_id),
        projects.c.id == project_id,
        one_of(projects.c.version, accepted),
    )
    root = select(projects.c.id, projects.c.name).where(*wanted).with_for_update().cte("root")
    tree = subtree(projects.c.owner_id == user_id, projects.c.id.in_(select(root.c.id)))
    kind = literal(TrashKind.PROJECT.value, Text)
    deleted = select(literal(user_id, BigInteger), kind, root.c.id, root.c.name)
    made = (
        insert(deletions)
        .from_select(["owner_id", "kind", "item_id", "title"], deleted)
        .returning(deletions.c.id)
        .cte("made")
    )
    statement = (
        update(projects)
        .where(projects.c.owner_id == user_id, projects.c.id.in_(select(tree.c.id)))
        .values(deletion_id=select(made.c.id).scalar_subquery(), updated_at=func.now())
        .returning(projects.c.id)
    )
    return (await session.execute(statement)).first() is not None


async def restore_project(session: Session, user_id: int, project_id: int) -> None:
    """Take a project out of the trash, with what was deleted with it and is inside of it.

    It is inside of no project if its parent is gone. A trigger restores the todos.
    """
    is_root = projects.c.id == project_id
    owned = projects.c.owner_id == user_id
    tree = subtree(owned, is_root)
    parent = projects.alias("parent")
    has_parent = (
        exists()
        .where(
            parent.c.owner_id == user_id,
            parent.c.id == projects.c.parent_id,
            parent.c.deletion_id.is_(None),
        )
        .correlate(projects)
    )
    # Another project may have its position by now.
    changes = {
        "deletion_id": None,
        "parent_id": case((~is_root, projects.c.parent_id), (has_parent, projects.c.parent_id)),
        "position": case((~is_root, projects.c.position)),
        "updated_at": func.now(),
    }
    inside = projects.c.id.in_(select(tree.c.id))
    await session.execute(update(projects).where(owned, inside).values(changes))


async def insert_section(
    session: Session, user_id: int, project_id: int, new: SectionCreate
) -> AnyRow | None:
    """Create a section. None: there is no such project."""
    project = select(projects.c.owner_id, projects.c.id, literal(new.name, Text))
    statement = insert(sections).from_select(
        ["owner_id", "project_id", "name"],
        project.where(editable_by(user_id), projects.c.id == project_id),
    )
    return (await session.execute(statement.returning(*SECTION))).one_or_none()


async def select_sections(
    session: Session, user_id: int, project_id: int, page: PageParams
) -> Sequence[AnyRow]:
    is_inside = sections.c.project_id == project_id
    statement = select(*SECTION).where(section_visible_to(user_id), is_inside)
    return (await session.execute(keyset_page(statement, sections.c.id, page))).all()


async def select_all_sections(session: Session, user_id: int, limit: int) -> Sequence[AnyRow]:
    """Select the sections of all projects, each project's in their order."""
    position = position_of(sections.c.position, sections.c.id)
    statement = select(sections.c.id, sections.c.name, sections.c.project_id)
    statement = statement.where(section_visible_to(user_id))
    return (
        await session.execute(statement.order_by(sections.c.project_id, position).limit(limit))
    ).all()


def section_editable_by(user_id: int) -> ColumnElement[bool]:
    return and_(sections.c.owner_id == as_writer(user_id), section_visible_to(user_id))


def is_section(key: SectionKey) -> ColumnElement[bool]:
    return and_(
        sections.c.project_id == key.project_id,
        sections.c.id == key.section_id,
    )


async def select_section(session: Session, user_id: int, key: SectionKey) -> AnyRow | None:
    statement = select(*SECTION).where(section_visible_to(user_id), is_section(key))
    return (await session.execute(statement)).one_or_none()


async def update_section(
    session: Session, user_id: int, key: SectionKey, change: SectionUpdate, accepted: Versions
) -> AnyRow | None:
    values = change.model_dump(exclude_unset=True)
    return await write_section(session, user_id, key, values, accepted)


async def write_section(
    session: Session, user_id: int, key: SectionKey, values: dict[str, Any], accepted: Versions
) -> AnyRow | None:
    """Set columns of a section. Without any, it is only selected."""
    wanted = (section_editable_by(user_id), is_section(key), one_of(sections.c.version, accepted))
    statement = (
        update(sections).where(*wanted).values(values).returning(*SECTION)
        if values
        else select(*SECTION).where(*wanted)
    )
    return (await session.execute(statement)).one_or_none()


async def delete_section(
    session: Session, user_id: int, key: SectionKey, accepted: Versions
) -> bool:
    """Delete a section. A trigger moves its todos behind those that are in no section."""
    wanted = (section_editable_by(user_id), is_section(key), one_of(sections.c.version, accepted))
    statement = delete(sections).where(*wanted).returning(sections.c.id)
    return await session.scalar(statement) is not None
