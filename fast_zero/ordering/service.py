from dataclasses import dataclass

from fast_zero.core.database import AnyRow, PreparedRow, Session, lock_lists
from fast_zero.core.errors import Conflict, Invalid, NotFound, Stale
from fast_zero.core.http import etags
from fast_zero.core.http.etags import Versions
from fast_zero.core.siblings import find_position
from fast_zero.ordering import queries
from fast_zero.ordering.models import NOT_A_SIBLING
from fast_zero.ordering.queries import Place
from fast_zero.ordering.schemas import TodoMove, given
from fast_zero.projects.models import NO_PROJECT, NO_SECTION
from fast_zero.relations.models import NO_TODO
from fast_zero.todos import metrics
from fast_zero.todos import queries as todo_queries
from fast_zero.todos.models import NO_PARENT

WITH_PARENT = "A subtask lives where its parent lives. Give parent_id alone."


@dataclass(frozen=True)
class Ranked:
    """A todo after a move, and which one it is of the open todos of its list."""

    todo: PreparedRow
    rank: int
    total: int
    has_moved: bool = True


async def move_todo(
    session: Session, user_id: int, todo_id: int, move: TodoMove, accepted: Versions
) -> PreparedRow:
    """Move a todo. Raises NotFound, Stale or Conflict, in this order."""
    await lock_lists(session, user_id)
    parent_id, sibling_id = given(move.parent_id), move.sibling_id()
    named = {named_id for named_id in (todo_id, parent_id, sibling_id) if named_id is not None}
    found = await queries.lock_todos(session, user_id, [*named])
    missing = named - found.keys()
    if not missing.isdisjoint((todo_id, sibling_id)):
        raise NotFound(NO_TODO)
    if missing:
        raise NotFound(NO_PARENT)
    todo, sibling = found[todo_id], None if sibling_id is None else found[sibling_id]
    if sibling is not None and not move.changes_place():
        place = queries.place_of(sibling)
    elif parent_id is not None:
        place = place_below(found[parent_id], move)
    else:
        place = await find_place(session, user_id, todo, move)
    if accepted is not None and todo.version not in accepted:
        raise Stale(etags.tag(todo.version))
    if sibling is not None and (sibling_id == todo_id or queries.place_of(sibling) != place):
        raise Conflict(NOT_A_SIBLING)
    siblings = queries.siblings_in(user_id, place, todo_id)
    known = None if sibling is None else sibling.position
    position = await find_position(session, siblings, known, is_before=move.is_before())
    moved = await queries.move_todo(session, user_id, todo_id, place, position)
    metrics.UPDATED.inc()
    return moved


def place_below(parent: AnyRow, move: TodoMove) -> Place:
    for name in sorted(move.model_fields_set & {"project_id", "section_id"}):
        if getattr(move, name) != getattr(parent, name):
            raise Invalid(WITH_PARENT, name)
    return Place(parent.project_id, parent.section_id, parent.id)


async def find_place(session: Session, user_id: int, todo: AnyRow, move: TodoMove) -> Place:
    """Return the place of a todo that will have no parent."""
    project_id, section_id = given(move.project_id), given(move.section_id)
    if "project_id" not in move.model_fields_set and section_id is None:
        stays = "section_id" not in move.model_fields_set
        return Place(todo.project_id, todo.section_id if stays else None, None)
    if project_id is None and section_id is None:
        return Place(None, None, None)
    found = await queries.select_place(session, user_id, project_id, section_id)
    if project_id is not None and not found.has_project:
        raise NotFound(NO_PROJECT)
    if section_id is None:
        return Place(project_id, None, None)
    if found.project_of_section is None or project_id not in (None, found.project_of_section):
        raise NotFound(NO_SECTION)
    return Place(found.project_of_section, section_id, None)


async def move_beside(session: Session, user_id: int, todo_id: int, move: TodoMove) -> Ranked:
    """Move a todo, and say where it is now. Raises NotFound or Conflict."""
    todo = await move_todo(session, user_id, todo_id, move, None)
    return Ranked(todo, *await rank_of(session, user_id, todo))


async def step(session: Session, user_id: int, todo_id: int, *, is_up: bool) -> Ranked:
    """Move a todo by one among the open todos of its list. The first or last stays where it is."""
    await lock_lists(session, user_id)
    todo = await todo_queries.select_todo(session, user_id, todo_id)
    if todo is None:
        raise NotFound(NO_TODO)
    siblings = queries.siblings_in(user_id, place_of(todo))
    neighbour_id = await queries.select_open_neighbour(
        session, siblings, todo["position"], is_before=is_up
    )
    if neighbour_id is None:
        return Ranked(todo, *await rank_of(session, user_id, todo), has_moved=False)
    beside = {"before" if is_up else "after": neighbour_id}
    return await move_beside(session, user_id, todo_id, TodoMove.model_validate(beside))


def place_of(todo: PreparedRow) -> Place:
    return Place(todo["project_id"], todo["section_id"], todo["parent_id"])


async def rank_of(session: Session, user_id: int, todo: PreparedRow) -> tuple[int, int]:
    siblings = queries.siblings_in(user_id, place_of(todo))
    return await queries.count_open(session, siblings, todo["position"])
