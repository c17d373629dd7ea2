"""Statements that read trees, and copy rows into other places."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Table,
    Text,
    any_,
    case,
    column,
    false,
    func,
    insert,
    literal,
    literal_column,
    select,
    type_coerce,
)

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.positions import position_of
from fast_zero.duplication.models import MOST
from fast_zero.projects import queries as project_queries
from fast_zero.projects.models import Project, Section
from fast_zero.todos.expressions import labels, todo_labels, visible_to
from fast_zero.todos.models import Todo, TodoState
from fast_zero.todos.schemas import NO_SERIES
from fast_zero.todos.trees import subtrees

projects = Project.__table__
sections = Section.__table__
todos = Todo.__table__

DRAFT = literal_column(f"'{TodoState.DRAFT.value}'", Text)
TODO = literal_column(f"'{TodoState.TODO.value}'", Text)
KEPT = (
    "title",
    "description",
    "share",
    "priority",
    "due_on",
    "due_at",
    "time_zone",
    "starts_on",
    "deadline_on",
    "duration_minutes",
    *NO_SERIES,
    "reminders",
)
"""What a copy of a todo has of the original."""

SUFFIX = " (copy)"
NAME_LENGTH = 100

Values = dict[str, ColumnElement[Any]]


@dataclass(frozen=True)
class Copy:
    """A row to be copied, and where to: the columns of its place, and its position there."""

    source_id: int
    place: Mapping[str, int | None]
    position: str | None


def positioned(table: Table, *columns: str) -> Select[*tuple[Any, ...]]:
    position = position_of(table.c.position, table.c.id).label("position")
    return select(table.c.id, *(table.c[name] for name in columns), position).limit(MOST + 1)


def is_in_tree(table: Table, tree: CTE) -> ColumnElement[bool]:
    """Whether a row is in a tree. By an array, so that rows are found by id and not by a join."""
    ids = select(tree.c.id).limit(MOST + 1).scalar_subquery()
    return table.c.id == any_(func.array(ids, type_=ARRAY(BigInteger)))


async def select_tree(session: Session, user_id: int, todo_id: int) -> Sequence[AnyRow]:
    """Select a todo and its subtasks."""
    tree = subtrees(user_id, [todo_id])
    statement = positioned(todos, "project_id", "section_id", "parent_id")
    statement = statement.where(visible_to(user_id), is_in_tree(todos, tree))
    return (await session.execute(statement)).all()


async def select_projects(session: Session, user_id: int, project_id: int) -> Sequence[AnyRow]:
    """Select a project and those inside of it."""
    is_visible = project_queries.visible_to(user_id)
    tree = project_queries.subtree(is_visible, projects.c.id == project_id)
    statement = positioned(projects, "parent_id")
    statement = statement.where(is_visible, is_in_tree(projects, tree))
    return (await session.execute(statement)).all()


async def select_sections(
    session: Session, user_id: int, project_ids: Sequence[int]
) -> Sequence[AnyRow]:
    statement = positioned(sections, "project_id").where(
        project_queries.section_visible_to(user_id), is_in(sections, project_ids)
    )
    return (await session.execute(statement)).all()


async def select_todos(
    session: Session, user_id: int, project_ids: Sequence[int]
) -> Sequence[AnyRow]:
    statement = positioned(todos, "project_id", "section_id", "parent_id")
    statement = statement.where(visible_to(user_id), is_in(todos, project_ids))
    return (await session.execute(statement)).all()


def is_in(table: Table, project_ids: Sequence[int]) -> ColumnElement[bool]:
    return table.c.project_id == any_(literal(list(project_ids), ARRAY(BigInteger)))


def todo_values(source: FromClause) -> Values:
    """Return the columns of a copy of a todo. It is still to be done, or still a draft."""
    state = case((type_coerce(source.c.state, Text) == DRAFT, DRAFT), else_=TODO)
    return {"state": state} | {name: source.c[name] for name in KEPT}


def section_values(source: FromClause) -> Values:
    return {"name": source.c.name}


def project_values(source: FromClause) -> Values:
    return {name: source.c[name] for name in ("name", "description", "color", "archived")}


def named_as_copy(source: FromClause) -> Values:
    """Return the columns of a copy of a project that is called a copy, and is not archived."""
    name = func.rtrim(func.left(source.c.name, NAME_LENGTH - len(SUFFIX))) + SUFFIX
    return project_values(source) | {"name": name, "archived": false()}


async def insert_copies(
    session: Session,
    user_id: int,
    table: Table,
    copies: Sequence[Copy],
    values: Callable[[FromClause], Values],
) -> dict[int, int]:
    """Copy rows of a table; return the ids of the copies by those of the originals.

    Copies are told apart by their place and position: rows are returned in no certain order.
    """
    if not copies:
        return {}
    names = list(copies[0].place)
    arrays = [
        literal([copy.source_id for copy in copies], ARRAY(BigInteger)),
        *(literal([copy.place[name] for copy in copies], ARRAY(BigInteger)) for name in names),
        literal([copy.position for copy in copies], ARRAY(Text)),
    ]
    columns = [column(name, BigInteger) for name in ("source_id", *names)]
    wanted = func.unnest(*arrays).table_valued(*columns, column("position", Text), name="wanted")
    wanted = wanted.render_derived()
    source = table.alias("source")
    copied = values(source) | {name: wanted.c[name] for name in (*names, "position")}
    selected = (
        select(literal(user_id, BigInteger), *copied.values())
        .join_from(wanted, source, source.c.id == wanted.c.source_id)
        .where(source.c.owner_id == user_id)
    )
    places = [table.c[name] for name in (*names, "position")]
    statement = insert(table).from_select(["owner_id", *copied], selected)
    made = await session.execute(statement.returning(table.c.id, *places))
    new_ids = {tuple(place): new_id for new_id, *place in made}
    return {copy.source_id: new_ids[*copy.place.values(), copy.position] for copy in copies}


async def copy_labels(session: Session, user_id: int, new_ids: Mapping[int, int]) -> None:
    """Give copies of todos the labels of the originals, whose ids are the keys."""
    pairs = (
        func.unnest(
            literal(list(new_ids), ARRAY(BigInteger)),
            literal(list(new_ids.values()), ARRAY(BigInteger)),
        )
        .table_valued(column("source_id", BigInteger), column("new_id", BigInteger), name="pairs")
        .render_derived()
    )
    carried = (
        select(literal(user_id, BigInteger), pairs.c.new_id, labels.c.id)
        .join_from(pairs, todo_labels, todo_labels.c.todo_id == pairs.c.source_id)
        .join(labels, labels.c.id == todo_labels.c.label_id)
        .where(todo_labels.c.owner_id == user_id, labels.c.owner_id == user_id)
        # Not one that is deleted meanwhile.
        .with_for_update(read=True, key_share=True, of=labels)
    )
    columns = ["owner_id", "todo_id", "label_id"]
    await session.execute(insert(todo_labels).from_select(columns, carried))
