"""How often somebody may try to guess a password, and ask for emails."""

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
TOO_MANY_LETTERS = Reason("too_many_emails", "Too many emails were asked for. Try again later.")


def at_log_in(settings: Settings, login: str, address: str) -> tuple[Limit, ...]:
    """Limit the log-ins from an address, and those to an account, whether it exists or not.

    `login` is what was typed, folded as the database folds it. If an account's name and its
    address were counted as one, trying both would tell that they belong together.
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


def of_own_password(settings: Settings, actor_id: int, session_id: int | None) -> Limit:
    """Limit how often who is logged in may give their password once more.

    Each session is counted alone, so that who has stolen one holds up no other, and failed
    log-ins hold up none.
    """
    key = throttle.key(settings, "own password", f"{actor_id} {session_id}")
    return Limit(key, settings.login_failures, settings.login_longest_wait)


async def try_password(
    session: Session,
    limits: tuple[Limit, ...],
    caller: Caller,
    password: str,
    password_hash: str | None,
) -> tuple[bool, str | None]:
    """Compare as `security.verify_password` does, if there is an attempt left.

    It counts as failed; whoever finds that all is well forgives it.
    """
    await throttle.attempt(session, *limits)
    try:
        return await security.verify_password(session, password, password_hash, caller)
    except (TooManyRequests, Unavailable):
        await throttle.take_back(session, *limits)
        raise


async def own_password_is_right(
    session: Session,
    settings: Settings,
    actor: tuple[int, int | None],
    password: str,
    password_hash: str,
) -> bool:
    """Compare the password of who is logged in. `actor` is their id and that of the session."""
    limit = of_own_password(settings, *actor)
    caller = password_queue.user(settings, actor[0])
    right, _ = await try_password(session, (limit,), caller, password, password_hash)
    if right:
        await throttle.forgive(session, limit)
        await session.commit()  # whatever else is wrong with the request, it was no failure
    return right


async def limit_registrations(session: Session, settings: Settings, client: str) -> None:
    """Take one of those that an address has in an hour, before anything costs much."""
    key = throttle.key(settings, "registrations", network(client))
    limit = settings.registrations_per_hour
    await throttle.spend(session, key, limit, HOUR, TOO_MANY_REGISTRATIONS)


async def limit_letters(session: Session, settings: Settings, asker: str, *to: str) -> None:
    """Take emails of the limits as `spend_letters` does. They stay taken if the request fails."""
    try:
        await spend_letters(session, settings, asker, *to)
    except TooManyRequests:
        await session.commit()
        raise
    await session.commit()


async def spend_letters(session: Session, settings: Settings, asker: str, *to: str) -> None:
    """Take one of those that an asker has in an hour, and one of those that each reader gets.

    The asker comes first: who has none left takes none from others. Python does not fold an
    address just as the database does; the few letters in which they differ give a few more.
    """
    limit = settings.letters_per_hour_per_address
    await throttle.spend(
        session, throttle.key(settings, "letters from", asker), limit, HOUR, TOO_MANY_LETTERS
    )
    for address in to:
        folded = unicodedata.normalize("NFKC", address).casefold()
        reader = throttle.key(settings, "letters to", folded)
        await throttle.spend(session, reader, settings.letters_per_hour, HOUR, TOO_MANY_LETTERS)
