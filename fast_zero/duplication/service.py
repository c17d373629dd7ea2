from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from operator import attrgetter

from fast_zero.core import positions
from fast_zero.core.database import AnyRow, PreparedRow, Session, lock_lists
from fast_zero.core.errors import Conflict, NotFound
from fast_zero.core.siblings import find_position
from fast_zero.duplication import queries
from fast_zero.duplication.models import MOST, TOO_MANY
from fast_zero.duplication.queries import Copy
from fast_zero.ordering.queries import place_of, siblings_in
from fast_zero.projects import service as projects
from fast_zero.projects.models import NO_PROJECT
from fast_zero.relations.models import NO_TODO
from fast_zero.todos import metrics
from fast_zero.todos import service as todos

NewIds = dict[int, int]
"""The ids of copies by those of the originals."""


async def duplicate_todo(session: Session, user_id: int, todo_id: int) -> PreparedRow:
    """Copy a todo and its subtasks. The copy is the next one of its list."""
    await lock_lists(session, user_id)
    tree = await queries.select_tree(session, user_id, todo_id)
    refuse_many(tree)
    root = next((todo for todo in tree if todo.id == todo_id), None)
    if root is None:
        raise NotFound(NO_TODO)
    place = place_of(root)
    position = await find_position(session, siblings_in(user_id, place), root.position)
    new_ids = await copy_todos(session, user_id, tree, [Copy(todo_id, vars(place), position)])
    return await todos.read_todo(session, user_id, new_ids[todo_id])


async def duplicate_project(session: Session, user_id: int, project_id: int) -> AnyRow:
    """Copy a project with its sections and todos, and the projects inside of it."""
    await lock_lists(session, user_id)
    tree = await queries.select_projects(session, user_id, project_id)
    root = next((project for project in tree if project.id == project_id), None)
    if root is None:
        raise NotFound(NO_PROJECT)
    project_ids = [project.id for project in tree]
    sections = await queries.select_sections(session, user_id, project_ids)
    rows = await queries.select_todos(session, user_id, project_ids)
    refuse_many(tree, sections, rows)
    new_projects = await copy_projects(session, user_id, tree, root)
    new_sections = await copy_sections(session, user_id, sections, new_projects)
    first = [
        copy
        for (old_project, old_section), listed in grouped(
            (todo for todo in rows if todo.parent_id is None), "project_id", "section_id"
        ).items()
        for copy in copies_in_order(
            listed,
            {
                "project_id": new_projects[old_project],
                "section_id": new_sections.get(old_section),
                "parent_id": None,
            },
        )
    ]
    await copy_todos(session, user_id, rows, first)
    return await projects.read_project(session, user_id, new_projects[project_id])


def refuse_many(*lists: Sequence[AnyRow]) -> None:
    if any(len(rows) > MOST for rows in lists):
        raise Conflict(TOO_MANY)


async def copy_projects(
    session: Session, user_id: int, tree: Sequence[AnyRow], root: AnyRow
) -> NewIds:
    """Copy projects level by level. The copy of the root is the last one of its siblings."""
    inside = grouped(tree, "parent_id")
    values = queries.named_as_copy
    level = [Copy(root.id, {"parent_id": root.parent_id}, None)]
    new_ids: NewIds = {}
    while level:
        made = await queries.insert_copies(session, user_id, queries.projects, level, values)
        new_ids |= made
        level = [
            copy
            for source_id, new_id in made.items()
            for copy in copies_in_order(inside[source_id,], {"parent_id": new_id})
        ]
        values = queries.project_values
    return new_ids


async def copy_sections(
    session: Session, user_id: int, sections: Sequence[AnyRow], new_projects: NewIds
) -> NewIds:
    copies = [
        copy
        for (project_id,), listed in grouped(sections, "project_id").items()
        for copy in copies_in_order(listed, {"project_id": new_projects[project_id]})
    ]
    return await queries.insert_copies(
        session, user_id, queries.sections, copies, queries.section_values
    )


async def copy_todos(
    session: Session, user_id: int, rows: Sequence[AnyRow], level: Sequence[Copy]
) -> NewIds:
    """Copy todos level by level, since a subtask refers to its parent; return their new ids."""
    below = grouped(rows, "parent_id")
    new_ids: NewIds = {}
    while level:
        made = await queries.insert_copies(
            session, user_id, queries.todos, level, queries.todo_values
        )
        new_ids |= made
        level = [
            subtask
            for copy in level
            for subtask in copies_in_order(
                below[copy.source_id,], {**copy.place, "parent_id": made[copy.source_id]}
            )
        ]
    if new_ids:
        await queries.copy_labels(session, user_id, new_ids)
    metrics.CREATED.inc(len(new_ids))
    return new_ids


def grouped(rows: Iterable[AnyRow], *names: str) -> dict[tuple[int, ...], list[AnyRow]]:
    """Return the rows of each list, whose key is the values of these columns."""
    groups: dict[tuple[int, ...], list[AnyRow]] = defaultdict(list)
    for row in rows:
        groups[*(getattr(row, name) for name in names),].append(row)
    return groups


def copies_in_order(rows: Sequence[AnyRow], place: Mapping[str, int | None]) -> list[Copy]:
    """Return copies of all rows of a list, in another place, in the order that they have."""
    ordered = sorted(rows, key=attrgetter("position"))
    spread = positions.spread(None, None, len(ordered))
    return [Copy(row.id, place, position) for row, position in zip(ordered, spread, strict=True)]
