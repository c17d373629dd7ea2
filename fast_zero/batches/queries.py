"""Statements about many todos. Locks and deletions are in `todos.trees`."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from pydantic_core import to_jsonable_python
from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Executable,
    Integer,
    Select,
    Text,
    any_,
    case,
    cast,
    column,
    func,
    insert,
    literal,
    select,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.core.database import PreparedRow, Session, as_writer
from fast_zero.projects import queries as project_queries
from fast_zero.projects.models import Project, Section
from fast_zero.todos.expressions import (
    NEW,
    USER_ID,
    editable_by,
    is_one_of,
    own_time_zone,
    todos,
    visible_to,
)
from fast_zero.todos.queries import STATEMENTS, new_value, new_values
from fast_zero.todos.schemas import NO_COLUMNS, NO_SERIES, TodoCreate, TodoUpdate

CHANGED = sorted((TodoUpdate.model_fields.keys() - NO_COLUMNS) | NO_SERIES.keys())
projects = Project.__table__
sections = Section.__table__

Patches = Mapping[int, Mapping[str, Any]]
"""The new values of some columns of todos, by id."""


@dataclass
class Places:
    """Where todos can be: the projects, the project of each section, the level of each parent."""

    projects: set[int] = field(default_factory=set)
    sections: dict[int, int] = field(default_factory=dict)
    levels: dict[int, int] = field(default_factory=dict)


def ids(given: Collection[int | None]) -> ColumnElement[Any]:
    return any_(literal([each for each in given if each], ARRAY(BigInteger)))


def levels(user_id: int, todo_ids: Sequence[int]) -> Select[str, int, int]:
    """Select the level of each visible todo; a todo without a parent is on the first."""
    root = select(
        todos.c.id.label("root_id"), todos.c.parent_id, literal(1, Integer).label("level")
    )
    above = root.where(visible_to(user_id), is_one_of(todo_ids)).cte("above", recursive=True)
    parent = todos.alias("parent")
    step = select(above.c.root_id, parent.c.parent_id, above.c.level + 1)
    step = step.join(above, parent.c.id == above.c.parent_id).where(parent.c.owner_id == user_id)
    above = above.union_all(step)
    level = func.max(above.c.level, type_=BigInteger())
    return select(literal("level", Text), above.c.root_id, level).group_by(above.c.root_id)


async def select_places(session: Session, user_id: int, new: Sequence[TodoCreate]) -> Places:
    """Select which of the places that new todos name exist, in one statement."""
    named_section = (
        sections.c.owner_id == user_id,
        sections.c.id == ids({each.section_id for each in new}),
    )
    project_ids = select(sections.c.project_id).where(*named_section)
    named_project = projects.c.id == ids({each.project_id for each in new})
    statement = union_all(
        select(
            literal("project", Text).label("kind"), projects.c.id, projects.c.id.label("value")
        ).where(
            project_queries.visible_to(user_id),
            named_project | projects.c.id.in_(project_ids),
        ),
        select(literal("section", Text), sections.c.id, sections.c.project_id).where(
            *named_section
        ),
        levels(user_id, [each.parent_id for each in new if each.parent_id]),
    )
    places = Places()
    for kind, id_, value in await session.execute(statement):
        if kind == "project":
            places.projects.add(id_)
        else:
            (places.sections if kind == "section" else places.levels)[id_] = value
    return places


@lru_cache(STATEMENTS)
def insert_statement(columns: frozenset[str]) -> Executable:
    values = {name: new_value(name) for name in sorted(columns)}
    statement = insert(todos).values(owner_id=as_writer(USER_ID), **values)
    return statement.returning(*NEW, sort_by_parameter_order=True)


async def insert_todos(
    session: Session, user_id: int, rows: Sequence[Mapping[str, Any]]
) -> Sequence[PreparedRow]:
    """Insert all in one statement, and return them in the order of their columns."""
    columns = frozenset(name for row in rows for name in row)
    values = [{"user_id": user_id, **new_values({**dict.fromkeys(columns), **row})} for row in rows]
    result = await session.execute(insert_statement(columns), values)
    return [dict(row) for row in result.mappings()]


async def select_trash(session: Session, user_id: int, todo_ids: Sequence[int]) -> set[int]:
    """Select which of these todos are in the trash."""
    statement = select(todos.c.id).where(
        todos.c.owner_id == user_id, todos.c.deletion_id.is_not(None), is_one_of(todo_ids)
    )
    return set((await session.scalars(statement)).all())


async def update_todos(session: Session, user_id: int, patches: Patches) -> None:
    """Merge each change into its todo: columns that it does not have stay as they are."""
    rows = [{"id": todo_id, "patch": patch} for todo_id, patch in patches.items()]
    item = (
        func.jsonb_to_recordset(literal(to_jsonable_python(rows), JSONB))
        .table_valued(column("id", BigInteger), column("patch", JSONB), name="item")
        .render_derived(with_types=True)
    )

    def merged(name: str) -> ColumnElement[Any]:
        value: ColumnElement[Any] = cast(item.c.patch[name].astext, todos.c[name].type)
        if name == "time_zone":
            moment = item.c.patch["due_at"].astext
            value = case((moment.is_not(None), func.coalesce(value, own_time_zone())))
        return case((item.c.patch.has_key(name), value), else_=todos.c[name])

    statement = update(todos).where(editable_by(user_id), todos.c.id == item.c.id)
    values = {name: merged(name) for name in CHANGED}
    await session.execute(
        statement.values(values | {"updated_at": func.now()}), {"user_id": user_id}
    )
