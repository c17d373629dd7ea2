"""Statements about imports, and those that write what they bring. The latter lock the lists."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    DateTime,
    Integer,
    Table,
    Text,
    Time,
    and_,
    any_,
    cast,
    column,
    delete,
    func,
    literal,
    or_,
    select,
    text,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, distinct_on, insert
from sqlalchemy.sql.dml import ReturningInsert
from sqlalchemy.types import TypeEngine

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.core.positions import position_of
from fast_zero.imports.models import KEPT, UNFINISHED_STATUS, Import, Status
from fast_zero.imports.plans import Found, Placed
from fast_zero.interchange.keys import OwnKey, parse_key
from fast_zero.projects import queries as project_queries
from fast_zero.projects.models import Project, Section
from fast_zero.todos.expressions import PRIORITY_TYPE, todos, visible_to

imports = Import.__table__
projects, sections = Project.__table__, Section.__table__

HIDDEN = {"owner_id", "content", "client"}
PUBLIC = [each for each in imports.c if each.name not in HIDDEN]
UNDO_AGAIN = timedelta(hours=1)
"""After this, a job that undoes an import has not ended, and will not."""

LONGER = select(func.set_config("statement_timeout", "60s", True))  # noqa: FBT003  # SQL has no names
IS_UNFINISHED = text(UNFINISHED_STATUS)
COLUMNS: dict[str, TypeEngine[Any]] = {
    "title": Text(),
    "description": Text(),
    "state": Text(),
    "share": Text(),
    "project_id": BigInteger(),
    "section_id": BigInteger(),
    "parent_id": BigInteger(),
    "priority": Text(),
    "due_on": Date(),
    "due_at": DateTime(timezone=True),
    "time_zone": Text(),
    "starts_on": Date(),
    "deadline_on": Date(),
    "duration_minutes": Integer(),
    "reminders": Text(),
    "completed_at": DateTime(timezone=True),
    "created_at": DateTime(timezone=True),
    "recurrence_rule": Text(),
    "recurrence_from": Text(),
    "recurrence_start": Date(),
    "recurrence_time": Time(),
    "recurrence_number": Integer(),
    "occurrence_on": Date(),
    "external_key": Text(),
}
"""The columns of a todo that a file can bring. Text that is cast has the type of the column."""


def belongs_to(user_id: int) -> ColumnElement[bool]:
    return imports.c.owner_id == user_id


async def insert_import(session: Session, values: Mapping[str, Any]) -> AnyRow | None:
    """Insert an import. None: the owner has one that has not ended."""
    statement = insert(imports).values(**values)
    statement = statement.on_conflict_do_nothing(
        index_elements=[imports.c.owner_id], index_where=IS_UNFINISHED
    )
    return (await session.execute(statement.returning(*PUBLIC))).one_or_none()


async def delete_oldest(session: Session, user_id: int) -> None:
    """Forget all imports of a user but the newest ones."""
    oldest = select(imports.c.id).where(belongs_to(user_id))
    oldest = oldest.order_by(imports.c.id.desc()).offset(KEPT)
    await session.execute(delete(imports).where(imports.c.id.in_(oldest)))


async def select_imports(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    statement = select(*PUBLIC).where(belongs_to(user_id))
    return (await session.execute(keyset_page(statement, imports.c.id, page))).all()


async def select_import(session: Session, user_id: int, import_id: int) -> AnyRow | None:
    statement = select(*PUBLIC).where(belongs_to(user_id), imports.c.id == import_id)
    return (await session.execute(statement)).one_or_none()


async def delete_import(session: Session, user_id: int, import_id: int) -> bool:
    """Delete an import, unless it is running."""
    statement = delete(imports).where(
        belongs_to(user_id), imports.c.id == import_id, imports.c.status != Status.RUNNING.value
    )
    return await session.scalar(statement.returning(imports.c.id)) is not None


def unfinished(import_id: int) -> ColumnElement[bool]:
    return and_(imports.c.id == import_id, IS_UNFINISHED)


async def start_import(session: Session, import_id: int) -> AnyRow | None:
    """Begin an import, or begin it again, and select its file. None: it has ended or is gone."""
    statement = update(imports).where(unfinished(import_id))
    statement = statement.values(status=Status.RUNNING.value, started_at=func.now(), processed=0)
    return (await session.execute(statement.returning(*imports.c))).one_or_none()


async def note_progress(session: Session, import_id: int, values: Mapping[str, Any]) -> None:
    await session.execute(update(imports).where(unfinished(import_id)).values(**values))


async def finish_import(
    session: Session, import_id: int, status: Status, values: Mapping[str, Any]
) -> bool:
    """End an import, and delete its file. False: it has ended already, or is gone."""
    statement = update(imports).where(unfinished(import_id))
    statement = statement.values(
        status=status.value, content=None, finished_at=func.clock_timestamp(), **values
    )
    return await session.scalar(statement.returning(imports.c.id)) is not None


async def fail_imports(session: Session, before: datetime, error: str) -> None:
    """End the imports that were asked for before a moment."""
    statement = update(imports).where(IS_UNFINISHED, imports.c.created_at < before)
    await session.execute(
        statement.values(
            status=Status.FAILED.value, content=None, finished_at=func.now(), error=error
        )
    )


async def request_undo(session: Session, user_id: int, import_id: int) -> AnyRow | None:
    """Note that an import is to be undone. None: it cannot be, or is being undone already."""
    asked = imports.c.undo_requested_at
    statement = update(imports).where(
        belongs_to(user_id),
        imports.c.id == import_id,
        imports.c.status == Status.DONE.value,
        imports.c.dry_run.is_(False),
        imports.c.undone_at.is_(None),
        or_(asked.is_(None), asked < func.now() - UNDO_AGAIN),
    )
    statement = statement.values(undo_requested_at=func.now())
    return (await session.execute(statement.returning(*PUBLIC))).one_or_none()


async def note_undone(session: Session, import_id: int, kept: int) -> None:
    statement = update(imports).where(imports.c.id == import_id)
    await session.execute(statement.values(undone_at=func.clock_timestamp(), kept=kept))


async def select_undone(session: Session, import_id: int) -> AnyRow | None:
    """Select an import that is to be undone."""
    statement = select(imports.c.owner_id, imports.c.change_set_id, imports.c.created).where(
        imports.c.id == import_id, imports.c.undone_at.is_(None)
    )
    return (await session.execute(statement)).one_or_none()


async def allow_time(session: Session) -> None:
    """Let the statements of this transaction take as long as those of jobs may."""
    await session.execute(LONGER)


async def select_found(session: Session, user_id: int, keys: Collection[str]) -> dict[str, Found]:
    """Select the todos that have these keys and are not in the trash, with their levels.

    A key is that of the todo itself, from an export, or else of the file that it was imported from.
    """
    own_ids = [own.todo_id for own in map(parse_key, keys) if own]
    wanted = or_(
        todos.c.external_key == any_(literal(list(keys), ARRAY(Text))),
        todos.c.id == any_(literal(own_ids, ARRAY(BigInteger))),
    )
    root = select(todos.c.id.label("root_id"), todos.c.parent_id, literal(1, Integer).label("n"))
    above = root.where(visible_to(user_id), wanted).cte("above", recursive=True)
    parent = todos.alias("parent")
    step = select(above.c.root_id, parent.c.parent_id, above.c.n + 1)
    step = step.join(above, parent.c.id == above.c.parent_id).where(parent.c.owner_id == user_id)
    above = above.union_all(step)
    levels = select(above.c.root_id, func.max(above.c.n).label("level")).group_by(above.c.root_id)
    level = levels.subquery("levels")
    columns = (todos.c.external_key, todos.c.id, todos.c.created_at, todos.c.parent_id)
    statement = select(*columns, level.c.level).join(level, level.c.root_id == todos.c.id)
    rows = (await session.execute(statement)).all()
    found = {row.external_key: row for row in rows}
    found |= {str(OwnKey(row.id, row.created_at)): row for row in rows}
    return {
        key: Found(row.id, row.parent_id, row.level)
        for key in keys
        if (row := found.get(key)) is not None
    }


async def select_projects(
    session: Session, user_id: int, names: Collection[str]
) -> Sequence[AnyRow]:
    """Select the first project of each name inside of each parent, without archived ones."""
    position = position_of(projects.c.position, projects.c.id)
    statement = (
        select(projects.c.id, projects.c.parent_id, projects.c.name)
        .where(
            project_queries.visible_to(user_id),
            projects.c.archived.is_(False),
            projects.c.name == any_(literal(list(names), ARRAY(Text))),
        )
        .ext(distinct_on(projects.c.parent_id, projects.c.name))
        .order_by(projects.c.parent_id, projects.c.name, position)
    )
    return (await session.execute(statement)).all()


async def select_sections(
    session: Session, user_id: int, project_ids: Collection[int]
) -> Sequence[AnyRow]:
    """Select the first section of each name of projects."""
    position = position_of(sections.c.position, sections.c.id)
    statement = (
        select(sections.c.id, sections.c.project_id, sections.c.name)
        .where(
            sections.c.owner_id == user_id,
            sections.c.project_id == any_(literal(list(project_ids), ARRAY(BigInteger))),
        )
        .ext(distinct_on(sections.c.project_id, sections.c.name))
        .order_by(sections.c.project_id, sections.c.name, position)
    )
    return (await session.execute(statement)).all()


async def insert_projects(
    session: Session, user_id: int, new: Sequence[tuple[int | None, str]]
) -> Sequence[AnyRow]:
    """Insert projects, by parent and name, in their order."""
    statement = insert_named(projects, "parent_id", user_id, new)
    return (await session.execute(statement)).all()


async def insert_sections(
    session: Session, user_id: int, new: Sequence[tuple[int, str]]
) -> Sequence[AnyRow]:
    """Insert sections, by project and name, in their order."""
    statement = insert_named(sections, "project_id", user_id, new)
    return (await session.execute(statement)).all()


def insert_named(
    table: Table, container: str, user_id: int, new: Sequence[tuple[int | None, str]]
) -> ReturningInsert[*tuple[Any, ...]]:
    """Return a statement that inserts rows, by what contains them and name, in their order."""
    given = (
        func.unnest(
            literal([container_id for container_id, _ in new], ARRAY(BigInteger)),
            literal([name for _, name in new], ARRAY(Text)),
        )
        .table_valued(
            column(container, BigInteger),
            column("name", Text),
            with_ordinality="place",
            name="given",
        )
        .render_derived()
    )
    rows = select(literal(user_id, BigInteger), given.c[container], given.c.name)
    statement = insert(table).from_select(
        ["owner_id", container, "name"], rows.order_by(given.c.place), include_defaults=False
    )
    return statement.returning(table.c.id, table.c[container], table.c.name)


async def insert_todos(
    session: Session, user_id: int, rows: Sequence[Mapping[str, Any]]
) -> dict[str, int]:
    """Insert todos in one statement; return their ids by their keys.

    They are numbered in their order, which is that of their positions.
    """
    given = (
        func.jsonb_array_elements(literal(rows, JSONB))
        .table_valued(column("row", JSONB), with_ordinality="place", name="given")
        .render_derived()
    )
    record = (
        func.jsonb_to_record(given.c.row)
        .table_valued(*(column(name, kind) for name, kind in COLUMNS.items()), name="new")
        .render_derived(with_types=True)
        .lateral()
    )
    values = {name: record.c[name] for name in COLUMNS} | {
        "priority": cast(record.c.priority, PRIORITY_TYPE),
        "reminders": cast(record.c.reminders, JSONB),
        "created_at": func.coalesce(record.c.created_at, func.now()),
    }
    selected = select(literal(user_id, BigInteger), *values.values())
    statement = insert(todos).from_select(
        ["owner_id", *values],
        selected.select_from(given.join(record, true())).order_by(given.c.place),
        include_defaults=False,
    )
    made = await session.execute(statement.returning(todos.c.external_key, todos.c.id))
    return {row.external_key: row.id for row in made}


def row_of(placed: Placed, ids: Mapping[str, int], place: Mapping[str, Any]) -> dict[str, Any]:
    """Return a todo as `insert_todos` takes it. A subtask gets its place from its parent."""
    parent_id = placed.parent_id if placed.parent_key is None else ids[placed.parent_key]
    if parent_id is not None:
        return {**placed.todo.columns, "parent_id": parent_id}
    return {**placed.todo.columns, **place}
