"""The emails with links, and those that tell what was done: written and sent after the response."""

from datetime import UTC, datetime, timedelta
from typing import Unpack

from fast_zero.core import security
from fast_zero.core.email import sending
from fast_zero.core.email.template import Recipient
from fast_zero.core.jobs import Context, Hopeless, Jobs
from fast_zero.email_links import emails, outbox, queries
from fast_zero.email_links.emails import Notice
from fast_zero.email_links.models import Purpose
from fast_zero.email_links.outbox import LinkAsked
from fast_zero.email_links.queries import NewLink

LIFETIMES = {
    Purpose.VERIFICATION: timedelta(days=1),
    Purpose.ADDRESS: timedelta(days=1),
    Purpose.PASSWORD: timedelta(hours=1),
}


async def send_link(context: Context, **asked: Unpack[LinkAsked]) -> None:
    """Send a link to its reader, if there is one. Done again, it sends the same."""
    purpose, moment = Purpose(asked["purpose"]), datetime.fromisoformat(asked["requested_at"])
    expires_at = moment + LIFETIMES[purpose]
    if expires_at < datetime.now(UTC):
        raise Hopeless("the link has expired before it could be sent")
    token = security.derived_token(context.settings, asked["seed"])
    link = NewLink(
        purpose=purpose,
        digest=security.digest(token),
        email=asked["email"],
        user_id=asked["user_id"],
        requested_at=moment,
        expires_at=expires_at,
    )
    async with context.sessions.begin() as session:
        reader = await queries.upsert_link(session, link)
    if reader is None:
        return
    to, server, letter_id = Recipient(*reader), context.settings.base_url(), id_of(asked["seed"])
    letter = emails.with_link(purpose, to, server=server, token=token, letter_id=letter_id)
    await sending.send(context.settings, letter)


async def send_notice(
    context: Context, *, about: str, email: str, language: str, seed: str
) -> None:
    to, server = Recipient(email, language), context.settings.base_url()
    letter = emails.notice(Notice(about), to, server=server, letter_id=id_of(seed))
    await sending.send(context.settings, letter)


def id_of(seed: str) -> str:
    return security.digest(seed)[:16].hex()


JOBS: Jobs = {outbox.SEND_LINK: send_link, outbox.SEND_NOTICE: send_notice}
