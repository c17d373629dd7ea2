"""Limits on password attempts, registrations and requested emails."""

import unicodedata

from fast_zero.core import security
from fast_zero.core.addresses import network
from fast_zero.core.database import Session
from fast_zero.core.errors import Reason, TooManyRequests, Unavailable
from fast_zero.core.security import password_queue, throttle
from fast_zero.core.security.password_queue import Caller
from fast_zero.core.security.throttle import Limit
from fast_zero.core.settings import Settings

HOUR = 3600
TOO_MANY_REGISTRATIONS = Reason(
    "too_many_registrations", "Too many accounts were made from your address. Try again later."
)
TOO_MANY_EMAILS = Reason("too_many_emails", "Too many emails were asked for. Try again later.")


def log_in_limits(settings: Settings, login: str, address: str) -> tuple[Limit, ...]:
    """Limit the log-ins from an IP address, and those to an account, whether it exists or not.

    `login` is the entered name, folded as the database folds it. The username and the email address
    of an account are counted separately: a shared count would reveal that they belong together.
    """
    return (
        Limit(
            throttle.key(settings, "log-ins from", network(address)),
            settings.login_failures_per_address,
            settings.login_longest_wait,
            shared=True,
        ),
        Limit(
            throttle.key(settings, "log-ins to", login),
            settings.login_failures,
            settings.login_longest_wait,
        ),
    )


def own_password_limit(settings: Settings, user_id: int, session_id: int | None) -> Limit:
    """Limit how often a logged-in user may enter their password again.

    Each session is counted separately, so that a thief of one session blocks no other. Failed
    log-ins are not counted here.
    """
    key = throttle.key(settings, "own password", f"{user_id} {session_id}")
    return Limit(key, settings.login_failures, settings.login_longest_wait)


def own_code_limit(settings: Settings, user_id: int, session_id: int | None) -> Limit:
    """Limit how often a logged-in user may enter a one-time code again."""
    key = throttle.key(settings, "own code", f"{user_id} {session_id}")
    return Limit(key, settings.login_failures, settings.login_longest_wait)


async def verify_limited_password(
    session: Session,
    limits: tuple[Limit, ...],
    caller: Caller,
    password: str,
    password_hash: str | None,
) -> tuple[bool, str | None]:
    """Verify a password as `security.verify_password` does, if an attempt is left.

    The attempt is counted as failed. The caller calls `throttle.record_success` after success.
    """
    await throttle.record_attempt(session, *limits)
    try:
        return await security.verify_password(session, password, password_hash, caller)
    except (TooManyRequests, Unavailable):
        await throttle.cancel_attempt(session, *limits)
        raise


async def is_own_password(
    session: Session,
    settings: Settings,
    user: tuple[int, int | None],
    password: str,
    password_hash: str,
) -> bool:
    """Verify the password of the current user. `user` is the user's id and the session's id."""
    limit = own_password_limit(settings, *user)
    caller = password_queue.user(settings, user[0])
    right, _ = await verify_limited_password(session, (limit,), caller, password, password_hash)
    if right:
        await throttle.record_success(session, limit)
        await session.commit()  # the password was right, even if the request fails later
    return right


async def limit_registrations(session: Session, settings: Settings, client: str) -> None:
    """Count a registration of an IP address per hour, before any expensive work."""
    key = throttle.key(settings, "registrations", network(client))
    limit = settings.registrations_per_hour
    await throttle.consume(session, key, limit, HOUR, TOO_MANY_REGISTRATIONS)


async def limit_emails(session: Session, settings: Settings, requester: str, *to: str) -> None:
    """Count emails as `spend_emails` does, and commit: they stay counted if the request fails."""
    try:
        await spend_emails(session, settings, requester, *to)
    except TooManyRequests:
        await session.commit()
        raise
    await session.commit()


async def spend_emails(session: Session, settings: Settings, requester: str, *to: str) -> None:
    """Count an email for the requester, and one for each recipient, per hour.

    The requester is counted first: a requester without emails left uses up no recipient's limit.
    Python does not fold addresses exactly as the database does; the few characters that differ
    allow a few more emails.
    """
    limit = settings.letters_per_hour_per_address
    await throttle.consume(
        session, throttle.key(settings, "letters from", requester), limit, HOUR, TOO_MANY_EMAILS
    )
    for address in to:
        folded = unicodedata.normalize("NFKC", address).casefold()
        reader = throttle.key(settings, "letters to", folded)
        await throttle.consume(session, reader, settings.letters_per_hour, HOUR, TOO_MANY_EMAILS)
