"""Statements about notifications. Those about the weekly report are in `reports`."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    ColumnElement,
    CompoundSelect,
    DateTime,
    FromClause,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by
from sqlalchemy.sql.dml import ReturningUpdate
from sqlalchemy.sql.selectable import LateralFromClause

from fast_zero.core.database import AnyRow, Session
from fast_zero.notifications.models import Kind, Notification
from fast_zero.notifications.schemas import NotificationParams
from fast_zero.people.models import Follow
from fast_zero.people.queries import (
    AFTER,
    LIMIT,
    OFFSET,
    PERSON,
    READER,
    Rows,
    known_to_reader,
    literal_number,
    literal_text,
    page_values,
    users,
)
from fast_zero.posts.models import Like, Post
from fast_zero.posts.queries import editable_by, visible_to
from fast_zero.todos.expressions import is_blocked, is_open
from fast_zero.todos.models import Todo

NAMED = 3
"""Maximum number of people that a notification names, latest first."""
COUNTED = 1000
"""Maximum number of the latest follows, replies or likes that it counts."""

news = Notification.__table__.c
todos = Todo.__table__
MAILED_AT = bindparam("mailed_at", type_=DateTime(timezone=True))


def causes(of: FromClause, most: int) -> CompoundSelect[*tuple[Any, ...]]:
    """Select who caused a notification, latest first, as far as the reader can see them."""
    follow, like = Follow.__table__.alias("follow").c, Like.__table__.alias("liking").c
    reply = Post.__table__.alias("answer").c
    kinds = (
        select(follow.follower_id.label("user_id"), follow.id).where(
            of.c.kind == literal_text(Kind.FOLLOW),
            follow.followed_id == READER,
            follow.id >= of.c.since,
            known_to_reader(follow.follower_id),
        ),
        select(like.user_id, like.id).where(
            of.c.kind == literal_text(Kind.LIKE),
            like.post_id == of.c.post_id,
            like.id >= of.c.since,
            known_to_reader(like.user_id),
            like.user_id != READER,
        ),
        select(reply.author_id, reply.id).where(
            of.c.kind == literal_text(Kind.REPLY),
            reply.reply_to == of.c.post_id,
            reply.id >= of.c.since,
            reply.author_id != READER,
            visible_to(reply),
        ),
    )
    ids = (follow.id, like.id, reply.id)
    latest = (
        kind.correlate(of).order_by(place.desc()).limit(literal_number(most))
        for kind, place in zip(kinds, ids, strict=True)
    )
    return union_all(*latest)


def people_of(of: FromClause) -> LateralFromClause:
    """Select the number of people who caused a notification, and the latest of them."""
    events = causes(of, COUNTED).subquery("events").c
    latest = func.max(events.id).label("latest")
    people = (
        select(events.user_id, latest, func.count().over().label("total"))
        .group_by(events.user_id)
        .order_by(latest.desc())
        .limit(literal_number(NAMED))
        .subquery("people")
    )
    return (
        select(
            func.max(people.c.total).label("people_count"),
            func.jsonb_agg(aggregate_order_by(PERSON, people.c.latest.desc()), type_=JSONB).label(
                "people"
            ),
        )
        .join_from(people, users.id.table, users.id == people.c.user_id)
        .lateral("caused_by")
    )


def notifications_statement() -> Rows:
    """Select the reader's notifications that still have a cause, and their post or todo."""
    table, post, todo = Notification.__table__, Post.__table__.alias("post"), todos.alias("todo")
    found = people_of(table)
    about = func.jsonb_build_object("id", post.c.id, "text", post.c.text, type_=JSONB)
    due = func.jsonb_build_object("id", todo.c.id, "title", todo.c.title, type_=JSONB)
    return (
        select(
            news.id,
            news.kind,
            case((post.c.id.is_not(None), about)).label("post"),
            case((todo.c.id.is_not(None), due)).label("todo"),
            news.minutes_late,
            func.coalesce(found.c.people, func.jsonb_build_array(), type_=JSONB).label("people"),
            func.coalesce(found.c.people_count, literal_number(0)).label("people_count"),
            news.read_at.is_not(None).label("read"),
            news.at,
        )
        .select_from(table)
        .outerjoin(post, post.c.id == news.post_id)
        .outerjoin(todo, and_(todo.c.id == news.todo_id, todo.c.deletion_id.is_(None)))
        .join(found, true())
        .where(
            news.user_id == READER,
            or_(todo.c.id.is_not(None), found.c.people_count.is_not(None)),
            or_(news.post_id.is_(None), editable_by(post.c)),
        )
    )


