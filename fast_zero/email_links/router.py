"""Routes of the links in emails: they confirm an address, or set a new password."""

from collections.abc import Sequence
from http import HTTPStatus

from fastapi import APIRouter, Request

from fast_zero.core.addresses import network
from fast_zero.core.database import run_again
from fast_zero.core.errors import Conflict, NotFound, TooManyRequests
from fast_zero.core.http import examples
from fast_zero.core.http.dependencies import CurrentSession, CurrentSettings
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED
from fast_zero.core.http.problems import responses
from fast_zero.core.security import password_queue
from fast_zero.core.security.password_queue import CROWDED
from fast_zero.core.types import Message
from fast_zero.email_links import service
from fast_zero.email_links.schemas import ForgottenPassword, MailedToken, PasswordReset
from fast_zero.identity import attempts
from fast_zero.identity.dependencies import CurrentRevocations, address_of
from fast_zero.identity.models import EMAIL_TAKEN

PASSWORD_SENT = "If an account has this address, an email is on its way to it."  # noqa: S105  # not a secret, a sentence

router = APIRouter(prefix="/auth", tags=["auth"])


@router.post(
    "/email/confirm",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(NotFound(service.DEAD), Conflict(EMAIL_TAKEN)),
)
async def confirm_email(
    mailed: MailedToken, session: CurrentSession, revocations: CurrentRevocations
) -> None:
    """Confirm an email address by the token of its link. A new address ends all your sessions."""

    async def confirm() -> Sequence[int]:
        return await service.confirm_address(session, mailed.token)

    revocations.add_at_commit(session, *await run_again(session, confirm))


@router.post(
    "/password/forgotten",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(TooManyRequests(attempts.TOO_MANY_LETTERS), EXHAUSTED)
    | examples.message(PASSWORD_SENT, HTTPStatus.ACCEPTED),
)
async def forget_password(
    forgotten: ForgottenPassword,
    session: CurrentSession,
    request: Request,
    settings: CurrentSettings,
) -> Message:
    """Send a link for a new password. The response does not tell whether the address is known."""
    asker = network(address_of(request))
    await service.ask_for_password(session, settings, forgotten.email, asker)
    return Message(message=PASSWORD_SENT)


@router.post(
    "/password/reset",
    status_code=HTTPStatus.NO_CONTENT,
    responses=responses(NotFound(service.DEAD), CROWDED, EXHAUSTED),
)
async def reset_password(
    reset: PasswordReset,
    request: Request,
    session: CurrentSession,
    settings: CurrentSettings,
    revocations: CurrentRevocations,
) -> None:
    """Set a new password by the token of its link. It ends all your sessions.

    If your address was never verified, it also ends personal tokens and the second factor.
    """
    caller = password_queue.address(settings, address_of(request))
    password_hash = await service.hash_by_link(
        session, settings, reset.token, reset.password, caller
    )

    async def set_password() -> Sequence[int]:
        return await service.reset_password(session, reset.token, password_hash)

    revocations.add_at_commit(session, *await run_again(session, set_password))
