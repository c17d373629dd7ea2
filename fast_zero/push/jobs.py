"""The jobs that send notifications to browsers, and that forget the browsers of a user."""

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from importlib import import_module

from fast_zero.core.jobs import Context, JobError, Jobs, PermanentFailure
from fast_zero.notifications import queries as notifications
from fast_zero.push import messages, queries

SEND = "push.send"
FORGET_BROWSERS = "push.forget_browsers"
RETRIED = timedelta(hours=1)

logger = logging.getLogger(__name__)


async def send(
    context: Context, *, subscription_id: int, notification_id: int, deferred_at: str
) -> None:
    """Send a notification to a browser, if it is still valid and unread.

    A trigger of notifications defers it. A subscription that is gone is forgotten.
    """
    async with context.sessions.begin() as session:
        receiver = await queries.select_receiver(session, subscription_id)
        if receiver is None:
            return
        owner_id = receiver.owner_id
        notification = await notifications.select_unread(session, owner_id, notification_id)
    if notification is None:
        return
    message = messages.compose(context.settings, owner_id, receiver.language, notification)
    sending = await asyncio.to_thread(import_module, "fast_zero.push.sending")
    try:
        is_known = await sending.send(context.settings, receiver, message)
    except JobError as error:
        async with context.sessions.begin() as session:
            await queries.note_failure(session, subscription_id)
        if should_retry(error, datetime.fromisoformat(deferred_at), datetime.now(UTC)):
            raise
        logger.warning("a push was given up: %s", error)
        return
    async with context.sessions.begin() as session:
        if is_known:
            await queries.note_success(session, subscription_id)
        else:
            await queries.delete_subscription(session, owner_id, subscription_id)


def should_retry(error: JobError, deferred_at: datetime, now: datetime) -> bool:
    """Return whether a push is retried. If not, the job must not fail either.

    Users name the push services, so those that do not work are no problem of the operator, who
    would be alerted of failed jobs.
    """
    return not isinstance(error, PermanentFailure) and now < deferred_at + RETRIED


async def forget_browsers(context: Context, *, user_id: int) -> None:
    async with context.sessions.begin() as session:
        await queries.delete_subscriptions(session, user_id)


JOBS: Jobs = {SEND: send, FORGET_BROWSERS: forget_browsers}
