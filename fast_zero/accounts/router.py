from http import HTTPStatus

from fastapi import APIRouter, Request, Response

from fast_zero.accounts import invitations, service
from fast_zero.accounts.schemas import MeUpdate, UserCreate, UserPrivate, UserUpdate
from fast_zero.core.addresses import network
from fast_zero.core.errors import (
    INVALID_TOKEN,
    Conflict,
    Forbidden,
    Reason,
    TooManyRequests,
    Unauthenticated,
)
from fast_zero.core.http import conditions, etags, examples, idempotency
from fast_zero.core.http.conditions import IfMatch, IfNoneMatch
from fast_zero.core.http.dependencies import CurrentSession, CurrentSettings, PageQuery, ReadSession
from fast_zero.core.http.idempotency import Idempotent
from fast_zero.core.http.middleware.rate_limit import EXHAUSTED
from fast_zero.core.http.problems import responses
from fast_zero.core.languages import preferred
from fast_zero.core.pagination import split_page
from fast_zero.core.security import throttle
from fast_zero.core.security.password_queue import TOO_MANY_PASSWORDS
from fast_zero.core.types import Id, Message
from fast_zero.email_links import service as email_links
from fast_zero.identity import limits
from fast_zero.identity import queries as identity_queries
from fast_zero.identity.dependencies import (
    NEEDS_TOKEN,
    NO_PERSONAL_TOKENS,
    NO_SCOPE,
    AccountReader,
    AccountWriter,
    CurrentRevocations,
    address_of,
    session_of,
)
from fast_zero.identity.models import EITHER_TAKEN, EMAIL_TAKEN, USERNAME_TAKEN
from fast_zero.identity.schemas import PUBLIC, AuditPage

NOT_YOU = Reason("not_your_account", "Not enough permissions")
DELETED = "User deleted"
VERIFICATION_SENT = "An email is on its way to your address."

router = APIRouter(tags=["users"])
private = APIRouter(prefix="/users", responses=NEEDS_TOKEN)


@router.post(
    "/users",
    status_code=HTTPStatus.CREATED,
    response_model=UserPrivate,
    responses=responses(
        Forbidden(invitations.CLOSED),
        Forbidden(invitations.NEEDED),
        Forbidden(invitations.NOT_VALID),
        Conflict(USERNAME_TAKEN),
        Conflict(EMAIL_TAKEN),
        idempotency.UNFINISHED,
        TooManyRequests(limits.TOO_MANY_REGISTRATIONS),
        TOO_MANY_PASSWORDS,
        EXHAUSTED,
    )
    | idempotency.CREATED,
)
async def create_user(
    new: UserCreate,
    request: Request,
    response: Response,
    session: CurrentSession,
    settings: CurrentSettings,
    idempotent: Idempotent,
) -> object:
    """Register an account. You receive a link that verifies your email address.

    If you register with an invitation, the address is verified already.
    """
    invitations.check_registration(settings, new)
    language = preferred(request.headers.get("accept-language", ""))
    password_hash = await service.hash_for_registration(
        session, settings, new.password, address_of(request)
    )

    async def register() -> UserPrivate:
        user = await service.insert_account(session, new, password_hash, language)
        idempotent.owner_id = user.id
        conditions.set_created(response, etags.tag(user.version), f"/users/{user.id}")
        return UserPrivate.model_validate(user)

    return await idempotent(session, idempotency.ANONYMOUS, register)


@private.get("/me", response_model=UserPrivate, responses=conditions.TAGGED_OR_SEEN)
async def read_me(
    user: AccountReader, session: ReadSession, response: Response, seen: IfNoneMatch
) -> object:
    """Show your own account."""
    account = await identity_queries.select_user(session, user.id)
    if account is None:  # deleted since the request began
        raise Unauthenticated(INVALID_TOKEN)
    conditions.set_tag(response, etags.tag(account.version), seen)
    return account


@private.get("/me/audit", response_model=AuditPage)
async def list_audit(page: PageQuery, user: AccountReader, session: ReadSession) -> object:
    """List the security events of your account. A year of log-ins, changes and tokens."""
    rows, cursor = split_page(await identity_queries.select_audit(session, user.id, page), page)
    return {"events": rows, "next": cursor}


