"""The emails of accounts, written and sent after the response; and what is swept now and then."""

from datetime import UTC, datetime, timedelta
from typing import Unpack

from sqlalchemy import text

from fast_zero.accounts import invitation_queries, letters, link_queries, outbox
from fast_zero.accounts.letters import Notice
from fast_zero.accounts.link_queries import NewLink
from fast_zero.accounts.models import Purpose
from fast_zero.accounts.outbox import LinkAsked
from fast_zero.core import security
from fast_zero.core.email import sending
from fast_zero.core.email.template import Recipient
from fast_zero.core.jobs import Context, Hopeless, Jobs

# What nobody needs any more, some of it each time, and nothing that another process works on.
SWEEPS = [
    text(f"""
    DELETE FROM {table} WHERE {key} IN (
        SELECT {key} FROM {table} WHERE {moment} < now() - interval '{age}'
        LIMIT 10000 FOR UPDATE SKIP LOCKED
    )
    """)  # noqa: S608  # names of our own
    for table, key, moment, age in [
        ("ended_sessions", "session_id", "ended_at", "2 hours"),
        ("spent_refresh_tokens", "digest", "expires_at", "2 hours"),
        ("login_sessions", "id", "expires_at", "2 hours"),
        ("mailed_links", "digest", "expires_at", "2 hours"),
        ("invitations", "id", "expires_at", "2 hours"),
        ("throttles", "digest", "expires_at", "2 hours"),
        ("audit_events", "id", "at", "1 year"),
    ]
]
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
        reader = await link_queries.upsert_link(session, link)
    if reader is None:
        return
    to, server, letter_id = Recipient(*reader), context.settings.base_url(), id_of(asked["seed"])
    letter = letters.with_link(purpose, to, server=server, token=token, letter_id=letter_id)
    await sending.send(context.settings, letter)


async def send_notice(
    context: Context, *, about: str, email: str, language: str, seed: str
) -> None:
    to, server = Recipient(email, language), context.settings.base_url()
    letter = letters.notice(Notice(about), to, server=server, letter_id=id_of(seed))
    await sending.send(context.settings, letter)


async def send_invitation(context: Context, *, seed: str) -> None:
    """Send an invitation, unless it was used, revoked or replaced meanwhile, or has expired."""
    tokens = security.derived_tokens(context.settings, seed)
    by_digest = {security.digest(token): token for token in tokens}
    async with context.sessions.begin() as session:
        reader = await invitation_queries.select_reader(session, list(by_digest))
    if reader is None:
        return
    digest, email, language = reader
    to, server, token = Recipient(email, language), context.settings.base_url(), by_digest[digest]
    letter = letters.invitation(to, server=server, token=token, letter_id=id_of(seed))
    await sending.send(context.settings, letter)


async def sweep(context: Context) -> None:
    for statement in SWEEPS:
        async with context.sessions.begin() as session:
            await session.execute(statement)


def id_of(seed: str) -> str:
    return security.digest(seed)[:16].hex()


JOBS: Jobs = {
    outbox.SEND_LINK: send_link,
    outbox.SEND_NOTICE: send_notice,
    outbox.SEND_INVITATION: send_invitation,
}
CHORES: Jobs = {"accounts.sweep": sweep}
