"""Writes and sends the emails that people asked for, and asks for those that are due."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fast_zero.core import security
from fast_zero.core.email import sending
from fast_zero.core.email.template import Recipient
from fast_zero.core.jobs import Context, Jobs
from fast_zero.notifications import emails, queries, reports, unsubscribe_links
from fast_zero.notifications.models import Kind
from fast_zero.notifications.reports import REPORT, SEND_NEWS, SEND_REPORT

HOUR = time(8)
"""When on Monday a report is due, where its reader is."""
UNTOUCHED = timedelta(days=30)


async def ask_for_reports(context: Context) -> None:
    """Ask for the reports of all for whom it is Monday, 8:00 or later."""
    now = datetime.now(UTC)
    async with context.sessions.begin() as session:
        zones = await reports.select_time_zones(session)
        local = {zone: now.astimezone(ZoneInfo(zone)) for zone in zones}
        due = [zone for zone, there in local.items() if is_due(there)]
        if due:  # nowhere is it another Monday
            monday = local[due[0]].date()
            await reports.ask_for_reports(session, due, monday)


def is_due(there: datetime) -> bool:
    return there.isoweekday() == 1 and there.time() >= HOUR


async def send_report(context: Context, *, user_id: int, monday: str) -> None:
    """Send the report of the week before a Monday, unless nothing happened or it was sent."""
    day, settings = date.fromisoformat(monday), context.settings
    async with context.sessions.begin() as session:
        reader = await reports.select_receiver(session, user_id)
        if reader is None or REPORT not in reader.letters:
            return
        if not await reports.is_unsent(session, user_id, day):
            return
        ended = datetime.combine(day, HOUR, ZoneInfo(reader.time_zone))
        began = datetime.combine(day - timedelta(days=7), HOUR, ZoneInfo(reader.time_zone))
        week = await reports.select_week(session, user_id, began, ended, ended - UNTOUCHED)
    if not (week.finished or week.followers or week.likes or week.worked):
        return
    letter = emails.of_week(
        week,
        Recipient(reader.email, reader.language),
        server=settings.base_url(),
        unsubscribe=unsubscribe_links.link(settings, user_id, [REPORT], reader.language),
        letter_id=id_of(REPORT, user_id, monday),
    )
    await sending.send(settings, letter)
    async with context.sessions.begin() as session:
        await reports.note_sent(session, user_id, day)


async def ask_for_news(context: Context) -> None:
    async with context.sessions.begin() as session:
        await reports.ask_for_news(session, datetime.now(UTC))


async def send_news(context: Context, *, user_id: int, mailed_at: str) -> None:
    """Send what was asked for at a moment, as far as it still holds and is unread."""
    settings = context.settings
    async with context.sessions.begin() as session:
        reader = await reports.select_receiver(session, user_id)
        moment = datetime.fromisoformat(mailed_at)
        told = await queries.select_mailed(session, user_id, moment)
    wanted = set(reader.letters) & set(Kind) if reader else set()
    told = [one for one in told if one.kind in wanted]
    if reader is None or not told:
        return
    kinds = sorted({one.kind for one in told})
    letter = emails.of_news(
        told,
        Recipient(reader.email, reader.language),
        server=settings.base_url(),
        unsubscribe=unsubscribe_links.link(settings, user_id, kinds, reader.language),
        letter_id=id_of("news", user_id, mailed_at),
    )
    await sending.send(settings, letter)


def id_of(*about: object) -> str:
    """Give the same id to an email that is sent again, as a job is that lost its worker."""
    return security.digest(" ".join(map(str, about)))[:16].hex()


JOBS: Jobs = {SEND_REPORT: send_report, SEND_NEWS: send_news}
CHORES: Jobs = {"news.ask_for_reports": ask_for_reports, "news.ask_for_news": ask_for_news}
