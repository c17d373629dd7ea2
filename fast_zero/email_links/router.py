"""Routes of the links in emails."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter, Request

from fast_zero.core.addresses import network
from fast_zero.core.database import retry_transaction
from fast_zero.core.errors import Conflict, NotFound, TooManyRequests
from fast_zero.core.http import examples
from fast_zero.core.http.dependencies import CurrentSession, CurrentSettings
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED
from fast_zero.core.http.problems import responses
from fast_zero.core.security import password_queue
from fast_zero.core.security.password_queue import TOO_MANY_PASSWORDS
from fast_zero.core.types import Message
from fast_zero.email_links import service
from fast_zero.email_links.schemas import ForgottenPassword, MailedToken, PasswordReset
from fast_zero.identity import limits
from fast_zero.identity.dependencies import CurrentRevocations, address_of
from fast_zero.identity.models import EMAIL_TAKEN

PASSWORD_SENT = "If an account has this address, an email is on its way to it."  # noqa: S105  # not a secret, a sentence

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post(
    "/email/confirm",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(NotFound(service.LINK_NOT_VALID), Conflict(EMAIL_TAKEN)),
)
async def confirm_email(
    mailed: MailedToken, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """Confirm an email address with the token of a link. A new address ends all your sessions."""

    async def confirm() -> Sequence[int]:
        return await service.confirm_address(session, mailed.token)

    revocations.add_at_commit(session, *await retry_transaction(session, confirm))


@router.post(
    "/password/forgotten",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(TooManyRequests(limits.TOO_MANY_EMAILS), EXHAUSTED)
    | examples.message(PASSWORD_SENT, HTTPStatus.ACCEPTED),
)
async def forget_password(
    forgotten: ForgottenPassword,
    session: CurrentSession,
    request: Request,
    settings: CurrentSettings,
) -> Message:
    """Request a link to reset a password. The response is the same if the address is unknown."""
    requester = network(address_of(request))
    await service.request_password_reset(session, settings, forgotten.email, requester)
    return Message(message=PASSWORD_SENT)


@router.post(
    "/password/reset",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(NotFound(service.LINK_NOT_VALID), TOO_MANY_PASSWORDS, EXHAUSTED),
)
async def reset_password(
    reset: PasswordReset,
    request: Request,
    session: CurrentSession,
    settings: CurrentSettings,
    revocations: CurrentRevocations,
) -> None:
    """Set a new password with the token of a link. It ends all your sessions.

    If your address was never verified, it also revokes personal tokens, and deletes the calendar
    feed and the second factor.
    """
    caller = password_queue.address(settings, address_of(request))
    password_hash = await service.hash_password_for_link(
        session, settings, reset.token, reset.password, caller
    )

    async def set_password() -> Sequence[int]:
        return await service.reset_password(session, reset.token, password_hash)

    revocations.add_at_commit(session, *await retry_transaction(session, set_password))
