"""What a link in an email does when somebody has followed it."""

from collections.abc import Sequence

from fast_zero.core import jobs, security
from fast_zero.core.database import Session
from fast_zero.core.errors import INVALID_TOKEN, Conflict, NotFound, Reason, Unauthenticated
from fast_zero.core.security.password_queue import Caller
from fast_zero.core.settings import Settings
from fast_zero.email_links import outbox, queries
from fast_zero.email_links.emails import Notice
from fast_zero.email_links.models import Purpose
from fast_zero.identity import attempts
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.passwords import check_password
from fast_zero.two_factor import queries as two_factor_queries

DEAD = Reason("link_not_valid", "This link was used, has expired, or was followed by a newer one.")
VERIFIED = Reason("email_already_verified", "Your email address is verified already.")


async def ask_for_verification(
    session: Session, settings: Settings, actor_id: int, asker: str
) -> None:
    user = await identity_queries.select_user(session, actor_id)
    if user is None:
        raise Unauthenticated(INVALID_TOKEN)
    if user.email_verified_at is None:
        await attempts.limit_letters(session, settings, asker, user.email)
        if email := await queries.select_unverified(session, actor_id):
            await jobs.defer(session, outbox.link(Purpose.VERIFICATION, email, actor_id))
            return
    raise Conflict(VERIFIED)


async def ask_for_password(session: Session, settings: Settings, email: str, asker: str) -> None:
    """Ask for a link to a new password, whether or not anybody has the address."""
    await attempts.limit_letters(session, settings, asker, email)
    await session.begin()
    await jobs.defer(session, outbox.link(Purpose.PASSWORD, email))


async def confirm_address(session: Session, token: str) -> Sequence[int]:
    """Verify an address, or let it take the place of another; give the sessions that ended.

    In one transaction: a link whose address was taken meanwhile is not used up.
    """
    purposes = (Purpose.VERIFICATION, Purpose.ADDRESS)
    link = await queries.use_link(session, security.digest(token), purposes)
    if link is None:
        raise NotFound(DEAD)
    if link.purpose is Purpose.VERIFICATION:
        if not await queries.verify_address(session, link.owner_id, link.email):
            raise NotFound(DEAD)
        return []
    moved = await queries.move_address(session, link.owner_id, link.email)
    if moved is None:
        raise NotFound(DEAD)
    await jobs.defer(session, outbox.notice(Notice.ADDRESS_CHANGED, *moved))
    return await identity_queries.delete_sessions(session, link.owner_id)


async def hash_by_link(
    session: Session, settings: Settings, token: str, password: str, caller: Caller
) -> str:
    """Hash a new password, if the link to it works; it costs too much to do for any other."""
    check_password(password, settings.password_min_length)
    if not await queries.link_works(session, security.digest(token), Purpose.PASSWORD):
        raise NotFound(DEAD)
    return await security.hash_password(session, password, caller)


async def reset_password(session: Session, token: str, password_hash: str) -> Sequence[int]:
    """Set a new password by a link; give the sessions that ended.

    An address that was never verified may have been given by somebody else, who registered with it
    before its owner did. So personal tokens and the second factor end as well.
    """
    link = await queries.use_link(session, security.digest(token), [Purpose.PASSWORD])
    if link is None:
        raise NotFound(DEAD)
    changed = await queries.reset_password(session, link.owner_id, link.email, password_hash)
    if changed is None:
        raise NotFound(DEAD)
    email, language, was_verified = changed
    if not was_verified:
        await identity_queries.delete_personal_tokens(session, link.owner_id)
        await two_factor_queries.delete_second_factor(session, link.owner_id)
    await jobs.defer(session, outbox.notice(Notice.PASSWORD_CHANGED, email, language))
    return await identity_queries.delete_sessions(session, link.owner_id)
