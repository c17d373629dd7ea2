"""Jobs that send invitations, and delete expired rows."""

from sqlalchemy import text

from fast_zero.accounts import queries
from fast_zero.core import security
from fast_zero.core.email import sending
from fast_zero.core.email.template import Recipient
from fast_zero.core.jobs import Context, Jobs
from fast_zero.email_links import emails, outbox
from fast_zero.email_links.jobs import id_of

# Deletes expired rows in batches, and skips those that another process has locked.
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


async def send_invitation(context: Context, *, seed: str) -> None:
    """Send an invitation, unless it was used, revoked or replaced, or has expired."""
    tokens = security.derived_tokens(context.settings, seed)
    by_digest = {security.digest(token): token for token in tokens}
    async with context.sessions.begin() as session:
        reader = await queries.select_invited(session, list(by_digest))
    if reader is None:
        return
    digest, email, language = reader
    to, server, token = Recipient(email, language), context.settings.base_url(), by_digest[digest]
    message = emails.invitation(to, server=server, token=token, message_id=id_of(seed))
    await sending.send(context.settings, message)


async def sweep(context: Context) -> None:
    for statement in SWEEPS:
        async with context.sessions.begin() as session:
            await session.execute(statement)


JOBS: Jobs = {outbox.SEND_INVITATION: send_invitation}
PERIODIC_JOBS: Jobs = {"accounts.sweep": sweep}
