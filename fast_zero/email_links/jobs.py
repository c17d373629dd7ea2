"""Jobs that write and send the emails with links and the notices."""

from datetime import UTC, datetime, timedelta
from typing import Unpack

from fast_zero.core import security
from fast_zero.core.email import sending
from fast_zero.core.email.template import Recipient
from fast_zero.core.jobs import Context, Jobs, PermanentFailure
from fast_zero.email_links import emails, outbox, queries
from fast_zero.email_links.emails import Notice
from fast_zero.email_links.models import Purpose
from fast_zero.email_links.outbox import LinkRequest
from fast_zero.email_links.queries import NewLink

LIFETIMES = {
    Purpose.VERIFICATION: timedelta(days=1),
    Purpose.ADDRESS: timedelta(days=1),
    Purpose.PASSWORD: timedelta(hours=1),
}


async def send_link(context: Context, **request: Unpack[LinkRequest]) -> None:
    """Send a link to its recipient, if there is one. A retry sends the same link."""
    purpose, moment = Purpose(request["purpose"]), datetime.fromisoformat(request["requested_at"])
    expires_at = moment + LIFETIMES[purpose]
    if expires_at < datetime.now(UTC):
        raise PermanentFailure("the link has expired before it could be sent")
    token = security.derived_token(context.settings, request["seed"])
    link = NewLink(
        purpose=purpose,
        digest=security.digest(token),
        email=request["email"],
        user_id=request["user_id"],
        requested_at=moment,
        expires_at=expires_at,
    )
    async with context.sessions.begin() as session:
        reader = await queries.upsert_link(session, link)
    if reader is None:
        return
    to, server, message_id = Recipient(*reader), context.settings.base_url(), id_of(request["seed"])
    message = emails.with_link(purpose, to, server=server, token=token, message_id=message_id)
    await sending.send(context.settings, message)


async def send_notice(
    context: Context, *, about: str, email: str, language: str, seed: str
) -> None:
    to, server = Recipient(email, language), context.settings.base_url()
    message = emails.notice(Notice(about), to, server=server, message_id=id_of(seed))
    await sending.send(context.settings, message)


def id_of(seed: str) -> str:
    return security.digest(seed)[:16].hex()


JOBS: Jobs = {outbox.SEND_LINK: send_link, outbox.SEND_NOTICE: send_notice}
