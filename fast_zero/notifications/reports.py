"""Statements about the weekly report, and about recipients of emails."""

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

from fast_zero.core import jobs
from fast_zero.core.database import AnyRow, Session
from fast_zero.core.jobs import Deferral
from fast_zero.identity.models import User
from fast_zero.notifications.models import WeeklyReport
from fast_zero.notifications.queries import NAMED
from fast_zero.people.models import Follow
from fast_zero.people.queries import READER, follows, known_to_reader, literal_text, users
from fast_zero.posts.models import Completion, Like, Post
from fast_zero.posts.queries import completions, editable_by, likes, posts
from fast_zero.profiles.queries import count
from fast_zero.todos.models import Todo, TodoState

SEND_REPORT = "news.send_report"
SEND_NEWS = "news.send_news"
REPORT = "weekly_report"
DIGEST = "digest"
LISTED = 10
"""Maximum number of todos in each list of a report."""

todos = Todo.__table__.c
reports = WeeklyReport.__table__.c

MONDAY: BindParameter[date] = bindparam("monday", type_=Date)
BEGAN: BindParameter[datetime] = bindparam("began", type_=DateTime(timezone=True))
ENDED: BindParameter[datetime] = bindparam("ended", type_=DateTime(timezone=True))
STALE: BindParameter[datetime] = bindparam("stale", type_=DateTime(timezone=True))

RECEIVES_EMAILS = and_(users.email_verified_at.is_not(None), users.disabled_at.is_(None))
WANT_REPORTS = (literal_text(REPORT) == func.any(users.letters), RECEIVES_EMAILS)


async def select_time_zones(session: Session) -> Sequence[str]:
    """Select the time zones of users who want a weekly report."""
    statement = select(users.time_zone).where(*WANT_REPORTS).distinct()
    return (await session.scalars(statement)).all()


async def defer_reports(session: Session, zones: Sequence[str], monday: date) -> None:
    """Defer the reports of a week in some time zones: one for each account, also after a retry."""
    place: BindParameter[Any] = bindparam("zones", type_=ARRAY(Text))
    due = select(users.id, MONDAY).where(users.time_zone == func.any(place), *WANT_REPORTS)
    made = (
        insert(WeeklyReport.__table__)
        .from_select(["user_id", "monday"], due)
        .on_conflict_do_nothing()
        .returning(reports.user_id)
    )
    asked = await session.scalars(made, {"zones": list(zones), "monday": monday})
    about = {"monday": monday.isoformat()}
    each = (Deferral(SEND_REPORT, {"user_id": user_id} | about) for user_id in asked)
    await jobs.defer(session, *each)


# A user gets one email an hour at most, and one about the same notification, until it is read and
# has a new event. Rows locked by concurrent events or reads are left to the next email.
MARK_NEWS = text("""
WITH due AS (
    SELECT news.id FROM notifications AS news JOIN users ON users.id = news.user_id
    WHERE users.letters <> '{}' AND users.email_verified_at IS NOT NULL
        AND users.disabled_at IS NULL
        AND news.kind = ANY (users.letters)
        AND news.kind <> 'reminder'  -- emails of their own
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
""")


async def defer_notification_emails(session: Session, now: datetime) -> None:
    """Defer an email to each user with unread notifications that were not mailed yet."""
    receivers = set(await session.scalars(MARK_NEWS, {"now": now}))
    about = {"mailed_at": now.isoformat()}
    each = (Deferral(SEND_NEWS, {"user_id": user_id} | about) for user_id in sorted(receivers))
    await jobs.defer(session, *each)


async def select_receiver(session: Session, user_id: int) -> AnyRow | None:
    """Select address, language and wanted emails of a user who may receive emails."""
    columns = (users.email, users.language, users.letters, users.time_zone)
    found = await session.execute(select(*columns).where(users.id == user_id, RECEIVES_EMAILS))
    return found.one_or_none()


async def is_unsent(session: Session, user_id: int, monday: date) -> bool:
    of = (reports.user_id == user_id, reports.monday == monday, reports.sent_at.is_(None))
    return bool(await session.scalar(select(exists().where(*of))))


