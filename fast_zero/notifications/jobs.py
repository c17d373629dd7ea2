"""Jobs that send emails about notifications and weekly reports, and defer those that are due."""

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
"""When a report is due on Monday, in the user's time zone."""
UNTOUCHED = timedelta(days=30)


async def defer_reports(context: Context) -> None:
    """Defer the reports of all users for whom it is Monday, 8:00 or later."""
    now = datetime.now(UTC)
    async with context.sessions.begin() as session:
        zones = await reports.select_time_zones(session)
        local = {zone: now.astimezone(ZoneInfo(zone)) for zone in zones}
        due = [zone for zone, local_time in local.items() if is_due(local_time)]
        if due:  # it is the same Monday in all of them
            monday = local[due[0]].date()
            await reports.defer_reports(session, due, monday)


def is_due(local_time: datetime) -> bool:
    return local_time.isoweekday() == 1 and local_time.time() >= HOUR


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
    message = emails.weekly_report(
        week,
        Recipient(reader.email, reader.language),
        server=settings.base_url(),
        unsubscribe=unsubscribe_links.link(settings, user_id, [REPORT], reader.language),
        message_id=id_of(REPORT, user_id, monday),
    )
    await sending.send(settings, message)
    async with context.sessions.begin() as session:
        await reports.note_sent(session, user_id, day)


async def defer_notification_emails(context: Context) -> None:
    async with context.sessions.begin() as session:
        await reports.defer_notification_emails(session, datetime.now(UTC))


async def send_news(context: Context, *, user_id: int, mailed_at: str) -> None:
    """Send the notifications that were marked at a moment, if they are still valid and unread."""
    settings = context.settings
    async with context.sessions.begin() as session:
        reader = await reports.select_receiver(session, user_id)
        moment = datetime.fromisoformat(mailed_at)
        notifications = await queries.select_mailed(session, user_id, moment)
    wanted = set(reader.letters) & set(Kind) if reader else set()
    notifications = [one for one in notifications if one.kind in wanted]
    if reader is None or not notifications:
        return
    kinds = sorted({one.kind for one in notifications})
    message = emails.notifications_email(
        notifications,
        Recipient(reader.email, reader.language),
        server=settings.base_url(),
        unsubscribe=unsubscribe_links.link(settings, user_id, kinds, reader.language),
        message_id=id_of("news", user_id, mailed_at),
    )
    await sending.send(settings, message)


def id_of(*about: object) -> str:
    """Return the id of an email. A retry gives the same id."""
    return security.digest(" ".join(map(str, about)))[:16].hex()


JOBS: Jobs = {SEND_REPORT: send_report, SEND_NEWS: send_news}
PERIODIC_JOBS: Jobs = {
    "news.ask_for_reports": defer_reports,
    "news.ask_for_news": defer_notification_emails,
}