def visible_to_reader(of: FromClause) -> ColumnElement[bool]:
    """Whether the reader can see a notification: it still has a cause, and its post if any."""
    post = Post.__table__.alias("its")
    mine = select(post.c.id).where(post.c.id == of.c.post_id, editable_by(post.c))
    todo = todos.alias("its_todo")
    reminded = select(todo.c.id).where(todo.c.id == of.c.todo_id, todo.c.deletion_id.is_(None))
    return and_(
        of.c.user_id == READER,
        or_(reminded.exists(), causes(of, 1).exists()),
        or_(of.c.post_id.is_(None), mine.exists()),
    )


def unread() -> ColumnElement[int]:
    table = Notification.__table__.alias("waiting")
    found = select(func.count()).select_from(table)
    return found.where(table.c.read_at.is_(None), visible_to_reader(table)).scalar_subquery()


@cache
def list_statement(*, only_unread: bool, after: bool) -> Rows:
    """List a page, newest first, beside the number of all unread notifications.

    There is a row even if the page is empty.
    """
    statement = notifications_statement()
    if only_unread:
        statement = statement.where(news.read_at.is_(None))
    if after:
        statement = statement.where(news.id < AFTER)
    page = statement.order_by(news.id.desc()).offset(OFFSET).limit(LIMIT).subquery("page")
    count = select(unread().label("unread")).subquery("all_unread")
    both = select(count.c.unread, page).select_from(count.outerjoin(page, true()))
    return both.order_by(page.c.id.desc())


async def select_news(
    session: Session, reader_id: int, wanted: NotificationParams
) -> tuple[Sequence[AnyRow], int]:
    """Select a page, and count all unread notifications."""
    statement = list_statement(only_unread=wanted.unread, after=wanted.after is not None)
    rows = (await session.execute(statement, page_values(reader_id, wanted))).all()
    return [row for row in rows if row.id is not None], rows[0].unread


async def select_page(
    session: Session, reader_id: int, wanted: NotificationParams
) -> Sequence[AnyRow]:
    return (await select_news(session, reader_id, wanted))[0]


@cache
def mark_read_statement(*, one: bool) -> ReturningUpdate[*tuple[Any, ...]]:
    wanted: BindParameter[int] = bindparam("notification_id", type_=BigInteger)
    values = {"read_at": func.coalesce(news.read_at, func.now())}
    statement = update(Notification.__table__).where(news.user_id == READER).values(values)
    if one:
        statement = statement.where(news.id == wanted, visible_to_reader(Notification.__table__))
    else:
        statement = statement.where(news.id <= wanted, news.read_at.is_(None))
    return statement.returning(news.id)


async def mark_read(
    session: Session, reader_id: int, notification_id: int, *, one: bool = False
) -> bool:
    """Mark a notification, or all up to it, as read; return whether there was any."""
    values = {"reader_id": reader_id, "notification_id": notification_id}
    return (await session.execute(mark_read_statement(one=one), values)).first() is not None


@cache
def mailed_statement() -> Rows:
    still = notifications_statement().where(news.mailed_at == MAILED_AT, news.read_at.is_(None))
    return still.order_by(news.id.desc())


async def select_mailed(session: Session, reader_id: int, mailed_at: datetime) -> Sequence[AnyRow]:
    """Select the notifications of a deferred email that are still valid and unread."""
    values = {"reader_id": reader_id, "mailed_at": mailed_at}
    return (await session.execute(mailed_statement(), values)).all()


@cache
def unread_statement() -> Rows:
    wanted: BindParameter[int] = bindparam("notification_id", type_=BigInteger)
    of_open = select(todos.c.id).where(todos.c.id == news.todo_id, is_open(todos), ~is_blocked())
    return notifications_statement().where(
        news.id == wanted,
        news.read_at.is_(None),
        or_(news.todo_id.is_(None), of_open.correlate(Notification.__table__).exists()),
    )


async def select_unread(session: Session, reader_id: int, notification_id: int) -> AnyRow | None:
    """Select a notification if it is still valid and unread, and its todo open and not blocked."""
    values = {"reader_id": reader_id, "notification_id": notification_id}
    return (await session.execute(unread_statement(), values)).one_or_none()
