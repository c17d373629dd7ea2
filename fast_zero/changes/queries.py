"""Statements that read the log of changes, and the things that changed as they are now."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Integer,
    Select,
    and_,
    any_,
    case,
    cast,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    text,
    tuple_,
    union_all,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from fast_zero.changes.cursors import NO_KEY, Cursor, Key
from fast_zero.core.database import AnyRow, Session
from fast_zero.labels import queries as label_queries
from fast_zero.projects import queries as project_queries
from fast_zero.relations.models import RelationKind
from fast_zero.saved_filters import queries as filter_queries
from fast_zero.todos.expressions import COLUMNS, relations, todo_labels, todos, visible_to

projects = project_queries.projects
sections = project_queries.sections
labels = label_queries.labels
filters = filter_queries.filters

PROJECT, SECTION, LABEL, TODO, RELATION, FILTER = range(6)
"""The kinds of things, in the order in which they refer to each other. Cursors have the numbers."""

KINDS_OF_RELATIONS = tuple(RelationKind)
MOST: Key = (2**63 - 1, 0, 0)
# In the statement's own snapshot, so that each transaction before the horizon is visible.
HORIZON = "pg_snapshot_xmin(pg_current_snapshot())"
# Where a listing begins: behind the newest change that can be seen.
BEGIN = text(f"""
SELECT change_log.epoch, now() AS now, coalesce(newest.xid::text, '0') AS xid,
    coalesce(newest.position, 0) AS position
FROM change_log LEFT JOIN LATERAL (
    SELECT xid, position FROM changes WHERE owner_id = :user_id AND xid < {HORIZON}
    ORDER BY xid DESC, position DESC LIMIT 1
) AS newest ON true
""")  # noqa: S608  # a constant
# A transaction may be older than a cursor and not in it, but not by a day.
CHECK = text("""
SELECT epoch, now() AS now,
    coalesce(CAST(:at AS timestamptz) < kept_since + interval '1 day', false) AS is_too_old
FROM change_log
""")
READ = text(f"""
SELECT change_log.epoch, now() AS now,
    coalesce(CAST(:at AS timestamptz) < kept_since + interval '1 day', false) AS is_too_old,
    page.*
