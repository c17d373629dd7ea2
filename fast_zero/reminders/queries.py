"""Statements about what is due to go out, and about the content of emails."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Date,
    any_,
    case,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    text,
    update,
)

from fast_zero.core.database import AnyRow, Session
from fast_zero.identity.models import User
from fast_zero.notifications.models import Kind
from fast_zero.notifications.reports import RECEIVES_EMAILS
from fast_zero.reminders.models import Digest, ScheduledReminder
from fast_zero.todos.expressions import is_blocked, is_open, todos, visible_to

BATCH = 1000
LISTED = 10
"""Maximum number of todos in each list of a digest."""

scheduled = ScheduledReminder.__table__.c
digests = Digest.__table__.c
users = User.__table__.c

# What another worker has locked is its own, and what is just being deleted is left alone. Several
# reminders of a todo that have become due together go out as the last of them.
REMIND = text(f"""
WITH due AS MATERIALIZED (
    SELECT scheduled.owner_id, scheduled.todo_id, scheduled.fires_at, todos AS todo,
        users.disabled_at IS NULL AS is_active,
        'reminder' = ANY (users.letters) AND users.email_verified_at IS NOT NULL AS has_email
    FROM scheduled_reminders AS scheduled
    JOIN todos ON todos.owner_id = scheduled.owner_id AND todos.id = scheduled.todo_id
    JOIN users ON users.id = scheduled.owner_id
    WHERE scheduled.fires_at <= :now
    ORDER BY scheduled.fires_at, scheduled.owner_id LIMIT {BATCH}
    FOR UPDATE OF scheduled SKIP LOCKED FOR KEY SHARE OF todos, users SKIP LOCKED
), judged AS MATERIALIZED (
    SELECT due.*, latest, next, coalesce(latest <= :too_old, false) AS is_too_old,
        is_active AND latest > :too_old AND NOT EXISTS (
            SELECT FROM todo_relations AS relation
            JOIN todos AS blocker
                ON blocker.owner_id = relation.owner_id AND blocker.id = relation.todo_id
            WHERE relation.owner_id = due.owner_id AND relation.other_id = due.todo_id
                AND relation.kind = 'blocks' AND blocker.deletion_id IS NULL
                AND blocker.state IN ('draft', 'todo', 'doing')
        ) AS goes_out
    FROM due CROSS JOIN LATERAL (
        SELECT max(moment) FILTER (WHERE moment <= :now) AS latest,
            min(moment) FILTER (WHERE moment > :now) AS next
        FROM reminder_moments(due.todo) AS moment WHERE moment >= due.fires_at
    ) AS moments
)
UPDATE scheduled_reminders AS scheduled SET
    fires_at = judged.next,
    reminded_for = CASE
        WHEN judged.goes_out THEN judged.latest ELSE scheduled.reminded_for
    END,
    reminded_at = CASE WHEN judged.goes_out THEN :now ELSE scheduled.reminded_at END
FROM judged
WHERE scheduled.owner_id = judged.owner_id AND scheduled.todo_id = judged.todo_id
RETURNING scheduled.owner_id, scheduled.todo_id, judged.is_too_old,
    judged.goes_out AND judged.has_email AS is_mailed
""")  # noqa: S608  # a constant
# A digest of another day is not sent, nor a second one of the same day in another time zone.
DEFER_DIGESTS = text(f"""
WITH due AS MATERIALIZED (
    SELECT digests.user_id, digests.deferred_on, users.digest_time, users.time_zone,
        CAST(:now AT TIME ZONE users.time_zone AS date) AS today,
        users.email_verified_at IS NOT NULL AND users.disabled_at IS NULL AS has_email
    FROM digests JOIN users ON users.id = digests.user_id
    WHERE digests.fires_at <= :now
    ORDER BY digests.fires_at LIMIT {BATCH}
    FOR UPDATE OF digests SKIP LOCKED
), judged AS MATERIALIZED (
    SELECT due.*, has_email AND deferred_on IS DISTINCT FROM today
        AND first_moment(today + digest_time, time_zone) <= :now AS is_sent
    FROM due
)
UPDATE digests SET
    fires_at = next_digest(judged.digest_time, judged.time_zone, :now),
    deferred_on = CASE WHEN judged.is_sent THEN judged.today ELSE digests.deferred_on END
