"""Statements about lists of todos. A list is all todos of one project, section and parent."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import Text, func, literal, select, update

from fast_zero.core.database import AnyRow, PreparedRow, Session
from fast_zero.core.siblings import Siblings, beside
from fast_zero.projects import queries as project_queries
from fast_zero.projects.models import Project, Section
from fast_zero.todos.expressions import ALL, POSITION, editable_by, is_one_of, is_open, todos

projects = Project.__table__
sections = Section.__table__


@dataclass(frozen=True)
class Place:
    """The list that a todo is in: three ids, each of which may be null."""

    project_id: int | None
    section_id: int | None
    parent_id: int | None


def place_of(todo: AnyRow) -> Place:
    return Place(todo.project_id, todo.section_id, todo.parent_id)


def siblings_in(user_id: int, place: Place, moved_id: int | None = None) -> Siblings:
    """Return the list of a place, as the index `uq_todos_position` has it."""
    return Siblings(todos, editable_by(user_id), vars(place), moved_id)


async def lock_todos(
    session: Session, user_id: int, todo_ids: Sequence[int]
) -> Mapping[int, AnyRow]:
    """Lock todos in the order of ids; return their places, positions and versions."""
    columns = (todos.c.project_id, todos.c.section_id, todos.c.parent_id, todos.c.version)
    statement = (
        select(todos.c.id, *columns, POSITION.label("position"))
        .where(editable_by(user_id), is_one_of(todo_ids))
        .order_by(todos.c.id)
        .with_for_update(key_share=True)
    )
    return {todo.id: todo for todo in await session.execute(statement)}


async def select_place(
    session: Session, user_id: int, project_id: int | None, section_id: int | None
) -> AnyRow:
    """Return whether a project exists, and the project of a section. Neither is in the trash."""
    is_visible = project_queries.visible_to(user_id)
    has_project = select(projects.c.id).where(is_visible, projects.c.id == project_id).exists()
    section = (
        select(sections.c.project_id)
        .join(projects, projects.c.id == sections.c.project_id)
        .where(is_visible, sections.c.owner_id == user_id, sections.c.id == section_id)
        .scalar_subquery()
    )
    statement = select(has_project.label("has_project"), section.label("project_of_section"))
    return (await session.execute(statement)).one()


async def move_todo(
    session: Session, user_id: int, todo_id: int, place: Place, position: str
) -> PreparedRow:
    """Move a todo. Triggers move its subtasks with it, and refuse cycles and depth."""
    statement = (
        update(todos)
        .where(editable_by(user_id), todos.c.id == todo_id)
        .values(**vars(place), position=position, updated_at=func.now())
        .returning(*ALL)
    )
    return dict((await session.execute(statement)).mappings().one())


async def select_open_neighbour(
    session: Session, siblings: Siblings, position: str, *, is_before: bool
) -> int | None:
    """Return the id of the next open todo of a list before or behind a position."""
    nearest = beside(siblings, position, backwards=is_before).where(is_open(todos))
    found: int | None = await session.scalar(nearest.limit(1))
    return found


async def count_open(session: Session, siblings: Siblings, position: str) -> tuple[int, int]:
    """Return how many open todos of a list are up to a position, and how many there are."""
    is_before = siblings.position() <= literal(position, Text)
    counts = select(func.count().filter(is_before), func.count())
    found = await session.execute(counts.where(siblings.condition(), is_open(todos)))
    before, total = found.one()
    return before, total