FROM change_log LEFT JOIN LATERAL (
    SELECT xid::text AS xid, position, at, entity, entity_id, operation,
        CASE WHEN entity = 'todo_relations' THEN coalesce(after, before) END AS relation
    FROM changes
    WHERE owner_id = :user_id AND xid < {HORIZON}
        AND (changes.xid, position) > (CAST(CAST(:xid AS text) AS xid8), :position)
    ORDER BY changes.xid, position LIMIT :limit
) AS page ON true
""")  # noqa: S608  # a constant


async def begin(session: Session, user_id: int) -> AnyRow:
    return (await session.execute(BEGIN, {"user_id": user_id})).one()


async def check(session: Session, cursor: Cursor) -> AnyRow:
    return (await session.execute(CHECK, {"at": cursor.at})).one()


async def read(session: Session, user_id: int, cursor: Cursor, limit: int) -> Sequence[AnyRow]:
    """Select the changes behind a cursor, in an order that never skips one.

    Without any, there is one row whose `position` is null.
    """
    behind = {"at": cursor.at, "xid": str(cursor.xid), "position": cursor.position}
    return (await session.execute(READ, {"user_id": user_id, "limit": limit, **behind})).all()


class Thing(NamedTuple):
    kind: int
    key: Key
    value: dict[str, Any] | None


@dataclass
class Changed:
    """The keys of things that changed, and of projects and todos that were deleted or restored.

    These are the places of sections and relations, which then appear or disappear with them.
    """

    keys: set[tuple[int, Key]] = field(default_factory=set)
    projects: set[int] = field(default_factory=set)
    todos: set[int] = field(default_factory=set)

    def ids(self, kind: int) -> list[int]:
        return [key[0] for each, key in self.keys if each == kind]


Columns = Iterable[ColumnElement[Any]]


def as_json(columns: Columns) -> ColumnElement[Any]:
    pairs = [part for column in columns for part in (literal_column(f"'{column.name}'"), column)]
    return func.jsonb_build_object(*pairs, type_=JSONB)


def label_ids() -> ColumnElement[Any]:
    ids = func.array_agg(aggregate_order_by(todo_labels.c.label_id, todo_labels.c.label_id))
    carried = (
        select(ids)
        .where(todo_labels.c.owner_id == todos.c.owner_id, todo_labels.c.todo_id == todos.c.id)
        .correlate(todos)
        .scalar_subquery()
    )
    return func.coalesce(carried, literal_column("'{}'::bigint[]")).label("label_ids")


ZERO = literal_column("0", BigInteger)
KIND_NUMBER = case(
    *((relations.c.kind == kind.value, number) for number, kind in enumerate(KINDS_OF_RELATIONS)),
    else_=0,
)


@dataclass(frozen=True)
class Source:
    """Where things of a kind are, and what is shown of them."""

    key: tuple[ColumnElement[int], ...]
    columns: list[ColumnElement[Any]]
    owner_id: ColumnElement[int]

    def select(self, kind: int, value: ColumnElement[Any]) -> Select[*tuple[Any, ...]]:
        names = ("a", "b", "c")
        key = (
            cast(part, BigInteger).label(name)
            for part, name in zip((*self.key, ZERO, ZERO), names, strict=False)
        )
        return select(literal(kind, Integer).label("kind"), *key, value.label("value"))

    def is_behind(self, after: Key) -> ColumnElement[bool]:
        if len(self.key) == 1:
            return self.key[0] > after[0]
        return tuple_(*self.key) > tuple_(*(literal(part, BigInteger) for part in after))


SOURCES = {
    PROJECT: Source((projects.c.id,), project_queries.PROJECT, projects.c.owner_id),
    SECTION: Source((sections.c.id,), project_queries.SECTION, sections.c.owner_id),
    LABEL: Source((labels.c.id,), list(label_queries.COLUMNS), labels.c.owner_id),
    TODO: Source((todos.c.id,), [*COLUMNS, label_ids()], todos.c.owner_id),
    RELATION: Source(
        (relations.c.todo_id, relations.c.other_id, KIND_NUMBER),
        [
            relations.c.todo_id,
            relations.c.kind,
            relations.c.other_id,
            relations.c.created_at,
        ],
        relations.c.owner_id,
    ),
    FILTER: Source((filters.c.id,), filter_queries.COLUMNS, filters.c.owner_id),
}


def is_todo_visible(user_id: int, todo_id: ColumnElement[int]) -> ColumnElement[bool]:
    todo = todos.alias()
    return exists().where(
        todo.c.owner_id == user_id, todo.c.id == todo_id, todo.c.deletion_id.is_(None)
    )


def is_visible(kind: int, user_id: int) -> ColumnElement[bool]:
    if kind == PROJECT:
        return project_queries.visible_to(user_id)
    if kind == SECTION:
        return project_queries.section_visible_to(user_id)
    if kind == LABEL:
        return label_queries.visible_to(user_id)
    if kind == TODO:
        return visible_to(user_id)
    if kind == FILTER:
        return filter_queries.visible_to(user_id)
    return and_(
        relations.c.owner_id == user_id,
        is_todo_visible(user_id, relations.c.todo_id),
        is_todo_visible(user_id, relations.c.other_id),
    )


def one_of(column: ColumnElement[int], ids: Collection[int]) -> ColumnElement[bool]:
    return column == any_(literal(list(ids), ARRAY(BigInteger)))


def is_changed(kind: int, changed: Changed) -> ColumnElement[bool]:
    if kind == RELATION:
        keys = [key for each, key in changed.keys if each == RELATION]
        ids = (literal([key[part] for key in keys], ARRAY(BigInteger)) for part in (0, 1))
        pairs = func.unnest(*ids).table_valued("todo_id", "other_id").render_derived()
        is_named = tuple_(relations.c.todo_id, relations.c.other_id).in_(
            select(pairs.c.todo_id, pairs.c.other_id)
        )
        is_of = (
            one_of(column, changed.todos) for column in (relations.c.todo_id, relations.c.other_id)
        )
        return or_(is_named, *is_of)
    is_one = one_of(SOURCES[kind].key[0], changed.ids(kind))
    if kind != SECTION:
        return is_one
    return or_(is_one, one_of(sections.c.project_id, changed.projects))


async def select_changed(session: Session, user_id: int, changed: Changed) -> Sequence[Thing]:
    """Select things that changed; those that are deleted for good are not found."""
    kinds = {kind for kind, _ in changed.keys}
    kinds |= ({SECTION} if changed.projects else set()) | ({RELATION} if changed.todos else set())
    parts = [
        source.select(kind, case((is_visible(kind, user_id), as_json(source.columns)))).where(
            source.owner_id == user_id, is_changed(kind, changed)
        )
        for kind, source in SOURCES.items()
        if kind in kinds
    ]
    return [as_thing(row) for row in await session.execute(union_all(*parts))]


async def select_all(
    session: Session, user_id: int, after: tuple[int, Key], limit: int
) -> Sequence[Thing]:
    """Select what a user sees, behind the key of a kind, in the order of kinds and keys."""
    first, key = after
    parts = [
        source.select(kind, as_json(source.columns))
        .where(is_visible(kind, user_id), source.is_behind(key if kind == first else NO_KEY))
        .order_by(*source.key)
        .limit(limit)
        .subquery()
        for kind, source in SOURCES.items()
        if kind >= first
    ]
    things = union_all(*map(select, parts)).order_by("kind", "a", "b", "c").limit(limit)
    return [as_thing(row) for row in await session.execute(things)]


def as_thing(row: AnyRow) -> Thing:
    return Thing(row.kind, (row.a, row.b, row.c), row.value)