FROM judged WHERE digests.user_id = judged.user_id
RETURNING digests.user_id, judged.today, judged.is_sent
""")  # noqa: S608  # a constant


async def remind(session: Session, now: datetime, too_old: datetime) -> Sequence[AnyRow]:
    """Note reminders that are due as gone out, or as dropped, and return them."""
    return (await session.execute(REMIND, {"now": now, "too_old": too_old})).all()


async def defer_digests(session: Session, now: datetime) -> Sequence[AnyRow]:
    """Note digests that are due as deferred, and return them."""
    return (await session.execute(DEFER_DIGESTS, {"now": now})).all()


async def select_receiver(session: Session, user_id: int) -> AnyRow | None:
    """Select how to write to a user who may receive emails, and what they want."""
    columns = (users.email, users.language, users.time_zone, users.clock, users.digest_time)
    wants_reminders = (literal(Kind.REMINDER.value) == any_(users.letters)).label("wants_reminders")
    statement = select(*columns, wants_reminders).where(users.id == user_id, RECEIVES_EMAILS)
    return (await session.execute(statement)).one_or_none()


@dataclass(frozen=True)
class Sent:
    """What an owner was reminded of at a moment."""

    owner_id: int
    todo_ids: Sequence[int]
    reminded_at: datetime


async def select_unmailed(session: Session, sent: Sent) -> Sequence[AnyRow]:
    """Select the todos of reminders that were not mailed yet, and that still apply."""
    seconds = func.extract("epoch", scheduled.reminded_at - scheduled.reminded_for)
    minutes_late = func.floor(seconds / 60).label("minutes_late")
    statement = (
        select(todos.c.id, todos.c.title, todos.c.due_on, todos.c.due_at, minutes_late)
        .join(
            ScheduledReminder.__table__,
            (scheduled.owner_id == todos.c.owner_id) & (scheduled.todo_id == todos.c.id),
        )
        .where(
            visible_to(sent.owner_id),
            is_open(todos),
            ~is_blocked(),
            scheduled.todo_id == any_(literal(list(sent.todo_ids), ARRAY(BigInteger))),
            scheduled.reminded_at == sent.reminded_at,
            scheduled.mailed_at.is_distinct_from(scheduled.reminded_at),
        )
        .order_by(scheduled.reminded_for, todos.c.id)
    )
    return (await session.execute(statement)).all()


async def note_mailed(session: Session, sent: Sent) -> None:
    statement = update(ScheduledReminder.__table__).where(
        scheduled.owner_id == sent.owner_id,
        scheduled.todo_id == any_(literal(list(sent.todo_ids), ARRAY(BigInteger))),
        scheduled.reminded_at == sent.reminded_at,
    )
    await session.execute(statement.values(mailed_at=scheduled.reminded_at))


async def is_digest_unsent(session: Session, user_id: int, day: date) -> bool:
    of = (digests.user_id == user_id, digests.sent_on.is_distinct_from(day))
    return bool(await session.scalar(select(exists().where(*of))))


async def note_digest_sent(session: Session, user_id: int, day: date) -> None:
    statement = update(Digest.__table__).where(digests.user_id == user_id)
    await session.execute(statement.values(sent_on=day))


async def select_day(
    session: Session, user_id: int, zone: str, now: datetime
) -> tuple[Sequence[AnyRow], Sequence[AnyRow]]:
    """Select the todos that are overdue, and those that are due later today.

    At most `LISTED` of each, whose `number` is that of all.
    """
    today = cast(func.timezone(zone, now), Date)
    due_on = func.coalesce(cast(func.timezone(zone, todos.c.due_at), Date), todos.c.due_on)
    is_overdue = or_(todos.c.due_at < now, todos.c.due_on < today)
    is_overdue = func.coalesce(is_overdue, literal(False))  # noqa: FBT003  # a value in SQL
    place = func.row_number().over(
        partition_by=is_overdue, order_by=(due_on, todos.c.due_at, todos.c.id)
    )
    found = (
        select(
            todos.c.title,
            case((todos.c.due_at >= now, todos.c.due_at)).label("due_at"),
            is_overdue.label("is_overdue"),
            func.count().over(partition_by=is_overdue).label("number"),
            place.label("place"),
        )
        .where(visible_to(user_id), is_open(todos), due_on <= today)
        .subquery()
    )
    rows = await session.execute(
        select(found).where(found.c.place <= LISTED).order_by(found.c.place)
    )
    overdue: list[AnyRow] = []
    later: list[AnyRow] = []
    for row in rows:
        (overdue if row.is_overdue else later).append(row)
    return overdue, later
