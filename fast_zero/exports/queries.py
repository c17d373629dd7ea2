"""Statements for an export that no other room has. Blocks by other users are not included."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    Text,
    and_,
    case,
    cast,
    exists,
    extract,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, array

from fast_zero.core.database import AnyRow, Session
from fast_zero.core.pagination import PageParams, keyset_page
from fast_zero.identity.models import User
from fast_zero.people.queries import blocks, follows
from fast_zero.posts.queries import completions, likes, posts, texts
from fast_zero.projects.queries import PROJECT, SECTION, projects, sections
from fast_zero.relations.queries import relations
from fast_zero.todos.expressions import ALL, label_names, todos, visible_to
from fast_zero.todos.ledger import occurrences

SelectPage = Callable[[Session, int, PageParams], Awaitable[Sequence[AnyRow]]]


def pages(
    columns: Sequence[ColumnElement[Any]], id_: ColumnElement[int], owner_id: ColumnElement[Any]
) -> SelectPage:
    """Return a function that selects pages of a user's rows, oldest first."""
    return select_pages(select(id_, *columns), id_, owner_id)


def select_pages(
    statement: Select[*tuple[Any, ...]], id_: ColumnElement[int], owner_id: ColumnElement[Any]
) -> SelectPage:
    """Return a function that selects pages of the rows of a statement that a user owns."""

    async def select_page(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
        return (
            await session.execute(keyset_page(statement.where(owner_id == user_id), id_, page))
        ).all()

    return select_page


EARLIER = func.jsonb_build_object(
    "id", texts.id, "text", texts.text, "written_at", texts.written_at
)
EARLIER_TEXTS = (
    select(func.coalesce(func.jsonb_agg(EARLIER), func.jsonb_build_array(), type_=JSONB))
    .where(texts.post_id == posts.id)
    .scalar_subquery()
    .label("earlier_texts")
)
WRITTEN = (
    posts.text,
    posts.visibility,
    posts.reply_to,
    posts.todo_id,
    posts.created_at,
    posts.edited_at,
    EARLIER_TEXTS,
)
FOLLOWED = (follows.followed_id.label("user_id"), follows.created_at)
FOLLOWER = (follows.follower_id.label("user_id"), follows.created_at)
BLOCKED = (blocks.blocked_id.label("user_id"), blocks.created_at)

RELATED = func.jsonb_build_object(
    "kind", relations.c.kind, "todo_id", relations.c.other_id, "created_at", relations.c.created_at
)
BY_TODO = select(
    relations.c.todo_id.label("id"),
    relations.c.todo_id,
    func.jsonb_agg(
        aggregate_order_by(RELATED, relations.c.created_at, relations.c.other_id), type_=JSONB
    ).label("relations"),
).group_by(relations.c.todo_id)


async def select_relations(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    """Select the todos that have relations, with these. Each is stored with one of its todos."""
    statement = BY_TODO.where(relations.c.owner_id == user_id)
    return (await session.execute(keyset_page(statement, relations.c.todo_id, page))).all()


OCCURRENCE = func.jsonb_build_object(
    "day",
    occurrences.c.day,
    "status",
    occurrences.c.status,
    "due_on",
    occurrences.c.due_on,
    "due_at",
    occurrences.c.due_at,
    "finished_at",
    occurrences.c.finished_at,
)
OCCURRENCES = select(
    occurrences.c.todo_id.label("id"),
    occurrences.c.todo_id,
    func.jsonb_agg(aggregate_order_by(OCCURRENCE, occurrences.c.day), type_=JSONB).label(
        "occurrences"
    ),
).group_by(occurrences.c.todo_id)


async def select_occurrences(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    """Select the todos that have occurrences, with these."""
    statement = OCCURRENCES.where(occurrences.c.owner_id == user_id)
    return (await session.execute(keyset_page(statement, occurrences.c.todo_id, page))).all()


select_posts = pages(WRITTEN, posts.id, posts.author_id)
select_completions = pages(
    (completions.todo_id, completions.occurrence, completions.finished_at),
    completions.id,
    completions.owner_id,
)
select_likes = pages((likes.post_id, likes.created_at), likes.id, likes.user_id)
select_following = pages(FOLLOWED, follows.id, follows.follower_id)
select_followers = pages(FOLLOWER, follows.id, follows.followed_id)
select_blocked = pages(BLOCKED, blocks.id, blocks.blocker_id)

select_all_sections = select_pages(select(*SECTION), sections.c.id, sections.c.owner_id)
select_deleted_projects = select_pages(
    select(*PROJECT).where(projects.c.deletion_id.is_not(None)),
    projects.c.id,
    projects.c.owner_id,
)
select_deleted_todos = select_pages(
    select(*ALL).where(todos.c.deletion_id.is_not(None)), todos.c.id, todos.c.owner_id
)

parents = todos.alias("parent")
outer = projects.alias("outer")
outermost = projects.alias("outermost")
PLACES = (
    todos.outerjoin(
        parents,
        and_(
            parents.c.owner_id == todos.c.owner_id,
            parents.c.id == todos.c.parent_id,
            parents.c.deletion_id.is_(None),
        ),
    )
    .outerjoin(
        projects,
        and_(projects.c.owner_id == todos.c.owner_id, projects.c.id == todos.c.project_id),
    )
    .outerjoin(
        outer, and_(outer.c.owner_id == projects.c.owner_id, outer.c.id == projects.c.parent_id)
    )
    .outerjoin(
        outermost,
        and_(outermost.c.owner_id == outer.c.owner_id, outermost.c.id == outer.c.parent_id),
    )
    .outerjoin(
        sections,
        and_(
            sections.c.owner_id == todos.c.owner_id,
            sections.c.project_id == todos.c.project_id,
            sections.c.id == todos.c.section_id,
        ),
    )
)
PATH = func.array_remove(
    array([outermost.c.name, outer.c.name, projects.c.name]), None, type_=ARRAY(Text)
)
OWN_ZONE = (
    select(User.time_zone).where(User.id == todos.c.owner_id).correlate(todos).scalar_subquery()
)
known = todos.alias("known")


def file_key(todo: FromClause) -> ColumnElement[str | None]:
    """Return the key of the file that a todo was imported from.

    Null, too, if it is the own key of another todo, which came back from the trash afterwards.
    """
    key = todo.c.external_key
    microseconds = cast(extract("epoch", known.c.created_at) * 1_000_000, BigInteger)
    is_taken = exists().where(
        known.c.owner_id == todo.c.owner_id,
        known.c.deletion_id.is_(None),
        known.c.id == cast(func.substring(key, "^fast-zero-([0-9]{1,18})-"), BigInteger),
        key == func.concat("fast-zero-", known.c.id, "-", microseconds),
    )
    return case((is_taken, None), else_=key)


PORTABLE = select(
    *todos.c,
    func.coalesce(todos.c.time_zone, OWN_ZONE).label("zone"),
    label_names().label("labels"),
    PATH.label("project"),
    sections.c.name.label("section"),
    file_key(todos).label("file_key"),
    file_key(parents).label("parent_file_key"),
    parents.c.created_at.label("parent_created_at"),
).select_from(PLACES)


async def select_portable(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    """Select todos with the names of their places."""
    statement = keyset_page(PORTABLE.where(visible_to(user_id)), todos.c.id, page)
    return (await session.execute(statement)).all()


async def select_calendar(session: Session, user_id: int) -> AnyRow | None:
    """Select the time zones of a user's todos, and when days remind."""
    zones = (
        select(func.array_agg(todos.c.time_zone.distinct(), type_=ARRAY(Text)))
        .where(visible_to(user_id), todos.c.time_zone.is_not(None))
        .scalar_subquery()
    )
    statement = select(User.default_reminder_time, zones.label("time_zones"))
    return (await session.execute(statement.where(User.id == user_id))).one_or_none()


# In the order of an index. The position alone is in none.
CHANGES = """
SELECT position AS id, at, entity, entity_id, operation, before, after, actor_id, client,
    change_set_id
FROM changes WHERE owner_id = :user_id {behind} ORDER BY xid, position LIMIT :limit
"""
BEHIND = """
AND (xid, position) > (
    SELECT xid, position FROM changes WHERE owner_id = :user_id AND position = :after
)
"""
FIRST_CHANGES = text(CHANGES.format(behind=""))
NEXT_CHANGES = text(CHANGES.format(behind=BEHIND))


async def select_changes(session: Session, user_id: int, page: PageParams) -> Sequence[AnyRow]:
    """Select what is known of the changes of what a user has."""
    values = {"user_id": user_id, "limit": page.limit + 1}
    if page.after is None:
        return (await session.execute(FIRST_CHANGES, values)).all()
    return (await session.execute(NEXT_CHANGES, values | {"after": page.after})).all()
