"""Statements about the weekly report, and about who is written to."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    ARRAY,
    BindParameter,
    ColumnElement,
    Date,
    DateTime,
    Select,
    Text,
    and_,
    bindparam,
    exists,
    func,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by, insert

from fast_zero.accounts.models import users
from fast_zero.core import jobs
from fast_zero.core.database import AnyRow, AnySession
from fast_zero.feed.models import completions, follows, likes, posts
from fast_zero.feed.people_queries import count
from fast_zero.feed.queries import READER, constant, known_to_reader
from fast_zero.news.models import weekly_reports
from fast_zero.news.queries import NAMED
from fast_zero.todos.models import TodoState, todos

SEND_REPORT = "news.send_report"
SEND_NEWS = "news.send_news"
REPORT = "weekly_report"
LISTED = 10
"""How many todos a report lists of each kind."""


MONDAY: BindParameter[date] = bindparam("monday", type_=Date)
BEGAN: BindParameter[datetime] = bindparam("began", type_=DateTime(timezone=True))
ENDED: BindParameter[datetime] = bindparam("ended", type_=DateTime(timezone=True))
STALE: BindParameter[datetime] = bindparam("stale", type_=DateTime(timezone=True))

WRITTEN_TO = and_(users.c.email_verified_at.is_not(None), users.c.disabled_at.is_(None))
WANT_REPORTS = (constant(REPORT) == func.any(users.c.letters), WRITTEN_TO)


async def select_time_zones(session: AnySession) -> Sequence[str]:
    """Select in which zones somebody wants a weekly report."""
    statement = select(users.c.time_zone).where(*WANT_REPORTS).distinct()
    return (await session.execute(statement)).scalars().all()


async def ask_for_reports(session: AnySession, zones: Sequence[str], monday: date) -> None:
    """Ask for the reports of a week in some zones: once for each account, whoever asks too."""
    place: BindParameter[Any] = bindparam("zones", type_=ARRAY(Text))
    due = select(users.c.id, MONDAY).where(users.c.time_zone == func.any(place), *WANT_REPORTS)
    made = (
        insert(weekly_reports)
        .from_select(["user_id", "monday"], due)
        .on_conflict_do_nothing()
        .returning(weekly_reports.c.user_id, weekly_reports.c.monday)
        .cte("made")
    )
    job = jobs.deferral(SEND_REPORT, user_id=made.c.user_id, monday=made.c.monday)
    await session.execute(select(job).select_from(made), {"zones": list(zones), "monday": monday})


# Somebody is written to once an hour at most, and of the same thing once, until it is read and
# happens again. What somebody causes or reads just then comes with the next letter.
ASK_FOR_NEWS = text("""
WITH due AS (
    SELECT news.id FROM notifications AS news JOIN users ON users.id = news.user_id
    WHERE users.letters <> '{}' AND users.email_verified_at IS NOT NULL
        AND users.disabled_at IS NULL
        AND news.kind = ANY (users.letters)
        AND news.read_at IS NULL
        AND (news.mailed_at IS NULL OR news.mailed_at < news.at)
        AND NOT EXISTS (
            SELECT FROM notifications AS before
            WHERE before.user_id = news.user_id
                AND before.mailed_at > :now - interval '1 hour'
        )
    FOR UPDATE OF news SKIP LOCKED
)
UPDATE notifications AS news SET mailed_at = :now FROM due WHERE news.id = due.id
RETURNING news.user_id
""").columns(user_id=users.c.id.type)


async def ask_for_news(session: AnySession, now: datetime) -> None:
    """Ask for a letter to each who wants to hear of what is unread, and was not told yet."""
    marked = ASK_FOR_NEWS.bindparams(bindparam("now", now, DateTime(timezone=True))).cte("marked")
    receivers = select(marked.c.user_id).distinct().subquery("receivers")
    job = jobs.deferral(SEND_NEWS, user_id=receivers.c.user_id, mailed_at=now.isoformat())
    await session.execute(select(job).select_from(receivers))


async def select_receiver(session: AnySession, user_id: int) -> AnyRow | None:
    """Select to where and how somebody is written, and which letters are wanted."""
    columns = (users.c.email, users.c.language, users.c.letters, users.c.time_zone)
    found = await session.execute(select(*columns).where(users.c.id == user_id, WRITTEN_TO))
    return found.one_or_none()


async def is_unsent(session: AnySession, user_id: int, monday: date) -> bool:
    of = (
        weekly_reports.c.user_id == user_id,
        weekly_reports.c.monday == monday,
        weekly_reports.c.sent_at.is_(None),
    )
    return bool((await session.execute(select(exists().where(*of)))).scalar())


async def note_sent(session: AnySession, user_id: int, monday: date) -> None:
    of = (weekly_reports.c.user_id == user_id, weekly_reports.c.monday == monday)
    await session.execute(update(weekly_reports).where(*of).values(sent_at=func.now()))


def during(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(moment >= BEGAN, moment < ENDED)


OPEN = (todos.c.owner_id == READER, todos.c.state.in_([TodoState.TODO, TodoState.DOING]))
UNTOUCHED = (*OPEN, todos.c.updated_at < STALE)
DONE_THEN = (completions.c.owner_id == READER, during(completions.c.finished_at))
FOLLOWED_THEN = (
    follows.c.followed_id == READER,
    during(follows.c.created_at),
    known_to_reader(follows.c.follower_id),
)
LIKED_THEN = (
    posts.c.author_id == READER,
    likes.c.user_id != READER,
    during(likes.c.created_at),
    known_to_reader(likes.c.user_id),
)
FIRST_DONE = (
    select(todos.c.title, completions.c.finished_at.label("at"))
    .join_from(completions, todos, todos.c.id == completions.c.todo_id)
    .where(*DONE_THEN)
    .order_by(completions.c.finished_at)
    .limit(LISTED)
    .subquery("first_done")
)
OLDEST = (
    select(todos.c.title, todos.c.updated_at.label("at"))
    .where(*UNTOUCHED)
    .order_by(todos.c.updated_at)
    .limit(LISTED)
    .subquery("oldest")
)
LATEST = (
    select(users.c.username, follows.c.id)
    .join_from(follows, users, users.c.id == follows.c.follower_id)
    .where(*FOLLOWED_THEN)
    .order_by(follows.c.id.desc())
    .limit(NAMED)
    .subquery("latest")
)
NAME = func.jsonb_build_object("username", LATEST.c.username)
WEEK: Select[*tuple[Any, ...]] = select(
    count(completions, *DONE_THEN).label("finished"),
    select(func.array_agg(aggregate_order_by(FIRST_DONE.c.title, FIRST_DONE.c.at)))
    .scalar_subquery()
    .label("finished_titles"),
    count(todos, *OPEN).label("open"),
    count(todos, *UNTOUCHED).label("untouched"),
    select(func.array_agg(aggregate_order_by(OLDEST.c.title, OLDEST.c.at)))
    .scalar_subquery()
    .label("untouched_titles"),
    count(follows, *FOLLOWED_THEN).label("followers"),
    select(func.jsonb_agg(aggregate_order_by(NAME, LATEST.c.id.desc()), type_=JSONB))
    .scalar_subquery()
    .label("followers_named"),
    count(likes.join(posts, posts.c.id == likes.c.post_id), *LIKED_THEN).label("likes"),
    exists()
    .where(todos.c.owner_id == READER, or_(during(todos.c.created_at), during(todos.c.updated_at)))
    .label("worked"),
)


async def select_week(
    session: AnySession, user_id: int, began: datetime, ended: datetime, stale: datetime
) -> AnyRow:
    """Select what a report tells: from when to when, and what counts as untouched."""
    values = {"reader_id": user_id, "began": began, "ended": ended, "stale": stale}
    return (await session.execute(WEEK, values)).one()


async def stop_letters(session: AnySession, user_id: int, kinds: Sequence[str]) -> None:
    unwanted: BindParameter[Any] = bindparam("kinds", type_=ARRAY(Text))
    left = select(func.unnest(users.c.letters)).except_(select(func.unnest(unwanted)))
    statement = (
        update(users)
        .where(users.c.id == user_id)
        .values(letters=func.array(left.scalar_subquery(), type_=ARRAY(Text)))
    )
    await session.execute(statement, {"kinds": list(kinds)})