async def note_sent(session: Session, user_id: int, monday: date) -> None:
    of = (reports.user_id == user_id, reports.monday == monday)
    await session.execute(update(WeeklyReport.__table__).where(*of).values(sent_at=func.now()))


def during(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(moment >= BEGAN, moment < ENDED)


IN_TRASH = todos.deletion_id.is_not(None)
OPEN = (todos.owner_id == READER, ~IN_TRASH, todos.state.in_([TodoState.TODO, TodoState.DOING]))
UNTOUCHED = (*OPEN, todos.updated_at < STALE)
DONE_THEN = (completions.owner_id == READER, during(completions.finished_at))
FOLLOWED_THEN = (
    follows.followed_id == READER,
    during(follows.created_at),
    known_to_reader(follows.follower_id),
)
LIKED_THEN = (
    editable_by(posts),
    likes.user_id != READER,
    during(likes.created_at),
    known_to_reader(likes.user_id),
)
FIRST_DONE = (
    select(todos.title, completions.finished_at.label("at"))
    .join_from(Completion.__table__, Todo.__table__, todos.id == completions.todo_id)
    .where(*DONE_THEN, ~IN_TRASH)
    .order_by(completions.finished_at)
    .limit(LISTED)
    .subquery("first_done")
)
OLDEST = (
    select(todos.title, todos.updated_at.label("at"))
    .where(*UNTOUCHED)
    .order_by(todos.updated_at)
    .limit(LISTED)
    .subquery("oldest")
)
LATEST = (
    select(users.username, follows.id)
    .join_from(Follow.__table__, User.__table__, users.id == follows.follower_id)
    .where(*FOLLOWED_THEN)
    .order_by(follows.id.desc())
    .limit(NAMED)
    .subquery("latest")
)
NAME = func.jsonb_build_object("username", LATEST.c.username)
WEEK: Select[*tuple[Any, ...]] = select(
    count(Completion.__table__, *DONE_THEN).label("finished"),
    select(func.array_agg(aggregate_order_by(FIRST_DONE.c.title, FIRST_DONE.c.at)))
    .scalar_subquery()
    .label("finished_titles"),
    count(Todo.__table__, *OPEN).label("open"),
    count(Todo.__table__, *UNTOUCHED).label("untouched"),
    select(func.array_agg(aggregate_order_by(OLDEST.c.title, OLDEST.c.at)))
    .scalar_subquery()
    .label("untouched_titles"),
    count(Follow.__table__, *FOLLOWED_THEN).label("followers"),
    select(func.jsonb_agg(aggregate_order_by(NAME, LATEST.c.id.desc()), type_=JSONB))
    .scalar_subquery()
    .label("followers_named"),
    count(Like.__table__.join(Post.__table__, posts.id == likes.post_id), *LIKED_THEN).label(
        "likes"
    ),
    exists()
    .where(todos.owner_id == READER, or_(during(todos.created_at), during(todos.updated_at)))
    .label("worked"),
)


async def select_week(
    session: Session, user_id: int, began: datetime, ended: datetime, stale: datetime
) -> AnyRow:
    """Select the content of a report. Todos are untouched if they last changed before `stale`."""
    values = {"reader_id": user_id, "began": began, "ended": ended, "stale": stale}
    return (await session.execute(WEEK, values)).one()


async def unsubscribe(session: Session, user_id: int, kinds: Sequence[str]) -> None:
    """Stop some kinds of emails. That of the digest is wanted by its time."""
    unwanted: BindParameter[Any] = bindparam("kinds", type_=ARRAY(Text))
    left = select(func.unnest(users.letters)).except_(select(func.unnest(unwanted)))
    statement = (
        update(User)
        .where(User.id == user_id)
        .values(letters=func.array(left.scalar_subquery(), type_=ARRAY(Text)))
    )
    if DIGEST in kinds:
        statement = statement.values(digest_time=None)
    await session.execute(statement, {"kinds": list(kinds)})
