"""What happens when a link in an email is requested or used."""

from collections.abc import Sequence

from fast_zero.calendar_feeds import queries as calendar_feed_queries
from fast_zero.core import jobs, security
from fast_zero.core.database import Session
from fast_zero.core.errors import INVALID_TOKEN, Conflict, NotFound, Reason, Unauthenticated
from fast_zero.core.security.password_queue import Caller
from fast_zero.core.settings import Settings
from fast_zero.email_links import outbox, queries
from fast_zero.email_links.emails import Notice
from fast_zero.email_links.models import Purpose
from fast_zero.identity import limits
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.passwords import check_password
from fast_zero.two_factor import queries as two_factor_queries

LINK_NOT_VALID = Reason(
    "link_not_valid", "This link was used, has expired, or was followed by a newer one."
)
ALREADY_VERIFIED = Reason("email_already_verified", "Your email address is verified already.")


async def request_verification(
    session: Session, settings: Settings, user_id: int, requester: str
) -> None:
    user = await identity_queries.select_user(session, user_id)
    if user is None:
        raise Unauthenticated(INVALID_TOKEN)
    if user.email_verified_at is None:
        await limits.limit_emails(session, settings, requester, user.email)
        if email := await queries.select_unverified_email(session, user_id):
            await jobs.defer(session, outbox.link(Purpose.VERIFICATION, email, user_id))
            return
    raise Conflict(ALREADY_VERIFIED)


async def request_password_reset(
    session: Session, settings: Settings, email: str, requester: str
) -> None:
    """Request a link to reset a password, whether or not the address has an account."""
    await limits.limit_emails(session, settings, requester, email)
    await session.begin()
    await jobs.defer(session, outbox.link(Purpose.PASSWORD, email))


async def confirm_address(session: Session, token: str) -> Sequence[int]:
    """Verify the current address, or apply a pending one; return the sessions that ended.

    It is one transaction: if the address was taken in the meantime, the link is not used up.
    """
    purposes = (Purpose.VERIFICATION, Purpose.ADDRESS)
    link = await queries.use_link(session, security.digest(token), purposes)
    if link is None:
        raise NotFound(LINK_NOT_VALID)
    if link.purpose is Purpose.VERIFICATION:
        if not await queries.verify_address(session, link.owner_id, link.email):
            raise NotFound(LINK_NOT_VALID)
        return []
    moved = await queries.apply_pending_email(session, link.owner_id, link.email)
    if moved is None:
        raise NotFound(LINK_NOT_VALID)
    await jobs.defer(session, outbox.notice(Notice.ADDRESS_CHANGED, *moved))
    return await identity_queries.delete_sessions(session, link.owner_id)


async def hash_password_for_link(
    session: Session, settings: Settings, token: str, password: str, caller: Caller
) -> str:
    """Hash a new password if the link is valid: hashing is too expensive to do it for others."""
    check_password(password, settings.password_min_length)
    if not await queries.is_link_valid(session, security.digest(token), Purpose.PASSWORD):
        raise NotFound(LINK_NOT_VALID)
    return await security.hash_password(session, password, caller)


async def reset_password(session: Session, token: str, password_hash: str) -> Sequence[int]:
    """Set a new password with a link; return the sessions that ended.

    If the address was never verified, somebody else may have registered with it before its owner
    did. So personal tokens, the calendar feed and the second factor are deleted, too, and browsers
    are forgotten.
    """
    link = await queries.use_link(session, security.digest(token), [Purpose.PASSWORD])
    if link is None:
        raise NotFound(LINK_NOT_VALID)
    changed = await queries.reset_password(session, link.owner_id, link.email, password_hash)
    if changed is None:
        raise NotFound(LINK_NOT_VALID)
    email, language, was_verified = changed
    if not was_verified:
        await identity_queries.delete_personal_tokens(session, link.owner_id)
        await calendar_feed_queries.delete_feed(session, link.owner_id)
        await two_factor_queries.delete_second_factor(session, link.owner_id)
        await jobs.defer(session, outbox.forgetting_browsers(link.owner_id))
    await jobs.defer(session, outbox.notice(Notice.PASSWORD_CHANGED, email, language))
    return await identity_queries.delete_sessions(session, link.owner_id)