@private.patch(
    "/me",
    response_model=UserPrivate,
    responses=responses(
        NO_SCOPE,
        Forbidden(service.NEEDS_PASSWORD),
        NO_PERSONAL_TOKENS,
        TooManyRequests(throttle.TOO_MANY_FAILURES),
        TooManyRequests(limits.TOO_MANY_EMAILS),
        TOO_MANY_PASSWORDS,
        EXHAUSTED,
        Conflict(USERNAME_TAKEN),
        Conflict(EMAIL_TAKEN),
        conditions.STALE,
    )
    | conditions.TAGGED,
)
async def update_me(
    change: MeUpdate,
    user: AccountWriter,
    session: CurrentSession,
    settings: CurrentSettings,
    response: Response,
    condition: IfMatch,
    revocations: CurrentRevocations,
) -> object:
    """Change some fields of your account. A new password ends all your sessions.

    A new address replaces the old one when you follow the link that is sent to it. A personal token
    can change neither.
    """
    if change.changes_credentials():
        session_of(user)
    accepted = etags.versions(condition, PUBLIC)
    who = (user.id, user.session_id)
    account, ended = await service.change_account(session, who, change, settings, accepted)
    if ended:
        revocations.add_at_commit(session, user.session_id)
    conditions.set_tag(response, etags.tag(account.version))
    return account


@private.post(
    "/me/email/verification",
    status_code=HTTPStatus.ACCEPTED,
    responses=responses(
        Conflict(email_links.ALREADY_VERIFIED), TooManyRequests(limits.TOO_MANY_EMAILS), EXHAUSTED
    )
    | examples.message(VERIFICATION_SENT, HTTPStatus.ACCEPTED),
)
async def send_verification(
    user: AccountWriter, session: CurrentSession, request: Request, settings: CurrentSettings
) -> Message:
    """Send another link to verify your address. Older links stop working."""
    await email_links.request_verification(session, settings, user.id, network(address_of(request)))
    return Message(message=VERIFICATION_SENT)


@private.put(
    "/{user_id}",
    response_model=UserPrivate,
    responses=responses(
        NO_SCOPE,
        Forbidden(NOT_YOU),
        NO_PERSONAL_TOKENS,
        TooManyRequests(limits.TOO_MANY_EMAILS),
        TOO_MANY_PASSWORDS,
        EXHAUSTED,
        Conflict(EITHER_TAKEN),
        conditions.STALE,
    )
    | conditions.TAGGED,
)
async def replace_user(
    user_id: Id,
    update: UserUpdate,
    user: AccountWriter,
    session: CurrentSession,
    settings: CurrentSettings,
    response: Response,
    condition: IfMatch,
    revocations: CurrentRevocations,
) -> object:
    """Replace all fields of your account. A new address or password ends all your sessions."""
    if user_id != user.id:
        raise Forbidden(NOT_YOU)
    session_of(user)  # else a personal token could set a password, and log in with it
    accepted = etags.versions(condition, PUBLIC)
    account, ended = await service.replace_account(session, user.id, update, settings, accepted)
    if ended:
        revocations.add_at_commit(session, user.session_id)
    conditions.set_tag(response, etags.tag(account.version))
    return account


@private.delete(
    "/{user_id}",
    responses=responses(NO_SCOPE, Forbidden(NOT_YOU), NO_PERSONAL_TOKENS, conditions.STALE)
    | examples.message(DELETED),
)
async def delete_user(
    user_id: Id,
    user: AccountWriter,
    session: CurrentSession,
    condition: IfMatch,
    revocations: CurrentRevocations,
) -> Message:
    """Delete your account. Everything that you own is deleted with it, at once and for good.

    A personal token cannot do this.
    """
    if user_id != user.id:
        raise Forbidden(NOT_YOU)
    session_of(user)
    await service.delete_account(session, user.id, etags.versions(condition, PUBLIC))
    revocations.add_at_commit(session, user.session_id)
    return Message(message=DELETED)


router.include_router(private)
