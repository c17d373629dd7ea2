"""Jobs that let reminders and digests go out every minute, and send their emails."""

import logging
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from zoneinfo import ZoneInfo

from fast_zero.core import jobs
from fast_zero.core.email import sending
from fast_zero.core.jobs import Context, Deferral, Jobs
from fast_zero.notifications import unsubscribe_links
from fast_zero.notifications.jobs import id_of
from fast_zero.notifications.models import Kind
from fast_zero.notifications.reports import DIGEST
from fast_zero.reminders import emails, queries
from fast_zero.reminders.emails import Envelope
from fast_zero.reminders.queries import BATCH, Sent

SEND_REMINDERS = "reminders.send"
SEND_DIGEST = "reminders.send_digest"
TOO_OLD = timedelta(days=1)
"""Reminders that are this late do not go out."""

logger = logging.getLogger(__name__)


async def remind(context: Context) -> None:
    """Let all reminders go out that are due, in batches."""
    while await remind_some(context) == BATCH:
        pass


async def remind_some(context: Context) -> int:
    """Let some reminders go out; return how many were due."""
    now = datetime.now(UTC)
    async with context.sessions.begin() as session:
        due = await queries.remind(session, now, now - TOO_OLD)
        mailed = sorted((row.owner_id, row.todo_id) for row in due if row.is_mailed)
        each = (
            Deferral(
                SEND_REMINDERS,
                {
                    "user_id": owner_id,
                    "todo_ids": [todo_id for _, todo_id in rows],
                    "reminded_at": now.isoformat(),
                },
            )
            for owner_id, rows in groupby(mailed, key=lambda pair: pair[0])
        )
        await jobs.defer(session, *each)
    if dropped := sum(row.is_too_old for row in due):
        logger.warning("%d reminders were dropped: they were late by more than a day", dropped)
    return len(due)


async def send_reminders(
    context: Context, *, user_id: int, todo_ids: Sequence[int], reminded_at: str
) -> None:
    """Send what went out at a moment as one email, as far as it still applies."""
    settings, sent = context.settings, Sent(user_id, todo_ids, datetime.fromisoformat(reminded_at))
    async with context.sessions.begin() as session:
        reader = await queries.select_receiver(session, user_id)
        todos = await queries.select_unmailed(session, sent)
    if reader is None or not reader.wants_reminders or not todos:
        return
    envelope = Envelope(
        server=settings.base_url(),
        unsubscribe=unsubscribe_links.link(settings, user_id, [Kind.REMINDER], reader.language),
        message_id=id_of(Kind.REMINDER, user_id, reminded_at, *todo_ids),
    )
    await sending.send(settings, emails.reminders_email(todos, reader, envelope))
    async with context.sessions.begin() as session:
        await queries.note_mailed(session, sent)


async def defer_digests(context: Context) -> None:
    """Defer all digests that are due, in batches."""
    while await defer_some_digests(context) == BATCH:
        pass


async def defer_some_digests(context: Context) -> int:
    """Defer some digests; return how many were due."""
    async with context.sessions.begin() as session:
        due = await queries.defer_digests(session, datetime.now(UTC))
        each = (
            Deferral(SEND_DIGEST, {"user_id": row.user_id, "day": row.today.isoformat()})
            for row in due
            if row.is_sent
        )
        await jobs.defer(session, *each)
    return len(due)


async def send_digest(context: Context, *, user_id: int, day: str) -> None:
    """Send the digest of a day, unless it is over, there is nothing to say, or it was sent."""
    settings, today = context.settings, date.fromisoformat(day)
    async with context.sessions.begin() as session:
        reader = await queries.select_receiver(session, user_id)
        if reader is None or reader.digest_time is None:
            return
        now = datetime.now(UTC)
        is_over = now.astimezone(ZoneInfo(reader.time_zone)).date() > today
        if is_over or not await queries.is_digest_unsent(session, user_id, today):
            return
        overdue, later = await queries.select_day(session, user_id, reader.time_zone, now)
    if not overdue and not later:
        return
    envelope = Envelope(
        server=settings.base_url(),
        unsubscribe=unsubscribe_links.link(settings, user_id, [DIGEST], reader.language),
        message_id=id_of(DIGEST, user_id, day),
    )
    await sending.send(settings, emails.digest_email(overdue, later, reader, envelope))
    async with context.sessions.begin() as session:
        await queries.note_digest_sent(session, user_id, today)


JOBS: Jobs = {SEND_REMINDERS: send_reminders, SEND_DIGEST: send_digest}
EVERY_MINUTE: Jobs = {"reminders.remind": remind, "reminders.ask_for_digests": defer_digests}
