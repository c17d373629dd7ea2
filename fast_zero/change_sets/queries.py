"""Statements about the rows of a change set, whatever their tables. The lists are locked."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    ColumnElement,
    FromClause,
    Table,
    TableValuedAlias,
    Text,
    TextClause,
    and_,
    bindparam,
    cast,
    column,
    delete,
    exists,
    func,
    insert,
    literal,
    not_,
    or_,
    select,
    text,
    true,
    tuple_,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from fast_zero.change_sets.net import RowKey, Values
from fast_zero.changes.queries import one_of
from fast_zero.core.database import AnyRow, Session
from fast_zero.core.positions import position_of
from fast_zero.core.siblings import Siblings
from fast_zero.labels.models import Label, TodoLabel
from fast_zero.projects.models import Project, Section
from fast_zero.relations.models import Relation
from fast_zero.saved_filters.models import SavedFilter
from fast_zero.todos.models import Occurrence, Todo
from fast_zero.trash.models import Deletion

deletions = Deletion.__table__
projects, sections, labels = Project.__table__, Section.__table__, Label.__table__
todos, todo_labels, relations = Todo.__table__, TodoLabel.__table__, Relation.__table__
occurrences, filters = Occurrence.__table__, SavedFilter.__table__

TABLES: dict[str, Table] = {
    table.name: table
    for table in (labels, projects, sections, todos, todo_labels, relations, occurrences, filters)
}
PLACES = {
    "projects": ("parent_id",),
    "sections": ("project_id",),
    "todos": ("project_id", "section_id", "parent_id"),
    "saved_filters": (),
}
"""The columns that say in which list a row has its position."""

LINKS = {
    "todo_labels": {"id": "todo_id", "other": "label_id"},
    "todo_relations": {"id": "todo_id", "other": "other_id", "kind": "kind"},
    "occurrences": {"id": "todo_id", "kind": "day"},
}
"""The columns of the key of a row that has no id, by the parts of the key."""

NEVER_RESTORED = {"id", "owner_id", "version", "updated_at", "created_at", "search", "external_key"}
# A row is locked when it draws a position: that is the order of its changes, and not that of the
# transactions.
CHANGES = text(
    "SELECT entity, entity_id, before, after FROM changes"
    " WHERE owner_id = :user_id AND change_set_id = :change_set_id ORDER BY position"
    " LIMIT :most"
)


async def select_changes(
    session: Session, user_id: int, change_set_id: UUID, most: int | None
) -> Sequence[AnyRow]:
    """Select what a change set did, oldest first. `most`: None is without a limit."""
    values = {"user_id": user_id, "change_set_id": change_set_id, "most": most}
    return (await session.execute(CHANGES, values)).all()


def array(ids: Iterable[int]) -> ColumnElement[list[int]]:
    return literal(list(ids), ARRAY(BigInteger))


def given_links(table: Table, keys: Collection[RowKey]) -> TableValuedAlias:
    """Return the keys of rows that have no id as a table. As arrays, which have any length."""
    parts = LINKS[table.name]
    arrays = (
        cast(
            literal([str(getattr(key, part)) for key in keys], ARRAY(Text)),
            ARRAY(table.c[name].type),
        )
        for part, name in parts.items()
    )
    columns = (column(name, table.c[name].type) for name in parts.values())
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived()


async def lock_rows(
    session: Session, user_id: int, keys: Collection[RowKey]
) -> dict[RowKey, Values]:
    """Lock the rows of the keys in the order of ids; return those that there are.

    A section has the deletion of its project, with which it is in the trash.
    """
    deletion_of_project = (
        select(projects.c.deletion_id)
        .where(projects.c.owner_id == user_id, projects.c.id == sections.c.project_id)
        .scalar_subquery()
    )
    found: dict[RowKey, Values] = {}
    for name, table in TABLES.items():
        wanted = [key for key in keys if key.table == name]
        if not wanted:
            continue
        id_ = table.c.id if "id" in table.c else table.c.todo_id
        row: ColumnElement[Values] = func.to_jsonb(table.table_valued(), type_=JSONB)
        if table is sections:
            row = row.op("||")(func.jsonb_build_object("deletion_id", deletion_of_project))
        statement = (
            select(row.label("values"))
            .where(table.c.owner_id == user_id, one_of(id_, {key.id for key in wanted}))
            .order_by(*table.primary_key)
            # A todo that is being created may get a label: that is seen before it is deleted.
            .with_for_update(of=table, key_share=table is not labels)
        )
        for values in await session.scalars(statement):
            found[key_of(name, values)] = values
    return found


def key_of(table: str, values: Values) -> RowKey:
    parts = LINKS.get(table, {"id": "id"})
    return RowKey(table, **{part: values[name] for part, name in parts.items()})


async def select_deletions(session: Session, user_id: int, ids: Collection[int]) -> set[int]:
    statement = select(deletions.c.id).where(
        deletions.c.owner_id == user_id, one_of(deletions.c.id, ids)
    )
    return set((await session.scalars(statement.with_for_update())).all())


async def count_contents(
    session: Session, user_id: int, keys: Collection[RowKey], known: Collection[RowKey]
) -> dict[RowKey, int]:
    """Count the todos and projects that are in things, or carry labels, and are not in `known`."""
    parts = [
        count_inside(user_id, container, inside, keys, known)
        for container, inside in (
            ("projects", projects.c.parent_id),
            ("projects", todos.c.project_id),
            ("sections", todos.c.section_id),
            ("todos", todos.c.parent_id),
            ("labels", todo_labels.c.label_id),
        )
    ]
    counts: dict[RowKey, int] = {}
    for row in await session.execute(union_all(*parts)):
        key = RowKey(row.container, row.id)
        counts[key] = counts.get(key, 0) + row.number
    return counts


def count_inside(
    user_id: int,
    container: str,
    inside: ColumnElement[int],
    keys: Collection[RowKey],
    known: Collection[RowKey],
) -> Any:  # noqa: ANN401  # a part of a union
    table = inside.table
    ids = [key.id for key in keys if key.table == container]
    conditions = [table.c.owner_id == user_id, one_of(inside, ids)]
    if "deletion_id" in table.c:
        conditions.append(table.c.deletion_id.is_(None))
    others = [key for key in known if key.table == table.name]
    id_ = table.c.id if "id" in table.c else table.c.todo_id
    if table is todo_labels:
        conditions.append(tuple_(id_, inside).not_in(select(given_links(table, others))))
    else:  # a table, which is hashed: an array would be searched for each row
        ids_of_known = func.unnest(array(key.id for key in others))
        given = ids_of_known.table_valued(column("id", BigInteger), name="given").render_derived()
        conditions.append(id_.not_in(select(given.c.id)))
    return (
        select(
            literal(container, Text).label("container"),
            inside.label("id"),
            func.count().label("number"),
        )
        .where(*conditions)
        .group_by(inside)
    )


def targets(user_id: int, table: Table, new: Mapping[int, Values]) -> CTE:
    """Select rows as they are to be: as they are, with new values of some columns."""
    rows = [{"id": id_, "patch": values} for id_, values in new.items()]
    given = (
        func.jsonb_to_recordset(literal(rows, JSONB))
        .table_valued(column("id", BigInteger), column("patch", JSONB), name="given")
        .render_derived(with_types=True)
    )
    stored = table.alias("stored")
    target = (
        func.jsonb_populate_record(stored.table_valued(), given.c.patch)
        .table_valued(*(column(each.name, each.type) for each in table.c), name="target")
        .lateral()
    )
    joined = stored.join(given, stored.c.id == given.c.id).join(target, true())
    return select(target).select_from(joined).where(stored.c.owner_id == user_id).cte("wanted")


def is_in_list(table: FromClause) -> list[ColumnElement[bool]]:
    """Return the condition of the index of positions: what is in the trash has none."""
    return [table.c.deletion_id.is_(None)] if "deletion_id" in table.c else []


def is_same_list(table: Table, row: FromClause, other: FromClause) -> ColumnElement[bool]:
    names = PLACES[table.name]
    same = and_(true(), *(row.c[name].is_not_distinct_from(other.c[name]) for name in names))
    if table is not todos:
        return same
    # A trigger moves a subtask to the project and section of its parent.
    return or_(row.c.parent_id == other.c.parent_id, and_(row.c.parent_id.is_(None), same))


async def select_taken(
    session: Session, user_id: int, table: Table, new: Mapping[int, Values]
) -> Sequence[AnyRow]:
    """Select the rows whose new position is that of another row, with the place of that one."""
    wanted = targets(user_id, table, new)
    other = table.alias("other")
    position = position_of(wanted.c.position, wanted.c.id)
    place = [other.c[name] for name in PLACES[table.name]]
    statement = select(wanted.c.id, position.label("position"), *place).where(
        other.c.owner_id == user_id,
        *is_in_list(wanted),
        *is_in_list(other),
        is_same_list(table, wanted, other),
        position_of(other.c.position, other.c.id) == position,
        other.c.id != wanted.c.id,
    )
    return (await session.execute(statement)).all()


async def select_misplaced(
    session: Session,
    user_id: int,
    table: Table,
    new: Mapping[int, Values],
    trashed: Collection[int],
) -> set[int]:
    """Select the ids of rows whose new place is not there any more.

    `trashed` go into the trash afterwards. The place of what is in the trash may be there, too.
    """
    wanted = targets(user_id, table, new)
    hidden = or_(wanted.c.deletion_id.is_not(None), one_of(wanted.c.id, trashed))
    restored = [id_ for id_, values in new.items() if values.get("deletion_id", id_) is None]
    parent = table.alias("parent")
    there = select(parent.c.id).where(
        parent.c.owner_id == user_id,
        parent.c.id == wanted.c.parent_id,
        or_(hidden, parent.c.deletion_id.is_(None), one_of(parent.c.id, restored)),
    )
    lost = and_(wanted.c.parent_id.is_not(None), not_(there.correlate(wanted).exists()))
    if table is todos:
        project = exists().where(
            projects.c.owner_id == user_id,
            projects.c.id == wanted.c.project_id,
            or_(hidden, projects.c.deletion_id.is_(None)),
        )
        section = exists().where(
            sections.c.owner_id == user_id,
            sections.c.project_id == wanted.c.project_id,
            sections.c.id == wanted.c.section_id,
        )
        outside = or_(
            and_(wanted.c.project_id.is_not(None), not_(project)),
            and_(wanted.c.section_id.is_not(None), not_(section)),
        )
        lost = or_(lost, and_(wanted.c.parent_id.is_(None), outside))
    statement = select(wanted.c.id).where(lost)
    return set((await session.scalars(statement)).all())


def restorable(table: Table) -> list[str]:
    names = (each.name for each in table.c if each.computed is None)
    return [name for name in names if name not in NEVER_RESTORED]


async def update_rows(
    session: Session, user_id: int, table: Table, new: Mapping[int, Values]
) -> None:
    """Set columns of rows, whose ids are the keys."""
    wanted = targets(user_id, table, new)
    names = restorable(table)
    old, target = ([each.c[name] for name in names] for each in (table, wanted))
    statement = update(table).where(
        table.c.owner_id == user_id,
        table.c.id == wanted.c.id,
        tuple_(*old).is_distinct_from(tuple_(*target)),
    )
    values = {name: wanted.c[name] for name in names}
    await session.execute(statement.values(values | {"updated_at": func.now()}))


@lru_cache
def insert_statement(table: str, names: tuple[str, ...]) -> TextClause:
    """Insert a row with its id, for which SQLAlchemy has no construct. Its version increases."""
    values = ("version + 1" if name == "version" else name for name in names)
    return text(
        f"INSERT INTO {table} ({', '.join(names)}) OVERRIDING SYSTEM VALUE"  # noqa: S608  # names of columns
        f" SELECT {', '.join(values)} FROM jsonb_populate_record(NULL::{table}, :row)"
    ).bindparams(bindparam("row", type_=JSONB))


async def insert_row(session: Session, user_id: int, key: RowKey, values: Values) -> None:
    """Insert a row that was deleted. It gets the id that it had."""
    row = {**values, "owner_id": user_id} | ({} if key.table in LINKS else {"id": key.id})
    names = tuple(column.name for column in TABLES[key.table].c if column.name in row)
    await session.execute(insert_statement(key.table, names), {"row": row})


async def delete_rows(
    session: Session, user_id: int, table: Table, keys: Collection[RowKey]
) -> None:
    """Delete rows of a table that has no trash."""
    statement = delete(table).where(table.c.owner_id == user_id)
    if table.name in LINKS:
        columns = (table.c[name] for name in LINKS[table.name].values())
        statement = statement.where(tuple_(*columns).in_(select(given_links(table, keys))))
    else:
        statement = statement.where(one_of(table.c.id, [key.id for key in keys]))
    await session.execute(statement)


async def insert_todo_labels(
    session: Session, user_id: int, keys: Collection[RowKey]
) -> set[RowKey]:
    """Give labels to todos; return the keys of those that are still there."""
    given = given_links(todo_labels, keys)
    is_todo = and_(todos.c.owner_id == user_id, todos.c.id == given.c.todo_id)
    is_label = and_(labels.c.owner_id == user_id, labels.c.id == given.c.label_id)
    pairs = select(todos.c.owner_id, todos.c.id, labels.c.id).select_from(
        given.join(todos, is_todo).join(labels, is_label)
    )
    statement = insert(todo_labels).from_select(["owner_id", "todo_id", "label_id"], pairs)
    added = statement.returning(todo_labels.c.todo_id, todo_labels.c.label_id)
    rows = await session.execute(added)
    return {RowKey(todo_labels.name, row.todo_id, row.label_id) for row in rows}


async def delete_empty_deletions(session: Session, user_id: int, ids: Collection[int]) -> None:
    """Delete deletions by which nothing is in the trash any more."""
    used = [exists().where(table.c.deletion_id == deletions.c.id) for table in (todos, projects)]
    statement = delete(deletions).where(
        deletions.c.owner_id == user_id, one_of(deletions.c.id, ids), *map(not_, used)
    )
    await session.execute(statement)


def siblings_of(user_id: int, table: Table, row: AnyRow) -> Siblings:
    """Return the list that a row goes to."""
    editable = and_(table.c.owner_id == user_id, *is_in_list(table))
    return Siblings(
        table, editable, {name: getattr(row, name) for name in PLACES[table.name]}, row.id
    )
